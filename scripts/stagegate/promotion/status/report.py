"""The use case of status-report: every app read, and the files it leaves. The page, JSON and badges are made by
`report`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stagegate.clients import hub
from stagegate.errors import Reason
from stagegate.model import Calls, Change, Finding, Message, Result, rfc3339
from stagegate.promotion import apps, run
from stagegate.promotion.status import read
from stagegate.report import status_document, status_page
from stagegate.report.status import AppStatus, EnvironmentStatus, StatusReport, failing
from stagegate.report.times import counted
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs


def facts(inputs: PinsInputs, context: Context) -> tuple[StatusReport, Calls]:
    """The status of every app that `config` names, and how many requests it took."""
    pins = hub.from_context(context, inputs.pins_token or inputs.token)
    now = pins.now()
    shown: list[AppStatus] = []
    calls = [pins.calls]
    for app in apps.read(pins, inputs.config):
        connections = run.connect(msgspec.structs.replace(inputs, config=app.config), app.settings, context)
        shown.append(read.read(app, connections, now))
        calls.append(connections.calls)
    report = StatusReport(
        at=rfc3339(now), repository=pins.repository, run_url=context.run_url, apps=tuple(shown)
    )
    return report, Calls(read=sum(one.read for one in calls) + pins.calls.read - calls[0].read)


def files(report: StatusReport, places: Sequence[tuple[str, str]], context: Context) -> dict[Path, str]:
    """What to write where: `places` are (`html` | `data` | `badges`, path in the workspace). Stop(bad-input)."""
    texts: dict[Path, str] = {}
    for kind, place in places:
        target = context.inside(place, what=kind)
        if kind == "badges":
            texts |= {
                target / f"{app.app}-{one.name}.svg": status_document.badge(one, app.app)
                for app in report.apps
                for one in app.environments
            }
        else:
            texts[target] = status_page.page(report) if kind == "html" else status_document.document(report)
    return texts


def result(
    report: StatusReport, fail_on: Sequence[str], written: Sequence[str], calls: Calls, *, dry_run: bool
) -> Result:
    """The result: `findings` for what `fail-on` names, `unknown-state` where it cannot be told, else `reported`."""
    lines = failing(report, fail_on)
    findings = tuple(
        _finding(app, place, word)
        for app in report.apps
        for place in app.environments
        for word in ("unknown", *fail_on)
        if f"{app.app} {place.name}: {word}" in lines
    )
    unknown = any(line.endswith(": unknown") for line in lines)
    reason: Reason = "reported" if not lines else "unknown-state" if unknown else "findings"
    places = counted(sum(len(app.environments) for app in report.apps), "environment")
    message = Message(
        what=f"{places} of {counted(len(report.apps), 'app')}: "
        + _counted(report)
        + (f", and {counted(len(lines), 'state')} of `fail-on`: {', '.join(lines[:5])}." if lines else "."),
        why="`fail-on` names these states, and a state that could not be read counts too." if lines else "",
        next="See the summary of this run for the next step of each." if lines else "",
    )
    return Result(
        reason=reason,
        message=message,
        summary=status_page.summary(report),
        findings=findings,
        changes=tuple(Change(kind="file", target=path, done=not dry_run) for path in written),
        calls=calls,
        dry_run=dry_run,
    )


def _counted(report: StatusReport) -> str:
    """How many environments are in each state, such as `1 failed, 1 held`."""
    words = Counter(
        status_page.SIGNS[place.attention][1] for app in report.apps for place in app.environments
    )
    words.update("unknown" for app in report.apps if app.trouble)
    return ", ".join(f"{number} {word}" for word, number in words.most_common()) or "none"


def _finding(app: AppStatus, place: EnvironmentStatus, word: str) -> Finding:
    texts = {"drift": place.drift, "stuck": place.stuck, "unknown": place.trouble}
    return Finding(
        rule=word,
        severity="error",
        environment=place.name,
        object=app.app,
        message=f"{app.app} in {place.name} is {word}.",
        why=texts.get(word, ""),
        fix=f"{place.next} {place.command}".strip(),
    )


def table(report: StatusReport) -> str:
    """The report as lines for a terminal."""
    rows = [("app", "environment", "version", "state", "next")]
    for app in report.apps:
        if app.trouble:
            rows.append((app.app, "", "", "? unknown", app.trouble))
        for place in app.environments:
            words = " ".join(status_page.SIGNS[place.attention])
            following = f"{place.next} {place.command}".strip()
            rows.append((app.app, place.name, place.version or "-", words, following))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[4]]).rstrip() for row in rows)
