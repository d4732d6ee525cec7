"""The environment variables `STAGEGATE_*` that tune stagegate, each parsed only here."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping

from stagegate.errors import Stop

WRITE_PACE, RETRY_PACE, HOSTS = "STAGEGATE_WRITE_PACE", "STAGEGATE_RETRY_PACE", "STAGEGATE_HOSTS"


def write_pace(environ: Mapping[str, str] = os.environ) -> float:
    """Least seconds between two writes to GitHub. Default: 1, which GitHub recommends. Stop(bad-input)."""
    return _seconds(WRITE_PACE, 1.0, environ)


def retry_pace(environ: Mapping[str, str] = os.environ) -> float:
    """Seconds before the first retry of a request; each further one waits twice as long. Stop(bad-input)."""
    return _seconds(RETRY_PACE, 0.5, environ)


def hosts(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Hosts that may receive secrets, separated by commas or spaces. One with a port means only that port."""
    return frozenset(host.lower() for host in re.split(r"[\s,]+", environ.get(HOSTS, "")) if host)


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
            "It must be a number of seconds, such as 0.5.",
            "Correct it or remove it.",
        )
    return value
