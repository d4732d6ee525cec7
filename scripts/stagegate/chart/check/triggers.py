"""Whether changes of the default branch start the workflow that runs the check.

A workflow that listens to `main`, where people work on `staging`, is green for ever because it never runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import yaml

from stagegate import yaml_1_1
from stagegate.errors import Stop
from stagegate.runner.context import Context

_EVENTS = ("pull_request", "pull_request_target", "push", "merge_group")


def problem(context: Context) -> str:
    """A warning about filters that exclude the default branch.

    Empty without such filters, or if they are unknown.
    """
    file = context.workflow_ref.partition("@")[0].split("/", 2)[-1]
    repository = context.event().get("repository")
    branch = str(repository.get("default_branch") or "") if isinstance(repository, Mapping) else ""
    if not file or not branch:
        return ""
    try:
        document = yaml_1_1.load(context.inside(file, what="workflow").read_bytes())
    except (OSError, yaml.YAMLError, ValueError, Stop):
        return ""
    # `on` is a boolean of YAML 1.1, and "true" as a key.
    events = document.get("on", document.get("true")) if isinstance(document, Mapping) else None
    triggers = (
        {name: events[name] for name in _EVENTS if name in events} if isinstance(events, Mapping) else {}
    )
    excluding = [name for name, filters in triggers.items() if not _includes(filters, branch)]
    if not triggers or len(excluding) < len(triggers):
        return ""
    return (
        f"{file} never runs for {branch}, the default branch: the filter of {', '.join(excluding)} leaves it out. "
        f"Add {branch} to `branches`, or remove the filter."
    )


def _includes(filters: Any, branch: str) -> bool:
    if not isinstance(filters, Mapping):
        return True
    included, ignored = (list(_texts(filters.get(key))) for key in ("branches", "branches-ignore"))
    if any(fnmatchcase(branch, pattern) for pattern in ignored):
        return False
    if not included:
        return "branches" not in filters and not (filters.keys() & {"tags", "tags-ignore"})
    matches = False
    for pattern in included:  # the last pattern that matches decides
        if fnmatchcase(branch, pattern.removeprefix("!")):
            matches = not pattern.startswith("!")
    return matches


def _texts(value: Any) -> Iterator[str]:
    yield from (
        (str(item) for item in value) if isinstance(value, (list, tuple)) else (str(value),) if value else ()
    )
