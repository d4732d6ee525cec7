"""The request to version-bump, and the check that one run can decide for its apps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from stagegate.errors import Stop
from stagegate.release.bump.versioned_app import VersionedApp

Mode = Literal["auto", "commit", "pull-request", "tag", "plan", "verify"]


class BumpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The requested level or version (`bump`), the mode and the branch. `token` is for git.

    `skip_staging` is the reason to skip the gate in staging for these releases (empty: it is not skipped).
    """

    bump: str
    mode: Mode
    branch: str
    token: str
    dry_run: bool
    skip_staging: str = ""

    @property
    def writes_nothing(self) -> bool:
        """Whether this run writes nothing."""
        return self.dry_run or self.mode in ("plan", "verify")


def demand_fit(apps: Sequence[VersionedApp], request: BumpRequest) -> None:
    """Check that one run can decide for these apps. Stop(bad-input|bad-settings).

    Apps of a group need a run together, names and tag prefixes are unique, and an exact version is for one app or
    group.
    """
    only = apps[0].settings if len(apps) == 1 else None
    if only is not None and only.version.group:
        raise Stop(
            "bad-input",
            f"{only.app} is in the group {only.version.group}, but `config` names only the "
            "settings file of this app.",
            "The apps of a group always have the same version, so one run must decide the version "
            "of all of them.",
            "Set `config` to a glob that matches the settings files of the whole group, such as "
            "apps/*/stagegate.yaml.",
        )
    names = [app.settings.app for app in apps]
    repeated = next((name for name in names if names.count(name) > 1), "")
    if repeated:
        raise Stop(
            "bad-settings",
            f"Two settings files are for the app {repeated}.",
            "The two apps would have the same tags and branches.",
            "Give each app a different name.",
        )
    prefixes = [app.settings.version.tag_prefix for app in apps]
    shared = next((prefix for prefix in prefixes if prefixes.count(prefix) > 1), None)
    if shared is not None:
        raise Stop(
            "bad-settings",
            f"Two apps have the same tag prefix {shared!r}.",
            "A tag would not show to which of the two apps it belongs.",
            "Give each app its own `version.tag-prefix`, such as pay-v.",
        )
    exact = request.bump[:1].isdigit()
    if exact and len({app.settings.version.group or app.settings.app for app in apps}) > 1:
        raise Stop(
            "bad-input",
            f"`bump` is {request.bump}, but this run decides the versions of {len(apps)} apps.",
            "An exact version is only allowed for one app, or for one group of apps with the same version.",
            "Set `config` to the settings file of that app.",
        )
