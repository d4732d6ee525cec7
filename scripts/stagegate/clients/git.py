"""Functions over the git program for the local repository.

Hooks, file monitors, aliases, pagers, signature checkers and submodules of the checkout start nothing. How
origin is reached (address, ssh command, credential helper) is the checkout's to say, as for any git command.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from stagegate.clients import process
from stagegate.clients.process import Completed, ProgramFailed
from stagegate.errors import Stop
from stagegate.model import trailers
from stagegate.patterns import pattern
from stagegate.runner import log

_LOG_SECONDS = 900.0
# Programs that the configuration of a checkout can start; an alias cannot hide a command.
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
FETCH = ("fetch", "--quiet", "--no-tags", "--upload-pack=git-upload-pack")
# A local path is no address of a repository on GitHub, so an address needs a host.
_REPOSITORY = pattern(
    r"(?:\w[\w+.-]*://[^/]+/|(?:[^/@:]+@)?[^/:]{2,}:(?!//))(?:.*/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?"
)
_SAFE = ("--no-pager", *(word for setting in _OFF for word in ("-c", setting)))


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a commit changed: object ids of its content before and after; zeros without content."""

    path: str
    before: str
    after: str


class LocalCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit with its message in two parts, and the paths that it changed against its first parent.

    `changes` are git's lines of modes, object ids and status, one for each path.
    """

    sha: str
    parents: tuple[str, ...]
    subject: str
    body: str
    author: str
    files: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    @property
    def edits(self) -> tuple[Edited, ...]:
        """What it changed, with object ids."""
        ids = (change.split(" ") for change in self.changes)
        return tuple(
            Edited(path=path, before=before, after=after)
            for path, (_, _, before, after, _) in zip(self.files, ids, strict=True)
        )

    @property
    def trailers(self) -> dict[str, str]:
        """Those of the message; see `trailers.parse`."""
        return trailers.parse(f"{self.subject}\n{self.body}")


def credentials(server_url: str, token: str) -> dict[str, str]:
    """Variables that let git read and write `server_url` with a token: never in argv, never on disk.

    The empty value first drops the header that actions/checkout left in the config; GitHub refuses two.
    """
    if not token:
        return {}
    import base64  # not loaded for a plan from the clone alone

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
    """Run git in a folder, without prompts and without programs from its configuration."""
    trusted = ("-c", f"safe.directory={cwd}")
    quiet = {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_NO_REPLACE_OBJECTS": "1",  # replaced objects are local, and a release needs the published commits
        "LC_ALL": "C.UTF-8",
        "GIT_FLUSH": "0",  # write a log in large blocks, not commit by commit
    }
    settings = {**quiet, **(env or {})}
    words = (*_SAFE, *trusted, *args)
    return process.run("git", *words, cwd=cwd, check=check, env=settings, input=input, timeout=timeout)


def output(cwd: Path, *args: str) -> str:
    """Git's output, stripped; empty when it failed, as in a folder that is not a clone."""
    completed = git(cwd, *args, check=False)
    return "" if completed.code else completed.text.strip("\n")


def head(cwd: Path) -> str:
    """The checked-out commit; Stop(missing-file) outside a repository."""
    completed = git(cwd, "rev-parse", "--verify", "HEAD^{commit}", check=False)
    if completed.code:
        raise Stop(
            "missing-file",
            "The workspace is not a git repository with a commit.",
            completed.errors.strip() or "git found no commit in the workspace (no HEAD).",
            "Run actions/checkout in a step before this action.",
        )
    return completed.text.strip()


def branch(cwd: Path) -> str:
    """The checked-out branch, or `HEAD` when none is."""
    return output(cwd, "symbolic-ref", "--quiet", "--short", "HEAD") or "HEAD"


def files(cwd: Path) -> list[str]:
    """The files that Git tracks or would track, by path from the folder; none outside a repository."""
    listed = output(cwd, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return [name for name in listed.split("\0") if name]


def repository_of(address: str) -> str:
    """`owner/name` of a Git address with a host, by URL or as `git@host:owner/name`; empty for a path."""
    match = _REPOSITORY.fullmatch(address)
    return match[1] if match else ""


def origin(cwd: Path) -> str:
    """`owner/name` of the checkout's origin; empty where it has none or a path."""
    return repository_of(output(cwd, "remote", "get-url", "origin"))


def commits(cwd: Path, shas: Iterable[str], *, root_only: bool = False) -> tuple[LocalCommit, ...]:
    """The given commits, in the given order. A merge has the files that it brings to its first parent.

    With `root_only`, only the root folder is read: a changed folder in it is returned as one path.
    """
    listed = "".join(f"{sha}\n" for sha in shas).encode()
    if not listed:
        return ()
    # A message may hold any character but NUL: only a mark nobody could know in advance parts two commits.
    mark = os.urandom(16).hex()
    layout = mark + "%x00".join(("%H", "%P", "%B", "%an", ""))
    words = ("-z", "--encoding=UTF-8", "--no-renames", f"--format={layout}", "--raw", "--no-abbrev")
    walk = ("diff-tree", "--always", "--root") if root_only else ("log", "--no-walk=unsorted")
    span = (*words, "--diff-merges=first-parent", "--stdin")
    records = git(cwd, *walk, *span, input=listed, timeout=_LOG_SECONDS).text.split(mark)[1:]
    return tuple(_commit(record) for record in records)


def _commit(record: str) -> LocalCommit:
    sha, parents, message, author, *changed = record.split("\0")
    subject, body = parts(message)
    # A line of modes, object ids and status, then the path; the first one follows an empty field and a line feed.
    first = 1 if changed and not changed[0] else 0
    files = changed[first + 1 :: 2]
    return LocalCommit(
        sha=sha,
        parents=tuple(parents.split()),
        subject=subject,
        body=body,
        author=author,
        files=tuple(files),
        changes=tuple(changed[first::2][: len(files)]),
    )


def parts(message: str) -> tuple[str, str]:
    """First line and the rest of a message; the rest begins with an empty line where one parts them."""
    unix = message.replace("\r\n", "\n") if "\r" in message else message
    subject, _, body = unix.strip("\n").partition("\n")
    return subject.strip(), body.rstrip()


def unreachable(error: ProgramFailed) -> Stop:
    """The Stop for a remote repository that cannot be reached by git."""
    return Stop(
        "unreachable",
        "The remote repository cannot be read.",
        f"git reported: {_said(error.completed)}.",
        "Check out with credentials that may read the repository, then run the job again. "
        "stagegate changed nothing.",
    )


def _said(completed: Completed) -> str:
    """The line with the error, without its full stop."""
    lines = completed.errors.strip().splitlines() or ["no message"]
    named = (line for line in lines if line.startswith(("fatal:", "error:", "remote:")))
    return log.redact(next(named, lines[-1])).rstrip(".")
