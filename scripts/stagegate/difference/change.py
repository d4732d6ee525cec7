"""The part of an environment's change that is rendered: which images would run, and which risks it brings."""

from __future__ import annotations

from typing import Protocol

import msgspec

from stagegate.settings import Environment, Settings


class ImageSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An image that the environment would run: as rendered, and the digest its tag has now."""

    reference: str
    repository: str
    digest: str = ""
    trouble: str = ""


class RiskSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A risky class of change in the rendered difference."""

    kind: str
    object: str
    detail: str


class RenderedChange(msgspec.Struct, frozen=True, kw_only=True):
    """The result of rendering the change of an environment.

    `besides`: what changes in the repository other than the release. `carried`: risks that only this run could see,
    which the commit names for those who judge it later. `render_note`: why nothing is rendered, where that is no
    failure; `render_trouble`: what failed.
    """

    environment: str
    images: tuple[ImageSeen, ...] = ()
    risks: tuple[RiskSeen, ...] = ()
    carried: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    rendered: bool = False
    render_note: str = ""
    render_trouble: str = ""
    irreversible: tuple[str, ...] = ()


class RenderFacts(Protocol):
    """What rendering needs to know of an app: its settings, and the default branch of the pins repository."""

    @property
    def settings(self) -> Settings: ...
    @property
    def base(self) -> str: ...
    @property
    def pins_repository(self) -> str: ...
    def policy_of(self, environment: str) -> Environment:
        """The settings of an environment."""
        ...
