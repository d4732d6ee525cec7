"""Finds the workflow files that an event starts, by GitHub's rules for `on:`; act ignores the filters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from lab import github_yaml
from lab.forge import Event

DEFAULT_TYPES = {
    "pull_request": {"opened", "synchronize", "reopened"},
    "pull_request_target": {"opened", "synchronize", "reopened"},
}
# These run the default branch's file, whatever the event is about.
FROM_DEFAULT_BRANCH = {
    "issue_comment",
    "pull_request_target",
    "repository_dispatch",
    "schedule",
    "workflow_run",
    "pull_request_review_default",
}


def happenings(event: Event) -> tuple[Event, ...]:
    """The triggers of an event: `pull_request` is also `pull_request_target`, which [skip ci] does not stop."""
    if event.name != "pull_request":
        return (event,)
    swallowed = event.swallowed and event.reason.startswith("caused by")
    return event, replace(event, name="pull_request_target", swallowed=swallowed)


def started(event: Event, files: Mapping[str, str]) -> list[str]:
    """Names of the workflow files (of the right ref) that this event starts, sorted."""
    return sorted(name for name, text in files.items() if _starts(event, name, text))


def _starts(event: Event, name: str, text: str) -> bool:
    on = _events(text)
    filters: Mapping[str, Any] = dict.fromkeys([on] if isinstance(on, str) else on)
    if isinstance(on, dict):
        filters = on
    if event.name not in filters:
        return False
    rules: Mapping[str, Any] = filters[event.name] or {}
    if event.name == "workflow_dispatch":
        return str(event.payload.get("workflow", "")).endswith(f"/{name}")
    if event.name == "workflow_run":
        run = event.payload.get("workflow_run")
        return isinstance(run, dict) and run.get("name") in rules.get("workflows", [])
    if event.name == "push":
        return _push(event, rules)
    types = rules.get("types") or DEFAULT_TYPES.get(event.name) or {event.action}
    return event.action in types and _branches(event, rules)


@lru_cache(maxsize=256)
def _events(text: str) -> Any:
    """The content of `on:` in a workflow file."""
    return github_yaml.load(text).get("on")


def _push(event: Event, rules: Mapping[str, Any]) -> bool:
    if event.ref.startswith("refs/tags/"):
        return matches(event.ref[10:], rules.get("tags", ())) or not (rules.keys() & {"branches", "tags"})
    if "tags" in rules and "branches" not in rules:
        return False
    if "branches" in rules and not matches(event.ref[11:], rules["branches"]):
        return False
    if "paths" in rules:
        return any(matches(path, rules["paths"]) for path in event.paths)
    ignored = rules.get("paths-ignore")
    return not ignored or not event.paths or not all(matches(path, ignored) for path in event.paths)


def _branches(event: Event, rules: Mapping[str, Any]) -> bool:
    pull = event.payload.get("pull_request")
    base = pull["base"]["ref"] if isinstance(pull, dict) else ""
    return "branches" not in rules or matches(base, rules["branches"])


def matches(text: str, patterns: str | Sequence[str]) -> bool:
    """Whether a filter's patterns match a branch, tag or path; the last matching pattern decides."""
    chosen = False
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        negative = pattern.startswith("!")
        if re.fullmatch(_regex(pattern.removeprefix("!")), text):
            chosen = not negative
    return chosen


def _regex(pattern: str) -> str:
    parts = re.split(r"(\*\*/?|\*|\?)", pattern)
    table = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "."}
    return "".join(table.get(part, re.escape(part)) for part in parts)
