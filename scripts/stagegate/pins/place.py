"""What a pin is once it has been read: the places in one file that name a release."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import settings_line, templates, text_pattern
from stagegate.settings import Environment, PinSettings, Settings
from stagegate.yaml_edit import Path, Scalar
from stagegate.yaml_nodes import STRING

Role = Literal["chart-version", "chart-digest", "image-tag", "image-digest", "git-revision", "custom"]


class PinPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One scalar that names a release.

    `path` leads to it in document number `document` (counted from 0); where the scalar stands in YAML text inside
    another scalar, `path` leads to that one and `inside` on from there. A place of a `pattern` has neither: it is
    the characters `start` to `end` of the text. `line` counts from 1. `template` is how it is written, such as
    `v{version}`; `moving` when it names no exact release (a range, a branch, a floating tag), and then `cure` says
    what to do where that is special, or `variant` is the template if its last part is a variant of the image.
    `subject` is the image or chart that `{digest}` stands for, empty where the release's only artifact is meant.
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
    cure: str = ""
    variant: str = ""
    span: tuple[int, int] = (0, 0)

    @property
    def where(self) -> str:
        """The path as people read it: `spec.source.helm.values | global.imageTag`."""
        parts = [".".join(str(step) for step in steps) for steps in (self.path, self.inside) if steps]
        return " | ".join(parts) or f"line {self.line}"

    @property
    def names(self) -> Mapping[str, str]:
        """The parts of the release that the value names: any of `version`, `commit`, `digest`."""
        return {} if self.moving else templates.match(self.template, self.value) or {}

    def below(self, base: Path) -> PinPlace:
        """The same place, relative to a node that contains this one at `base`."""
        return msgspec.structs.replace(self, path=(*base, *self.path)) if base else self


class PinFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with its places. `applications` are the Argo CD Applications they stand in, in plain types."""

    file: str
    content: bytes
    places: tuple[PinPlace, ...]
    applications: tuple[dict[str, Any], ...] = ()


def together(pin_files: Sequence[PinFile]) -> PinFile:
    """Several pins of one file as one, so that it is read and edited once."""
    first = pin_files[0]
    places = {(p.document, p.path, p.inside, p.span): p for one in pin_files for p in one.places}
    applications = [made for one in pin_files for made in one.applications]
    unique = [made for n, made in enumerate(applications) if made not in applications[:n]]
    return msgspec.structs.replace(first, places=tuple(places.values()), applications=tuple(unique))


class ShapeContext(msgspec.Struct, frozen=True, kw_only=True):
    """The context of a shape while it finds its places.

    `aliases`: names below which an umbrella chart has the values of our chart; `umbrella`: the file is known to be
    such a chart's. `content`: the whole file, for what
    stands in comments.
    """

    file: str
    settings: Settings
    environment: Environment | None = None
    aliases: tuple[str, ...] = ()
    umbrella: bool = False
    content: bytes = b""

    def way_to_name(self, names: Sequence[str]) -> str:
        """A sentence with the setting that makes one of these Applications the environment's, where one is free.

        An Application belongs to another environment when that one names it, or when it has that one's name in its
        own. The one with this environment's name comes first.
        """
        if self.environment is None:
            return ""
        own = self.environment.name
        named = self.environment.argo.application_names  # others must not take their place by a guess
        names = [name for name in names if own in name] if named else names
        others = [other for other in self.settings.environments if other.name != own]
        taken = {name for other in others for name in other.argo.application_names}
        free = [
            name
            for name in names
            if name
            and "{{" not in name
            and name not in taken
            and (own in name or not any(other.name in name for other in others))
        ]
        chosen = next((name for name in free if own in name), free[0] if free else "")
        if not chosen:
            return ""
        setting = f"`argocd: {{applications: [{chosen}]}}`"
        return f"If {chosen} is the Application of {own}, add {setting} to {own} in the settings."

    def elsewhere(self, key: str) -> str:
        """A sentence that names the pin of a value that a template reads: in this file where it has such a line."""
        line, cure = text_pattern.proposal(self.content, self.file, self.settings, like=f"{key}: {{version}}")
        if cure:
            return f"If the version is in line {line}, name this place as the pin: {cure}."
        return f"Name the file and the key of the value as the pin: {{file: ..., path: {key or 'version'}}}."

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
        """A place at a scalar; `block` is the scalar whose text it stands in.

        Stop(ambiguous-pin) where that text is quoted, and where Argo CD does not read the scalar as text.
        """
        line = block.line + scalar.line if block else scalar.line
        if block is not None and block.style != "|":
            raise Stop(
                "ambiguous-pin",
                f"The version of {self.settings.app} in {self.file} is inside quoted or folded text.",
                "stagegate cannot change one value of such a text without changing the rest.",
                "Write the text as a literal block with |, or as a mapping (helm.valuesObject).",
                file=self.file,
                line=block.line,
            )
        guessed = templates.guess(scalar.value, role, self.settings) if template is None else template
        moving = not guessed or templates.match(guessed, scalar.value) is None
        variant = templates.variant(scalar.value) if moving and role == "image-tag" else ""
        cure = ""
        if moving and re.search(r"\{\{|\$[({]", scalar.value):
            key = re.sub(r"\W+", ".", scalar.value).strip(".").rpartition(".")[2]
            cure = (
                "The value is a template expression, so the version itself is in another place. "
                f"{self.elsewhere(key)}"
            )
        if template is not None and (flavour := templates.swallowed(template, scalar.value)):
            whole = PinSettings(
                file=self.file,
                path=yaml_edit.written_path(scalar.path),
                value=templates.with_flavour(template, flavour),
            )
            raise flavoured(
                self.file,
                scalar.value,
                template,
                flavour,
                "" if block else settings_line.written(whole),
                line,
            )
        if scalar.tag != STRING and scalar.style is None:
            kind = scalar.tag.rpartition(":")[2]
            cure = f"Argo CD reads the value without quotes as {kind}. Write an exact version, in quotes."
            if not moving:
                raise Stop(
                    "ambiguous-pin",
                    f"{self.file} has {scalar.value} without quotes at {yaml_edit.written_path(scalar.path)}.",
                    f"YAML reads the value as {kind} and not as text, so a different value may "
                    "reach the cluster.",
                    f'Write the value in quotes: "{scalar.value}".',
                    file=self.file,
                    line=line,
                )
        return PinPlace(
            file=self.file,
            document=document,
            path=block.path if block else scalar.path,
            inside=scalar.path if block else (),
            line=line,
            role=role,
            value=scalar.value,
            template=guessed,
            shape=shape,
            subject=subject,
            moving=moving,
            cure=cure,
            variant="" if cure else variant,
        )


def flavoured(file: str, value: str, template: str, flavour: str, cure: str, line: int) -> Stop:
    """Stop(ambiguous-pin) for a template that would take the flavour of an image for a pre-release.

    `cure` is a settings line that keeps it, where one was tried.
    """
    return Stop(
        "ambiguous-pin",
        f"{file} names the tag {value!r}, whose end {flavour} is a variant of the image.",
        f"With {template} the next release would lose the variant.",
        "Add the variant to the form of tags in the settings: "
        f"{cure or templates.with_flavour(template, flavour)}.",
        file=file,
        line=line,
    )
