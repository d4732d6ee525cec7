"""The error boundary: the only place that ends a step. It writes outputs, report, summary and annotation."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from stagegate.errors import VERDICTS, Stop
from stagegate.model import Message, Result, to_json
from stagegate.runner import log, summary
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs, load, variable

HELP = ("-h", "--help", "help")
_NOT_WRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})
STABLE = ("outcome", "reason", "schema", "action")  # words of ours that workflows compare
_SUMMARY_LIMIT = 1024 * 1024  # bytes; GitHub drops a longer step summary

I = TypeVar("I", bound=Inputs)  # noqa: E741
# What follows the report: the action, its inputs, the runner's context, the result, and the environment.
After = Callable[[str, Inputs, Context, Result, Mapping[str, str]], None]


def entrypoint(
    action: str,
    kind: type[I],
    main: Callable[[I, Context], Result],
    *,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    after: After | None = None,
) -> int:
    """Run one action and return its exit code.

    `main` takes typed inputs and the runner's context, and returns a Result or raises Stop. Whatever happens,
    `outcome`, `reason` and `report` are written as outputs, and exactly one annotation names a failure.
    `after` is called once these are written, unless the inputs could not be read. It must not raise.
    """
    # Large files become many nodes that all stay: looking for cycles among them costs more than reading them.
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()
    environ = os.environ if environ is None else environ
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in HELP and _helped(action):
        return 0
    report_path = ""
    place: tuple[str | None, int | None] = (None, None)
    inputs: I | None = None
    try:
        context = Context.from_environ(environ)
        try:
            report_path = _report_place(environ.get(variable("report"), ""), context)  # for bad inputs too
            inputs = load(kind, argv, environ)
            report_path = _report_place(inputs.report, context)
            result = main(inputs, context)
        except Stop as stop:
            result = _stopped(stop)
            place = (stop.file, stop.line)
        except OSError as error:
            result = (
                _unwritable(error)
                if error.errno in _NOT_WRITABLE and error.filename
                else _bug(action, error, context)
            )
        except Exception as error:  # noqa: BLE001  the one last resort: anything not foreseen is our bug
            result = _bug(action, error, context)
        code = finish(action, result, context, report_path, *place)
        if after is not None and inputs is not None:
            after(action, inputs, context, result, environ)
        return code
    except KeyboardInterrupt:
        log.annotate(
            "error",
            f"{action} was cancelled. Run the job again to complete its work.",
            title=f"{action}: cancelled",
        )
        return 130
    except OSError as error:  # finish annotates last, so this is still the only annotation
        what = "The result of this step cannot be written."
        log.annotate(
            "error",
            f"{what} {error}. Make the file or folder writable, then run the job again.",
            title=action,
        )
        return VERDICTS["missing-file"].exit_code
    finally:
        gc.freeze()  # the process ends now: looking for cycles once more would take longer than the work


def _stopped(stop: Stop) -> Result:
    """The result of a step that stopped, with what it had written before."""
    done = ", ".join(f"{change.kind} {change.target}" for change in stop.written if change.kind != "pin")
    why = f"{stop.why} stagegate had already written: {done}." if done else stop.why
    message = Message(what=stop.what, why=why, next=stop.next)
    return Result(reason=stop.reason, message=message, changes=stop.written, outputs=stop.outputs)


def _helped(action: str) -> bool:
    """Print the help of an action; False where there is none."""
    from stagegate.runner import definitions  # with a YAML reader, which a normal run does not need

    if action not in (*definitions.names(), *definitions.by_hand()):
        return False
    log.say(definitions.usage(definitions.read(action)))
    return True


def _bug(action: str, error: Exception, context: Context) -> Result:
    from stagegate.runner import bug

    return bug.result(action, error, context)


def _report_place(requested: str, context: Context) -> str:
    """Absolute path of the report, or empty; Stop(bad-input) before any work when it cannot be there."""
    if not requested.strip():
        return ""
    place = context.inside(requested.strip(), what="report")
    if place.is_dir():
        raise Stop(
            "bad-input",
            f"report is {requested!r}.",
            "The input `report` names a folder.",
            "Set `report` to the path of a file.",
        )
    return str(place)


def _unwritable(error: OSError) -> Result:
    """A file of the workspace that this user may not read or write, or a full disk: nothing of ours is wrong."""
    name = log.redact(Path(os.fsdecode(error.filename)).name)
    message = Message(
        what=f"{name} cannot be read or written.",
        why=f"{error.strerror}.",
        next="Allow the user of this step to write that file, or make room on the disk. Then run it again.",
    )
    return Result(reason="missing-permission", message=message)


def finish(
    action: str, result: Result, context: Context, report_path: str, file: str | None, line: int | None
) -> int:
    """Write report, outputs, summary and, last, the one annotation of a result; return the exit code.

    `report_path` is absolute, or empty for a file in the runner's temporary folder. OSError where one of
    them cannot be written.
    """
    verdict = VERDICTS[result.reason]
    path = _write_report(action, result, context, report_path)
    outputs = {**result.outputs, "outcome": verdict.outcome, "reason": result.reason, "report": path}
    write_outputs(outputs, context)
    _write_summary(action, result, context)
    sentence = " ".join(
        part for part in (result.message.what, result.message.why, result.message.next) if part
    )
    code = verdict.exit_code or int(result.fails)
    level: Literal["error", "notice"] = "error" if code else "notice"
    log.annotate(level, sentence, title=f"{action}: {result.reason}", file=file, line=line)
    return code


def write_outputs(outputs: Mapping[str, str], context: Context) -> None:
    """Append outputs to GITHUB_OUTPUT with a random delimiter, so that no value can define another output.

    Without a runner they are printed as `name=value`.
    """
    clean = {name: _shown(name, value) for name, value in outputs.items()}
    if not context.output_file:
        for name, value in clean.items():
            log.say(f"{name}={value}")
        return
    with Path(context.output_file).open("a", encoding="utf-8", errors="replace") as file:
        for name, value in clean.items():
            delimiter = f"sg-{os.urandom(16).hex()}"
            file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def _shown(name: str, value: str) -> str:
    """An output without secrets. The stable words are ours: a password like `wrong` must not change them."""
    return value if name in STABLE else log.redact(value).replace("\r", "")


def _write_report(action: str, result: Result, context: Context, requested: str) -> str:
    if not requested and not context.temp:
        return ""
    target = Path(requested or Path(context.temp) / f"stagegate-{action}-{os.urandom(4).hex()}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    plain = msgspec.to_builtins(result.report(action))
    document = {key: value if key in STABLE else _redacted(value) for key, value in plain.items()}
    target.write_bytes(to_json(document))
    return str(target)


def _redacted(value: object) -> object:
    """The same document without secrets: text by text, because a secret may look like a part of JSON."""
    if isinstance(value, str):
        return log.redact(value).encode("utf-8", "replace").decode()  # JSON has no lone surrogates
    if isinstance(value, Mapping):
        return {key: _redacted(item) for key, item in value.items()}
    return [_redacted(item) for item in value] if isinstance(value, (list, tuple)) else value


def _write_summary(action: str, result: Result, context: Context) -> None:
    if not context.summary_file:
        return
    text = summary.of(action, result, context.run_url)
    kept = log.redact(text).encode("utf-8", "replace")[: _SUMMARY_LIMIT - 1].decode("utf-8", "ignore")
    with Path(context.summary_file).open("a", encoding="utf-8", newline="\n") as file:
        file.write(kept + "\n")
