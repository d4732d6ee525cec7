"""Git over HTTP: `git http-backend` does the work; the forge's permissions and rules decide."""

from __future__ import annotations

import gzip
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from werkzeug.datastructures import Headers

from lab.forge import branches, demands
from lab.forge.exchange import Answer
from lab.forge.git_moves import Move
from lab.forge.git_reader import environment
from lab.forge.permissions import allows, may_change_workflows, visible
from lab.forge.rules import applying, bypasses, violations
from lab.forge.state import Repository, World
from lab.forge.values import ZERO, Token

HOOK = r"""#!/bin/sh
# Refuses what the forge decided to refuse; $1 ref, $2 old, $3 new.
test -n "$FORGE_SAYS" || exit 0
if test -f "$FORGE_SAYS/refused/$1"; then cat "$FORGE_SAYS/refused/$1" >&2; exit 1; fi
case "$2$3" in *0000000000000000000000000000000000000000*) ;; *)
  if test -f "$FORGE_SAYS/forward/$1" && ! git merge-base --is-ancestor "$2" "$3"; then
    cat "$FORGE_SAYS/forward/$1" >&2; exit 1
  fi ;;
esac
if test -f "$FORGE_SAYS/workflows" && test "$3" != 0000000000000000000000000000000000000000; then
  new=$(git rev-parse -q --verify "$3:.github/workflows") || exit 0
  test "$new" = "$(git rev-parse -q --verify "$2:.github/workflows" 2>/dev/null)" && exit 0
  test "$new" = "$(git rev-parse -q --verify HEAD:.github/workflows 2>/dev/null)" && exit 0
  cat "$FORGE_SAYS/workflows" >&2; exit 1
fi
"""
CONFIG = {
    "http.receivepack": "true", "uploadpack.allowFilter": "true", "uploadpack.allowAnySHA1InWant": "true",
    "receive.hideRefs": "refs/pull", "receive.advertisePushOptions": "false", "gc.auto": "0",
    "receive.autogc": "false", "core.logAllRefUpdates": "false", "maintenance.auto": "false",
}  # fmt: skip
NO_WORKFLOWS = "refusing to allow a GitHub App to create or update workflow without `workflows` permission\n"


