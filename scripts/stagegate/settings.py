"""`stagegate.yaml`: what an adopter declares. One definition gives the types and the published JSON Schema.

Reading is fast and strict; only when something is wrong are jsonschema and the YAML positions asked, so that
every mistake is listed at once with its line and the nearest valid name.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from stagegate import declared
from stagegate.errors import Stop

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
Duration = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(s|m|h|d)$", examples=["30m", "20s", "1h"])]
Permission = Literal["read", "triage", "write", "maintain", "admin"]
Strategy = Literal["direct", "latest", "each"]
T = TypeVar("T")
Merge = Literal["person", "stagegate", "merge-queue"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """Seconds of a duration such as `20m`; the pattern of `Duration` has been checked."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


class _Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Kebab-case keys, unknown keys refused."""


class VersionFile(_Settings, frozen=True, kw_only=True):
    """A place that holds the version: a whole file, one YAML or JSON scalar (`path`), or text (`pattern`)."""

    file: str
    path: str = ""
    pattern: str = ""


class Versioning(_Settings, frozen=True, kw_only=True):
    """How versions are written: the prefix of tags, the files that move together, the changelog."""

    tag_prefix: str = "v"
    files: tuple[str | VersionFile, ...] = ("VERSION",)
    changelog: str = ""

    @property
    def places(self) -> tuple[VersionFile, ...]:
        """The version files in their long form."""
        return tuple(VersionFile(file=f) if isinstance(f, str) else f for f in self.files)


class Silence(_Settings, frozen=True, kw_only=True):
    """One finding that is accepted, with the reason."""

    rule: str
    object: str = "*"
    reason: Annotated[str, msgspec.Meta(min_length=3)]


class ChartChecks(_Settings, frozen=True, kw_only=True):
    """What chart-check lets pass."""

    allow_images: tuple[str, ...] = ()
    follow: dict[str, str] = {}
    external: tuple[str, ...] = ()
    silence: tuple[Silence, ...] = ()
    fail_on: Literal["error", "warning", "note"] = "error"


class ChartSettings(_Settings, frozen=True, kw_only=True):
    """Our chart (`path`, published to `repository`), or somebody else's (`reference`).

    `name` is the one in Chart.yaml, where it is not that of the folder.
    """

    path: str = ""
    name: str = ""
    repository: str = ""
    reference: str = ""
    image_tag_value: str = ""
    checks: ChartChecks = ChartChecks()


class ArgoCDSettings(_Settings, frozen=True, kw_only=True):
    """Which Applications show this environment, and how they are read. No address and no token in a file."""

    applications: tuple[str, ...] = ()
    selector: str = ""
    source: Literal["api", "http"] = "api"
    project: str = ""
    namespace: str = ""
    min_healthy: int = 0
    parent: str = ""


class Pin(_Settings, frozen=True, kw_only=True):
    """Any scalar of a YAML or JSON file; `value` may have `{version}`, `{tag}`, `{commit}`, `{digest}`."""

    file: str
    path: str = ""
    value: str = "{version}"


class PromotionSettings(_Settings, frozen=True, kw_only=True):
    """How a release enters this environment."""

    strategy: Strategy = "latest"
    merge: Merge = "person"
    merge_approval: Literal["required", "none"] = "required"
    merge_method: Literal["merge", "squash", "rebase"] = "squash"
    rollback_merge: Merge | None = None
    reviewers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Watch(_Settings, frozen=True, kw_only=True):
    """Look at the environment for a while after it is ready."""

    for_: Duration = msgspec.field(name="for")
    every: Duration = "30s"
    allowed_errors: int = 0


class GateSettings(_Settings, frozen=True, kw_only=True):
    """What a release must show here."""

    scenarios: str = ""
    command: tuple[str, ...] = ()
    junit: str = ""
    timeout: Duration = "20m"
    settle: Duration = "5s"
    required: tuple[str, ...] = ()
    strict_digests: bool = False
    watch: Watch | None = None
    on_failure: Literal["none", "rollback"] = "none"
    on_unproven: Literal["report", "rollback"] = "report"


class Freeze(_Settings, frozen=True, kw_only=True):
    """Dates without promotion, both inclusive, in a time zone."""

    from_: dt.date = msgspec.field(name="from")
    to: dt.date
    timezone: str
    reason: str


class Window(_Settings, frozen=True, kw_only=True):
    """Recurring times with promotion: an RFC 5545 rule, how long each lasts, in a time zone."""

    rrule: str
    duration: Duration
    timezone: str


class Environment(_Settings, frozen=True, kw_only=True):
    """A named place that runs a release."""

    name: Name
    after: tuple[str, ...] = ()
    soak: Duration = "0s"
    freeze: tuple[Freeze, ...] = ()
    window: tuple[Window, ...] = ()
    production: bool | None = None
    prereleases: bool | None = None
    argocd: ArgoCDSettings = ArgoCDSettings()
    pins: tuple[str | Pin, ...] = ()
    promotion: PromotionSettings = PromotionSettings()
    gate: GateSettings = GateSettings()

    @property
    def is_production(self) -> bool:
        """Declared, else: everything that comes after something."""
        return bool(self.after) if self.production is None else self.production

    @property
    def admits_prereleases(self) -> bool:
        """Declared, else: only where nothing comes before."""
        return not self.after if self.prereleases is None else self.prereleases


class Commands(_Settings, frozen=True, kw_only=True):
    """The least permission for each comment command."""

    promote: Permission = "write"
    rollback: Permission = "write"
    hold: Permission = "write"
    unhold: Permission = "maintain"
    ban: Permission = "maintain"
    unban: Permission = "maintain"
    override: Permission = "admin"


class TrustSettings(_Settings, frozen=True, kw_only=True):
    """Whose evidence counts. `protected` needs the slug of the App that writes it."""

    level: Literal["advisory", "protected"] = "advisory"
    app: str = ""


class Settings(_Settings, frozen=True, kw_only=True):
    """One app: its versions, artifacts and environments."""

    app: Name
    version: Versioning = Versioning()
    images: tuple[str, ...] = ()
    images_strict: bool = False
    chart: ChartSettings | Literal["none"] = "none"
    policy: str = ""
    source: str = ""
    environments: tuple[Environment, ...] = ()
    commands: Commands = Commands()
    trust: TrustSettings = TrustSettings()

    def environment(self, name: str) -> Environment:
        """The environment of that name; Stop(bad-input) naming the nearest one."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        names = [environment.name for environment in self.environments]
        if not name:
            raise Stop(
                "bad-input",
                "No environment is named.",
                f"The settings name: {', '.join(names) or 'none'}.",
                "Give the input `environment`.",
            )
        near = difflib.get_close_matches(name, names, 1)
        raise Stop(
            "bad-input",
            f"There is no environment {name!r}.",
            f"The settings name: {', '.join(names) or 'none'}.",
            f"Did you mean {near[0]}?" if near else "Use one of these names.",
        )

    @property
    def source_repository(self) -> str:
        """The app repository that `source` names, or nothing."""
        return self.source.partition("//")[0]

    @property
    def source_file(self) -> str:
        """The app's own settings in that repository: `source: acme/mono//apps/shop/stagegate.yaml`."""
        return self.source.partition("//")[2] or "stagegate.yaml"

    @property
    def own_chart(self) -> ChartSettings | None:
        """The chart that is built and published here, or None."""
        return self.chart if isinstance(self.chart, ChartSettings) and self.chart.path else None

    @property
    def moves_chart(self) -> bool:
        """Whether a release moves the chart's version: our own chart, or an app that is nothing but a chart.

        A shared or third-party chart (`reference`) beside first-party images has a version of its own, and stays.
        """
        return self.own_chart is not None or (bool(self.chart_reference) and not self.images)

    @property
    def chart_reference(self) -> str:
        """`oci://host/path/name` of the chart, ours or not; empty without a chart.

        Our own chart has the name of its folder, unless the settings say otherwise.
        """
        if not isinstance(self.chart, ChartSettings):
            return ""
        if self.chart.reference:
            return self.chart.reference
        return f"{self.chart.repository.rstrip('/')}/{self.chart.name or Path(self.chart.path).name}"

    @property
    def last_environments(self) -> tuple[Environment, ...]:
        """Environments that no other names in `after`: a release is published after their gate."""
        named = {name for environment in self.environments for name in environment.after}
        return tuple(environment for environment in self.environments if environment.name not in named)

    @property
    def registry_hosts(self) -> frozenset[str]:
        """Hosts that may receive registry credentials: those of `images` and of the chart."""
        chart = self.chart if isinstance(self.chart, ChartSettings) else ChartSettings()
        places = [*self.images, chart.repository, chart.reference]
        firsts = {place.removeprefix("oci://").split("/", 1)[0] for place in places if place}
        return frozenset(name if re.search(r"[.:]|^localhost$", name) else "docker.io" for name in firsts)


