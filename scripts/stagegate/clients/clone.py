"""Fetches one commit of a repository by Git instead of the API.

Git computes the ID of everything that it fetches, so what is read here is what that commit contains.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stagegate.clients import git, git_history, git_room, git_trees
from stagegate.clients.hub import Hub
from stagegate.clients.hub.values import Blob
from stagegate.errors import Stop

_SHA = re.compile(r"[0-9a-f]{40}")
_SMALL_FILES = (
    "--filter=blob:limit=64k"  # settings, pins and values are smaller; larger files are fetched when read
)


class Clone(Hub):
    """A hub with the default branch at one fetched commit.

    Files are read from the clone, everything else by API.
    """

    def __init__(self, hub: Hub, room: git_room.Scratch, branch: str) -> None:
        super().__init__(hub._c)
        self._room, self._branch = room, branch
        self._entries = {
            row.name.decode("utf-8", "surrogateescape"): (row.oid, row.mode)
            for row in git_trees.listed(room.path, room.head)
        }

    def open(self, paths: Sequence[str], prefix: str, file: str) -> None:
        """Do nothing: the commit is in the clone."""

    def default_branch(self) -> str:
        """Its name."""
        return self._branch

    def head(self, branch: str) -> str | None:
        """The fetched commit for the default branch; other branches by API."""
        return self._room.head if branch == self._branch else super().head(branch)

    def entries(self, ref: str) -> dict[str, tuple[str, str]]:
        """As in `Trees`."""
        return dict(self._entries) if self._is_here(ref) else super().entries(ref)

    def files(self, ref: str, paths: Sequence[str]) -> dict[str, Blob | None]:
        """As in `Files`. Stop(unreachable) when a file cannot be fetched."""
        if not self._is_here(ref):
            return super().files(ref, paths)
        oids = {path: self._entries[path][0] for path in paths if path in self._entries}
        contents = git_history.blobs(self._room, oids.values())
        if lost := [path for path, oid in oids.items() if oid not in contents]:
            raise Stop(
                "unreachable",
                f"The file {lost[0]} could not be fetched from {self.repository}.",
                "Git returned the commit, but not all files of the commit.",
                "Run the job again.",
            )
        return {
            path: Blob(oid=oids[path], content=contents[oids[path]]) if path in oids else None
            for path in paths
        }

    def _is_here(self, ref: str) -> bool:
        return ref in (self._room.head, self._branch)


@contextmanager
def fetched(hub: Hub, branch: str, commit: str) -> Iterator[Clone]:
    """The repository of `hub` at `commit`, the tip of its default branch, in a temporary folder.

    Stop(unreachable), Stop(bad-input).
    """
    if not _SHA.fullmatch(commit):
        raise Stop(
            "bad-input",
            f"{commit[:80]!r} is not a commit.",
            "A commit can only be fetched by its 40 hexadecimal digits.",
            "Write the full commit.",
        )
    with tempfile.TemporaryDirectory(prefix="stagegate-clone-") as folder:
        path = Path(folder)
        git.git(path, "init", "--quiet", "--bare", ".")
        address = f"{hub.server_url}/{hub.repository}.git"
        login = git.credentials(hub.server_url, hub.token)
        count = int(login["GIT_CONFIG_COUNT"])
        env = {
            **login,
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": "remote.origin.url",
            f"GIT_CONFIG_VALUE_{count}": address,
        }
        room = git_room.Scratch(path=path, env=env, head=commit)
        git_room.demand(git_room.fetch(room, "--depth=1", "origin", commit, lean=_SMALL_FILES))
        yield Clone(hub, room, branch)
