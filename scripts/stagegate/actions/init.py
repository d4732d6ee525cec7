"""init: reads a repository and writes what stagegate needs in it, after showing everything."""

from __future__ import annotations

import json
import sys

from stagegate.model import Change, Message, Result
from stagegate.report import markdown
from stagegate.runner import log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.setup import init, origin, work_tree
from stagegate.setup.proposed import Wish


class Init(Inputs, frozen=True, kw_only=True):
    """Inputs of init."""

    yes: bool = False
    import_: bool = False
    image: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    source: str = ""
    policy: str = ""
    registry: str = ""
    owners: str = ""
    stagegate: str = ""
    app: str = ""
    image_tag: str = ""


def main(inputs: Init, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    here = work_tree.read(context.workspace, context.repository)
    wish = Wish(
        images=inputs.image,
        environments=inputs.environment,
        source=inputs.source,
        policy=inputs.policy,
        registry=inputs.registry,
        app=inputs.app,
        image_tag=inputs.image_tag,
    )
    uses = inputs.stagegate or origin.uses()
    decided = init.plan(here, wish, uses=uses, owners=inputs.owners, importing=inputs.import_)
    log.say(decided.difference or "Every file is there already.")
    for note in decided.notes:
        log.say(f"- {note}")
    agreed = bool(decided.difference) and not inputs.dry_run and (inputs.yes or _agreed(decided))
    written = init.write(decided, here, context.workspace) if agreed else ()
    return report(decided, written)


def _agreed(decided: init.InitPlan) -> bool:
    """Whether a person at a terminal wants the files; nobody there means no."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return False
    log.say(f"Write {len(decided.files.new) + len(decided.files.added)} files? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def report(decided: init.InitPlan, written: tuple[str, ...]) -> Result:
    """What was written or would be, for people and for the next step."""
    names = written or (*decided.files.new, *decided.files.added)
    apps = ", ".join(one.name for one in decided.proposals)
    reason = "updated" if written else "planned" if decided.difference else "no-difference"
    message = {
        "updated": Message(
            what=f"{len(written)} files for {apps} are in the work tree.",
            next="Read them, run `stagegate doctor`, and commit.",
        ),
        "planned": Message(
            what=f"{len(names)} files for {apps} would be written.", next="Add --yes to write them."
        ),
        "no-difference": Message(what=f"The files for {apps} exist.", next="Run `stagegate doctor`."),
    }[reason]
    return Result(
        reason=reason,
        message=message,
        outputs={"files": json.dumps(list(names))},
        summary=f"### init\n\n{markdown.fence(decided.difference, 'diff')}\n" if decided.difference else "",
        changes=tuple(Change(kind="file", target=name, done=bool(written)) for name in names),
        dry_run=not written,
    )


def run() -> int:
    """The exit code of this command."""
    return entrypoint("init", Init, main)
