"""A request to promotion: from an action's inputs, a comment command, or a failed gate."""

from __future__ import annotations

from typing import Literal

import msgspec

MarkMode = Literal["hold", "unhold", "ban", "unban", "override"]
Permitted = Literal["promote", "rollback", "hold", "unhold", "ban", "unban", "override"]  # needs a right
Mode = Literal[Permitted, "evaluate"]
Command = Mode | Literal["adopt"]


class PromotionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `app` is empty where there is only one, and where every app is meant.

    `environment` may be `all`, and `all/<environment>` holds every app there. `until` is a time or a duration,
    `rules` the names of rules that an override sets aside. `verify_workflow` is started after a merge or commit
    that starts nothing by itself. `fail_on_waiting`: exit 1 where time alone prevents the write. `save_facts`: a
    file for the facts. `authorised`: the author of a comment was asked already, or policy itself requires this.
    """

    mode: Command = "promote"
    app: str = ""
    environment: str = ""
    version: str = ""
    reason: str = ""
    until: str = ""
    rules: str = ""
    verify_workflow: str = ""
    dry_run: bool = False
    fail_on_waiting: bool = False
    save_facts: str = ""
    html: str = ""
    authorised: bool = False
