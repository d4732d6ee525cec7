"""Everything that is printed goes through here: masked, and unable to speak to the runner by accident.

The runner reads workflow commands (`::error::`, `::add-mask::`) from standard output, so foreign text is
neutralised first. https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import quote

_COMMAND = re.compile(r"^(\s*)(::|##\[)", re.MULTILINE)
_HIDDEN = "***"
_secrets: set[str] = set()


def mask(*values: str) -> None:
    """Register secrets: the runner masks them in its log, and `redact` in everything we write ourselves.

    Each line of a multi-line secret and the derived forms (base64, URL-quoted) are masked too.
    Values shorter than 4 characters would hide half the log and are left alone.
    """
    for value in values:
        raw = value.strip()
        forms = {raw, *raw.splitlines()}
        forms |= {base64.b64encode(form.encode()).decode() for form in tuple(forms)} | {quote(raw, safe="")}
        for form in sorted(f.strip() for f in forms):
            if len(form) >= 4 and form not in _secrets:
                _secrets.add(form)
                if os.environ.get("GITHUB_ACTIONS") == "true":  # elsewhere the line itself would be the leak
                    print(f"::add-mask::{_data(form)}", flush=True)


def redact(text: str) -> str:
    """The text without any registered secret."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


def neutral(text: str) -> str:
    """Foreign text that cannot start a workflow command: a zero-width space breaks the leading marker."""
    return _COMMAND.sub("\\1\u200b\\2", text.replace("\r", ""))


def say(text: str) -> None:
    """Print a line of the story for a person."""
    print(neutral(redact(text)), flush=True)


def debug(text: str) -> None:
    """Print a line that GitHub shows only with debug logging on."""
    print(f"::debug::{_data(redact(text))}", flush=True)


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
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    print(f"::{level}{' ' + given if given else ''}::{_data(redact(text))}", flush=True)


@contextmanager
def group(title: str) -> Iterator[None]:
    """Fold what is printed inside, for the output of other programs."""
    print(f"::group::{_data(redact(title))}", flush=True)
    try:
        yield
    finally:
        print("::endgroup::", flush=True)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_stderr(text: str) -> None:
    """Print to standard error (tracebacks), redacted."""
    print(redact(text), file=sys.stderr, flush=True)
