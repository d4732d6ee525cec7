"""promote-pr: decides which release enters an environment, moves its pins, and proposes or commits it."""

from __future__ import annotations

from datetime import datetime, timezone

import msgspec

from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.notification.entrypoint import entrypoint
from stagegate.promotion import apps, local, local_rollback, promote
from stagegate.promotion.request import Mode, PromotionRequest
from stagegate.runner.context import Context
from stagegate.runner.inputs import ClusterInputs


class PromotePr(ClusterInputs, frozen=True, kw_only=True):
    """Inputs of promote-pr."""

    app: str = ""
    environment: str = ""
    version: str = ""
    mode: Mode = "promote"
    reason: str = ""
    until: str = ""
    rules: str = ""
    facts: str = ""
    save_facts: str = ""
    html: str = ""
    local: bool = False
    check: bool = False
    verify_workflow: str = ""
    fail_on_waiting: bool = False


def main(inputs: PromotePr, context: Context) -> Result:
    """Facts, plan, apply and report are the calls of `promotion.promote.promote`, once for each app."""
    request = requested(inputs)
    if inputs.facts:
        return promote.replay(request, context, inputs.facts, datetime.now(timezone.utc))
    selected = promote.select(request, apps.here(context, inputs.config))
    if inputs.local:
        app, now = selected[0], datetime.now(timezone.utc)
        place, dry_run = (app.settings, context, inputs.environment, inputs.version), inputs.dry_run
        if inputs.mode == "rollback":
            return local_rollback.edit(*place, now, config=app.config, dry_run=dry_run)
        return local.edit(*place, config=app.config, dry_run=dry_run, check=inputs.check)
    return promote.for_apps(request, inputs, context, selected)


def requested(inputs: PromotePr) -> PromotionRequest:
    """The inputs as a request. Stop(bad-input) where facts are named for a mode that has none."""
    if (inputs.facts or inputs.save_facts) and inputs.mode not in ("promote", "rollback"):
        raise Stop(
            "bad-input",
            f"Facts cannot be saved or replayed with mode {inputs.mode}.",
            "Only a promotion or a rollback reads facts that can be saved.",
            "Leave `facts` and `save-facts` empty, or use the mode `promote` or `rollback`.",
        )
    fields = set(PromotionRequest.__struct_fields__) & set(PromotePr.__struct_fields__)
    return msgspec.convert({name: getattr(inputs, name) for name in fields}, PromotionRequest)


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("promote-pr", PromotePr, main)
