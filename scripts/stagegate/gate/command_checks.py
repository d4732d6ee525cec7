"""Runs a gate's command (pytest, hurl, k6, Playwright ...) and reads its JUnit XML."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stagegate.clients import process
from stagegate.errors import Stop
from stagegate.gate import junit_shape
from stagegate.model import OWN_CHECKS, Check, CheckOutcome, Release
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.settings import GateSettings

JUNIT_LIMIT = 16 * 1024 * 1024  # bytes
_SHOWN = 40  # lines of output in the log
# Variables with which a test could write this step's outputs, use the secrets of our inputs, or act as the runner.
_WITHHELD = re.compile(
    r"^(GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY|TOKEN)|SG_.*|ACTIONS_(RUNTIME|ID_TOKEN|CACHE).*)$"
)
_SECRET = re.compile(r"(?i)(password|passwd|secret|token|credential|api_?key|private)")


def run(
    gate: GateSettings,
    release: Release,
    environment: str,
    context: Context,
    environ: Mapping[str, str],
    timeout: float,
) -> tuple[Check, ...]:
    """The checks of a command. Its exit code is an additional check: a failed test with exit code 0 still fails."""
    if not gate.command:
        return ()
    log.mask(*(value for name, value in environ.items() if _SECRET.search(name) and value))
    report = context.inside(gate.junit, what="gate.junit") if gate.junit else None
    if report is not None:
        report.unlink(missing_ok=True)  # remove results of an earlier run
    try:
        completed = process.run_bounded(
            *gate.command,
            cwd=context.workspace,
            env=surroundings(release, environment, environ),
            timeout=max(timeout, 1.0),
        )
    except Stop as stop:
        if stop.reason != "timeout":
            raise
        return (Check(name="command", outcome="failed", detail=f"{stop.what} {stop.why}"),)
    with log.group(f"output of {gate.command[0]}"):
        lines = (completed.text + completed.errors).splitlines()
        if len(lines) > _SHOWN:
            log.say(f"(the last {_SHOWN} lines)")
        for line in lines[-_SHOWN:]:
            log.say(line[:500])
    ended = f"exit code {completed.code}" if completed.code >= 0 else f"ended by signal {-completed.code}"
    if report is None:
        return (Check(name="command", outcome="passed" if completed.code == 0 else "failed", detail=ended),)
    cases = tuple(_cases(report, gate.required))
    if completed.code == 0 or any(case.outcome == "failed" for case in cases):
        return _with_required(cases, gate.required)
    return (*_with_required(cases, gate.required), Check(name="command", outcome="failed", detail=ended))


def surroundings(release: Release, environment: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The command's environment: that of the job, without the variables of this step, with the tested release."""
    allowed = {name: value for name, value in environ.items() if not _WITHHELD.match(name)}
    return {
        **allowed,
        "STAGEGATE_APP": release.app,
        "STAGEGATE_VERSION": release.version,
        "STAGEGATE_TAG": release.tag,
        "STAGEGATE_COMMIT": release.commit,
        "STAGEGATE_ENVIRONMENT": environment,
    }


def at_release(head: str, release: Release) -> None:
    """Stop(wrong-source) unless the work tree is the release, because it has the command's files."""
    if head != release.commit:
        raise Stop(
            "wrong-source",
            f"The work tree is at commit {head[:12]}, but {release.version} is commit {release.commit[:12]}.",
            "The gate would test the release with the tests of a different commit.",
            f"Set `ref: {release.tag}` in the checkout step.",
        )


