"""Inputs of an action: action.yml maps input `a-b` to the variable `SG_A_B`, by hand it is the flag `--a-b`.

Flag wins over variable wins over default; an empty value counts as not given. (Composite actions get no
`INPUT_*` from GitHub: https://github.com/actions/runner/issues/665, hence names of our own.)
"""

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from stagegate.errors import Stop
from stagegate.runner import log, variables

# Inputs that may also be a line of the secret STAGEGATE_VARIABLES, by the name of the input in capitals.
LINES = ("argocd-server", "argocd-token")
SECRETS = ("token", "pins-token", "app-key", "registry-password", "argocd-token", "argocd-headers")


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What every action takes. Subclasses add their own fields; a field's name is the input's, with `_`."""

    config: str = "stagegate.yaml"
    token: str = ""
    dry_run: bool = False
    report: str = ""


class TwoRepositoryInputs(Inputs, frozen=True, kw_only=True):
    """What every action takes that also connects to the pins repository, perhaps as a GitHub App."""

    pins_token: str = ""
    app_id: str = ""
    app_key: str = ""


class PinsInputs(TwoRepositoryInputs, frozen=True, kw_only=True):
    """What every action takes that connects to both repositories and to the registry."""

    registry_username: str = ""
    registry_password: str = ""


class ClusterInputs(PinsInputs, frozen=True, kw_only=True):
    """What every action takes that may also ask an Argo CD."""

    argocd_server: str = ""
    argocd_token: str = ""
    argocd_headers: str = ""
    argocd_ca: str = ""


I = TypeVar("I", bound=Inputs)  # noqa: E741


def option(field: str) -> str:
    """`dry_run` -> `dry-run`, the spelling people see."""
    return field.rstrip("_").replace("_", "-")


def variable(field: str) -> str:
    """`dry_run` -> `SG_DRY_RUN`, the spelling action.yml uses."""
    return "SG_" + field.rstrip("_").upper()


def load(kind: type[I], argv: Sequence[str], environ: Mapping[str, str]) -> I:
    """Inputs of one action from flags and variables, typed and with secrets masked. Stop(bad-input)."""
    fields = {f.name: f for f in msgspec.structs.fields(kind)}
    types_of = typing.get_type_hints(kind)
    lines = variables.given(environ)
    log.mask(*(value for name, value in lines.items() if not variables.is_open(name)))
    log.mask_in_log(*lines.values())
    given = {name: environ.get(variable(name), "") or _line(name, lines) for name in fields}
    _mask(given)
    given |= {name: text for name, text in _flags(argv, types_of).items() if text.strip()}
    _mask(given)
    values = {name: _typed(name, text, types_of[name]) for name, text in given.items() if text.strip()}
    missing = [n for n, f in fields.items() if f.required and n not in values]
    if missing:
        names = ", ".join(option(name) for name in missing)
        raise Stop(
            "bad-input",
            f"Input missing: {names}.",
            "The action cannot run without this input.",
            f"Set the input under `with:` (or as --{option(missing[0])} by hand).",
        )
    return kind(**values)


def _line(field: str, lines: Mapping[str, str]) -> str:
    return lines.get(field.upper(), "") if option(field) in LINES else ""


def _mask(given: Mapping[str, str]) -> None:
    log.mask(*(text for name, text in given.items() if option(name) in SECRETS))


def _flags(argv: Sequence[str], types_of: Mapping[str, Any]) -> dict[str, str]:
    values: dict[str, str] = {}
    fields = {f"--{option(field)}": field for field in types_of}
    remaining = list(argv)
    while remaining:
        word = remaining.pop(0)
        name, equals, value = word.partition("=")
        if name not in fields:
            # What follows `=` is not shown: behind a mistyped --token= stands a token that nobody masked.
            flags = " ".join(fields)
            raise Stop("bad-input", f"Unknown argument {name!r}.", f"The flags are: {flags}.", "Correct it.")
        field = fields[name]
        if not equals:
            lonely = not remaining or remaining[0].startswith("--")
            is_switch = types_of[field] is bool and lonely
            if lonely and not is_switch:
                raise Stop(
                    "bad-input",
                    f"{name} needs a value.",
                    "No value follows the flag.",
                    f"Write {name}=VALUE.",
                )
            value = "true" if is_switch else remaining.pop(0)
        several = get_origin(types_of[field]) is tuple and field in values
        values[field] = f"{values[field]}\n{value}" if several else value
    return values


def _typed(name: str, text: str, kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(k for k in get_args(kind) if k is not type(None))
    if get_origin(kind) is Literal:
        return _one_of(name, text.strip(), get_args(kind))
    if kind is bool:
        return _one_of(name, text.strip().lower(), ("true", "false")) == "true"
    if kind is int:
        if not text.strip().isdecimal() or len(text.strip()) > 18:
            raise Stop(
                "bad-input",
                f"{option(name)} is {text[:40]!r}.",
                "The value must be a whole number.",
                "Correct it.",
            )
        return int(text)
    if get_origin(kind) is tuple:
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    # A password may begin with a blank; a line end only came along when it was pasted.
    return text.strip("\r\n") if option(name) in SECRETS else text.strip()


def _one_of(name: str, text: str, allowed: Sequence[str]) -> str:
    if text in allowed:
        return text
    choice = ", ".join(str(word) for word in allowed)
    raise Stop(
        "bad-input", f"{option(name)} is {text!r}.", f"The value must be one of: {choice}.", "Correct it."
    )
