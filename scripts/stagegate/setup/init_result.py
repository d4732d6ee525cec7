"""Reports the result of init."""

from __future__ import annotations

import json

from stagegate import markdown
from stagegate.model import Change, Message, Result
from stagegate.setup.init import InitPlan


def result(decided: InitPlan, written: tuple[str, ...]) -> Result:
    """The result: message, outputs and summary."""
    names = written or (*decided.files.new, *decided.files.added)
    apps = ", ".join(proposal.name for proposal in decided.proposals)
    reason = "updated" if written else "planned" if decided.difference else "no-difference"
    message = {
        "updated": Message(
            what=f"{len(written)} files for {apps} are in the work tree.",
            next="Read the files, run `stagegate doctor`, and commit.",
        ),
        "planned": Message(
            what=f"{len(names)} files for {apps} would be written.", next="Add --yes to write the files."
        ),
        "no-difference": Message(what=f"The files for {apps} already exist.", next="Run `stagegate doctor`."),
    }[reason]
    return Result(
        reason=reason,
        message=message,
        outputs={"files": json.dumps(list(names))},
        summary=f"{markdown.fence(decided.difference, 'diff')}\n" if decided.difference else "",
        changes=tuple(Change(kind="file", target=name, done=bool(written)) for name in names),
        dry_run=not written,
    )
