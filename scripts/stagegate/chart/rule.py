"""Types of chart-check: a rule, and the renderings and files that it checks. Values only."""

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
    """Why the chart could not be rendered: Helm's message, and the place in the chart that it names."""

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

    `environment` is empty for the chart's own values. `secondary` marks the chart's own values when there are also
    environments or files of ci/. `objects` is None when the chart does not render; `broken` are documents that are
    not objects. `again` is a second rendering, `probed` one with every probed value replaced. Both are None if they
    were not needed; if the probe failed, `unprobed` is the error. `values` are the values files inside the chart
    that the Application names, `files` the parsed values of this environment by file.
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
    """The chart to compare with: version, content digest and objects by environment, or the error of reading it."""

    reference: str
    version: str = ""
    content: str = ""
    objects: Mapping[str, Objects] = {}
    failure: str = ""


class CheckFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The chart, with the settings and inputs for chart and images.

    `templates` are the templates of the chart and its dependencies by path, `texts` the other YAML files in the
    chart's top folder. `probes` are the texts that replaced the probed values, `image_tags` the tags that
    image-tags writes for this version. `published`: helm-publish publishes this chart.
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
        """The path of a template in the work tree; that of Chart.yaml without a template."""
        inside = template.partition("/")[2]
        return f"{self.path}/{inside or 'Chart.yaml'}"

    def source(self, template: str) -> str:
        """The text of a template by Helm's name (`chart/templates/x.yaml`); empty if it is not available."""
        return self.templates.get(template.partition("/")[2], "")

    def asks_for(self, api_version: str) -> bool:
        """Whether a template checks if the cluster serves this API.

        Without a cluster Helm uses a built-in list, which also has removed APIs.
        """
        check = re.compile(rf"APIVersions\.Has\s+\(?[\"'`]{re.escape(api_version)}(?![\w.])")
        return any(check.search(text) for text in self.templates.values())


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    """A change to a small chart: files by path, settings and pins. `base` changes the chart to compare with."""

    files: Mapping[str, str] = {}
    checks: str = "{}"
    base: Mapping[str, str] | None = None
    pins: str = ""


class ChartRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: name, severity, texts, checks, and two example charts.

    `check` checks one rendering, `check_chart` the chart as a whole. `severity` is the worst of its findings. The
    rule has a finding for `bad` and none for `good`; these charts differ in one thing.
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
    resource: RenderedObject,
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
        object=resource.label,
        file=chart.place(resource.template),
        message=message,
        why=why,
        fix=fix,
    )


def by_cause(items: Iterable[Item], key: Callable[[Item], Hashable]) -> Iterator[list[Item]]:
    """Group items with the same key where three or more have it, usually because of one helper.

    Others stay alone.
    """
    groups: dict[Hashable, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    for alike in groups.values():
        yield from [alike] if len(alike) >= _ONE_CAUSE else [[item] for item in alike]


def shown(places: list[str], limit: int = 3) -> str:
    """The first places, and how many more there are."""
    more = f" and {len(places) - limit} more" if len(places) > limit else ""
    return ", ".join(places[:limit]) + more