def create(path: Path, default_branch: str) -> None:
    """Make an empty bare repository that is served here, with the hook that refuses what the forge decided."""
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "hooks"):
        (path / name).mkdir(parents=True)
    (path / "HEAD").write_text(f"ref: refs/heads/{default_branch}\n")
    (path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n")
    with (path / "config").open("a") as config:
        for key, value in CONFIG.items():
            section, _, field = key.partition(".")
            config.write(f"[{section}]\n\t{field} = {value}\n")
    hook = path / "hooks" / "update"
    hook.write_text(HOOK)
    hook.chmod(0o755)


def serve(
    world: World,
    token: Token,
    repository: Repository | None,
    tail: str,
    method: str,
    query: str,
    headers: Headers,
    raw: bytes,
) -> Answer:
    """One request of the smart protocol; `tail` is info/refs, git-upload-pack or git-receive-pack."""
    writes = tail == "git-receive-pack" or "service=git-receive-pack" in query
    with world.lock:
        refusal = _refused(token, repository, writes)
    if refusal is not None or repository is None:
        return refusal or _text(404, "Repository not found.")
    if tail != "git-receive-pack":
        return _backend(repository, token, tail, method, query, headers, raw, {})
    with world.lock:
        return _receive(repository, token, method, query, headers, raw)


def _refused(token: Token, repository: Repository | None, writes: bool) -> Answer | None:
    asks = {"WWW-Authenticate": 'Basic realm="GitHub"'}
    if repository is None or not visible(token, repository):
        if token.kind == "anonymous":
            return _text(401, "Authentication required.", asks)
        return _text(404, "Repository not found.")
    if writes and token.kind == "anonymous":
        return _text(401, "Authentication required.", asks)
    demands.enter("git push" if writes else "git fetch")
    demands.note("contents=write" if writes else "contents=read", token.kind)
    if not allows(token, repository, "contents=write" if writes else "contents=read"):
        message = "Write access to repository not granted." if writes else "Repository not found."
        return _text(403 if writes else 404, message)
    return None


def _text(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, message.encode(), {"Content-Type": "text/plain; charset=utf-8", **(headers or {})})


def _receive(
    repository: Repository, token: Token, method: str, query: str, headers: Headers, raw: bytes
) -> Answer:
    plain = gzip.decompress(raw) if headers.get("Content-Encoding") == "gzip" else raw
    updates = list(commands(plain))
    before = {name: repository.store.ref(name) or ZERO for name, _ in updates}
    with tempfile.TemporaryDirectory() as folder:
        _say(repository, token, updates, before, Path(folder))
        answer = _backend(
            repository, token, "git-receive-pack", method, query, headers, raw, {"FORGE_SAYS": folder}
        )
    after = {name: repository.store.ref(name) or ZERO for name, _ in updates}
    branches.announce(repository, token, [(name, before[name], after[name]) for name, _ in updates])
    return answer


def commands(body: bytes) -> Iterator[tuple[str, str]]:
    """The (ref, new sha) pairs a push asks for."""
    position = 0
    while position + 4 <= len(body):
        size = int(body[position : position + 4], 16)
        if size == 0:
            return
        line = body[position + 4 : position + size].split(b"\0")[0].decode(errors="replace").strip()
        position += size
        parts = line.split(" ", 2)
        if len(parts) == 3 and len(parts[0]) == 40:
            yield parts[2], parts[1]


def _say(
    repository: Repository,
    token: Token,
    updates: list[tuple[str, str]],
    before: Mapping[str, str],
    folder: Path,
) -> None:
    """Write the list of refs that the hook must refuse."""
    if not may_change_workflows(token, repository):
        (folder / "workflows").write_text(NO_WORKFLOWS)
    for name, after in updates:
        reasons, classic = violations(repository, token, Move(name, after), before[name], arrived=False)
        if reasons:
            _note(folder / "refused" / name, _remote(repository, name, reasons, classic))
        strict = [
            rule for rule in applying(repository, name) if rule.non_fast_forward and not bypasses(rule, token)
        ]
        if strict:
            text = _remote(repository, name, ["Cannot force-push to this branch"], strict[0].classic)
            _note(folder / "forward" / name, text)


def _note(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _remote(repository: Repository, name: str, reasons: list[str], classic: bool) -> str:
    if classic:
        return "".join(
            [
                f"error: GH006: Protected branch update failed for {name}.\n",
                *(f"error: {s}\n" for s in reasons),
            ]
        )
    page = f"{repository.world.url}/{repository.full_name}/rules?ref={quote(name, safe='')}"
    head = f"error: GH013: Repository rule violations found for {name}.\nReview all repository rules at {page}\n\n"
    return head + "".join(f"- {text}\n\n" for text in reasons)


def _backend(
    repository: Repository,
    token: Token,
    tail: str,
    method: str,
    query: str,
    headers: Headers,
    raw: bytes,
    extra: Mapping[str, str],
) -> Answer:
    env = environment(
        {
            "GIT_PROJECT_ROOT": str(repository.world.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repository.path.relative_to(repository.world.root).as_posix()}/{tail}",
            "REQUEST_METHOD": method,
            "QUERY_STRING": query,
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(raw)),
            "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
            "REMOTE_USER": token.user.login,
            "REMOTE_ADDR": "127.0.0.1",
            **extra,
        }
    )
    completed = subprocess.run(["git", "http-backend"], input=raw, capture_output=True, env=env, check=False)
    head, _, body = completed.stdout.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    status = int(fields.pop("Status", "200").split()[0]) if head else 500
    return Answer(status, body, fields)
