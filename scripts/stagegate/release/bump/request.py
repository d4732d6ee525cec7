"""The request to version-bump, and whether the apps of a run fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from stagegate.errors import Stop
from stagegate.release.bump.versioned_app import VersionedApp

Mode = Literal["auto", "commit", "pull-request", "tag", "plan", "verify"]


class BumpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: the level or version, what to do with it, and where. `token` is for git.

    `skip_staging` is why the gate in staging is skipped for these releases (empty: it is not).
    """

    bump: str
    mode: Mode
    branch: str
    token: str
    dry_run: bool
    skip_staging: str = ""

    @property
    def only_tells(self) -> bool:
        """Whether this run writes nothing."""
        return self.dry_run or self.mode in ("plan", "verify")


def demand_fit(apps: Sequence[VersionedApp], request: BumpRequest) -> None:
    """Apps of a group are decided together; an exact version is for one app or group. Stop(bad-input)."""
    alone = apps[0].settings if len(apps) == 1 else None
    if alone is not None and alone.version.group:
        raise Stop(
            "bad-input",
            f"{alone.app} is in the group {alone.version.group}, and `config` names only its own file.",
            "Apps of a group move together to one version, so one run has to decide for all of them.",
            "Give `config` a glob for the settings files of the whole group, such as apps/*/stagegate.yaml.",
        )
    names = [app.settings.app for app in apps]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise Stop(
            "bad-settings",
            f"Two settings files are for the app {twice}.",
            "Their tags and branches would be the same.",
            "Give each app its own name.",
        )
    prefixes = [app.settings.version.tag_prefix for app in apps]
    same = next((prefix for prefix in prefixes if prefixes.count(prefix) > 1), None)
    if same is not None:
        raise Stop(
            "bad-settings",
            f"Two apps have the tag prefix {same!r}.",
            "Their tags could not be told apart.",
            "Give each app its own `version.tag-prefix`, such as pay-v.",
        )
    exact = request.bump[:1].isdigit()
    if exact and len({app.settings.version.group or app.settings.app for app in apps}) > 1:
        raise Stop(
            "bad-input",
            f"`bump` is {request.bump}, and {len(apps)} apps are decided in this run.",
            "An exact version is for one app, or for one group that moves together.",
            "Give `config` the settings file of that app.",
        )
