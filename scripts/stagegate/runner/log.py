"""Prints all output: secrets are masked, and foreign text cannot be a workflow command.

The runner reads workflow commands (`::error::`, `::add-mask::`) from standard output, so foreign text is
neutralised first. https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TextIO

from stagegate.patterns import pattern

# The runner takes `::` after leading white space, and `##[` anywhere in a line (its ActionCommand.cs).
_COMMAND = pattern(r"^[^\S\n]*(?=::)|##(?=\[)", re.MULTILINE)
_HIDDEN = "***"
_secrets: set[str] = set()


def mask(*values: str) -> None:
    """Register secrets: the runner masks them in its log, and `redact` in everything we write ourselves.

    Each line of a multi-line secret and the derived forms (base64, URL-quoted, inside JSON) are masked too.
    Values shorter than 4 characters would hide half the log and are left alone.
    """
    for value in values:
        raw = value.strip()
        forms = _derived(raw) | {line.strip() for line in raw.splitlines()} if len(raw) >= 4 else set()
        for form in sorted(form for form in forms - _secrets if len(form) >= 4):
            _secrets.add(form)
            if os.environ.get("GITHUB_ACTIONS") == "true":  # elsewhere the line itself would be the leak
                _print(f"::add-mask::{_data(form)}")


def mask_in_log(*values: str) -> None:
    """Let the runner mask these values in its log. What stagegate writes elsewhere may contain them."""
    for value in dict.fromkeys(values):
        if len(value.strip()) >= 4 and os.environ.get("GITHUB_ACTIONS") == "true":
            _print(f"::add-mask::{_data(value.strip())}")


def _derived(secret: str) -> set[str]:
    """A secret as it may appear: itself, in an address, in a form, in JSON, in an Authorization header."""
    import base64  # none of these is needed where there is no secret
    import json
    from urllib.parse import quote, quote_plus

    raw = secret.encode("utf-8", "surrogateescape")
    encoded = base64.b64encode(raw).decode()
    urlsafe = base64.urlsafe_b64encode(raw).decode()
    quoted = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    inside_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, encoded, encoded.rstrip("="), urlsafe, urlsafe.rstrip("="), *quoted, *inside_json}


def redact(text: str) -> str:
    """The text without any registered secret."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


def neutral(text: str) -> str:
    """Foreign text that cannot start a workflow command: a zero-width space breaks its marker."""
    text = text.replace("\r", "")
    return _COMMAND.sub("\\g<0>\u200b", text) if "::" in text or "##[" in text else text


def say(text: str) -> None:
    """Print a line of the story for a person."""
    _print(neutral(redact(text)))


def debug(text: str) -> None:
    """Print a line that GitHub shows only with debug logging on."""
    _print(f"::debug::{_data(redact(text))}")


def annotate(
    level: Literal["error", "warning", "notice"],
    text: str,
    *,
    title: str = "",
    file: str | None = None,
    line: int | None = None,
) -> None:
    """Print one annotation, shown on the run and, with `file`, beside the line it is about."""
    properties = {"title": title, "file": file or "", "line": str(line or "")}
    attributes = ",".join(f"{key}={_property(redact(value))}" for key, value in properties.items() if value)
    _print(f"::{level}{' ' + attributes if attributes else ''}::{_data(redact(text))}")


@contextmanager
def group(title: str) -> Iterator[None]:
    """Fold what is printed inside, for the output of other programs."""
    _print(f"::group::{_data(redact(title))}")
    try:
        yield
    finally:
        _print("::endgroup::")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_stderr(text: str) -> None:
    """Print to standard error (tracebacks), where the runner looks for workflow commands as well."""
    _print(neutral(redact(text)), sys.stderr)


def _print(text: str, stream: TextIO | None = None) -> None:
    """One print for all: a character the stream cannot show must not end the step."""
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)