def load(path: Path, file: str) -> Settings:
    """Settings from a file; `file` is its name for messages. Stop(missing-file) or Stop(bad-settings)."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise Stop(
            "missing-file",
            f"There is no {file}.",
            "Every action reads its settings from it.",
            "Check out the repository first, or name the file with the input `config`.",
        ) from error
    except OSError as error:
        raise Stop(
            "missing-file", f"{file} cannot be read.", f"{error.strerror}.", "Make it a file."
        ) from error
    return parse(content, file)


def parse(content: bytes, file: str) -> Settings:
    """Settings from the file's bytes. Stop(bad-settings) lists every mistake with its line."""
    settings = declared.read(content, file, Settings, schema())
    found = list(_contradictions(settings))
    if found:
        root = declared.compose(content)
        raise declared.bad(file, [(declared.line(root, path), text) for path, text in found])
    return settings


def schema() -> dict[str, Any]:
    """The JSON Schema of `stagegate.yaml`, as published in `stagegate.schema.json`."""
    document = msgspec.json.schema(Settings)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stagegate.yaml",
        **document,
    }


def _contradictions(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What types cannot say: names that must exist, orders that must end, choices that exclude each other."""

    names = [environment.name for environment in settings.environments]
    for index, environment in enumerate(settings.environments):
        here = ("environments", index)
        if names.index(environment.name) != index:
            yield (*here, "name"), f"environment {environment.name!r} is declared twice"
        for name in environment.after:
            if name not in names or name == environment.name:
                yield (*here, "after"), f"after names {name!r}, which is no other environment"
        if environment.promotion.merge_approval == "none" and environment.after:
            yield (*here, "promotion"), "merge-approval: none is only for environments without after"
        for freeze in environment.freeze:
            if freeze.to < freeze.from_:
                yield (*here, "freeze"), f"the freeze ends ({freeze.to}) before it begins ({freeze.from_})"
        if bool(environment.gate.scenarios) and bool(environment.gate.command):
            yield (*here, "gate"), "a gate has scenarios or a command, not both"
    if _cycle(settings):
        yield ("environments",), f"after goes in a circle: {' -> '.join(_cycle(settings))}"
    if settings.trust.level == "protected" and not settings.trust.app:
        yield ("trust",), "trust: protected needs `app`, the slug of the GitHub App that writes the states"
    chart = settings.chart
    if isinstance(chart, ChartSettings) and bool(chart.path) == bool(chart.reference):
        yield ("chart",), "a chart has either path (ours, with repository) or reference (not ours)"
    if isinstance(chart, ChartSettings) and chart.path and not chart.repository.startswith("oci://"):
        yield ("chart",), "chart.repository must be where it is published, as oci://host/path"
    for index, image in enumerate(settings.images):
        if "@" in image or ":" in image.rsplit("/", 1)[-1] or "/" not in image:
            yield (
                ("images", index),
                f"{image!r} must be a repository such as ghcr.io/acme/shop, without tag",
            )
    if not re.fullmatch(r"[A-Za-z0-9._/-]*", settings.version.tag_prefix):
        yield ("version", "tag-prefix"), "a tag prefix has only letters, digits and . _ / -"


def _cycle(settings: Settings) -> tuple[str, ...]:
    """Names along a circle of `after`, or nothing."""
    after = {environment.name: environment.after for environment in settings.environments}

    def walk(name: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if name in trail:
            return (*trail[trail.index(name) :], name)
        for before in after.get(name, ()):
            if found := walk(before, (*trail, name)):
                return found
        return ()

    return next((found for name in after if (found := walk(name, ()))), ())
