"""The local repository, as functions over the git program.

Hooks, file monitors, aliases, pagers, signature checkers and submodules of the checkout start nothing. How
origin is reached (address, ssh command, credential helper) is the checkout's to say, as for any git command.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from stagegate.clients import process
from stagegate.clients.process import Completed, ProgramFailed
from stagegate.errors import Stop
from stagegate.runner import log

_INSTALL = "Install git in a step before this one; GitHub's runners have it."
_FETCH_SECONDS = 900.0
# What a checked-out repository can ask git to start (platform faults 42, 43); an alias cannot hide a command.
_OFF = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=",
    "core.alternateRefsCommand=",
    "protocol.ext.allow=never",
    "fetch.recurseSubmodules=false",
    "log.showSignature=false",
    "maintenance.auto=false",
    "gc.auto=0",
)
_FETCH = ("fetch", "--quiet", "--no-tags", "--upload-pack=git-upload-pack")
_SAFE = ("--no-pager", *(word for setting in _OFF for word in ("-c", setting)))
_REF = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/@{}^~+-]*$")


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit as git tells it; `files` are the paths it changed against its first parent."""

    sha: str
    parents: tuple[str, ...]
    subject: str
    body: str
    author: str
    files: tuple[str, ...] = ()

    @property
    def trailers(self) -> dict[str, str]:
        """`Key: value` lines of the last paragraph."""
        return trailers(self.body)


def trailers(message: str) -> dict[str, str]:
    """The trailers of a commit or tag message (last paragraph of `Key: value` lines)."""
    if ": " not in message:
        return {}
    paragraphs = [part for part in re.split(r"\n\s*\n", message.strip()) if part.strip()]
    lines = paragraphs[-1].splitlines() if paragraphs else []
    pairs = [re.fullmatch(r"([A-Za-z][A-Za-z0-9-]*): (.*)", line.strip()) for line in lines]
    return {pair[1]: pair[2] for pair in pairs if pair} if pairs and all(pairs) else {}


def credentials(server_url: str, token: str) -> dict[str, str]:
    """Variables that let git read and write `server_url` with a token: never in argv, never on disk.

    The empty value first drops the header that actions/checkout left in the config; GitHub refuses two.
    """
    if not token:
        return {}
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    log.mask(token, basic)
    key = f"http.{server_url}/.extraheader"
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": key,
        "GIT_CONFIG_VALUE_0": "",
        "GIT_CONFIG_KEY_1": key,
        "GIT_CONFIG_VALUE_1": f"AUTHORIZATION: basic {basic}",
    }


def git(
    cwd: Path,
    *args: str,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float = 120,
) -> Completed:
    """Run git in a folder, without prompts and without what its own config would start."""
    process.require("git", _INSTALL)
    trusted = ("-c", f"safe.directory={cwd}")
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "LC_ALL": "C.UTF-8"}
    settings = {**quiet, **(env or {})}
    words = (*_SAFE, *trusted, *args)
    return process.run("git", *words, cwd=cwd, check=check, env=settings, input=input, timeout=timeout)


def head(cwd: Path) -> str:
    """The checked-out commit; Stop(missing-file) outside a repository."""
    done = git(cwd, "rev-parse", "--verify", "HEAD^{commit}", check=False)
    if done.code:
        raise Stop(
            "missing-file",
            "The workspace is not a git repository with a commit.",
            done.errors.strip() or "git found no HEAD.",
            "Run actions/checkout before this action.",
        )
    return done.text.strip()


def is_shallow(cwd: Path) -> bool:
    """Whether history is cut off."""
    return git(cwd, "rev-parse", "--is-shallow-repository").text.strip() == "true"


