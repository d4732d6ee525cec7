"""The values that scenarios may put into a request: the job's variables, captured values, the version. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from stagegate.errors import Stop
from stagegate.patterns import pattern
from stagegate.runner.variables import is_open

_VARIABLE = pattern(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CAPTURED = pattern(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Variables of this step and of the runner, because our inputs have the App's key and the tokens.
_RESERVED = pattern(r"(?i)(SG|ACTIONS|GITHUB|RUNNER|STAGEGATE|INPUT)_.*")


def variables(value: Any) -> Iterator[str]:
    """Names of the `${NAME}` in a text, or anywhere in a JSON value."""
    return _names(_VARIABLE, value)


def captured(value: Any) -> Iterator[str]:
    """Names of the `{name}` in a text, or anywhere in a JSON value."""
    return _names(_CAPTURED, value)


def _names(form: re.Pattern[str], value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from form.findall(value)
    elif isinstance(value, Mapping):
        for item in (*value.keys(), *value.values()):
            yield from _names(form, item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(form, item)


def fill(value: Any, environ: Mapping[str, str], captured: Mapping[str, str]) -> Any:
    """The value with every `${NAME}` and every known `{name}` replaced; other braces stay.

    One pass, so that a value which looks like a placeholder is not filled in again.
    """
    if isinstance(value, str):
        placeholder = re.compile(f"{_VARIABLE.pattern}|{_CAPTURED.pattern}")
        return placeholder.sub(lambda m: environ[m[1]] if m[1] else captured.get(m[2], m[0]), value)
    if isinstance(value, Mapping):
        return {fill(key, environ, captured): fill(item, environ, captured) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, environ, captured) for item in value]
    return value


def refused(names: Iterable[str], listed: Collection[str] | None) -> Iterator[str]:
    """A sentence for each variable that a scenario file may not use.

    `listed` are the names of `gate.variables`, None where the policy is not known; reserved names are refused
    even there.
    """
    for name in sorted(set(names)):
        if _RESERVED.fullmatch(name):
            yield (
                f"${{{name}}} belongs to stagegate or to the runner, so no scenario may use this "
                "variable; use a variable with a different name"
            )
        elif listed is not None and name not in listed:
            line = ", ".join([*listed, name])
            yield (
                f"${{{name}}} is not among the variables that this gate may use; add `variables: [{line}]` to "
                "this environment's `gate`"
            )


def require(names: Iterator[str], environ: Mapping[str, str], file: str) -> None:
    """Stop(empty-secret) for the first variable that is missing or empty."""
    for name in names:
        if not environ.get(name, "").strip():
            raise Stop(
                "empty-secret",
                f"The variable {name} is empty, but {file} needs a value for it.",
                "The job does not name the GitHub `environment:` that contains the variable, the "
                "`env:` of the job does not map the variable, or a reusable workflow does not "
                "declare it.",
                f"Write `{name}: ${{{{ secrets.{name} }}}}` (or vars) under `env:` of a job with `environment:`.",
                file=file,
            )


def without_secrets(address: str, file: str) -> None:
    """Stop(wrong-source) when a part of an address is a variable that may be a secret."""
    for name in variables(address):
        if not is_open(name):
            raise Stop(
                "wrong-source",
                f"{file} uses {name} in an address.",
                "Servers and proxies write addresses to their logs, so a secret in an address would leak.",
                f"Send ${{{name}}} in a header or in the body.",
                file=file,
            )


def guard(url: str, allowed: frozenset[str], file: str) -> None:
    """Stop(wrong-source) unless secrets may go to the host of this URL.

    Scenario files come with the release, so whoever writes one could send the environment's secrets anywhere;
    the list belongs to the GitHub Environment, which a pull request cannot change.
    """
    place = urlsplit(url)
    host = (place.hostname or "").lower()
    port = place.port or (443 if place.scheme == "https" else 80)
    if host in allowed or f"{host}:{port}" in allowed:
        return
    listed = ", ".join(sorted(allowed)) or "nothing"
    raise Stop(
        "wrong-source",
        f"{file} would send secrets to {host}:{port}.",
        f"The variable STAGEGATE_HOSTS lists {listed}.",
        "If the host is right, add it to STAGEGATE_HOSTS, a variable of the GitHub Environment, and map it under "
        "`env:` of the job.",
        file=file,
    )
