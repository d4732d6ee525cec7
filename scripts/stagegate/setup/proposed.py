"""What init proposes, as values: apps, their environments, and what a person said beforehand."""

from __future__ import annotations

import msgspec

from stagegate.settings import PinSettings, VersionFile
from stagegate.setup.apps import FoundApp


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said instead of leaving it to be found; empty means found.

    `source` is the repository with the code, as `owner/name`, where this one holds only pins; `policy` the file
    with the pins, as `owner/name//path`, where this one holds only code. `app` is the slug of the GitHub
    App that writes states, which means `trust: protected`.
    """

    images: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    source: str = ""
    policy: str = ""
    registry: str = ""
    app: str = ""
    image_tag: str = ""


class EnvironmentProposal(msgspec.Struct, frozen=True, kw_only=True):
    """One environment as it will be declared. `made`: its Application is written by init. `value`: what runs."""

    name: str
    after: tuple[str, ...]
    pins: tuple[str | PinSettings, ...]
    applications: tuple[str, ...]
    parent: str = ""
    direct: bool = False
    made: bool = False
    exact: bool = True
    value: str = ""


class AppProposal(msgspec.Struct, frozen=True, kw_only=True):
    """One app as it will be declared, and what else its files need.

    `config` is the path of its settings, `variable` the name of its address for scenarios, `version` what runs or
    is written now, `image_tag` the form of its image tags.
    """

    name: str
    config: str
    several: bool
    source: str
    policy: str
    tag_prefix: str
    image_tag: str
    version: str
    version_files: tuple[str | VersionFile, ...]
    changelog: str = ""
    trusted_app: str = ""
    paths: tuple[str, ...]
    images: tuple[str, ...]
    chart_path: str
    chart_name: str
    chart_repository: str
    chart_reference: str
    tag_value: str
    allow_images: tuple[str, ...]
    environments: tuple[EnvironmentProposal, ...]
    scenarios: str
    health: str
    variable: str
    dockerfile: str
    notes: tuple[str, ...]
    app: FoundApp

    @property
    def has_code(self) -> bool:
        """Whether the app is built in this repository."""
        return not self.source
