"""Reads and compares commits, and writes them by API so that GitHub signs them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.accounts import Account, actor_of
from stagegate.clients.hub.client import PAGE
from stagegate.clients.hub.memory import lasting, remembered
from stagegate.clients.hub.refs import Refs
from stagegate.clients.hub.refusals import Refused, StaleHead
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import ChangedFiles, Commit, Comparison
from stagegate.model import git_files, trailers

_GITHUB = "web-flow"  # the committer of changes that are made on github.com
_READ = "contents: read"
_WRITE = "contents: write"


class _Sha(msgspec.Struct, frozen=True):
    sha: str


class _Signed(msgspec.Struct, frozen=True):
    verified: bool = False


class _Stamp(msgspec.Struct, frozen=True):
    date: str = ""


class _Inner(msgspec.Struct, frozen=True):
    message: str
    committer: _Stamp | None = None
    verification: _Signed | None = None


_MOST_FILES = 300  # in a comparison; GitHub lists no more


class _File(msgspec.Struct, frozen=True):
    filename: str
    previous_filename: str = ""


class RestCommit(msgspec.Struct, frozen=True):
    """A commit as REST shows it; an author that is no account is null or {}."""

    sha: str
    commit: _Inner
    parents: list[_Sha]
    author: Account | None = None
    committer: Account | None = None

    def value(self) -> Commit:
        """The commit without unused fields."""
        inner = self.commit
        verified = bool(inner.verification and inner.verification.verified)
        author, committer = actor_of(self.author), actor_of(self.committer)
        # A signature is the committer's. What GitHub commits itself has its own account there, or none.
        by_github = committer is None or committer.login == _GITHUB
        return Commit(
            sha=self.sha,
            message=inner.message,
            parents=tuple(parent.sha for parent in self.parents),
            committed_at=inner.committer.date if inner.committer else "",
            author=author,
            trailers=trailers.parse(inner.message),
            verified=verified,
            vouched=verified and author is not None and (by_github or author.same(committer)),
        )


class _Comparison(msgspec.Struct, frozen=True):
    status: str
    ahead_by: int
    behind_by: int
    total_commits: int
    merge_base_commit: _Sha
    commits: list[RestCommit]
    files: list[_File] = []


class _WithTree(msgspec.Struct, frozen=True):
    tree: _Sha


class _Base(msgspec.Struct, frozen=True):
    sha: str
    commit: _WithTree


class _Listed(msgspec.Struct, frozen=True):
    base_commit: _Base
    status: str
    files: list[_File] = []


class _New(msgspec.Struct, frozen=True):
    oid: str


class _Made(msgspec.Struct, frozen=True):
    commit: _New


class Commits(Refs):
    """Commits of the repository."""

    def commit_info(self, sha: str) -> Commit | None:
        """A commit by sha, branch or tag; None when there is none."""
        try:
            commit = self._c.find(
                self._c.path("commits", sha), RestCommit, f"read commit {sha[:12]}", _READ, per_page=1
            )
        except Refused as refusal:
            if refusal.status == 422:  # "No commit found for SHA"
                return None
            raise
        return commit.value() if commit else None

    @remembered
    def history(self, ref: str, first: int = 50, path: str | None = None) -> list[Commit]:
        """The newest `first` commits of `ref`, newest first; with `path` only those that touch it."""
        params: dict[str, str | int] = {
            "sha": ref,
            "per_page": min(first, PAGE),
            **({"path": path} if path else {}),
        }
        pages = self._c.pages(
            self._c.path("commits"), RestCommit, f"read the history of {ref[:40]}", _READ, **params
        )
        return [commit.value() for _, commit in zip(range(first), pages, strict=False)]

    @lasting
    def compare(self, base: str, head: str) -> Comparison:
        """`head` seen from `base`, with every commit; Stop when one is unknown or they share no history."""
        path = self._c.path(f"compare/{base}...{head}")
        doing = f"compare {base[:12]} with {head[:12]}"
        first = self._c.get(path, _Comparison, doing, _READ, per_page=PAGE)
        commits = list(first.commits)
        page = 1
        while len(commits) < first.total_commits:
            page += 1
            more = self._c.get(path, _Comparison, doing, _READ, per_page=PAGE, page=page).commits
            if not more:
                break
            commits += more
        return Comparison(
            ahead=first.ahead_by,
            behind=first.behind_by,
            status=first.status,
            merge_base=first.merge_base_commit.sha,
            commits=tuple(commit.value() for commit in commits),
            files=tuple(file.filename for file in first.files),
        )

    def changed_files(self, base: str, head: str) -> ChangedFiles:
        """The files that `head` changes since it left `base`, and the commit of `base` now, in one request."""
        doing = f"list the files that {head[:12]} changes"
        compared = self._c.get(self._c.path(f"compare/{base}...{head}"), _Listed, doing, _READ, per_page=1)
        names = {name for file in compared.files for name in (file.filename, file.previous_filename) if name}
        return ChangedFiles(
            base=compared.base_commit.sha,
            base_tree=compared.base_commit.commit.tree.sha,
            files=tuple(sorted(names)),
            complete=len(compared.files) < _MOST_FILES,
            onward=compared.status in ("ahead", "identical"),
        )

    @remembered
    def contains(self, branch: str, sha: str) -> bool:
        """Whether a commit is reachable from a branch; one that shares no history with it is not.

        The branch's head is compared, because a tag may have the name of the branch. Within one run a commit that
        is reachable stays so.
        """
        caches = memory.current()
        if caches is not None and (self.repository, branch, sha) in caches.reached:
            return True
        path = self._c.path(f"compare/{self.head(branch) or branch}...{sha}")
        doing = f"check whether {branch} contains {sha[:12]}"
        compared = self._c.find(path, _Comparison, doing, _READ, per_page=1)
        is_reached = compared is not None and compared.status in ("behind", "identical")
        if caches is not None and is_reached:
            caches.reached.add((self.repository, branch, sha))
        return is_reached

    def create_commit(
        self,
        branch: str,
        expected_head: str,
        headline: str,
        body: str,
        additions: Mapping[str, bytes],
        deletions: Sequence[str] = (),
    ) -> str:
        """Commit whole files onto a branch that is still at `expected_head`; the new commit's sha.

        Signed by GitHub, authored by the token. StaleHead when the branch moved (read again, edit again);
        Stop(protected-branch) when a rule forbids it. The branch must exist.
        """
        fields = {
            "branch": {"repositoryNameWithOwner": self.repository, "branchName": branch},
            "message": {"headline": headline, "body": body},
            "expectedHeadOid": expected_head,
            "fileChanges": {
                "additions": [
                    {"path": path, "contents": base64.b64encode(content).decode()}
                    for path, content in additions.items()
                ],
                "deletions": [{"path": path} for path in deletions],
            },
        }
        message = headline + (f"\n\n{body}" if body else "")

        def create() -> str:
            doing = f"commit to {branch}"
            created = self._c.mutate("createCommitOnBranch", fields, "commit { oid }", doing, _WRITE, _Made)
            return created.commit.oid

        try:
            return settle(create, lambda: self._our_child(branch, expected_head, message))
        except Refused as refusal:
            if refusal.kind == "STALE_DATA" or "expected branch to point to" in refusal.message.lower():
                raise StaleHead(branch, f"The branch is no longer at {expected_head[:12]}.") from refusal
            raise

    def _our_child(self, branch: str, expected: str, message: str) -> str | None:
        """Our commit if the branch carries it on top of `expected`; StaleHead if it carries another."""
        sha = self.head(branch)
        if sha is None or sha == expected:
            return None
        tip = self.commit_info(sha)
        if tip and tip.parents == (expected,) and tip.message.strip() == message.strip():
            return sha
        raise StaleHead(branch, f"The branch is no longer at {expected[:12]}.")

    def create_orphan_commit(
        self, files: Mapping[str, bytes], message: str, parents: Sequence[str] = ()
    ) -> str:
        """A commit that holds exactly `files` and that no ref points to yet; its sha."""
        doing = "write a commit"
        entries = [
            {"path": path, "mode": git_files.PLAIN, "type": "blob", **self._entry(content)}
            for path, content in files.items()
        ]
        tree = self._c.write(
            "POST", self._c.path("git/trees"), {"tree": entries}, doing, _WRITE, _Sha, repeatable=True
        ).sha
        body = {"message": message, "tree": tree, "parents": list(parents)}
        # Unreferenced objects: a second copy is harmless garbage.
        return self._c.write(
            "POST", self._c.path("git/commits"), body, doing, _WRITE, _Sha, repeatable=True
        ).sha

    def _entry(self, content: bytes) -> dict[str, str]:
        try:
            return {"content": content.decode("utf-8")}
        except UnicodeDecodeError:
            body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            path = self._c.path("git/blobs")
            created = self._c.write("POST", path, body, "write a blob", _WRITE, _Sha, repeatable=True)
            return {"sha": created.sha}
