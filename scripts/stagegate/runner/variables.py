"""The environment variables `STAGEGATE_*` that tune stagegate, each parsed only here."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from stagegate.errors import Stop
from stagegate.patterns import pattern

WRITE_PACE, RETRY_PACE, HOSTS = "STAGEGATE_WRITE_PACE", "STAGEGATE_RETRY_PACE", "STAGEGATE_HOSTS"
CACHE = "STAGEGATE_CACHE"
VARIABLES = "STAGEGATE_VARIABLES"
# Names of values that are no secrets: hiding a user called `shop` would hide that word in every text.
_OPEN = pattern(r"(?i)(^|_)(user|username|login|email|url|host|port|name|tenant|region|environment)$")
_LINE = pattern(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def write_pace(environ: Mapping[str, str] = os.environ) -> float:
    """Least seconds between two writes to GitHub. Default: 1, which GitHub recommends. Stop(bad-input)."""
    return _seconds(WRITE_PACE, 1.0, environ)


def retry_pace(environ: Mapping[str, str] = os.environ) -> float:
    """Seconds before the first retry of a request; each further one waits twice as long. Stop(bad-input)."""
    return _seconds(RETRY_PACE, 0.5, environ)


def cache(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that jobs share on purpose; None where nobody asked for one."""
    folder = Path(environ.get(CACHE, ""))
    return folder if folder.is_absolute() else None


def hosts(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Hosts that may receive secrets, separated by commas or spaces. One with a port means only that port."""
    return frozenset(host.lower() for host in re.split(r"[\s,]+", environ.get(HOSTS, "")) if host)


def given(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of the one secret STAGEGATE_VARIABLES: lines `NAME=value`, the value as it is written.

    Empty lines and lines that begin with `#` are skipped. Stop(bad-input) for another line, which is not shown.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(environ.get(VARIABLES, "").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise Stop(
                "bad-input",
                f"Line {number} of {VARIABLES} is not a variable.",
                "Each line must be NAME=value. The message does not show the line, because the "
                "line may contain a secret.",
                "Correct the secret in the GitHub Environment. Store a value of several lines in a "
                "separate secret.",
            )
        values[match[1]] = match[2].rstrip()
    return values


def for_tests(allowed: Collection[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of a gate's tests: the job's own, and from STAGEGATE_VARIABLES the `allowed` ones that the job
    leaves empty. The secret itself is not among them."""
    lines = {name: value for name, value in given(environ).items() if name in allowed}
    own = {
        name: value for name, value in environ.items() if name != VARIABLES and (value or name not in lines)
    }
    return {**lines, **own}


def is_open(name: str) -> bool:
    """Whether a variable of this name has a value that need not be hidden in what stagegate writes."""
    return _OPEN.search(name) is not None


def _seconds(name: str, default: float, environ: Mapping[str, str]) -> float:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise Stop(
            "bad-input",
            f"The variable {name} is {text[:40]!r}.",
            "The variable must be a number of seconds, such as 0.5.",
            "Correct the variable, or remove it.",
        )
    return value
