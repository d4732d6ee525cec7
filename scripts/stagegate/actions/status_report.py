"""status-report: shows where every version is, as a page, JSON, badges and a summary. It changes nothing."""

from __future__ import annotations

from pathlib import Path

from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.promotion.status import report
from stagegate.report import status_document
from stagegate.runner import artifact, log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs

OUTPUTS = ("page", "data", "badges", "failing")
WORDS = ("drift", "stuck")


class StatusInputs(PinsInputs, frozen=True, kw_only=True):
    """Inputs of status-report."""

    html: str = ""
    data: str = ""
    badges: str = ""
    fail_on: str = ""


def main(inputs: StatusInputs, context: Context) -> Result:
    """Inputs -> facts -> files -> write -> result. Nothing is decided, so there is no plan."""
    fail_on = words(inputs.fail_on)
    status, calls = report.facts(inputs, context)
    places = [("html", inputs.html), ("data", inputs.data), ("badges", inputs.badges)]
    files = report.files(status, [place for place in places if place[1]], context)
    if context.temp and not inputs.data:
        files |= {Path(context.temp) / "status.json": status_document.document(status)}
    for path, content in {} if inputs.dry_run else files.items():
        artifact.write(path, content)
    if not context.summary_file:
        log.say(report.table(status))
    done = report.result(status, fail_on, list(map(str, files)), calls, dry_run=inputs.dry_run)
    data = next((str(path) for path in files if path.suffix == ".json"), "")
    outputs = {"page": inputs.html, "data": inputs.data or data, "badges": inputs.badges}
    return done.with_outputs({**outputs, "failing": str(len(done.findings))})


def words(text: str) -> tuple[str, ...]:
    """The states that `fail-on` names. Stop(bad-input) for another word."""
    conditions = tuple(word for word in text.replace("|", ",").replace(",", " ").split() if word)
    for word in conditions:
        if word not in WORDS:
            raise Stop(
                "bad-input",
                f"fail-on is {word!r}.",
                f"`fail-on` accepts only these states: {', '.join(WORDS)}.",
                "Correct it.",
            )
    return conditions


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("status-report", StatusInputs, main)
