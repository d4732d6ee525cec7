"""I8: every action runs with planted secrets, and no output of a good or a failed run contains one.

A run fails with a server that returns the credentials of every request, as careless proxies do.
"""

from __future__ import annotations

import base64
import functools
import http.server
import importlib
import json
import subprocess
import threading
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import requests

from lab import rewrite
from lab.lab import Lab
from lab.servers import LOGIN, SHOP
from stagegate.clients import helm
from stagegate.runner import log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.inputs import SECRETS, option, variable

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = sorted(path.parent.name for path in ROOT.glob("actions/*/action.yml"))
COMMENT = {
    "action": "created",
    "comment": {
        "id": 5,
        "body": "/hold prod because",
        "user": {"type": "User", "id": 7, "login": "octo-dev"},
    },
    "issue": {"number": 1, "state": "open"},
}
PLANTED = {
    "token": "ghs_424242_" + "eyJhbGciOiJSUzI1NiJ9." * 8 + "Zm9yZ2VkLXNpZ25hdHVyZQ",
    "pins-token": "github_pat_11AAAAAAA0aBcDeFgHiJkLmNoPqRsTuVwXyZ",
    "registry-password": "p@ss/w%rd&\"'é §1",
    "argocd-token": "argo.eyJzdWIiOiJzdGFnZWdhdGUifQ.c2lnbmF0dXJl",
    "argocd-headers": "X-Proxy-Key: proxy-key-4711-aBcD",
    "SHOP_PASSWORD": "sh0p-pässword:with#signs",
}
BY_GIT = ("version-bump",)  # its first request is one of git, which the witness does not count
ALONE = ("chart-check",)  # needs nobody: the shop's chart has no dependencies
INPUTS: dict[str, dict[str, str]] = {
    "chart-check": {},
    "version-bump": {"bump": "1.1.0-rc.1", "branch": "main"},
    "image-tags": {"version": "1.0.0"},
    "helm-publish": {"version": "1.0.0"},
    "staging-gate": {"environment": "staging", "timeout": "3s"},
    "promote-pr": {"environment": "prod", "version": "1.0.0"},
    "publish-release": {"version": "1.0.0"},
    "pr-command": {},
    "pin-guard": {},
    "announce": {"version": "1.0.0", "commit": "a" * 40, "config": "announce.yaml"},
    "doctor": {},
    "environments": {},
    "status-report": {},
    "record": {"version": "1.0.0"},
}
REPORTS = ("doctor",)  # reports what it could not check, and ends with its findings
POLICY = "app: shop\nimages: [HOST/acme/shop]\npolicy: acme/gitops//stagegate.yaml\n"


