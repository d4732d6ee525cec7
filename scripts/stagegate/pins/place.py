"""What a pin is once it has been read: the places in one file that name a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from ruamel.yaml.nodes import Node, SequenceNode

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import templates
from stagegate.settings import Environment, Settings
from stagegate.yaml_edit import Path, Scalar

Role = Literal["chart-version", "chart-digest", "image-tag", "image-digest", "git-revision", "custom"]


class PinPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One scalar that names a release.

    `path` leads to it in document number `document` (counted from 0); where the scalar stands
    in YAML text inside another scalar, `path` leads to that one and `inside` on from there. `line` counts
    from 1. `template` is how it is written, such as `v{version}`; `moving` when it names no exact release (a
    range, a branch, a floating tag). `subject` is the image or chart that `{digest}` stands for, empty where
    the release's only artifact is meant.
    """

    file: str
    document: int
    path: Path
    inside: Path = ()
    line: int
    role: Role
    value: str
    template: str
    shape: str
    subject: str = ""
    moving: bool = False

    @property
    def where(self) -> str:
        """The path as people read it: `spec.source.helm.values | global.imageTag`."""
        parts = [".".join(str(step) for step in steps) for steps in (self.path, self.inside) if steps]
        return " | ".join(parts)

    @property
    def names(self) -> Mapping[str, str]:
        """What the value says of the release: any of `version`, `commit`, `digest`."""
        return {} if self.moving else templates.match(self.template, self.value) or {}


class PinFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with its places. `applications` are the Argo CD Applications they stand in, parsed."""

    file: str
    content: bytes
    places: tuple[PinPlace, ...]
    applications: tuple[dict[str, object], ...] = ()

    @property
    def application(self) -> dict[str, object] | None:
        """The first Application, from which chart, revision, values and parameters are rendered."""
        return self.applications[0] if self.applications else None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What every shape needs to know while it looks for its places."""

    file: str
    settings: Settings
    environment: Environment | None = None

    def place(
        self,
        document: int,
        scalar: Scalar,
        role: Role,
        shape: str,
        *,
        template: str | None = None,
        subject: str = "",
        block: Scalar | None = None,
    ) -> PinPlace:
        """A place at a scalar; `block` is the scalar whose text it stands in. Stop where that is quoted."""
        if block is not None and block.style != "|":
            raise Stop(
                "ambiguous-pin",
                f"{self.file} pins {self.settings.app} inside quoted or folded text.",
                "A value in it cannot be changed without touching the rest.",
                "Write the text as a block with |, or as a mapping (helm.valuesObject).",
                file=self.file,
                line=block.line,
            )
        guessed = templates.guess(scalar.value, role, self.settings) if template is None else template
        return PinPlace(
            file=self.file,
            document=document,
            path=block.path if block else scalar.path,
            inside=scalar.path if block else (),
            line=block.line + scalar.line if block else scalar.line,
            role=role,
            value=scalar.value,
            template=guessed,
            shape=shape,
            subject=subject,
            moving=not guessed or templates.match(guessed, scalar.value) is None,
        )


def text_at(node: Node, *path: str | int) -> str:
    """The scalar at a path as text, or nothing."""
    found = yaml_edit.find(node, path)
    return found.value if found else ""


def items_at(node: Node, *path: str | int) -> Sequence[Node]:
    """The elements of the list at a path, or nothing."""
    found = yaml_edit.resolve(node, path)
    return found[1].value if found and isinstance(found[1], SequenceNode) else ()
