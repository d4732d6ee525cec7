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
    """The registry of the chart to compare with; None where that is a folder, or where there is none."""
    if not base.startswith("oci://"):
        return None
    from stagegate.clients.registry import Registry

    return Registry(settings.registry_hosts, username=username, password=password)