def remote_tags(cwd: Path, prefix: str, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags of origin that begin with `prefix` -> the commit they lead to. Stop(unreachable)."""
    try:
        done = git(
            cwd,
            "ls-remote",
            "--upload-pack=git-upload-pack",
            "--tags",
            "origin",
            f"refs/tags/{prefix}*",
            env=env,
        )
    except ProgramFailed as error:
        raise _unreachable(error) from error
    tags: dict[str, str] = {}
    for line in done.text.splitlines():
        sha, _, ref = line.partition("\t")
        name = ref.removeprefix("refs/tags/")
        if name.endswith("^{}"):
            tags[name.removesuffix("^{}")] = sha
        else:
            tags.setdefault(name, sha)
    return tags


def fetch(cwd: Path, ref: str, since_tag: str = "", env: Mapping[str, str] | None = None) -> str:
    """Fetch a branch (or commit) of origin with its history; return its commit. Stop(unreachable).

    On a shallow clone with `since_tag`, one small pack with just the commits since that tag is tried first
    (28 ms instead of 970 ms for 20,000 commits); the whole history without file contents otherwise.
    """
    lean = (*_FETCH, "--filter=blob:none")
    shallow = is_shallow(cwd)
    if shallow and since_tag:
        exclude = f"--shallow-exclude=refs/tags/{since_tag}"
        tried = git(cwd, *lean, exclude, "origin", _safe(ref), check=False, env=env, timeout=_FETCH_SECONDS)
        if not tried.code:
            tip = git(cwd, "rev-parse", "FETCH_HEAD").text.strip()
            # One commit more, so that the tag's own commit is here and can be proven to be an ancestor.
            git(cwd, *_FETCH, "--deepen=1", "origin", _safe(ref), check=False, env=env)
            return tip
    try:
        whole = ("--unshallow",) if shallow else ()
        git(cwd, *lean, *whole, "origin", _safe(ref), env=env, timeout=_FETCH_SECONDS)
    except ProgramFailed as error:
        raise _unreachable(error) from error
    return git(cwd, "rev-parse", "FETCH_HEAD").text.strip()


def commits(cwd: Path, since: str, until: str = "HEAD", paths: Sequence[str] = ()) -> tuple[Commit, ...]:
    """Commits reachable from `until` and not from `since` (empty: all), newest first.

    A merge has no files of its own.
    """
    span = f"{_safe(since)}..{_safe(until)}" if since else _safe(until)
    return _log(cwd, span, *(("--", *paths) if paths else ()))


def commit(cwd: Path, sha: str) -> tuple[Commit, ...]:
    """That one commit, or nothing when it is not in this clone."""
    found = git(cwd, "cat-file", "-e", f"{_safe(sha)}^{{commit}}", check=False)
    return () if found.code else _log(cwd, "-1", sha)


def _log(cwd: Path, *span: str) -> tuple[Commit, ...]:
    # A message may hold any character but NUL: only a mark nobody could know in advance parts two commits.
    mark = uuid.uuid4().hex
    layout = mark + "%x00".join(("%H", "%P", "%s", "%b", "%an", ""))
    asked = ("-z", "--encoding=UTF-8", "--no-renames", f"--format={layout}", "--name-only")
    found = []
    for record in git(cwd, "log", *asked, *span).text.split(mark)[1:]:
        sha, parents, subject, body, author, files = record.split("\0", 5)
        found.append(
            Commit(
                sha=sha,
                parents=tuple(parents.split()),
                subject=subject,
                body=body.replace("\r\n", "\n").strip(),
                author=author,
                files=tuple(name for name in files.removeprefix("\0").removeprefix("\n").split("\0") if name),
            )
        )
    return tuple(found)


def is_ancestor(cwd: Path, ancestor: str, descendant: str) -> bool:
    """Whether `ancestor` is in the history of `descendant`; false also when one is not in this clone."""
    return not git(cwd, "merge-base", "--is-ancestor", _safe(ancestor), _safe(descendant), check=False).code


def ancestors(cwd: Path, commits: Iterable[str], descendant: str) -> frozenset[str]:
    """Those of `commits` (40 digits each) that are in the history of `descendant`, however many there are.

    Asked at once, because 200 tags asked one by one took 60 times as long as the log itself.
    """
    listed = "\n".join(map(_safe, commits)).encode()
    known = git(cwd, "cat-file", "--batch-check=%(objectname) %(objecttype)", input=listed).text.splitlines()
    here = [line.split()[0] for line in known if line.endswith(" commit")]
    others = "\n".join((*here, f"^{_safe(descendant)}")).encode()
    return frozenset(here) - set(git(cwd, "rev-list", "--stdin", input=others).text.split())


def _safe(revision: str) -> str:
    if not _REF.match(revision) or ".." in revision:
        raise Stop(
            "bad-input",
            f"{revision!r} is not a revision.",
            "It has characters git would read as something else.",
            "Give a branch, tag or commit.",
        )
    return revision


def _unreachable(error: ProgramFailed) -> Stop:
    return Stop(
        "unreachable",
        "The remote repository cannot be read.",
        f"git said: {_said(error.completed)}.",
        "Check out with credentials that may read it, then run again; nothing was changed.",
    )


def _said(done: Completed) -> str:
    """The line that names the trouble, without its full stop."""
    lines = done.errors.strip().splitlines() or ["no message"]
    named = (line for line in lines if line.startswith(("fatal:", "error:", "remote:")))
    return log.redact(next(named, lines[-1])).rstrip(".")
