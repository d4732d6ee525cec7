"""A real docker-registry on 127.0.0.1 that stops with its owner."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from lab.media_types import INDEX_TYPES, MANIFEST_TYPES

PASSWORD = "lab-password"  # noqa: S105 - guards nothing but a registry on this machine
PASSWORD_BCRYPT = "$2b$05$U5f3gutQS2cT7alcQfjYf.4JTXY/iFmkjbDAXFln2F0HHukxQkeMS"  # noqa: S105 - of PASSWORD
START_SECONDS = 10.0

MANIFESTS = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))

# Between owner and server: `read` returns when the owner closes the pipe or dies, and ends the server.
SUPERVISE = """
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ read -r _ <&3; kill "$server"; } 2>/dev/null & watch=$!
wait "$server"; code=$?
kill "$watch" 2>/dev/null
exit "$code"
"""


class Registry:
    """`with Registry(folder) as registry:` runs `docker-registry` (from PATH) until the block ends.

    `root` holds data, configuration and log: a later Registry on the same folder serves the same content.
    `htpasswd` is (user, PASSWORD): no other password, because only its bcrypt hash is kept here.
    `readonly` answers every write with 405. `port` 0 takes a free one.
    """

    def __init__(
        self,
        root: Path,
        htpasswd: tuple[str, str] | None = None,
        readonly: bool = False,
        port: int = 0,
    ) -> None:
        if htpasswd is not None and htpasswd[1] != PASSWORD:
            raise ValueError("the lab's registry knows one password only: use lab.registry.PASSWORD")
        self.root = root.resolve()
        self.log = self.root / "registry.log"
        self.host = ""
        self._htpasswd = htpasswd
        self._readonly = readonly
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self.host}"

    def __enter__(self) -> Registry:
        program = shutil.which("docker-registry")
        if program is None:
            raise FileNotFoundError(
                "docker-registry is not on PATH: the lab needs the real registry; "
                "install Debian's package docker-registry or add its folder to PATH"
            )
        self.root.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", SUPERVISE, "sh", program, "serve", str(self._configure())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.root,
                start_new_session=True,  # a Ctrl-C is for the owner, who ends the registry last
            )
        try:
            self.host = self._listening(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server and waits for it; a second call does nothing."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait(START_SECONDS)

    def clear(self) -> None:
        """Forget all content; the server keeps running and its address."""
        shutil.rmtree(self.root / "data", ignore_errors=True)

    def digest(self, repository: str, reference: str) -> str | None:
        """Digest of a manifest by tag or digest; None when absent. Raises HTTPError on any other answer."""
        request = self._request(f"/v2/{repository}/manifests/{reference}", "HEAD")
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def tags(self, repository: str) -> list[str]:
        """Tags of a repository, sorted; empty when absent. Raises HTTPError on any other answer."""
        try:
            with urllib.request.urlopen(
                self._request(f"/v2/{repository}/tags/list"), timeout=START_SECONDS
            ) as answer:
                return sorted(json.load(answer)["tags"] or [])
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise

    def _request(self, path: str, method: str = "GET") -> urllib.request.Request:
        request = urllib.request.Request(self.url + path, method=method, headers={"Accept": MANIFESTS})
        if self._htpasswd is not None:
            pair = base64.b64encode(":".join(self._htpasswd).encode()).decode()
            request.add_header("Authorization", f"Basic {pair}")
        return request

    def _configure(self) -> Path:
        storage: dict[str, object] = {
            "filesystem": {"rootdirectory": str(self.root / "data")},
            "delete": {"enabled": True},
        }
        if self._readonly:
            storage["maintenance"] = {"readonly": {"enabled": True}}
        config: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": False}},
            "storage": storage,
            "http": {"addr": f"127.0.0.1:{self._port}", "secret": "of-no-use-to-anyone"},
        }
        if self._htpasswd is not None:
            users = self.root / "htpasswd"
            users.write_text(f"{self._htpasswd[0]}:{PASSWORD_BCRYPT}\n", encoding="utf-8")
            config["auth"] = {"htpasswd": {"realm": "lab", "path": str(users)}}
        path = self.root / "config.yml"
        path.write_text(json.dumps(config, indent=1), encoding="utf-8")  # JSON is YAML
        return path

    def _listening(self, process: subprocess.Popen[bytes]) -> str:
        """The address from the log's "listening on" line: with port 0 only the server knows it."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            match = re.search(r"listening on (127\.0\.0\.1:\d+)", self.log.read_text(errors="replace"))
            if match:
                return match[1]
            time.sleep(0.01)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
        raise RuntimeError(f"docker-registry did not start within {START_SECONDS:.0f} s:\n{tail}")
