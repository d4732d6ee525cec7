"""Scenario files: their types, and reading one. The published JSON Schema comes from these types.

A file never contains an address or a secret of its own: `${NAME}` is the job's environment variable of that
name, if the policy lists it in `gate.variables`; `{version}` the release's version,
`{token}` a value captured by `login`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

import msgspec

from stagegate import declared
from stagegate.errors import Stop
from stagegate.gate import placeholders
from stagegate.runner.context import Context
from stagegate.settings import Settings

Wait = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(ms|s|m)$", examples=["500ms", "10s", "2m"])]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Text = dict[str, str]
_NAMES = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)  # keys below keys: right in any case
EXPRESSION_LIMIT = 500  # characters of one JMESPath expression


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Kebab-case keys, unknown keys refused."""


class Request(_Part, frozen=True, kw_only=True):
    """One HTTP request. `path` is below `base-url`; `json` and `body` exclude each other."""

    method: Method = "GET"
    path: Annotated[str, msgspec.Meta(pattern="^/")]
    query: Text = {}
    headers: Text = {}
    json: Any = msgspec.UNSET
    body: str = ""
    redirects: bool = False


class Expect(_Part, frozen=True, kw_only=True):
    """What the response must be: status (one, or any of a list), JMESPath expression -> value, headers, a text the
    body contains, and how long it may take."""

    status: int | tuple[int, ...] = 200
    json: dict[str, Any] = {}
    headers: Text = {}
    contains: str = ""
    within: Wait = ""


class Retry(_Part, frozen=True, kw_only=True):
    """Try again for a while; without it a check has one try. Only for requests that may be repeated."""

    for_: Wait = msgspec.field(name="for")
    every: Wait = "500ms"


class Login(_Part, frozen=True, kw_only=True):
    """The request before all checks; `capture` keeps values of its response (name -> JMESPath) as secrets."""

    request: Request
    expect: Expect = Expect()
    capture: Text = {}
    retry: Retry | None = None


class ScenarioCheck(_Part, frozen=True, kw_only=True):
    """One check. One that is not required is reported and decides nothing."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    request: Request
    expect: Expect = Expect()
    retry: Retry | None = None
    required: bool = True


class Scenarios(_Part, frozen=True, kw_only=True):
    """A scenario file."""

    base_url: Annotated[str, msgspec.Meta(pattern=r"^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|https?://).*")]
    timeout: Wait = "10s"
    login: Login | None = None
    checks: tuple[ScenarioCheck, ...]

    @property
    def asks_version(self) -> bool:
        """Whether some check compares a response with the release's version."""
        return any(_asks_version(check) for check in self.checks)

    def of_version(self) -> Scenarios:
        """Only the checks that compare a response with the release's version, all of them required; the login where
        one of them uses what it captures."""
        selected = tuple(
            msgspec.structs.replace(check, required=True) for check in self.checks if _asks_version(check)
        )
        captured = set(self.login.capture) if self.login else set()
        used = {name for check in selected for name in placeholders.captured(msgspec.to_builtins(check))}
        return msgspec.structs.replace(self, checks=selected, login=self.login if used & captured else None)


def _asks_version(check: ScenarioCheck) -> bool:
    return "{version}" in str(check.expect.json) + check.expect.contains


def wait_seconds(text: str) -> float:
    """Seconds of `500ms`, `10s` or `2m`; the pattern of `Wait` has been checked."""
    if text.endswith("ms"):
        return int(text[:-2]) / 1000
    return float(int(text[:-1]) * (60 if text.endswith("m") else 1))


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, as published in `docs/scenarios.schema.json`."""
    document = msgspec.json.schema(Scenarios)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stagegate scenarios",
        **document,
    }


def parse(content: bytes, file: str, variables: Collection[str] | None = None) -> Scenarios:
    """Scenarios from a file's bytes. Stop(bad-settings) lists every mistake with its line.

    `variables` are the names that the environment's policy allows; None where no policy is at hand.
    """
    scenarios = declared.read(content, file, Scenarios, schema, "docs/scenarios.schema.json")
    used = set(placeholders.variables(msgspec.to_builtins(scenarios)))
    mistakes = [(_line(content, text), text) for text in placeholders.refused(used, variables)]
    mistakes += [(1, text) for text in _contradictions(scenarios)]
    if mistakes:
        raise declared.bad(file, mistakes, "docs/scenarios.schema.json")
    return scenarios


def check_files(settings: Settings, context: Context) -> None:
    """Read every scenario file of the work tree as the gate does. Stop when the gate would refuse one."""
    for environment in settings.environments:
        file = environment.gate.scenarios
        path = context.inside(file, what="gate.scenarios") if file else None
        if path is not None and path.is_file():
            parse(path.read_bytes(), file, environment.gate.variables)


def _line(content: bytes, mistake: str) -> int:
    """The first line that has the variable which a mistake begins with."""
    name = mistake.partition("}")[0].encode()
    return next((n for n, line in enumerate(content.splitlines(), 1) if name in line), 1)


def _contradictions(scenarios: Scenarios) -> Iterator[str]:
    """Mistakes that types cannot express."""
    names = [check.name for check in scenarios.checks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two checks are named {name!r}"
    parts: list[tuple[str, Request, Expect]] = [(c.name, c.request, c.expect) for c in scenarios.checks]
    if scenarios.login:
        parts.append(("login", scenarios.login.request, scenarios.login.expect))
    for name, request, expect in parts:
        if request.json is not msgspec.UNSET and request.body:
            yield f"{name}: a request may have `json` or `body`, but not both"
        for expression in expect.json:
            if wrong := _not_jmespath(expression):
                yield f"{name}: {expression[:80]!r} is not JMESPath ({wrong})"
    for name, expression in (scenarios.login.capture if scenarios.login else {}).items():
        if wrong := _not_jmespath(expression):
            yield f"login captures {name}: {expression[:80]!r} is not JMESPath ({wrong})"
        if name == "version":
            yield "`login` captures `version`, but this name is reserved for the version of the release"


def _not_jmespath(expression: str) -> str:
    if len(expression) > EXPRESSION_LIMIT:
        return f"it has {len(expression)} characters, and the limit is {EXPRESSION_LIMIT}"
    if _NAMES.fullmatch(expression):
        return ""
    import jmespath  # slow to load, and most files do not need it

    try:
        jmespath.compile(expression)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    return ""


def missing(file: str, commit: str) -> Stop:
    """The Stop for a scenario file that the release does not have."""
    return Stop(
        "missing-file",
        f"There is no {file} at commit {commit[:12]}.",
        "Scenarios belong to the release that they test, so the gate reads them at the commit of "
        "the release.",
        "Correct `gate.scenarios`, or commit the file and make a new release.",
        file=file,
    )
