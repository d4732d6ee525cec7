"""The proposals of init as values: apps, their environments, and the wishes of a person."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.settings import PinSettings, VersionFile
from stagegate.setup.apps import DetectedApp


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of a person; empty values are detected.

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
    """A proposed environment. `made`: init writes its Application. `value` is the running version."""

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
    """A proposed app, with everything that its files need.

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
    app: DetectedApp

    @property
    def tag_now(self) -> str:
        """The image tag of the version that runs now."""
        version = self.version or "0.0.0"
        return self.image_tag.replace("{version}", version).replace("{app}", self.name)

    @property
    def has_code(self) -> bool:
        """Whether the app is built in this repository."""
        return not self.source


def pin_files(pins: Sequence[str | PinSettings]) -> str:
    """The files of pins, for a sentence."""
    return ", ".join(pin if isinstance(pin, str) else pin.file for pin in pins)