def _cases(report: Path, required: Sequence[str]) -> Iterator[Check]:
    """Every test case of a JUnit report as a check. With `required`, only those are; a skipped one never passes."""
    from junitparser import JUnitXml, TestCase, TestSuite
    from junitparser.junitparser import JUnitXmlError

    if not report.is_file() or report.stat().st_size > JUNIT_LIMIT:
        yield Check(name="command", outcome="failed", detail=f"the command wrote no readable {report.name}")
        return
    try:
        claimed = junit_shape.claimed_failures(report)
        document = JUnitXml.fromfile(str(report))
    except junit_shape.Unbounded as error:
        yield Check(name="command", outcome="failed", detail=f"{report.name} is not read: {error}")
        return
    except (JUnitXmlError, ValueError, SyntaxError, RecursionError) as error:
        detail = f"{report.name} is not JUnit XML ({type(error).__name__})"
        yield Check(name="command", outcome="failed", detail=detail)
        return
    suites = deque[TestSuite | TestCase]([document] if isinstance(document, TestSuite) else list(document))
    failed = 0
    while suites:
        item = suites.popleft()
        if isinstance(item, TestSuite):
            inner = item.testsuites()  # type: ignore[no-untyped-call]
            suites.extendleft(reversed([*inner, *(case for case in item if isinstance(case, TestCase))]))
        elif isinstance(item, TestCase):
            check = _check(item, required)
            failed += check.outcome == "failed"
            yield check
    if claimed > 0 and not failed:
        detail = f"{report.name} counts {claimed} failures or errors, but contains no failed test"
        yield Check(name="command", outcome="failed", detail=detail)


def _check(case: object, required: Sequence[str]) -> Check:
    from junitparser import TestCase

    assert isinstance(case, TestCase)  # noqa: S101  for the type checker
    name = ".".join(part for part in (case.classname, case.name) if part) or "unnamed"
    bad = [r for r in case.result if type(r).__name__ in ("Failure", "Error")]
    skipped = any(type(r).__name__ == "Skipped" for r in case.result)
    detail = (
        " ".join((bad or list(case.result))[0].message.split())
        if case.result and (bad or case.result)[0].message
        else ""
    )
    is_required = any(
        name == name_of_required or case.name == name_of_required for name_of_required in required
    )
    return Check(
        name=name[:200],
        outcome="failed" if bad else "skipped" if skipped else "passed",
        required=is_required if required else not skipped,
        seconds=junit_shape.seconds(case),
        detail=log.redact(detail)[:400],
    )


def _with_required(cases: tuple[Check, ...], required: Sequence[str]) -> tuple[Check, ...]:
    """The cases, and one that did not pass for every required name that is missing."""
    names = [case.name for case in cases]
    absent = [n for n in required if not any(name == n or name.endswith("." + n) for name in names)]
    return (
        *cases,
        *(
            Check(name=n, outcome="skipped", detail="the JUnit report has no test of this name")
            for n in absent
        ),
    )


def folded(checks: tuple[Check, ...], room: int = 60) -> tuple[Check, ...]:
    """At most about `room` checks, for evidence: the gate's own, those that did not pass, and some of the others.

    One entry represents the others, so that every text has the same number of checks.
    """
    if len(checks) <= room:
        return checks
    own_checks = [check for check in checks if check.name in OWN_CHECKS]
    other_checks = [check for check in checks if check.name not in OWN_CHECKS]
    passed = [check for check in other_checks if check.outcome == "passed"]
    bad = sorted(
        (check for check in other_checks if check.outcome != "passed"), key=lambda check: not check.required
    )
    listed, dropped = bad[: room // 2], bad[room // 2 :]
    shown = passed[: room - len(own_checks) - len(listed) - 4]
    more = [
        *_rest(passed[len(shown) :], "passed"),
        *(check for o in _NOT_PASSED for check in _rest(dropped, o)),
    ]
    return (*own_checks, *listed, *shown, *more)


_NOT_PASSED: tuple[CheckOutcome, ...] = ("failed", "unknown", "skipped")


def _rest(dropped: Sequence[Check], outcome: CheckOutcome) -> Iterator[Check]:
    """One entry for the dropped checks with this outcome."""
    ended = [check for check in dropped if check.outcome == outcome]
    if ended:
        required = outcome != "passed" and any(check.required for check in ended)
        name = f"{len(ended)} further checks" + ("" if outcome == "passed" else f" that are {outcome}")
        yield Check(name=name, outcome=outcome, required=required, stands_for=len(ended))
