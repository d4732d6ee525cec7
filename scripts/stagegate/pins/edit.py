"""Computes the new bytes of a pin for a release."""

from __future__ import annotations

import re

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.model import Edit, Release
from stagegate.pins import pattern, suggest, templates
from stagegate.pins.named_release import range_of, running
from stagegate.pins.place import PinFile, PinPlace, ShapeContext
from stagegate.settings import Settings
from stagegate.yaml_edit import Path


def edit(
    pin_file: PinFile, release: Release, settings: Settings, *, repository: str = ""
) -> tuple[bytes, tuple[Edit, ...]]:
    """The file with every place of the pin moved to the release, and the changes (none when it is there).

    `repository` is the pins repository, as the edits name it.

    Stop(ambiguous-pin) with file and line for a place that moves by itself, for fields that disagree, for a
    release that lacks what a template asks for, and for an edit that would change another byte.
    """
    moving = range_of(pin_file)
    if moving is not None:
        raise _moves_by_itself(moving, pin_file, settings)
    running(pin_file, settings)
    content = pin_file.content
    edits: list[Edit] = []
    scalars: dict[tuple[int, str | Path], str] = {}
    texts: list[tuple[PinPlace, str]] = []
    inner: dict[tuple[int, Path], dict[str | Path, str]] = {}
    for place in pin_file.places:
        after = _filled(place, release)
        if after == place.value:
            continue
        edits.append(_edit(place, after, repository))
        if place.shape == pattern.NAME:
            texts.append((place, after))
        elif place.inside:
            inner.setdefault((place.document, place.path), {})[place.inside] = after
        else:
            scalars[place.document, place.path] = after
            edits += _aliases(pin_file, place, after, repository)
    if texts:  # first: they are characters of the file as it was read
        content = pattern.replace(content, texts, pin_file.file)
    if scalars:
        content = yaml_edit.replace(content, scalars, pin_file.file)
    for (document, path), changes in inner.items():
        content = yaml_edit.replace_inside(content, document, path, changes, pin_file.file)
    if edits:
        edits[0] = msgspec.structs.replace(edits[0], also=_also(content, pin_file))
    return content, tuple({(edit.file, edit.path): edit for edit in reversed(edits)}.values())[::-1]


def _edit(place: PinPlace, after: str, repository: str, path: str = "") -> Edit:
    return Edit(
        repository=repository,
        file=place.file,
        line=place.line,
        path=path or place.where,
        before=place.value,
        after=after,
        shape=place.shape,
    )


def _aliases(pin_file: PinFile, place: PinPlace, after: str, repository: str) -> list[Edit]:
    """The places that move because they are aliases of one that does."""
    if b"&" not in pin_file.content:
        return []
    root = yaml_edit.documents(pin_file.content, pin_file.file)[place.document]
    places = yaml_edit.aliases(root, place.path)
    if places[:1] != (place.path,):
        return []
    return [_edit(place, after, repository, ".".join(map(str, path))) for path in places[1:]]


def _also(content: bytes, pin_file: PinFile) -> tuple[int, ...]:
    """Lines of the edited file that still contain the previous version, counted from 1."""
    versions = {place.names["version"] for place in pin_file.places if place.names.get("version")}
    if not versions:
        return ()
    words = "|".join(sorted(map(re.escape, versions)))
    wanted = re.compile(rf"(?<![\d.]){'(?:' + words + ')'}(?![\d]|\.\d|[-+][A-Za-z\d])")
    lines = content.decode("utf-8", "replace").splitlines()
    return tuple(n for n, line in enumerate(lines, 1) if wanted.search(line))


def _filled(place: PinPlace, release: Release) -> str:
    version = release.version
    if place.role == "image-tag":
        version = version.replace("+", "_")  # no + in an OCI tag
    parts = {"version": version, "commit": release.commit, "digest": digest_of(place.subject, release)}
    try:
        return templates.fill(place.template, parts)
    except KeyError as error:
        raise _lacking(place, release, str(error.args[0])) from error


def _lacking(place: PinPlace, release: Release, what: str) -> Stop:
    """Stop(ambiguous-pin) for a place that names something that the release does not have."""
    if what == "commit":
        why = f"The commit of {release.version} is unknown, because this clone has no tag {release.tag}."
        cure = "Fetch the tags with `git fetch --tags`, then run the same command again."
    elif not release.recorded and not release.images:
        why = "With `local`, stagegate does not contact the registry, so the digests are unknown."
        cure = "Run promote-pr without `local`, with a token."
    else:
        has = ", ".join(image.reference for image in release.images) or "no image"
        why = f"The pin is about {place.subject or 'the only artifact'}; the release has {has}."
        cure = "Correct the pin, or publish a release that contains this artifact."
    return Stop(
        "ambiguous-pin",
        f"{place.file} pins a {what} at {place.where}, but the release {release.version} has no {what}.",
        why,
        cure,
        file=place.file,
        line=place.line,
    )


def digest_of(subject: str, release: Release) -> str:
    """The digest of an image or the chart of a release; without a subject, of its only artifact. Empty: none."""
    chart = {release.chart.reference: release.chart.digest} if release.chart else {}
    images = {image.reference: image.digest for image in release.images}
    if subject:
        return {**chart, **images}.get(subject, "")
    only = images or chart
    return next(iter(only.values())) if len(only) == 1 else ""


def way_out(moving: PinPlace, pin_file: PinFile, settings: Settings) -> str:
    """What to do about a place that names no exact release, where more than its value decides; else nothing.

    Where it may be a variant of an image, this is what to write instead of the pin, every place of it tried.
    """
    if not moving.variant:
        return moving.cure
    nodes = yaml_edit.documents(pin_file.content, pin_file.file) if not _is_text(pin_file) else ()
    reading = ShapeContext(file=pin_file.file, settings=settings, content=pin_file.content)
    lines = [
        suggest.for_place(place, place.variant or place.template, nodes, reading) for place in pin_file.places
    ]
    flavour = moving.variant.partition("{version}")[2].partition("@")[0]
    cure = (
        f"write in `pins`: {', '.join(lines)}"
        if all(lines)
        else f'choose the field of the pin with `value: "{moving.variant}"`'
    )
    return f"{flavour} may be a variant of the image or a pre-release. If it is a variant, {cure}."


def _is_text(pin_file: PinFile) -> bool:
    return all(place.span != (0, 0) for place in pin_file.places)


def _moves_by_itself(place: PinPlace, pin_file: PinFile, settings: Settings) -> Stop:
    cure = way_out(place, pin_file, settings)
    if cure:
        what, why = (
            "no exact release",
            "stagegate can promote, roll back or hold only a value that names one release.",
        )
    elif templates.is_range(place.value):
        what, why = (
            "a range",
            "Argo CD chooses the version itself, so a promotion, a rollback or a hold has no effect.",
        )
    else:
        what = f"not {place.template}" if place.template else "no exact release"
        why = "stagegate can promote, roll back or hold only a value that names one release."
    return Stop(
        "ambiguous-pin",
        f"{place.file} has {place.value!r} at {place.where}: {what}.",
        why,
        cure
        or f"Write the version that runs now, as {place.template or 'an exact version'}. Promotions of "
        f"{settings.app} then replace it.",
        file=place.file,
        line=place.line,
    )
