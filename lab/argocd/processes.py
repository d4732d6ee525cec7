"""Starts a container as a process of this machine that ends with its owner."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lab.argocd.images import Image
from lab.argocd.workloads import Container

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotStart(Exception):
    """The container's command cannot be run; a container runtime's words."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    image: Image, container: Container, root: Path, env: Mapping[str, str], port: int, log: Path
) -> subprocess.Popen[bytes]:
    """Run the container from `root`. The process ends with the calling thread."""
    entry = list(container.command or image.entrypoint)
    arguments = list(container.args or (() if container.command else image.command))
    argv = [
        re.sub(r"\$\(([A-Za-z_]\w*)\)", lambda m: env.get(m[1], m[0]), part) for part in entry + arguments
    ]
    if not argv:
        raise CannotStart("no command specified")
    workdir = _within(root, container.workdir or image.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            return subprocess.Popen(
                [_program(argv[0], root, workdir), *(_mapped(part, root) for part in argv[1:])],
                cwd=workdir, env=_environment(image, root, env, port), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True, preexec_fn=_die_with_parent,
            )  # fmt: skip
        except OSError as error:
            raise CannotStart(f'exec: "{argv[0]}": {error.strerror}') from error


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _environment(image: Image, root: Path, env: Mapping[str, str], port: int) -> dict[str, str]:
    """Only PATH and locale of the caller's environment: a pod gets no secrets of the lab."""
    inherited = {
        key: os.environ[key] for key in ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH") if key in os.environ
    }
    of_image = {key: value for key, value in image.env if key != "PATH"}
    tmp = root / "tmp"
    tmp.mkdir(exist_ok=True)
    return {
        **inherited, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "HOME": str(tmp), "TMPDIR": str(tmp),
        **of_image, **env, "PATH": os.environ.get("PATH", os.defpath), "PORT": str(port), "HOST": "127.0.0.1",
    }  # fmt: skip


def _program(name: str, root: Path, workdir: Path) -> str:
    """This machine's program of that name for a bare name, else the file inside the image."""
    if "/" in name:
        inside = _within(root, name) if name.startswith("/") else workdir / name
        if inside.exists():
            return str(inside)
        name = Path(name).name
    if name in ("python", "python3"):
        return sys.executable
    path = shutil.which(name)
    for folder in ("usr/local/bin", "usr/bin", "bin"):
        if path is None and (root / folder / name).exists():
            path = str(root / folder / name)
    if path is None:
        raise CannotStart(f'exec: "{name}": executable file not found in $PATH')
    return path


def _mapped(part: str, root: Path) -> str:
    """An absolute path that exists in the image is meant inside the image: there is no chroot."""
    return str(_within(root, part)) if part.startswith("/") and _within(root, part).exists() else part


def _within(root: Path, path: str) -> Path:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return root.joinpath(*parts) if ".." not in parts else root


def end(process: subprocess.Popen[bytes], grace: float) -> int:
    """SIGTERM to the process group, SIGKILL after `grace` seconds; the exit code."""
    for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        try:
            process.wait(wait)
            break
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # children that ignored the first signal
    return process.wait(5.0)


def probe(container: Container, port: int) -> bool:
    """Ready by the readiness probe's path (2xx, 3xx), or by an open port where there is none."""
    try:
        if container.probe_path is None:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", container.probe_path, headers={"User-Agent": "kube-probe/1.31"})
            return 200 <= connection.getresponse().status < 400
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False
