"""The registries that a check may ask. Most charts are checked without any, so their clients are loaded here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stagegate.settings import Settings

if TYPE_CHECKING:
    from stagegate.clients.registry import Registry
    from stagegate.clients.registry.credentials import Credentials


def logins(settings: Settings, username: str, password: str) -> Mapping[str, Credentials]:
    """The login of the inputs for each registry of ours that gets it. Stop(empty-secret)."""
    if not username and not password:
        return {}
    from stagegate.clients.registry import credentials

    return credentials.for_hosts(settings.registry_hosts, username, password)


def of_base(base: str, settings: Settings, username: str, password: str) -> Registry | None:
    """The registry of the chart to compare with; None where that is a folder, or where there is none.

    The input names it, so it needs no settings. Stop(bad-input) for a reference that is none.
    """
    if not base.startswith("oci://"):
        return None
    from stagegate.clients.registry import Registry, parse

    own = settings.registry_hosts
    host = parse(base.removeprefix("oci://")).host
    if (
        own and host not in own
    ):  # the login is for the registries of the settings; docker's own may know this one
        username = password = ""
    return Registry(own | {host}, username=username, password=password)
