"""The results of the hub: complete frozen values, as GitHub showed them at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from stagegate.model import Actor

ZERO = "0" * 40  # "no such ref" in updateRefs


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """A file's content, byte for byte, and its git object id."""

    oid: str
    content: bytes


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit. `author` is GitHub's account behind it (None: unknown), `verified` its signature check.

    Anyone may write any author into a commit, and sign it as its committer. `vouched`: GitHub signed it itself, or
    the author did, so the author is not forged.
    """

    sha: str
    message: str
    parents: tuple[str, ...]
    committed_at: str
    author: Actor | None
    trailers: Mapping[str, str]
    verified: bool = False
    vouched: bool = False


class CheckRun(msgspec.Struct, frozen=True, kw_only=True):
    """A check run: `conclusion` is empty until `status` is `completed`; `by` is the login of the App behind it."""

    name: str
    status: str
    conclusion: str
    by: str
    started_at: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`head` seen from `base`: the distance, the commits only `head` has (oldest first), the files touched.

    GitHub lists at most 300 files: never judge by the list alone.
    """

    ahead: int
    behind: int
    status: str
    merge_base: str
    commits: tuple[Commit, ...]
    files: tuple[str, ...]


class ChangedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What a head changes since it left a base: every path, old names of renamed files too.

    `base` is the base's commit now and `base_tree` its tree; `complete` is false where GitHub may have cut the
    list, and `onward` where the base has commits that the head has not.
    """

    base: str
    base_tree: str
    files: tuple[str, ...]
    complete: bool
    onward: bool


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue, with the address of its page."""

    number: int
    title: str
    url: str
    body: str


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag with the commit it points to; `message` and `object_id` (the id of the annotated tag itself)
    are empty for a lightweight one."""

    name: str
    target_commit: str
    message: str
    annotated: bool
    object_id: str = ""


class RefFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file at the tip of one ref; `content` None: the file does not exist there.

    `signed`: GitHub signed the commit itself. Without that, anybody may have written the `author`. `alone`: the
    commit contains this file and nothing else.
    """

    oid: str
    content: bytes | None
    author: Actor | None
    committed_at: str
    signed: bool = False
    parents: tuple[str, ...] = ()
    alone: bool = False


class RefUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Move one ref from `before` to `after`; ZERO means "does not exist"."""

    name: str
    before: str
    after: str
    force: bool = False


class RefMove(msgspec.Struct, frozen=True, kw_only=True):
    """A push to a branch: its new head, when by GitHub's clock (RFC 3339), and who moved it (None: unknown)."""

    after: str
    at: str
    by: Actor | None = None


class RefActivity(msgspec.Struct, frozen=True, kw_only=True):
    """A ref that was deleted: what it pointed to, by whom and when."""

    ref: str
    before: str
    actor: Actor | None
    at: str


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow run: the path of its file, the branch (or tag) and commit it runs on, whose repository, and who
    started it. `actor` is None where GitHub does not say."""

    state: Literal["running", "done", "unknown"] = "unknown"
    workflow: str = ""
    branch: str = ""
    commit: str = ""
    repository: str = ""
    actor: Actor | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One commit status, with who wrote it."""

    context: str
    state: str
    description: str
    target_url: str
    creator: Actor | None
    created_at: str


class DeploymentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One status of a deployment; `state` in lower case as in REST."""

    state: str
    description: str
    created_at: str
    creator: Actor | None
    log_url: str


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment with its statuses, newest first. An unreadable payload is an empty one."""

    id: int
    sha: str
    task: str
    environment: str
    payload: Mapping[str, Any]
    creator: Actor | None
    created_at: str
    statuses: tuple[DeploymentStatus, ...]


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request. `mergeable` None: GitHub has not computed it (lists never say, nor `merged_by`)."""

    number: int
    node_id: str
    url: str
    title: str
    body: str
    state: Literal["open", "closed"]
    merged: bool
    merge_commit: str
    draft: bool
    head_ref: str
    head_sha: str
    head_repository: str
    base_ref: str
    base_sha: str
    author: Actor | None
    labels: tuple[str, ...]
    mergeable: bool | None
    auto_merge: bool
    merged_by: Actor | None = None


class CommitOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a commit (a login, or nothing), and the merged pull request that brought it (number 0: none)."""

    author: str = ""
    number: int = 0
    url: str = ""
    labels: tuple[str, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A review, oldest first in lists; `can_push`: its author may write to the repository now."""

    id: int
    author: Actor | None
    state: str
    commit: str
    submitted_at: str
    can_push: bool


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment on a pull request or issue."""

    id: int
    body: str
    author: Actor | None
    created_at: str
    updated_at: str


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a release; `digest` is `sha256:<hex>`, or empty where the server does not say."""

    id: int
    name: str
    size: int
    digest: str
    state: str = "uploaded"


class ReleaseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A GitHub release, draft or published; nothing of an `immutable` one can change."""

    id: int
    tag: str
    name: str
    draft: bool
    prerelease: bool
    url: str
    upload_url: str
    body: str = ""
    assets: tuple[Asset, ...] = ()
    immutable: bool = False


class BranchRule(msgspec.Struct, frozen=True, kw_only=True):
    """One active rule of a branch, as the rules API names it; `ruleset` is 0 for classic protection."""

    type: str
    parameters: Mapping[str, Any] = {}
    ruleset: int = 0
