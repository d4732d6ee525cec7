"""Collects the files of a release: the tested chart, the evidence, files of the job, and existing assets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from stagegate import inside
from stagegate.clients import hub
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.model import Evidence, digest_of, to_json
from stagegate.release.publication import checksums
from stagegate.release.publication.plan import binding
from stagegate.release.publication.plan_facts import (
    EnvironmentEvidence,
    ExistingRelease,
    ReleaseFile,
    UploadedFile,
)
from stagegate.runner.context import Context
from stagegate.settings import Settings

_ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")  # GitHub renames files with other characters


def chart(
    settings: Settings,
    registry: Registry,
    environments: Sequence[EnvironmentEvidence],
    version: str,
    package: bytes | None,
) -> tuple[ReleaseFile, ...]:
    """The package of the app's own chart: exactly the bytes that the required gates tested.

    `package` is the package from the caller, if any. Nothing for an app without a chart of its own.
    Stop(missing-file|evidence-mismatch).
    """
    passed = (e.evidence for e in environments if e.required and e.passed)
    tested = next((evidence.chart for evidence in passed if evidence), None)
    if settings.own_chart is None or tested is None:
        return ()
    reference = f"{settings.chart_reference}@{tested.digest}"
    manifest = registry.manifest(reference)
    layer = next(iter(manifest.chart_layers if manifest else ()), "")
    if not layer:
        raise Stop(
            "missing-file",
            f"The chart that was tested is not at {reference}.",
            "The registry no longer has the chart.",
            "Restore it, or publish a new version with helm-publish.",
        )
    if package is not None and digest_of(package) != layer:
        raise Stop(
            "evidence-mismatch",
            "The chart in the input `chart` is not the chart that was tested.",
            f"The input has the digest {digest_of(package)}, but the gate tested {layer}.",
            "Leave the input `chart` empty. publish-release then fetches the tested package by its digest.",
        )
    content = package if package is not None else registry.blob(reference, layer)
    name = f"{settings.chart_reference.rsplit('/', 1)[-1]}-{version}.tgz"
    return (ReleaseFile(name=name, content_type="application/gzip", content=content),)


def documents(environments: Sequence[EnvironmentEvidence]) -> tuple[ReleaseFile, ...]:
    """The evidence of every environment where the release has passed, one file each."""
    passed = [environment for environment in environments if environment.passed]
    return tuple(
        ReleaseFile(
            name=f"evidence-{environment.name}.json",
            content_type="application/json",
            content=to_json(environment.evidence) + b"\n",
        )
        for environment in passed
    )


def matching(patterns: Sequence[str], context: Context, setting: str) -> tuple[ReleaseFile, ...]:
    """Files of the workspace that match globs, such as an SBOM. Stop(missing-file|bad-input).

    `setting` is the name of the input with the globs.
    """
    release_files: dict[str, ReleaseFile] = {}
    for pattern in patterns:
        start = context.inside(pattern.partition("*")[0] or ".", what=setting)
        paths = [start] if "*" not in pattern else inside.matching(context.workspace, pattern)
        files = [path for path in paths if path.is_file()]
        if not files:
            raise Stop(
                "missing-file",
                f"{setting} names {pattern}, but there is no such file.",
                "The release would be published without this file, and the file could not be added later.",
                "Make the file in a step before this one, or correct the input.",
            )
        for path in files:
            if (
                path.name in release_files
                or not _ASSET_NAME.fullmatch(path.name)
                or path.name == checksums.NAME
            ):
                raise Stop(
                    "bad-input",
                    f"{path.name!r} cannot be a file of the release.",
                    "File names may contain letters, digits and . _ + - and must be unique. publish-release "
                    "writes SHA256SUMS itself.",
                    "Rename the file so that it meets these rules.",
                )
            content = context.inside(str(path.relative_to(context.workspace)), what=setting).read_bytes()
            release_files[path.name] = ReleaseFile(
                name=path.name, content_type="application/octet-stream", content=content
            )
    return tuple(release_files.values())


def existing(
    github: hub.Hub, listed: Iterable[hub.ReleaseInfo], tag: str, files: Sequence[ReleaseFile]
) -> ExistingRelease | None:
    """The published release of the tag, else its oldest draft."""
    oldest = min((r for r in listed if r.tag == tag), key=lambda r: (r.draft, r.id), default=None)
    if oldest is None:
        return None
    by_name = {file.name: file for file in files}
    uploaded = [a for a in oldest.assets if a.state == "uploaded"]
    sums = next((a for a in uploaded if a.name == checksums.NAME), None)
    return ExistingRelease(
        id=oldest.id,
        draft=oldest.draft,
        url=oldest.url,
        assets=tuple(_uploaded(github, a, by_name[a.name]) for a in uploaded if a.name in by_name),
        immutable=oldest.immutable,
        sums=checksums.read(github.download_asset(sums.id)) if sums else None,
        sums_id=sums.id if sums else 0,
    )


def _uploaded(github: hub.Hub, asset: hub.Asset, file: ReleaseFile) -> UploadedFile:
    """Compare an asset with our file, by digest. Evidence, and an asset without a digest, by content."""
    if asset.digest == file.digest:
        return UploadedFile(name=asset.name, digest=asset.digest, same=True)
    if asset.digest and file.content_type != "application/json":
        return UploadedFile(name=asset.name, digest=asset.digest, same=False)
    content = github.download_asset(asset.id)
    return UploadedFile(name=asset.name, digest=digest_of(content), same=_same(content, file.content))


def _same(uploaded: bytes, content: bytes) -> bool:
    if uploaded == content:
        return True
    try:
        bindings = [binding(msgspec.json.decode(text, type=Evidence)) for text in (uploaded, content)]
    except (msgspec.DecodeError, msgspec.ValidationError):
        return False
    return bindings[0] == bindings[1]
