"""The files of a release: the chart that was tested, the evidence, and what GitHub holds of them already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from stagegate.clients import hub
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.model import Evidence, digest_of, to_json
from stagegate.release.publication import checksums
from stagegate.release.publication.plan import binding
from stagegate.release.publication.plan_facts import Existing, ReleaseFile, Testimony, Uploaded
from stagegate.runner.context import Context
from stagegate.settings import Settings

_ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")  # GitHub renames what has other signs


def chart(
    settings: Settings,
    registry: Registry,
    testimonies: Sequence[Testimony],
    version: str,
    given: bytes | None,
) -> tuple[ReleaseFile, ...]:
    """Our own chart's package: exactly the bytes that the required gates tested."""
    passed = (s.evidence for s in testimonies if s.required and s.evidence and s.evidence.outcome == "passed")
    tested = next((evidence.chart for evidence in passed), None)
    if settings.own_chart is None or tested is None:
        return ()
    reference = f"{settings.chart_reference}@{tested.digest}"
    manifest = registry.manifest(reference)
    layer = next(iter(manifest.chart_layers if manifest else ()), "")
    if not layer:
        raise Stop(
            "missing-file",
            f"The chart that was tested is not at {reference}.",
            "The registry no longer has it.",
            "Restore it, or publish a new version with helm-publish.",
        )
    if given is not None and digest_of(given) != layer:
        raise Stop(
            "evidence-mismatch",
            "The given chart is not the one that was tested.",
            f"It is {digest_of(given)}; the gate tested {layer}.",
            "Leave the input `chart` empty: the tested package is fetched by its digest.",
        )
    content = given if given is not None else registry.blob(reference, layer)
    name = f"{settings.chart_reference.rsplit('/', 1)[-1]}-{version}.tgz"
    return (ReleaseFile(name=name, content_type="application/gzip", content=content),)


def documents(testimonies: Sequence[Testimony]) -> tuple[ReleaseFile, ...]:
    """The evidence of every environment where the release has passed, one file each."""
    passed = [s for s in testimonies if s.evidence and s.evidence.outcome == "passed"]
    return tuple(
        ReleaseFile(
            name=f"evidence-{s.environment}.json",
            content_type="application/json",
            content=to_json(s.evidence) + b"\n",
        )
        for s in passed
    )


def given(patterns: Sequence[str], context: Context, what: str) -> tuple[ReleaseFile, ...]:
    """Files of the workspace that globs name, such as an SBOM. Stop(missing-file) for one that matches nothing."""
    given_files: dict[str, ReleaseFile] = {}
    for pattern in patterns:
        place = context.inside(pattern.partition("*")[0] or ".", what=what)
        paths = [place] if "*" not in pattern else sorted(context.workspace.glob(pattern))
        files = [path for path in paths if path.is_file()]
        if not files:
            raise Stop(
                "missing-file",
                f"{what} names {pattern}, but there is no such file.",
                "The release would be published without it, and it cannot be added later.",
                "Make the file in a step before this one, or correct the input.",
            )
        for path in files:
            if (
                path.name in given_files
                or not _ASSET_NAME.fullmatch(path.name)
                or path.name == checksums.NAME
            ):
                raise Stop(
                    "bad-input",
                    f"{path.name!r} cannot be a file of the release.",
                    "Names have letters, digits and . _ + -, each is used once, and SHA256SUMS is written here.",
                    "Rename the file.",
                )
            content = context.inside(str(path.relative_to(context.workspace)), what=what).read_bytes()
            given_files[path.name] = ReleaseFile(
                name=path.name, content_type="application/octet-stream", content=content
            )
    return tuple(given_files.values())


def existing(
    github: hub.Hub, listed: Iterable[hub.ReleaseInfo], tag: str, ours: Sequence[ReleaseFile]
) -> Existing | None:
    """The published release of the tag, else its oldest draft."""
    oldest = min((r for r in listed if r.tag == tag), key=lambda r: (r.draft, r.id), default=None)
    if oldest is None:
        return None
    wanted = {asset.name: asset for asset in ours}
    uploaded = [a for a in oldest.assets if a.state == "uploaded"]
    sums = next((a for a in uploaded if a.name == checksums.NAME), None)
    return Existing(
        id=oldest.id,
        draft=oldest.draft,
        url=oldest.url,
        assets=tuple(_uploaded(github, a, wanted[a.name]) for a in uploaded if a.name in wanted),
        immutable=oldest.immutable,
        sums=checksums.read(github.download_asset(sums.id)) if sums else None,
        sums_id=sums.id if sums else 0,
    )


def _uploaded(github: hub.Hub, uploaded: hub.Asset, ours: ReleaseFile) -> Uploaded:
    """Compared by digest; where GitHub has none, or other evidence, by content."""
    if uploaded.digest == ours.digest:
        return Uploaded(name=uploaded.name, digest=uploaded.digest, same=True)
    if uploaded.digest and ours.content_type != "application/json":
        return Uploaded(name=uploaded.name, digest=uploaded.digest, same=False)
    content = github.download_asset(uploaded.id)
    return Uploaded(name=uploaded.name, digest=digest_of(content), same=_same(content, ours.content))


def _same(uploaded: bytes, ours: bytes) -> bool:
    if uploaded == ours:
        return True
    try:
        both = [binding(msgspec.json.decode(text, type=Evidence)) for text in (uploaded, ours)]
    except (msgspec.DecodeError, msgspec.ValidationError):
        return False
    return both[0] == both[1]
