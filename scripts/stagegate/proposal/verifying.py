"""Finds the workflow of the pins repository that verifies moved pins, and starts it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.model import Change

FOLDER = ".github/workflows/"
NOTHING = "none"  # the caller verifies by itself
# How a file shows that it verifies, the clearest sign first.
_SIGNS = (
    re.compile(r"/\.github/workflows/(events|production)\.ya?ml(@|\s)"),
    re.compile(r"/actions/staging-gate(@|\s)"),
)
_RELEASES = re.compile(r"/actions/version-bump|/\.github/workflows/(version|road)\.ya?ml")


def start(pins: hub.Hub, base: str, head: str, workflow: str) -> tuple[Change, ...]:
    """Start the verifying workflow on `base`, because a push by GITHUB_TOKEN starts nothing; with an App it does.

    `workflow` is a file name, empty to find it at `head`, or `none`. Stop(missing-file) where there is none.
    """
    if workflow == NOTHING or not pins.is_actions_token():
        return ()
    workflow = workflow or find(pins, head)
    pins.dispatch(workflow, base, {})
    return (Change(kind="dispatch", target=f"{pins.repository}: {workflow}", after=base),)


def demand(pins: hub.Hub, head: str, workflow: str) -> str:
    """The workflow that `start` will start, looked for at a commit before any write. Stop(missing-file)."""
    if workflow == NOTHING or not pins.is_actions_token():
        return NOTHING
    if not workflow:
        return find(pins, head)
    path = f"{FOLDER}{workflow}"
    blob = pins.files(head, [path])[path]
    if blob is not None and b"workflow_dispatch" in blob.content:
        return workflow
    trouble = "has no trigger `workflow_dispatch`" if blob else "is not on the default branch"
    raise Stop(
        "missing-file",
        f"The workflow {path}, which verifies changed pins, {trouble}.",
        "A push by GITHUB_TOKEN starts no workflow, so stagegate has to start this one, or the "
        "change of pins would stay unverified. stagegate changed nothing.",
        "Add the workflow to the default branch (examples/shop has one), name the right file in "
        "the input `verify-workflow`, or set `verify-workflow: none`.",
    )


def find(pins: hub.Hub, head: str) -> str:
    """The name of the workflow file of a commit that verifies moved pins. Stop(missing-file)."""
    paths = [
        path for path in pins.paths(head) if path.startswith(FOLDER) and path.endswith((".yml", ".yaml"))
    ]
    blobs = pins.files(head, paths) if paths else {}
    texts = {path: blob.content.decode(errors="replace") for path, blob in blobs.items() if blob}
    chosen = choose(texts)
    if not chosen:
        raise Stop(
            "missing-file",
            f"{pins.repository} has no workflow that verifies moved pins.",
            "After every change of pins that GITHUB_TOKEN makes, stagegate starts the workflow that runs the "
            "gate. No "
            "workflow on the default branch has `workflow_dispatch` and calls events.yml, production.yml or the "
            "action staging-gate.",
            "Add such a workflow (examples/shop has stagegate.yml), or name yours with the input "
            "`verify-workflow`.",
        )
    return chosen.removeprefix(FOLDER)


def choose(texts: Mapping[str, str]) -> str:
    """The path of the file that verifies, empty for none. `texts` are the workflow files of a repository."""
    startable = {
        path: text
        for path, text in sorted(texts.items())
        if "workflow_dispatch" in text and not _RELEASES.search(text)
    }
    for sign in _SIGNS:
        workflows = [path for path, text in startable.items() if sign.search(text)]
        if workflows:
            return workflows[0]
    return next((path for path in startable if path.endswith("/production.yml")), "")
