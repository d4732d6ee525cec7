"""Renders templates of setup. Every name is untrusted text, so it is written as a YAML scalar."""

from __future__ import annotations

import json
import re
import shlex
from functools import lru_cache
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stagegate.settings import PinSettings, VersionFile

TEMPLATES = Path(__file__).parent / "templates"
_PLAIN = re.compile(r"[A-Za-z0-9_./$][A-Za-z0-9_./@:$+-]*")


def render(template: str, **values: object) -> str:
    """The text of `templates/<template>`; an undefined name is an error."""
    return _environment().get_template(template).render(**values)


def scalar(text: object) -> str:
    """A text as a YAML scalar, also inside brackets; quoted if YAML would read it as another value."""
    plain = str(text)
    if _PLAIN.fullmatch(plain) and not plain.endswith(":") and ": " not in plain:
        try:
            if yaml.safe_load(plain) == plain:
                return plain
        except (yaml.YAMLError, ValueError):
            pass
    return json.dumps(plain, ensure_ascii=False)


def pin(value: str | PinSettings) -> str:
    """A pin for the list `pins:`, in the short form if the file is enough."""
    if isinstance(value, str):
        return scalar(value)
    fields = [f"file: {scalar(value.file)}"]
    if value.path:
        fields.append(f"path: {scalar(value.path)}")
    if value.pattern:
        fields.append(f"pattern: {scalar(value.pattern)}")
    if value.add:
        fields.append("add: true")
    if value.value != "{version}":
        fields.append(f"value: {scalar(value.value)}")
    return "{" + ", ".join(fields) + "}"


def version_file(value: str | VersionFile) -> str:
    """A version file for the list `version.files`."""
    if isinstance(value, str):
        return scalar(value)
    more = f", path: {scalar(value.path)}" if value.path else ""
    more += f", pattern: {scalar(value.pattern)}" if value.pattern else ""
    return f"{{file: {scalar(value.file)}{more}}}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  YAML, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "scalar": scalar,
        "pin": pin,
        "version_file": version_file,
        "shell": lambda text: shlex.quote(str(text)),
    }
    return environment
