"""GitHub's trial merge of a pull request: the content of its base after the merge."""

from __future__ import annotations

import msgspec

from stagegate.clients.hub.part import Port
from stagegate.errors import Stop

_TRIES = 6


class _Tried(msgspec.Struct, frozen=True):
    mergeable: bool | None = None
    merge_commit_sha: str | None = None


class _Parent(msgspec.Struct, frozen=True):
    sha: str


class _Merge(msgspec.Struct, frozen=True):
    parents: list[_Parent]


class Trials(Port):
    """Merges that GitHub tries in the background: https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request"""

    def trial_merge(self, number: int, base: str, head: str) -> str | None:
        """The commit that merges `head` into `base`, as GitHub tried it; None where they conflict.

        GitHub computes it some seconds after either moved. Stop(unknown-state) when it does not come.
        """
        for attempt in range(_TRIES):
            path = self._c.path("pulls", number)
            tried = self._c.find(path, _Tried, f"read the trial merge of #{number}", "pull-requests: read")
            if tried is not None and tried.mergeable is False:
                return None
            sha = (tried.merge_commit_sha if tried else None) or ""
            if tried and tried.mergeable and sha and self._parents(sha) == [base, head]:
                return sha
            if attempt < _TRIES - 1:
                self._c.back_off(attempt)
        raise Stop(
            "unknown-state",
            f"GitHub has not tried to merge #{number} into {base[:12]} yet.",
            "The base has new commits since the branch began, so stagegate also has to check the "
            "result of the merge.",
            "Run the job again in a minute, or update the branch of the pull request.",
        )

    def _parents(self, sha: str) -> list[str]:
        path = self._c.path("git/commits", sha)
        merge = self._c.find(path, _Merge, f"read commit {sha[:12]}", "contents: read")
        return [parent.sha for parent in merge.parents] if merge else []
