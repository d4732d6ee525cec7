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

_WHY = "The API server refuses the object, or drops the field silently."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """One finding for each object with everything that is wrong in it; removed APIs by template."""
    version = schema.nearest(chart.kube_version)
    gone: dict[tuple[str, str, str], list[RenderedObject]] = defaultdict(list)
    wrong: list[tuple[RenderedObject, list[Problem]]] = []
    for one in rendered.objects or ():
        now = schema.removed(one.api_version, one.kind, version)
        if now:
            gone[one.api_version, one.kind, now].append(one)
            continue
        problems = list(dict.fromkeys(schema.problems(one.body, version)))
        if problems:
            wrong.append((one, problems))
    for group in by_cause(wrong, lambda each: (is_test(each[0]), _same(each[1]))):
        yield _wrong([one for one, _ in group], group[0][1], rendered, chart, version)
    for (api, kind, now), several in gone.items():
        severity: Severity = "warning" if chart.asks_for(api) or is_test(several[0]) else "error"
        fix = f"Write apiVersion: {now}." if now != "none" else "Remove it; Kubernetes has no successor."
        yield finding(
            "kubernetes-schema",
            several[0],
            rendered,
            chart,
            severity=severity,
            message=f"Kubernetes {version} does not serve {api} {kind}: "
            f"{shown([one.label for one in several])}.",
            why=f"The object is refused. Checked against Kubernetes {version}; `kube-version` sets "
            "another one.",
            fix=fix,
        )


def _same(problems: list[Problem]) -> frozenset[tuple[str, str]]:
    """What is wrong, whatever the depth: a label of a workload is one of its pods too."""
    return frozenset((problem.path.rpartition(".")[2], problem.text) for problem in problems)


def _wrong(
    several: list[RenderedObject],
    problems: list[Problem],
    rendered: Rendered,
    chart: CheckFacts,
    version: str,
) -> Finding:
    texts = [f"{problem.path} {problem.text}" for problem in problems]
    one = several[0]
    return finding(
        "kubernetes-schema",
        one,
        rendered,
        chart,
        severity="warning" if is_test(one) else "error",
        message=f"{shown([each.label for each in several])}: {shown(texts, 4)}.",
        why=f"{_WHY} Checked against Kubernetes {version}; `kube-version` sets another one.",
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
