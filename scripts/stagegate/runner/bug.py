"""Unexpected errors: what a run reports, and the block that a bug report needs."""

from __future__ import annotations

import platform
import traceback

import stagegate
from stagegate.model import Message, Result
from stagegate.runner import log
from stagegate.runner.context import Context

ISSUES = f"https://github.com/{stagegate.REPOSITORY}/issues/new"


def result(action: str, error: Exception, context: Context) -> Result:
    """An unexpected error as a result; the log gets a block that can be pasted into a bug report."""
    log.to_stderr(bug_report(action, traceback.format_exc(), context))
    message = Message(
        what=f"Unexpected error in stagegate: {type(error).__name__}.",
        why=log.redact(str(error))[:300],
        next=f"Paste the block between the lines of dashes in the log into {ISSUES}.",
    )
    return Result(reason="bug", message=message)


def bug_report(action: str, trace: str, context: Context) -> str:
    """What a bug report needs, as text: versions, action, run and traceback."""
    lines = [
        f"stagegate: {stagegate.__version__}",
        f"python: {platform.python_version()} on {platform.system()} {platform.machine()}",
        f"action: {action}",
        f"run: {context.run_url or 'local'}, attempt {context.run_attempt}",
        "",
        trace.rstrip(),
    ]
    return "\n".join(["-" * 72, *lines, "-" * 72])
