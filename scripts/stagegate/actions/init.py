"""init: reads a repository and writes what stagegate needs in it, after showing everything."""

from __future__ import annotations

import sys

from stagegate.model import Result
from stagegate.runner import log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.setup import init, init_result, origin, work_tree
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
    tree = work_tree.read(context.workspace, context.repository)
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
    decided = init.plan(tree, wish, uses=uses, owners=inputs.owners, importing=inputs.import_)
    log.say(decided.difference or "All files exist already.")
    for note in decided.notes:
        log.say(f"- {note}")
    agreed = bool(decided.difference) and not inputs.dry_run and (inputs.yes or _agreed(decided))
    written = init.write(decided, tree, context.workspace) if agreed else ()
    return init_result.result(decided, written)


def _agreed(decided: init.InitPlan) -> bool:
    """Whether a person at a terminal confirms the files; without a terminal, false."""
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return False
    log.say(f"Write {len(decided.files.new) + len(decided.files.added)} files? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def run() -> int:
    """The exit code of this command."""
    return entrypoint("init", Init, main)