class Echo(http.server.BaseHTTPRequestHandler):
    """A server that returns the request, with its credentials also decoded."""

    status = 500

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        told = [self.headers.get("Authorization", ""), body, self.path, *self.headers.values()]
        if told[0].startswith("Basic "):
            told.insert(0, base64.b64decode(told[0][6:]).decode(errors="replace"))
        answer = json.dumps(
            {"message": "\n".join(told), "errors": [{"code": "DENIED", "message": "\n".join(told)}]}
        )
        self.send_response(self.status)
        if self.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="echo"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def echo(status: int) -> Iterator[str]:
    handler = type("Echoing", (Echo,), {"status": status})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Witness:
    """Every output of a run, and the secrets that must not be in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.sent = folder, list[str]()
        self.told = "nowhere"  # the address that may get a password: the login of the shop itself
        self.argv: list[str] = []
        monkeypatch.setattr(log, "_secrets", set())
        for name in ("TMPDIR", "RUNNER_TEMP", "HOME", "XDG_CACHE_HOME"):
            (folder / name).mkdir(parents=True)
            monkeypatch.setenv(name, str(folder / name))
        monkeypatch.setattr("tempfile.tempdir", str(folder / "TMPDIR"))
        # helm's home is made once for each process: here it is among the files of this run.
        monkeypatch.setattr(helm, "private_home", functools.cache(helm.private_home.__wrapped__))
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
        monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0.001")
        send = requests.adapters.HTTPAdapter.send
        start = subprocess.Popen.__init__

        def record(adapter: Any, request: requests.PreparedRequest, *more: Any, **options: Any) -> Any:
            body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
            url = str(request.url)
            self.sent += (
                [url] if f"{url}/".startswith(f"{self.told}/") else [url, body.decode(errors="replace")]
            )
            return send(adapter, request, *more, **options)

        def note(process: Any, args: Any, *more: Any, **options: Any) -> None:
            self.argv += [args] if isinstance(args, str) else [str(word) for word in args]
            start(process, args, *more, **options)

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", record)
        monkeypatch.setattr(subprocess.Popen, "__init__", note)

    def texts(self, printed: str) -> Iterator[tuple[str, str]]:
        yield "log", "\n".join(line for line in printed.splitlines() if not line.startswith("::add-mask::"))
        yield "requests", "\n".join(self.sent)
        yield "arguments of programs", "\n".join(self.argv)
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name != "event.json":
                yield str(path.relative_to(self.folder)), path.read_bytes().decode(errors="replace")

    def search(self, printed: str, secrets: Mapping[str, str]) -> list[str]:
        """Where a secret stands, plain or in a form that gives it away."""
        found = []
        for where, text in self.texts(printed):
            readable = {text, unquote(text), text.replace("%25", "%"), text.replace("\\u00e9", "é")}
            for name, value in secrets.items():
                forms = [value, base64.b64encode(value.encode()).decode().rstrip("="), quote(value, safe="")]
                forms += [
                    json.dumps(value)[1:-1],
                    base64.b64encode(f"octo:{value}".encode()).decode().rstrip("="),
                ]
                forms += [form[:28] for form in forms if len(form) > 56]  # cut off before it was masked
                if any(form in text for form in forms for text in readable):
                    found.append(f"{name} in {where}")
        return found


def main_of(action: str) -> tuple[Any, Any]:
    module = importlib.import_module("stagegate.actions." + action.replace("-", "_"))
    return typing.get_type_hints(module.main)["inputs"], module.main


def environ(
    witness: Witness, workspace: Path, action: str, secrets: Mapping[str, str], api: str
) -> dict[str, str]:
    """The environment of one step with every secret that this action takes."""
    kind, _ = main_of(action)
    known = {option(name) for name in kind.__struct_fields__}
    given = {name: value for name, value in {**secrets, **INPUTS[action]}.items() if name in known}
    witness.folder.joinpath("event.json").write_text(json.dumps(COMMENT))
    return {
        **{variable(name.replace("-", "_")): value for name, value in given.items()},
        **({"SG_REGISTRY_USERNAME": "octo"} if "registry-password" in given else {}),
        "GITHUB_WORKSPACE": str(workspace),
        "GITHUB_REPOSITORY": SHOP,
        "GITHUB_ACTOR": "octo-lead",
        "GITHUB_RUN_ID": "77",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_EVENT_NAME": "issue_comment" if action == "pr-command" else "push",
        "GITHUB_EVENT_PATH": str(witness.folder / "event.json"),
        "GITHUB_SERVER_URL": api,
        "GITHUB_API_URL": api,
        "GITHUB_GRAPHQL_URL": f"{api}/graphql",
        "GITHUB_OUTPUT": str(witness.folder / "output"),
        "GITHUB_STEP_SUMMARY": str(witness.folder / "summary.md"),
        "RUNNER_TEMP": str(witness.folder / "RUNNER_TEMP"),
    }


def run(action: str, step: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> int:
    for name, value in step.items():
        monkeypatch.setenv(name, value)
    kind, main = main_of(action)
    return entrypoint(action, kind, main, argv=[], environ=step)


def test_every_action_is_run_with_secrets() -> None:
    assert set(INPUTS) == set(ACTIONS)
    taken = {option(name) for action in ACTIONS for name in main_of(action)[0].__struct_fields__}
    assert taken & set(SECRETS) <= set(PLANTED) | {"app-key"}


def against_echo(
    action: str, status: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, Witness]:
    """One step in a checkout of the shop, with the echoing server as GitHub, registry and Argo CD."""
    with echo(status) as url:
        host = url.removeprefix("http://")
        workspace = rewrite.snapshot(ROOT, folder / "workspace", lambda text, _: text, "examples/shop")
        for file in workspace.rglob("*.yaml"):
            file.write_text(file.read_text().replace("ghcr.io", host))
        (workspace / "announce.yaml").write_text(POLICY.replace("HOST", host))
        git = ["git", "-C", str(workspace), "-c", "user.name=octo", "-c", "user.email=octo@users.example"]
        origin = ["remote", "add", "origin", f"{url}/acme/shop.git"]
        for command in (
            ["init", "-q", "-b", "main"],
            origin,
            ["add", "-A"],
            ["commit", "-qm", "feat: the shop"],
        ):
            subprocess.run([*git, *command], check=True)
        witness = Witness(folder / "left", monkeypatch)
        for name, value in {
            "SHOP_PASSWORD": PLANTED["SHOP_PASSWORD"],
            "STAGEGATE_HOSTS": host,
            "SHOP_URL": url,
        }.items():
            monkeypatch.setenv(name, value)
        step = environ(witness, workspace, action, PLANTED, url)
        if action == "staging-gate":
            step["SG_ARGOCD_SERVER"] = url
        if action in ("image-tags", "helm-publish"):
            step["SG_DIGESTS"] = json.dumps({f"{host}/acme/shop": "sha256:" + "0" * 64})
            step["SG_COMMIT"] = "a" * 40
        return run(action, step, monkeypatch), witness


@pytest.mark.parametrize("status", [401, 403, 422, 500, 200])
@pytest.mark.parametrize("action", ACTIONS)
def test_no_run_shows_credentials_that_a_server_repeats(
    action: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, witness = against_echo(action, status, tmp_path, monkeypatch)
    said = "".join(capfd.readouterr())
    assert code != 70, said
    assert action in ALONE or ((code or action in REPORTS) and (witness.sent or action in BY_GIT)), said
    assert witness.search(said, PLANTED) == []


@pytest.mark.parametrize(("action", "status"), [("promote-pr", 422), ("helm-publish", 401)])
def test_the_search_finds_an_unmasked_secret(
    action: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(log, "redact", lambda text: text)
    _, witness = against_echo(action, status, tmp_path, monkeypatch)
    assert witness.search("".join(capfd.readouterr()), PLANTED)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest.mark.parametrize(
    "action", [name for name in ACTIONS if name != "announce"]
)  # it needs two repositories
def test_a_run_that_succeeds_shows_no_secret(
    action: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace = lab.desk("octo-dev")
    if not (workspace / "VERSION").exists():
        subprocess.run(
            ["git", "pull", "-q", "origin", "main"], cwd=workspace, check=True, capture_output=True
        )
    witness = Witness(tmp_path / "left", monkeypatch)
    staging, login = lab.variables()["staging"], lab.scenario_variables("staging")
    witness.told = f"{login['SHOP_URL']}/auth/login"
    token = lab.forge.token("octo-lead")
    secrets = PLANTED | {
        "token": token,
        "pins-token": token,
        "argocd-token": login["ARGOCD_TOKEN"],
        "SHOP_PASSWORD": LOGIN["password"],
    }
    for name, value in {**staging, **login}.items():
        monkeypatch.setenv(name, value)
    step = environ(witness, workspace, action, secrets, lab.forge.url)
    step |= (
        {"SG_ARGOCD_SERVER": staging["ARGOCD_SERVER"], "SG_TIMEOUT": "60s"}
        if action == "staging-gate"
        else {}
    )
    image = f"{lab.registry.host}/acme/shop"
    commit = lab.shop.store.resolve("v1.0.0^{commit}") or ""
    if action in ("image-tags", "helm-publish"):
        step |= {
            "SG_DIGESTS": json.dumps({image: lab.registry.digest("acme/shop", "v1.0.0")}),
            "SG_COMMIT": commit,
        }
    if action == "pr-command":
        lab.api("octo-lead", "POST", "/issues", title="talk")
        lab.api("octo-lead", "POST", "/issues/1/comments", body="/hold prod because")
        event = next(e for e in reversed(lab.forge.events) if e.name == "issue_comment" and not e.swallowed)
        witness.folder.joinpath("event.json").write_text(json.dumps(event.payload))
    code = run(action, step, monkeypatch)
    said = "".join(capfd.readouterr())
    wanted = {"publish-release": 1, "doctor": 2}  # prod has no evidence yet, and its Environment no values
    assert code == wanted.get(action, 0), said
    assert action in ALONE or witness.sent, "no request was seen"
    assert witness.search(said, secrets) == []
