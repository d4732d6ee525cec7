"""The error boundary: the one place that ends a step, writing outputs, report, summary and annotation."""

from __future__ import annotations

import os
import sys
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from stagegate.errors import VERDICTS, Stop
from stagegate.model import Message, Result, to_json
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs, load

ISSUES = "the stagegate repository's issues"
_SUMMARY_LIMIT = 1024 * 1024  # GitHub drops a longer step summary

I = TypeVar("I", bound=Inputs)  # noqa: E741


def entrypoint(
    action: str,
    kind: type[I],
    main: Callable[[I, Context], Result],
    *,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> int:
    """Run one action and return its exit code.

    `main` takes typed inputs and the runner's context, and returns a Result or raises Stop. Whatever happens,
    `outcome`, `reason` and `report` are written as outputs, and exactly one annotation names a failure.
    """
    environ = os.environ if environ is None else environ
    context = Context.from_environ(environ)
    report_path = environ.get("SG_REPORT", "")
    place: tuple[str | None, int | None] = (None, None)
    try:
        inputs = load(kind, sys.argv[1:] if argv is None else argv, environ)
        report_path = inputs.report
        result = main(inputs, context)
    except Stop as stop:
        result = Result(reason=stop.reason, message=Message(what=stop.what, why=stop.why, next=stop.next))
        place = (stop.file, stop.line)
    except KeyboardInterrupt:
        log.annotate(
            "error", "Cancelled. Running it again completes what was begun.", title=f"{action}: cancelled"
        )
        return 130
    except Exception as error:  # noqa: BLE001  the one last resort: anything not foreseen is our bug
        log.to_stderr(traceback.format_exc())
        what = f"stagegate met a case it does not know: {type(error).__name__}."
        result = Result(
            reason="bug",
            message=Message(
                what=what, why=str(error)[:300], next=f"Report it with the log above at {ISSUES}."
            ),
        )
    return finish(action, result, context, report_path, *place)


def finish(
    action: str, result: Result, context: Context, report_path: str, file: str | None, line: int | None
) -> int:
    """Write report, outputs, summary and annotation of a result; return the exit code."""
    verdict = VERDICTS[result.reason]
    path = _write_report(action, result, context, report_path)
    outputs = {**result.outputs, "outcome": verdict.outcome, "reason": result.reason, "report": path}
    write_outputs(outputs, context)
    _write_summary(action, result, context)
    sentence = " ".join(
        part for part in (result.message.what, result.message.why, result.message.next) if part
    )
    code = verdict.exit_code or int(result.fails)
    if code:
        log.annotate("error", sentence, title=f"{action}: {result.reason}", file=file, line=line)
    else:
        log.annotate("notice", sentence, title=f"{action}: {result.reason}")
    return code


def write_outputs(outputs: Mapping[str, str], context: Context) -> None:
    """Append outputs to GITHUB_OUTPUT with a random delimiter, so that no value can define another output.

    Without a runner they are printed as `name=value`.
    """
    clean = {name: log.redact(value).replace("\r", "") for name, value in outputs.items()}
    if not context.output_file:
        for name, value in clean.items():
            log.say(f"{name}={value}")
        return
    with Path(context.output_file).open("a", encoding="utf-8") as file:
        for name, value in clean.items():
            delimiter = f"sg-{uuid.uuid4().hex}"
            file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def _write_report(action: str, result: Result, context: Context, asked: str) -> str:
    if not asked and not context.temp:
        return ""
    if asked:
        target = context.inside(asked, what="report")
    else:
        target = Path(context.temp) / f"stagegate-{action}-{uuid.uuid4().hex[:8]}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(log.redact(to_json(result.report(action)).decode()), encoding="utf-8")
    return str(target)


def _write_summary(action: str, result: Result, context: Context) -> None:
    if not context.summary_file:
        return
    text = result.summary
    if not text:
        message = result.message
        text = f"### {action}: {result.reason}\n\n{message.what} {message.why}\n\n{message.next}\n"
    with Path(context.summary_file).open("a", encoding="utf-8") as file:
        file.write(log.redact(text)[:_SUMMARY_LIMIT] + "\n")
