"""What a rule of chart-check is, and what it judges: renderings and the chart's files. Values only."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from stagegate.chart.objects import BrokenDocument, RenderedObject
from stagegate.model import Finding, Severity
from stagegate.settings import ChartChecks

Objects = tuple[RenderedObject, ...]
Item = TypeVar("Item")
_ONE_CAUSE = 3


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why something could not be rendered: Helm's own words, and the place in the chart it names."""

    what: str
    why: str
    file: str = ""
    line: int = 0


class LintLine(msgspec.Struct, frozen=True, kw_only=True):
    """One message of `helm lint`; `file` is a path of the work tree."""

    severity: Severity
    file: str
    text: str


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """The rendering of one Application, or of the chart with its own values or a file of ci/.

    `environment` is empty for the chart's own values. `secondary` marks own values next to environments or
    ci files: nobody installs them as they are. `objects` is None where it does not render, `broken` are
    documents that are no objects. `again` is a second rendering, `probed` one in which each probed value was
    replaced; both are None where they were not needed, or `unprobed` says why the probe failed.
    `values` are the values files inside the chart that the Application names, `files` the parsed values of
    this environment by file.
    """

    environment: str = ""
    application: str = ""
    namespace: str
    file: str = ""
    secondary: bool = False
    values: tuple[str, ...] = ()
    files: Mapping[str, Mapping[str, Any]] = {}
    objects: Objects | None = None
    broken: tuple[BrokenDocument, ...] = ()
    failure: Failure | None = None
    missing: Failure | None = None
    again: Objects | None = None
    probed: Objects | None = None
    unprobed: Failure | None = None
    lint: tuple[LintLine, ...] = ()


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The chart to compare with: version, content digest, objects by environment; or why it is unreadable."""

    reference: str
    version: str = ""
    content: str = ""
    objects: Mapping[str, Objects] = {}
    failure: str = ""


class CheckFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The chart, with the settings and inputs for chart and images.

    `templates` are the templates of the chart and its unpacked dependencies, by path in the chart; `texts`
    the other YAML files at the top of the chart. `probes` has the text that replaced each probed value;
    `image_tags` are the tags that image-tags writes for this version. `published` is true for a chart that
    helm-publish publishes.
    """

    path: str
    name: str = ""
    version: str = ""
    metadata: Mapping[str, Any] = {}
    library: bool = False
    images: tuple[str, ...] = ()
    image_tag_value: str = ""
    release_tags: tuple[str, ...] = ()
    image_tags: tuple[str, ...] = ()
    checks: ChartChecks = ChartChecks()
    packaged: frozenset[str] = frozenset()
    templates: Mapping[str, str] = {}
    texts: Mapping[str, str] = {}
    values: Mapping[str, Any] = {}
    has_dependencies: bool = False
    probes: Mapping[str, str] = {}
    kube_version: str = ""
    content: str = ""
    base: Base | None = None
    published: bool = False
    version_files: tuple[Finding, ...] = ()
    rendered: tuple[Rendered, ...] = ()

    def place(self, template: str) -> str:
        """Path of a template in the work tree; Chart.yaml where none is known."""
        inside = template.partition("/")[2]
        return f"{self.path}/{inside or 'Chart.yaml'}"

    def source(self, template: str) -> str:
        """The text of a template as Helm names it (`chart/templates/x.yaml`); empty where it is not unpacked."""
        return self.templates.get(template.partition("/")[2], "")

    def asks_for(self, api_version: str) -> bool:
        """Whether a template asks the cluster if it serves this API: Helm's built-in list, which has old ones too,
        answers where there is no cluster."""
        question = re.compile(rf"APIVersions\.Has\s+\(?[\"'`]{re.escape(api_version)}(?![\w.])")
        return any(question.search(text) for text in self.templates.values())


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    """A change to a small chart: files by path, and lines of settings. `base` changes the chart to compare with."""

    files: Mapping[str, str] = {}
    checks: str = "{}"
    base: Mapping[str, str] | None = None
    pins: str = ""


class ChartRule(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one rule: its name, severity, texts for people, checks, and twins that show it.

    `check` looks at one rendering, `check_chart` at the chart as a whole. `severity` is the worst that it
    reports. `bad` is found by the rule, `good` is not; both are charts that differ in one thing.
    """

    id: str
    severity: Severity
    about: str
    why: str
    fix: str
    bad: Twin
    good: Twin
    check: Callable[[Rendered, CheckFacts], Iterator[Finding]] | None = None
    check_chart: Callable[[CheckFacts], Iterator[Finding]] | None = None
    details: str = ""


def finding(
    rule: str,
    one: RenderedObject,
    rendered: Rendered,
    chart: CheckFacts,
    *,
    message: str,
    why: str,
    fix: str,
    severity: Severity = "error",
) -> Finding:
    """A finding about one object, placed at its template."""
    return Finding(
        rule=rule,
        severity=severity,
        environment=rendered.environment,
        object=one.label,
        file=chart.place(one.template),
        message=message,
        why=why,
        fix=fix,
    )


def by_cause(items: Iterable[Item], key: Callable[[Item], Hashable]) -> Iterator[list[Item]]:
    """Items with one key together where three or more have it, as a helper of the chart causes; else each alone."""
    groups: dict[Hashable, list[Item]] = {}
    for one in items:
        groups.setdefault(key(one), []).append(one)
    for alike in groups.values():
        yield from [alike] if len(alike) >= _ONE_CAUSE else [[one] for one in alike]


def shown(places: list[str], limit: int = 3) -> str:
    """The first places, and how many more there are."""
    more = f" and {len(places) - limit} more" if len(places) > limit else ""
    return ", ".join(places[:limit]) + more
