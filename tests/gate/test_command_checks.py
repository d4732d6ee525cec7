"""A gate's own command: real programs that pass, fail, hang, print too much, leave children, and print commands."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from stagegate.errors import Stop
from stagegate.gate import command_checks, junit
from stagegate.gate.command_checks import folded
from stagegate.gate.verdict import counted
from stagegate.model import Check, Release, count_tests
from stagegate.runner.context import Context
from stagegate.settings import GateSettings

RELEASE = Release(app="shop", version="1.1.0", tag="v1.1.0", commit="a" * 40)
REPORT = """\
<testsuites><testsuite name="e2e" tests="4">
  <testcase classname="e2e.Login" name="test_login" time="0.5"/>
  <testcase classname="e2e.Query" name="test_query"><failure message="3 != 4"/></testcase>
  <testcase classname="e2e.Query" name="test_other"><skipped message="no data"/></testcase>
  <testsuite name="inner"><testcase name="test_inner"><error message="boom"/></testcase></testsuite>
</testsuite></testsuites>
"""
GREEN = REPORT.replace('<failure message="3 != 4"/>', "").replace('<error message="boom"/>', "")


def run(
    folder: Path, program: str, *, report: str = "", timeout: float = 10, required: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> dict[str, Check]:  # fmt: skip
    """Checks of `python -c program`; `report` is what it writes as JUnit XML before that."""
    if report:
        program = f"open('out.xml', 'w').write({report!r})\n{program}"
    gate = GateSettings(
        command=(sys.executable, "-c", program), junit="out.xml" if report else "", required=required
    )
    context = Context(workspace=folder)
    found = command_checks.run(gate, RELEASE, "staging", context, environ or dict(os.environ), timeout)
    return {check.name: check for check in found}


def outcomes(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: check.outcome for name, check in checks.items()}


@pytest.mark.parametrize(
    ("program", "outcome", "detail"),
    [
        ("", "passed", "exit code 0"),
        ("raise SystemExit(3)", "failed", "exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "failed", "ended by signal 9"),
    ],
)
def test_without_junit_the_exit_code_decides_the_check(
    tmp_path: Path, program: str, outcome: str, detail: str
) -> None:
    found = run(tmp_path, program)["command"]
    assert (found.outcome, found.detail) == (outcome, detail)


def test_every_test_case_is_a_check_and_a_failed_case_with_exit_code_0_fails(tmp_path: Path) -> None:
    found = run(tmp_path, "", report=REPORT)
    assert outcomes(found) == {
        "test_inner": "failed",
        "e2e.Login.test_login": "passed",
        "e2e.Query.test_query": "failed",
        "e2e.Query.test_other": "skipped",
    }
    assert found["e2e.Query.test_query"].detail == "3 != 4"
    assert [c.required for c in found.values()] == [True, True, True, False]


def test_a_required_check_that_is_missing_or_skipped_does_not_pass(tmp_path: Path) -> None:
    found = run(tmp_path, "", report=REPORT, required=("test_login", "e2e.Query.test_other", "test_gone"))
    assert {c.name: c.outcome for c in found.values() if c.required} == {
        "e2e.Login.test_login": "passed",
        "e2e.Query.test_other": "skipped",
        "test_gone": "skipped",
    }


def test_a_failing_command_fails_even_when_all_its_cases_passed(tmp_path: Path) -> None:
    assert outcomes(run(tmp_path, "raise SystemExit(1)", report=GREEN))["command"] == "failed"
    assert "command" not in outcomes(run(tmp_path, "", report=GREEN))


@pytest.mark.parametrize(
    "report", ["<html>", "{}", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>']
)
def test_a_report_that_is_not_junit_is_a_failure(tmp_path: Path, report: str) -> None:
    found = run(tmp_path, "", report=report)
    assert "root:" not in str(found)
    assert outcomes(found) in ({"command": "failed"}, {})  # no check at all is no-checks, which is no pass


def test_a_report_of_an_earlier_run_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "out.xml").write_text(GREEN)
    gate = GateSettings(command=(sys.executable, "-c", ""), junit="out.xml")
    (found,) = command_checks.run(gate, RELEASE, "staging", Context(workspace=tmp_path), os.environ, 10)
    assert (found.name, found.outcome) == ("command", "failed")


def test_a_report_outside_the_workspace_is_refused(tmp_path: Path) -> None:
    gate = GateSettings(command=("true",), junit="../out.xml")
    with pytest.raises(Stop, match="leads to a place outside"):
        command_checks.run(gate, RELEASE, "staging", Context(workspace=tmp_path), os.environ, 10)


def test_a_hanging_command_is_ended_with_its_children(tmp_path: Path) -> None:
    child = "import time\nopen('alive', 'w').close()\ntime.sleep(2)\nopen('survived', 'w').close()"
    program = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}]).wait()"
    found = run(tmp_path, program, timeout=1)["command"]
    assert (found.outcome, "did not end within 1 seconds" in found.detail) == ("failed", True)
    assert (tmp_path / "alive").exists()
    time.sleep(1.5)
    assert not (tmp_path / "survived").exists()


def test_a_child_that_stays_behind_delays_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    program = (
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'])"
    )
    assert run(tmp_path, program)["command"].outcome == "passed"
    assert time.monotonic() - began < 60


def test_long_output_is_cut_and_gives_no_command_to_the_runner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "for n in range(200000): print('x' * 100)\nprint('::error::forged'); print('the end')"
    run(tmp_path, program)
    said = capsys.readouterr().out
    assert len(said) < 100_000
    assert "the end" in said
    assert not any(line.startswith("::error::forged") for line in said.splitlines())


def test_the_command_gets_the_release_and_no_secret_of_stagegate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {
        "GITHUB_OUTPUT": str(tmp_path / "output"), "SG_TOKEN": "ghs_ours", "ACTIONS_RUNTIME_TOKEN": "runtime",
        "SHOP_PASSWORD": "hunter2-for-commands",
    }  # fmt: skip
    program = (
        "import os\nprint(sorted(n for n in os.environ if n.startswith(('STAGEGATE_', 'SG_', 'GITHUB_', 'ACTIONS_'))))"
        "\nprint(os.environ['STAGEGATE_VERSION'], os.environ['STAGEGATE_ENVIRONMENT'], os.environ['SHOP_PASSWORD'])"
    )
    found = run(tmp_path, program, environ={"PATH": os.environ["PATH"], **ours})
    said = capsys.readouterr().out
    assert found["command"].outcome == "passed"
    assert (
        "'STAGEGATE_APP', 'STAGEGATE_COMMIT', 'STAGEGATE_ENVIRONMENT', 'STAGEGATE_TAG', 'STAGEGATE_VERSION'"
        in said
    )
    assert "1.1.0 staging ***" in said
    for name in ("GITHUB_OUTPUT", "SG_TOKEN", "ACTIONS_RUNTIME_TOKEN", "hunter2-for-commands"):
        assert name not in said


def test_a_command_must_be_run_from_the_release() -> None:
    command_checks.at_release("a" * 40, RELEASE)
    with pytest.raises(Stop, match=r"ref: v1\.1\.0"):
        command_checks.at_release("b" * 40, RELEASE)


def test_many_checks_are_folded_and_failed_ones_stay_visible() -> None:
    checks = tuple(Check(name=f"t{n}", outcome="failed" if n % 50 == 0 else "passed") for n in range(500))
    kept = folded(checks)
    assert len(kept) <= 60
    assert sum(c.outcome == "failed" for c in kept) == 10
    assert kept[-1].name == f"{500 - (len(kept) - 1)} further checks"


def test_every_text_counts_the_same_number_of_checks() -> None:
    """The status and the pull request show evidence, which has no room for every check; the summary lists them all."""
    own = (Check(name="roll-out", outcome="passed"), Check(name="images", outcome="unknown", required=False))
    for bad in (0, 5, 40, 200):
        passed = tuple(Check(name="same", outcome="passed") for _ in range(300))
        failed = tuple(
            Check(name="same", outcome="failed" if n % 2 else "skipped", required=n % 3 == 0)
            for n in range(bad)
        )
        checks = (*own, *passed, *failed, Check(name="content", outcome="passed"))
        kept = folded(checks)
        assert len(kept) <= 60
        assert {"roll-out", "images", "content"} <= {check.name for check in kept}
        for outcome in ("", "passed", "failed", "skipped", "unknown"):
            assert count_tests(kept, outcome) == count_tests(checks, outcome)
        assert counted(kept) == counted(checks) == "300 checks"
        assert any(c.outcome == "failed" and c.required for c in kept) == bool(bad)


def test_the_written_junit_never_reports_unknown_as_passed(tmp_path: Path) -> None:
    checks = [
        Check(name="a", outcome="passed"), Check(name="b", outcome="failed", detail="x < y & z"),
        Check(name="c", outcome="unknown"), Check(name="d", outcome="unknown", required=False),
        Check(name="e", outcome="skipped"),
    ]  # fmt: skip
    junit.write(tmp_path / "deep" / "gate.xml", "gate staging", checks)
    from junitparser import JUnitXml

    document = JUnitXml.fromfile(str(tmp_path / "deep" / "gate.xml"))
    assert (document.tests, document.failures, document.errors, document.skipped) == (5, 1, 1, 2)


@pytest.mark.parametrize(
    "report",
    [
        "<testsuite>" * 50_000 + '<testcase name="a"/>' + "</testsuite>" * 50_000,
        "<testsuite>" + '<testcase name="a"/>' * 200_000 + "</testsuite>",
        '<testsuite errors="5"><testcase name="a"/></testsuite>',
        '<testsuite errors="five"><testcase name="a"/></testsuite>',
        '<testsuites><testsuite failures="1"><testcase name="a"/></testsuite></testsuites>',
        "<testsuite><testcase",
    ],
    ids=["nested", "many", "errors", "no number", "failures", "cut"],
)
def test_an_unreliable_report_never_passes(tmp_path: Path, report: str) -> None:
    (tmp_path / "given.xml").write_text(report)
    began = time.monotonic()
    found = run(tmp_path, "import shutil; shutil.copy('given.xml', 'out.xml')", report="x")
    assert any(check.required and check.outcome == "failed" for check in found.values())
    assert time.monotonic() - began < 20


def test_a_duration_that_is_not_a_number_is_ignored(tmp_path: Path) -> None:
    report = '<testsuite><testcase name="a" time="x"/><testcase name="b" time="nan"/></testsuite>'
    found = run(tmp_path, "", report=report)
    assert {name: (check.outcome, check.seconds) for name, check in found.items()} == {
        "a": ("passed", 0.0),
        "b": ("passed", 0.0),
    }
