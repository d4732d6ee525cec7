"""The facts and the plan of publish-release, as values."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate.model import Evidence, digest_of


class ReleaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the release."""

    name: str
    content_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the content, as GitHub shows it."""
        return digest_of(self.content)


class EnvironmentEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """The commit status of the release for one environment, and the evidence in its newest deciding record.

    `trusted`: an accepted author wrote the status. Records of other authors are never read.
    """

    name: str
    required: bool
    state: str = ""
    creator: str = ""
    trusted: bool = False
    evidence: Evidence | None = None

    @property
    def passed(self) -> bool:
        """Whether the evidence reports that the gate passed."""
        return self.evidence is not None and self.evidence.outcome == "passed"


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the release on GitHub. `same`: equal to ours (evidence may differ in bytes)."""

    name: str
    digest: str
    same: bool


class ExistingRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The current release or draft on GitHub. `sums` are its checksums (None: it has no such file)."""

    id: int
    draft: bool
    url: str
    assets: tuple[UploadedFile, ...] = ()
    immutable: bool = False
    sums: Mapping[str, str] | None = None
    sums_id: int = 0


class ReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about one version. `published` are the versions with a published release.

    `images` are the app's own tested images (image -> digest), `tagged` their tags in the registry (image -> tag ->
    digest).
    """

    app: str
    version: str
    tag: str
    commit: str
    notes: str
    environments: tuple[EnvironmentEvidence, ...]
    assets: tuple[ReleaseFile, ...]
    existing: ExistingRelease | None
    published: tuple[str, ...]
    images: Mapping[str, str] = {}
    tagged: Mapping[str, Mapping[str, str]] = {}


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """The decision: create a draft, upload files, publish; nothing when the release is complete.

    `replaced` is the id of checksums in a draft that lack a file (0: none). `waits_for` names the missing gate.
    """

    reason: str
    draft: bool
    uploads: tuple[ReleaseFile, ...]
    replaced: int
    publish: bool
    prerelease: bool
    latest: bool
    waits_for: str = ""
