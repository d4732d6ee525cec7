"""kubernetes-schema: the API server accepts every rendered object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stagegate.chart.kubernetes import schema
from stagegate.chart.kubernetes.texts import Problem
from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, by_cause, finding, shown
from stagegate.chart.walk import is_test
from stagegate.model import Finding, Severity

_WHY = "The API server refuses the object, or ignores the field without an error."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """One finding for each object with all its problems, and one for each removed API."""
    version = schema.nearest(chart.kube_version)
    gone: dict[tuple[str, str, str], list[RenderedObject]] = defaultdict(list)
    wrong: list[tuple[RenderedObject, list[Problem]]] = []
    for resource in rendered.objects or ():
        successor = schema.removed(resource.api_version, resource.kind, version)
        if successor:
            gone[resource.api_version, resource.kind, successor].append(resource)
            continue
        problems = list(dict.fromkeys(schema.problems(resource.body, version)))
        if problems:
            wrong.append((resource, problems))
    for group in by_cause(wrong, lambda pair: (is_test(pair[0]), _same(pair[1]))):
        yield _wrong([resource for resource, _ in group], group[0][1], rendered, chart, version)
    for (api, kind, successor), several in gone.items():
        severity: Severity = "warning" if chart.asks_for(api) or is_test(several[0]) else "error"
        fix = (
            f"Write apiVersion: {successor}."
            if successor != "none"
            else "Remove the object, because Kubernetes has no successor for this kind."
        )
        yield finding(
            "kubernetes-schema",
            several[0],
            rendered,
            chart,
            severity=severity,
            message=f"Kubernetes {version} does not serve {api} {kind}: "
            f"{shown([resource.label for resource in several])}.",
            why=f"The API server refuses the object. chart-check used Kubernetes {version}; "
            "`kube-version` sets a different version.",
            fix=fix,
        )


def _same(problems: list[Problem]) -> frozenset[tuple[str, str]]:
    """The problems without the full path: a label of a workload is also one of its pods."""
    return frozenset((problem.path.rpartition(".")[2], problem.text) for problem in problems)


def _wrong(
    several: list[RenderedObject],
    problems: list[Problem],
    rendered: Rendered,
    chart: CheckFacts,
    version: str,
) -> Finding:
    texts = [f"{problem.path} {problem.text}" for problem in problems]
    first = several[0]
    return finding(
        "kubernetes-schema",
        first,
        rendered,
        chart,
        severity="warning" if is_test(first) else "error",
        message=f"{shown([resource.label for resource in several])}: {shown(texts, 4)}.",
        why=f"{_WHY} chart-check used Kubernetes {version}; `kube-version` sets a different version.",
        fix="Correct the field in the template or its value.",
    )


_SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: more}\n"
    "spec: {selector: {app: kiosk}, ports: [{port: %s}]}\n"
)

RULE = ChartRule(
    id="kubernetes-schema",
    severity="error",
    about="The API server accepts every rendered object",
    why=_WHY,
    fix="Correct the field in the template or its value.",
    details="Types, unknown fields, required fields, enumerations, quantities, names, labels, base64, schedules,"
    " removed APIs, and fields that contradict each other (the restart policy of a Job, two handlers of a probe,"
    " requests above limits), for one of the four newest versions of Kubernetes. Custom resources are not checked.",
    check=check,
    bad=Twin(files={"templates/more.yaml": _SERVICE % '"8080"'}),
    good=Twin(files={"templates/more.yaml": _SERVICE % "8080"}),
)
