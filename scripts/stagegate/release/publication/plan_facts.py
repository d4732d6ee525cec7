"""The facts and the result of a decision about a GitHub release, as values."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate.model import Evidence, digest_of


class ReleaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that belongs to the release."""

    name: str
    content_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the content, as GitHub shows it."""
        return digest_of(self.content)


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """One environment's word on the release: the commit status, and the newest deciding record behind it.

    `trusted` says whether the status was written by somebody whose word counts; the record always was.
    """

    environment: str
    required: bool
    state: str = ""
    creator: str = ""
    trusted: bool = False
    evidence: Evidence | None = None


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file GitHub has already; `same` when it says what ours says (equal evidence may differ in bytes)."""

    name: str
    digest: str
    same: bool


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """The release as GitHub shows it now; `sums` are the checksums it has (None: no such file)."""

    id: int
    draft: bool
    url: str
    assets: tuple[Uploaded, ...] = ()
    immutable: bool = False
    sums: Mapping[str, str] | None = None
    sums_id: int = 0


class ReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the decision needs. `published` are the versions with a published release.

    `images` are our images that were tested, `tagged` what their tags in the registry name: image -> tag -> digest.
    """

    app: str
    version: str
    tag: str
    commit: str
    notes: str
    seen: tuple[Testimony, ...]
    assets: tuple[ReleaseFile, ...]
    existing: Existing | None
    published: tuple[str, ...]
    images: Mapping[str, str] = {}
    tagged: Mapping[str, Mapping[str, str]] = {}


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: draft if there is none, upload, publish; nothing of it when all is there.

    `replaced` is the id of checksums in a draft that lack a file (0: none). `waits_for` says which gate is missing.
    """

    reason: str
    draft: bool
    uploads: tuple[ReleaseFile, ...]
    replaced: int
    publish: bool
    prerelease: bool
    latest: bool
    waits_for: str = ""
