"""Registries of a check. Their clients are loaded only when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stagegate.settings import Settings

if TYPE_CHECKING:
    from stagegate.clients.registry import Registry
    from stagegate.clients.registry.credentials import Credentials


def logins(settings: Settings, username: str, password: str) -> Mapping[str, Credentials]:
    """The credentials of the inputs for each registry in the settings. Stop(empty-secret)."""
    if not username and not password:
        return {}
    from stagegate.clients.registry import credentials

    return credentials.for_hosts(settings.registry_hosts, username, password)


def of_base(base: str, settings: Settings, username: str, password: str) -> Registry | None:
    """The registry of the chart to compare with; None for a folder, or without a base. Stop(bad-input).

    It need not be in the settings, because the input names it.
    """
    if not base.startswith("oci://"):
        return None
    from stagegate.clients.registry import Registry, parse

    hosts = settings.registry_hosts
    host = parse(base.removeprefix("oci://")).host
    if hosts and host not in hosts:  # the login in the inputs is only for the registries of the settings
        username = password = ""
    return Registry(hosts | {host}, username=username, password=password)
