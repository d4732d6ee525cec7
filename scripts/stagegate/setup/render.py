"""Files from templates. Every name is somebody else's text, so it is written as a YAML scalar."""

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
    """The text of `templates/<template>`; a name that nobody gave is an error."""
    return _environment().get_template(template).render(**values)


def scalar(text: object) -> str:
    """A text as a YAML scalar, also inside brackets; in quotes where YAML would read it as something else."""
    plain = str(text)
    if _PLAIN.fullmatch(plain) and not plain.endswith(":") and ": " not in plain:
        try:
            if yaml.safe_load(plain) == plain:
                return plain
        except (yaml.YAMLError, ValueError):
            pass
    return json.dumps(plain, ensure_ascii=False)


def pin(value: str | PinSettings) -> str:
    """A pin as `pins:` lists it, in the short form where the file is enough."""
    if isinstance(value, str):
        return scalar(value)
    parts = [f"file: {scalar(value.file)}"]
    if value.path:
        parts.append(f"path: {scalar(value.path)}")
    if value.pattern:
        parts.append(f"pattern: {scalar(value.pattern)}")
    if value.add:
        parts.append("add: true")
    if value.value != "{version}":
        parts.append(f"value: {scalar(value.value)}")
    return "{" + ", ".join(parts) + "}"


def version_file(value: str | VersionFile) -> str:
    """A version file as `version.files` lists it."""
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
