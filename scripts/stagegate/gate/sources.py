"""Judges whether an Application's sources are those of the release, in its spec and in the comparison. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.status import Application, SourceSeen, plain_address
from stagegate.gate.expected import Expected, exact, is_digest, is_newer, same_version
from stagegate.gate.rollout_reasons import Objection


def carriers(app: Application, expected: Expected) -> tuple[SourceSeen, ...]:
    """The sources with this release: its chart, or a path in our own Git repositories."""
    charts = tuple(s for s in app.sources if expected.chart and s.address == plain_address(expected.chart))
    if charts:
        return charts
    return tuple(s for s in app.sources if s.is_git and is_ours(s, expected) and not (s.ref and not s.path))


def is_ours(source: SourceSeen, expected: Expected) -> bool:
    """Whether the address ends in one of our `owner/name`, with any host and protocol."""
    return any(same_repository(source.repository, name) != "foreign" for name in expected.repositories)


def asked(app: Application, expected: Expected) -> Iterator[Objection]:
    """Objections to the spec, before Argo CD's comparison."""
    carriers_of_release = carriers(app, expected)
    if not carriers_of_release:
        follows = ", ".join(source.address for source in app.sources) or "nothing"
        subject = expected.chart or ", ".join(expected.repositories)
        yield (
            "wrong-source",
            f"Application {app.name} deploys from {follows}, but the release is in {subject}",
        )
    for source in carriers_of_release:
        yield from _hydrated(app, source, expected) if app.hydrated else _target(source, expected)
    yield from _named(app, expected)


def compared(app: Application, expected: Expected) -> Iterator[Objection]:
    """Whether Argo CD compared every source at a revision that belongs to the release."""
    carriers_of_release = carriers(app, expected)
    for source in app.sources:
        if source.is_git:
            yield from _commit(source, expected) if is_ours(source, expected) else ()
        elif source in carriers_of_release:
            yield from _chart_revision(source, expected)


def _target(source: SourceSeen, expected: Expected) -> Iterator[Objection]:
    if source.is_git or not expected.moves_chart:
        return
    if is_digest(source.target):
        if expected.chart_digest and source.target != expected.chart_digest:
            yield _other(source.target, expected, newer=None)
        return
    if exact(source.target) and not same_version(source.target, expected.chart_version or expected.version):
        yield _other(source.target, expected, newer=is_newer(source.target, expected))


def _hydrated(app: Application, source: SourceSeen, expected: Expected) -> Iterator[Objection]:
    """A dry source is understood where it is pinned to a tag or commit: then one commit is one release."""
    target = source.target.removeprefix("refs/tags/")
    if target in (expected.release_tag, expected.release_commit) and target:
        return
    if exact(target) is not None:
        yield _other(target, expected, newer=is_newer(target, expected))
    yield (
        "wrong-source",
        f"the Application {app.name} is hydrated from {source.target or 'HEAD'}, which stagegate "
        f"does not support; pin `drySource.targetRevision` to the tag {expected.release_tag}, or "
        "use `argocd.source: kubernetes`",
    )


def _named(app: Application, expected: Expected) -> Iterator[Objection]:
    """Pins inside the Application, for every kind of source.

    A chart that stays contains nothing of the release: the spec's parameters or values do, or a Git source.
    """
    if expected.named and (not expected.moves_chart or exact(expected.named)):
        versions = (expected.version, expected.chart_version)
        if not any(same_version(expected.named, version) for version in versions):
            yield _other(expected.named, expected, newer=None)
    elif not expected.moves_chart and not any(
        source.is_git and is_ours(source, expected) for source in app.sources
    ):
        yield "wrong-source", f"no source of the Application {app.name} contains a release of this app"


def _other(target: str, expected: Expected, newer: bool | None) -> Objection:
    """Objections to another requested version: the pin is not applied yet, or has changed since."""
    still_pinned = same_version(expected.pinned, expected.version)
    if still_pinned or (not expected.pinned and newer is False):
        return (
            "pin-not-applied",
            f"the Application still requests {target}, because the changed pin is not applied yet",
        )
    if expected.pinned:
        return "superseded", f"the pin in Git now names {expected.pinned}"
    return "superseded", f"the Application now requests {target}"


def _chart_revision(source: SourceSeen, expected: Expected) -> Iterator[Objection]:
    if not source.revision:
        yield "old-revision", "Argo CD has not compared this source of the Application yet"
    elif not expected.moves_chart:
        if exact(source.target) is not None and not same_version(source.revision, source.target):
            yield (
                "old-revision",
                f"Argo CD compared with the chart {source.revision}, not with {source.target}",
            )
    elif is_digest(source.revision):
        short = source.revision[:19]
        if not expected.chart_digest:
            yield (
                "old-revision",
                f"Argo CD resolved the chart to {short}, but the release record has no digest of the chart",
            )
        elif source.revision != expected.chart_digest:
            yield (
                "old-revision",
                f"Argo CD resolved the chart to {short}, but the release has {expected.chart_digest[:19]}",
            )
    elif not same_version(source.revision, expected.chart_version or expected.version):
        if exact(source.target) is None and is_newer(source.revision, expected):
            text = (
                f"{source.target} is a range and resolves to {source.revision}, because a range always "
                "means the highest version"
            )
            yield "superseded", text
        yield "old-revision", f"Argo CD compared with {source.revision}"


def _commit(source: SourceSeen, expected: Expected) -> Iterator[Objection]:
    short, target = source.revision[:12], source.target.removeprefix("refs/tags/")
    if not source.revision:
        yield "old-revision", "Argo CD has not compared this source of the Application yet"
    elif target and target in (expected.release_tag, expected.release_commit):
        if source.revision not in (expected.release_commit, expected.release_tag_object):
            yield (
                "old-revision",
                f"Argo CD compared with commit {short}, but the release's tag names another commit",
            )
    else:
        commit = expected.commits.get(source.key)
        if commit is None:
            yield "unknown-commit", f"the gate has not read commit {short} yet"
        elif commit == "superseded":
            yield "superseded", f"at commit {short}, the pin names a different version"
        elif commit == "behind":
            yield "old-commit", f"commit {short} does not contain the changed pins and values yet"
