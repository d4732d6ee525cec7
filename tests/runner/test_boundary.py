"""The error boundary: one annotation, the right exit code, and outputs that no value can forge."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stagegate.errors import VERDICTS, Stop
from stagegate.model import Change, Message, Result
from stagegate.runner import boundary, log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from tests.runner.reading import commands, outputs, properties

Main = Callable[[Inputs, Context], Result]


class Step:
    """One step of a job: its files and its result."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.work, self.temp = root / "work", root / "temp"
        self.work.mkdir()
        self.temp.mkdir()
        self.output, self.summary = root / "output", root / "summary"
        self.capture = capture
        self.printed = self.errors = ""

    def run(self, main: Main, **environ: str) -> int:
        given = {
            "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.temp),
            **environ,
        }
        code = entrypoint("example", Inputs, main, argv=[], environ=given)
        self.printed, self.errors = self.capture.readouterr()
        return code

    @property
    def outputs(self) -> dict[str, str]:
        return outputs(self.output.read_text())

    @property
    def report(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(Path(self.outputs["report"]).read_text())
        return loaded

    @property
    def annotations(self) -> list[tuple[str, str]]:
        return [pair for pair in commands(self.printed) if pair[0] in ("error", "warning", "notice")]


@pytest.fixture
def step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Step:
    return Step(tmp_path, capsys)


def gives(reason: str, **fields: Any) -> Main:
    message = fields.pop("message", Message(what="It happened.", why="So it is.", next="Do this."))
    return lambda _, __: Result(reason=reason, message=message, **fields)


def raises(error: BaseException) -> Main:
    def main(_: Inputs, __: Context) -> Result:
        raise error

    return main


@pytest.mark.parametrize("reason", sorted(set(VERDICTS) - {"bug"}))
def test_every_reason_ends_with_its_code_and_one_annotation(step: Step, reason: str) -> None:
    code = step.run(gives(reason))
    assert code == VERDICTS[reason].exit_code
    assert step.annotations == [("error" if code else "notice", "It happened. So it is. Do this.")]
    assert step.outputs.keys() == {"outcome", "reason", "report"}
    assert (step.outputs["outcome"], step.outputs["reason"]) == (VERDICTS[reason].outcome, reason)


def test_a_stop_points_at_its_line(step: Step) -> None:
    code = step.run(raises(Stop("bad-settings", "What.", "Why.", "Next.", file="a,b.yaml", line=7)))
    assert (code, step.annotations) == (2, [("error", "What. Why. Next.")])
    where = properties(step.printed.splitlines()[-1])
    assert where == {"title": "example: bad-settings", "file": "a,b.yaml", "line": "7"}
    assert "Traceback" not in step.printed + step.errors


def test_an_unexpected_error_is_reported_as_a_bug(step: Step) -> None:
    log.mask("hush-hush")
    long = "x" * 294 + "hush-hush\n::error::forged"
    assert step.run(raises(RuntimeError(long))) == 70
    assert (step.outputs["outcome"], step.outputs["reason"]) == ("bug", "bug")
    ((level, text),) = step.annotations
    assert level == "error"
    assert "RuntimeError" in text
    assert "https://github.com/acme/stagegate/issues/new" in text
    for part in ("stagegate: 0.1.0", "python: 3.", "action: example", "run: ", "Traceback"):
        assert part in step.errors
    assert commands(step.errors) == []
    for shown in (text, step.errors, json.dumps(step.report), step.summary.read_text()):
        assert "hush" not in shown, "not even a part of the secret"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_file_that_cannot_be_written_is_reported_and_no_bug(step: Step, number: int) -> None:
    assert step.run(raises(OSError(number, os.strerror(number), "/srv/deploy/prod.yaml"))) == 2
    ((level, text),) = step.annotations
    assert (level, step.outputs["reason"]) == ("error", "missing-permission")
    assert "prod.yaml" in text
    assert os.strerror(number) in text
    assert "Traceback" not in step.errors


def test_a_cancelled_run_is_no_bug(step: Step) -> None:
    assert step.run(raises(KeyboardInterrupt())) == 130
    assert [level for level, _ in step.annotations] == ["error"]


def test_a_cancelled_job_ends_its_step() -> None:
    program = """
import signal, sys
from stagegate.runner.boundary import entrypoint
from stagegate.runner.inputs import Inputs
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background inherits an ignored one
def main(inputs, context):
    print("here", flush=True)
    sys.stdin.read()
sys.exit(entrypoint("example", Inputs, main))
"""
    scripts = Path(boundary.__file__).resolve().parents[2]
    running = subprocess.Popen(
        [sys.executable, "-c", program], cwd=scripts, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "here\n"
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=20)
    assert (running.returncode, [name for name, _ in commands(rest)]) == (130, ["error"])


def test_fail_on_waiting_turns_a_wait_into_a_failure(step: Step) -> None:
    assert step.run(gives("soaking", fails=True)) == 1
    assert step.outputs["outcome"] == "waiting"
    assert [level for level, _ in step.annotations] == ["error"]


@pytest.mark.parametrize(
    "value",
    [
        "EOF",
        "a\nEOF\nb",
        "name=x",
        "a\noutcome=done",
        "x<<EOF\ny\nEOF",
        "a\r\nreason<<EOF\rb",
        "",
        "\n",
        "a\n\n",
    ],
)
def test_a_value_cannot_write_another_output(step: Step, value: str) -> None:
    step.run(gives("no-evidence", outputs={"pr-url": value, "changed": "true"}))
    assert step.outputs.keys() == {"pr-url", "changed", "outcome", "reason", "report"}
    assert step.outputs["pr-url"] == value.replace("\r", "")
    assert (step.outputs["outcome"], step.outputs["changed"]) == ("refused", "true")


def test_every_delimiter_is_different(step: Step) -> None:
    step.run(gives("passed", outputs={"a": "1", "b": "2"}))
    step.run(gives("passed", outputs={"a": "1", "b": "2"}))
    marks = [line.split("<<")[1] for line in step.output.read_text().splitlines() if "<<" in line]
    assert len(set(marks)) == len(marks) == 10
    assert all(len(mark) >= 32 for mark in marks)


def test_outputs_without_a_runner_are_lines_that_cannot_be_forged(step: Step) -> None:
    step.run(gives("passed", outputs={"notes": "a\n::set-output name=b::c"}), GITHUB_OUTPUT="")
    assert "notes=a" in step.printed
    assert [name for name, _ in commands(step.printed)] == ["notice"]


def test_the_report_is_the_public_document(step: Step) -> None:
    change = Change(kind="commit", target="main", after="c" * 40)
    step.run(gives("committed", app="shop", environment="staging", version="1.2.3", changes=(change,)))
    report = step.report
    assert list(report) == sorted(report)
    assert report.keys() == {
        "schema", "action", "outcome", "reason", "message", "app", "environment", "version", "dry_run", "trust",
        "changes", "findings", "rules", "checks", "evidence", "calls",
    }  # fmt: skip
    assert (report["schema"], report["action"], report["outcome"]) == (
        "stagegate/report/1",
        "example",
        "done",
    )
    assert report["message"] == {"what": "It happened.", "why": "So it is.", "next": "Do this."}
    assert report["changes"] == [
        {"kind": "commit", "target": "main", "before": "", "after": "c" * 40, "done": True}
    ]
    assert report["calls"] == {"read": 0, "write": 0}


@pytest.mark.parametrize("secret", ["12345", 'to"ken\\x', '":false,"', "schema"])
def test_a_secret_that_looks_like_json_breaks_no_report(step: Step, secret: str) -> None:
    log.mask(secret)
    step.run(gives("passed", message=Message(what=f"It said {secret}.", why="\udcff"), calls={"read": 12345}))
    assert step.report["message"]["what"] == "It said ***."
    assert (step.report["schema"], step.report["calls"]["read"]) == ("stagegate/report/1", 12345)


def test_a_report_is_written_to_its_path_even_when_the_inputs_are_bad(step: Step) -> None:
    assert step.run(gives("passed"), SG_REPORT="out/report.json", SG_DRY_RUN="perhaps") == 2
    assert step.outputs["report"] == str(step.work.resolve() / "out/report.json")
    assert step.report["reason"] == "bad-input"


@pytest.mark.parametrize("path", ["../report.json", "/tmp/elsewhere.json", ".", "link.json"])  # noqa: S108
def test_a_report_path_that_cannot_be_written_stops_before_any_work(step: Step, path: str) -> None:
    (step.work / "link.json").symlink_to(step.temp / "report.json")
    assert step.run(raises(AssertionError("it worked on")), SG_REPORT=path) == 2
    assert (step.outputs["reason"], len(step.annotations)) == ("bad-input", 1)
    assert Path(step.outputs["report"]).is_relative_to(step.temp)


def test_an_output_file_that_cannot_be_written_is_one_failure(step: Step) -> None:
    step.output.mkdir()
    assert step.run(gives("passed")) == 2
    ((level, text),) = step.annotations
    assert (level, "cannot be written" in text) == ("error", True)


def test_the_summary_stays_within_githubs_limit(step: Step) -> None:
    log.mask("hush-hush")
    step.run(gives("passed", summary="hush-hush " + "ü" * 1024 * 1024))
    written = step.summary.read_bytes()
    assert len(written) <= 1024 * 1024
    assert "\n*** üüü" in written.decode()


def test_without_a_runner_nothing_is_written(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(step.work)
    code = entrypoint("example", Inputs, gives("passed"), argv=[], environ={})
    assert code == 0
    assert list(step.work.iterdir()) == []
    assert "outcome=done" in step.capture.readouterr().out


def test_a_secret_equal_to_a_reason_changes_no_outcome(tmp_path: Path) -> None:
    log.mask("refused", "older")
    result = Result(reason="older-version", message=Message(what="An older one is refused."))
    context = Context(workspace=tmp_path, output_file=str(tmp_path / "out"), temp=str(tmp_path))
    boundary.finish("promote-pr", result, context, "", None, None)
    told = outputs((tmp_path / "out").read_text())
    assert (told["outcome"], told["reason"]) == ("refused", "older-version")
    report = json.loads(Path(told["report"]).read_text())
    assert (report["outcome"], report["reason"], report["message"]["what"]) == (
        "refused",
        "older-version",
        "An *** one is ***.",
    )
