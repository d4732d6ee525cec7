"""Shared policy: one file that the settings of many apps extend. Pure.

Mappings merge, lists replace, and the app's own words win, except for the keys that the shared file locks. In the
shared file `{app}` is the app's name. An app without `environments` gets all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stagegate import declared, inside
from stagegate.errors import Stop
from stagegate.settings import contradictions
from stagegate.settings.app import Settings
from stagegate.settings.reading import schema

_OWN = ("app", "extends", "policy", "source")  # what only an app's own file can say
_EVERY = "*"  # stands for every environment of an app


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """A shared file as it was read: where it is (for messages), its content, the id of its blob."""

    place: str
    content: bytes
    blob: str


def address(extends: str) -> tuple[str, str]:
    """Repository (empty: the same one) and path that `extends` names."""
    repository, separator, path = extends.partition("//")
    return (repository, path) if separator else ("", extends)


def beside(root: Path, extends: str) -> Shared:
    """The shared file of a work tree. Stop(missing-file)."""
    file = inside.file(root, extends)
    if file is None:
        raise Stop(
            "missing-file",
            f"This repository has no file {extends}.",
            "The key `extends` of the settings names this file.",
            "Correct the path, or write owner/repository//path for a file in another repository.",
        )
    return Shared(place=extends, content=file.read_bytes(), blob="")


def extended(content: bytes, file: str, shared: Shared) -> Settings:
    """The settings of an app on top of its shared policy. Stop(bad-settings) names the file with the mistake."""
    own, policy = declared.mapping(content, file), declared.mapping(shared.content, shared.place)
    locked = policy.pop("locked", [])
    if not isinstance(locked, list) or not all(isinstance(key, str) for key in locked):
        raise _bad(
            shared.place, "`locked` must be a list of keys such as `commands` or `environments.prod.soak`"
        )
    if foreign := sorted(set(policy) & set(_OWN)):
        raise _bad(
            shared.place,
            f"{', '.join(foreign)} is not allowed in a shared policy, only in the settings of an app",
        )
    environments = policy.pop("environments", {})
    if not isinstance(environments, Mapping):
        raise _bad(
            shared.place,
            "in a shared policy, `environments` must be a mapping from the name of an environment "
            "(or `*`) to its shared settings",
        )
    _known(policy, environments, locked, shared.place)
    policy, environments = (_filled(one, str(own.get("app"))) for one in (policy, environments))
    merged = _merged(policy, own)
    listed = own.get("environments") or [{"name": name} for name in environments if name != _EVERY]
    merged["environments"] = [
        _merged(_merged(environments.get(_EVERY) or {}, environments.get(one.get("name")) or {}), one)
        for one in listed
        if isinstance(one, Mapping)
    ]
    broken = list(_loosened(own, policy, environments, locked))
    if broken:
        raise _bad(
            file,
            f"{', '.join(broken)} is locked by {shared.place}; remove the key here, or change it in that file",
        )
    try:
        settings = msgspec.convert(merged, Settings)
    except msgspec.ValidationError as error:
        raise _bad(f"{file} with {shared.place}", str(error)) from error
    if contradicting := list(contradictions.find(settings)):
        raise _bad(f"{file} with {shared.place}", "; ".join(text for _, text in contradicting))
    return settings


def _filled(value: Any, app: str) -> Any:
    """A value of the shared file with `{app}` replaced, at every depth."""
    if isinstance(value, str):
        return value.replace("{app}", app)
    if isinstance(value, Mapping):
        return {key: _filled(one, app) for key, one in value.items()}
    return [_filled(one, app) for one in value] if isinstance(value, list) else value


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings, at every depth; what `above` says wins, and a list of it replaces one of `below`."""
    joined = dict(below)
    for key, value in above.items():
        old = joined.get(key)
        joined[key] = (
            _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return joined


def _loosened(
    own: Mapping[str, Any], policy: Mapping[str, Any], environments: Mapping[str, Any], locked: list[str]
) -> Iterator[str]:
    """Locked keys to which an app gives another value. A list may only grow."""
    for key in locked:
        words = key.split(".")
        if words[0] != "environments":
            yield from _changed(policy, own, words, key)
            continue
        for one in own.get("environments") or ():
            name = one.get("name") if isinstance(one, Mapping) else None
            if len(words) > 2 and name is not None and words[1] in (name, _EVERY):
                shared = _merged(environments.get(_EVERY) or {}, environments.get(name) or {})
                yield from _changed(shared, one, words[2:], f"environments.{name}.{'.'.join(words[2:])}")


def _changed(shared: Any, own: Any, words: list[str], name: str) -> Iterator[str]:
    for word in words:
        if not isinstance(own, Mapping) or word not in own:
            return
        own = own[word]
        shared = shared.get(word) if isinstance(shared, Mapping) else None
    if isinstance(shared, Mapping) and isinstance(own, Mapping):
        for key in own:
            yield from _changed(shared, own, [key], f"{name}.{key}")
    elif isinstance(shared, list) and isinstance(own, list):
        if not all(item in own for item in shared):
            yield name
    elif own != shared:
        yield name


def _known(policy: Mapping[str, Any], environments: Mapping[str, Any], locked: list[str], place: str) -> None:
    """Stop(bad-settings) for a key of the shared file that no settings have: it would never do anything."""
    document = schema()["$defs"]
    top, below = document["Settings"]["properties"], document["Environment"]["properties"]
    for key in (*policy, *(word.split(".")[0] for word in locked)):
        _demand(key, top, place)
    for one in environments.values():
        for key in one or ():
            _demand(key, below, place)
    for word in locked:
        words = word.split(".")
        if words[0] == "environments":
            if len(words) < 3:
                raise _bad(
                    place,
                    f"`locked` contains {word}, but must contain a key of an environment, such as "
                    "environments.prod.soak",
                )
            _demand(words[2], below, place)


def _demand(key: str, known: Mapping[str, Any], place: str) -> None:
    if key not in known:
        import difflib  # only for the message

        near = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}" if near else f"the known keys are {', '.join(sorted(known))}"
        raise _bad(place, f"unknown key {key!r}, {hint}")


def _bad(place: str, mistake: str) -> Stop:
    return Stop(
        "bad-settings",
        f"{place} is not valid.",
        f"The shared policy has a mistake: {mistake}.",
        "Correct the shared policy; docs/shared-policy.md explains its keys.",
    )
