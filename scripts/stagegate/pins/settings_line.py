"""A pin as one line of the settings, for messages: `{file: a.yaml, path: image.tag, value: "v{version}"}`."""

from __future__ import annotations

import json
import re

from stagegate.settings import PinSettings

_PLAIN = re.compile(r"[A-Za-z0-9_./$-]*[A-Za-z0-9_/$-]")
_NO_TEXT = re.compile(r"(?i)(?:y|n|yes|no|on|off|true|false|null)|[-+.\d][\d_.eE+-]*")


def written(pin: PinSettings) -> str:
    """The pin as an element of `pins`, with quotes where YAML needs them."""
    parts = [f"file: {_scalar(pin.file)}"]
    if pin.path:
        parts.append(f"path: {_scalar(pin.path)}")
    if pin.pattern:
        parts.append(f"pattern: {_quoted(pin.pattern)}")
    elif pin.value != "{version}":
        parts.append(f"value: {json.dumps(pin.value, ensure_ascii=False)}")
    return f"{{{', '.join(parts)}}}"


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and not _NO_TEXT.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    """In single quotes, which keep quotes and backslashes readable; in double quotes where lines break."""
    if re.search(r"[\x00-\x1f\x7f-\x9f\ufeff]", text):
        return json.dumps(text)
    return "'" + text.replace("'", "''") + "'"
