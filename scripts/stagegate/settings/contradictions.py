"""Checks that types cannot express: existing names, orders without a circle, exclusive choices."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.errors import Stop
from stagegate.patterns import pattern
from stagegate.settings import notify
from stagegate.settings.app import Settings
from stagegate.settings.environment import Environment, GateSettings, PinSettings
from stagegate.settings.release import ChartSettings

_RELEASE = pattern(r"\{(?:version|tag|commit(?::[1-9]\d?)?|digest)\}")
_REPOSITORY = pattern(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+(?://\S+)?")
_ALL = (
    "`all` means every app or environment in commands and marks, so no app and no environment may have "
    "the name `all`"
)


Contradiction = tuple[tuple[str | int, ...], str]


def find(settings: Settings) -> Iterator[Contradiction]:
    """Each contradiction as the keys that lead to it, and a sentence."""
    if settings.app == "all":
        yield ("app",), _ALL
    names = [environment.name for environment in settings.environments]
    for index, environment in enumerate(settings.environments):
        path = ("environments", index)
        if names.index(environment.name) != index:
            yield (*path, "name"), f"environment {environment.name!r} is declared twice"
        if environment.name == "all":
            yield (*path, "name"), _ALL
        for name in environment.after:
            if name not in names or name == environment.name:
                yield (
                    (*path, "after"),
                    f"`after` names {name!r}, which is not a different environment of these settings",
                )
        for freeze in environment.freeze:
            if freeze.to < freeze.from_:
                yield (*path, "freeze"), f"the freeze ends ({freeze.to}) before it begins ({freeze.from_})"
        yield from (((*path, "promotion"), text) for text in _in_promotion(settings, environment))
        yield from (((*path, "gate"), text) for text in _in_gate(environment.gate))
        yield from (((*path, "pins", number), text) for number, text in _in_pins(environment))
    if _cycle(settings):
        yield (
            ("environments",),
            (
                "the environments refer to each other in a circle through `after`: "
                f"{' -> '.join(_cycle(settings))}"
            ),
        )
    if settings.trust.level == "protected" and not settings.trust.app:
        yield (
            ("trust",),
            "`trust: protected` needs the key `app`, the slug of the GitHub App that writes the statuses",
        )
    yield from _in_repositories(settings)
    yield from _in_paths(settings)
    yield from _in_artifacts(settings)
    yield from _in_tags(settings)
    for index, text in notify.contradictions(settings.notify):
        yield ("notify", "channels", index), text


def _in_repositories(settings: Settings) -> Iterator[Contradiction]:
    """Addresses where a repository of the same server is meant."""
    for key in ("source", "policy"):
        named = getattr(settings, key)
        if named and not _REPOSITORY.fullmatch(named):
            yield (
                (key,),
                f"{key} must be owner/name, or owner/name//path with the path of the file in that repository, "
                f"and not {named!r}",
            )


def _in_paths(settings: Settings) -> Iterator[Contradiction]:
    """Paths of this repository that begin elsewhere."""
    chart = settings.chart
    paths: list[tuple[tuple[str | int, ...], str]] = [
        (("version", "files", number), place.file) for number, place in enumerate(settings.version.places)
    ]
    if isinstance(chart, ChartSettings):
        paths.append((("chart", "path"), chart.path))
    for index, environment in enumerate(settings.environments):
        here = ("environments", index)
        paths.append(((*here, "gate", "scenarios"), environment.gate.scenarios))
        for number, pin in enumerate(environment.pins):
            paths.append(((*here, "pins", number), pin if isinstance(pin, str) else pin.file))
    for keys, path in paths:
        if path.startswith(("/", "../")):
            plain = path.lstrip("./")
            yield keys, f"{path!r} leads out of the repository; write {plain!r}, a path from its root"


def _in_tags(settings: Settings) -> Iterator[Contradiction]:
    """Contradictions in how Git tags and image tags are written."""
    if not re.fullmatch(
        r"(?:[A-Za-z0-9_.-]|\{app\})*\{version\}(?:[A-Za-z0-9_.-]|\{app\})*", settings.image_tag
    ):
        yield (
            ("image-tag",),
            "image-tag must contain {version} exactly once, and otherwise only {app}, letters, "
            "digits and . _ -",
        )
    if not re.fullmatch(r"[A-Za-z0-9._/-]*", settings.version.tag_prefix):
        yield ("version", "tag-prefix"), "a tag prefix may contain only letters, digits and . _ / -"


def _in_promotion(settings: Settings, environment: Environment) -> Iterator[str]:
    """Contradictions in how a release enters an environment."""
    promotion = environment.promotion
    mergers = (promotion.merge, promotion.rollback_merge)
    earlier = _earlier(settings, environment)
    for name in promotion.carry_approval:
        if name not in earlier:
            yield f"carry-approval names {name!r}, but that environment does not come before {environment.name}"
    for name in promotion.reviewers:
        if name.startswith("@"):
            yield f"reviewers are logins or teams without @, so write {name[1:]!r} instead of {name!r}"
    for one in promotion.require:
        if bool(one.status) == bool(one.attestation) or (one.by and not one.status):
            yield "each entry of `require` must have either `status` (optionally with `by`) or `attestation`"
    if promotion.approvals and promotion.strategy == "direct":
        yield "`approvals` need a pull request, but `strategy: direct` opens none"
    if promotion.draft and promotion.merge == "stagegate":
        yield "`draft: true` is not possible if stagegate merges, because a draft cannot be merged"
    if settings.trust.level == "protected" and "merge-queue" in mergers:
        yield (
            "`merge: merge-queue` does not work with `trust: protected`, because the App does not "
            "write the status of a merge group; use `merge: person` or `merge: stagegate`"
        )


def _earlier(settings: Settings, environment: Environment) -> set[str]:
    """Names of every environment that a release passes before this one."""
    after = {one.name: one.after for one in settings.environments}
    earlier: set[str] = set()
    waiting = list(environment.after)
    while waiting:
        name = waiting.pop()
        if name not in earlier:
            earlier.add(name)
            waiting.extend(after.get(name, ()))
    return earlier


def _in_gate(gate: GateSettings) -> Iterator[str]:
    """Contradictions in what a gate requires."""
    if bool(gate.scenarios) and bool(gate.command):
        yield "a gate may have `scenarios` or a `command`, but not both"
    if gate.command and gate.required and not gate.junit:
        yield "`gate.required` names test cases, but a `command` reports test cases only in a `junit` file"


def _in_pins(environment: Environment) -> Iterator[tuple[int, str]]:
    for number, pin in enumerate(environment.pins):
        if isinstance(pin, PinSettings):
            yield from ((number, text) for text in _in_pin(pin))


def _in_pin(pin: PinSettings) -> Iterator[str]:
    """Contradictions in where a pin stands and how it is written."""
    chosen = [key for key in ("path", "pattern", "add") if getattr(pin, key)]
    if len(chosen) > 1:
        yield f"a pin may have only one of {' and '.join(chosen)}"
    if pin.pattern and pin.value != "{version}":
        yield "a pin with `pattern` has no `value`: the pattern itself contains {version}"
    key, text = ("pattern", pin.pattern) if pin.pattern else ("value", pin.value)
    if not _RELEASE.search(text):
        yield (
            f"the {key} {text!r} of a pin contains no placeholder for the release; write {{version}}, "
            "{tag}, {commit} or {digest}"
        )
    from stagegate import yaml_edit  # only for pins with a path

    try:
        yaml_edit.parse_path(pin.path)
    except Stop as stop:
        yield f"path: {stop.what} {stop.next}"


def _in_artifacts(settings: Settings) -> Iterator[Contradiction]:
    """Contradictions in chart and images."""
    chart = settings.chart
    if isinstance(chart, ChartSettings) and bool(chart.path) == bool(chart.reference):
        yield (
            ("chart",),
            (
                "a chart has either `path` with `repository` (for your own chart) or `reference` (for a "
                "chart of somebody else)"
            ),
        )
    if isinstance(chart, ChartSettings) and chart.path and not chart.repository.startswith("oci://"):
        yield (
            ("chart",),
            "`chart.repository` must be the place where the chart is published, as oci://host/path",
        )
    for index, image in enumerate(settings.images):
        if "@" in image or ":" in image.rsplit("/", 1)[-1] or "/" not in image:
            yield (
                ("images", index),
                f"{image!r} must be a repository such as ghcr.io/acme/shop, without tag",
            )


def _cycle(settings: Settings) -> tuple[str, ...]:
    """Names along a circle of `after`, or nothing."""
    after = {environment.name: environment.after for environment in settings.environments}

    def walk(name: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if name in trail:
            return (*trail[trail.index(name) :], name)
        for before in after.get(name, ()):
            if cycle := walk(before, (*trail, name)):
                return cycle
        return ()

    return next((cycle for name in after if (cycle := walk(name, ()))), ())
