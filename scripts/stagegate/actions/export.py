"""export: the settings as objects of another tool."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import yaml

from stagegate.errors import Stop
from stagegate.model import Message, Result
from stagegate.promotion import apps
from stagegate.runner import log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.setup import work_tree
from stagegate.setup.migration import promoter
from stagegate.setup.migration.promoter import PromoterTarget


class Export(Inputs, frozen=True, kw_only=True):
    """Inputs of export."""

    to: Literal["promoter"] = "promoter"
    namespace: str = "promoter-system"
    app_id: int = promoter.UNKNOWN_APP
    secret: str = "promoter-github-app"  # noqa: S105  the name of a Secret


def main(inputs: Export, context: Context) -> Result:
    """Inputs -> facts -> plan -> report; nothing is written."""
    selected = apps.here(context, inputs.config)
    here = work_tree.read(context.workspace)
    repository = context.repository or here.repository
    if not repository:
        raise Stop(
            "bad-input",
            "The name of this repository is not known.",
            "GitOps Promoter opens its pull requests in this repository.",
            "Set GITHUB_REPOSITORY=owner/name, or set the address of the Git remote `origin`.",
        )
    target = PromoterTarget(
        namespace=inputs.namespace,
        repository=repository,
        app_id=inputs.app_id,
        secret=inputs.secret,
        several=len(selected) > 1,
        domain=_domain(here.address),
    )
    exported = [promoter.export(app.settings, target) for app in selected]
    documents = {str(one["metadata"]) + one["kind"]: one for each in exported for one in each.documents}
    notes = tuple(dict.fromkeys(note for each in exported for note in each.notes))
    log.say(
        "".join(f"# {note}\n" for note in notes) + yaml.safe_dump_all(documents.values(), sort_keys=False)
    )
    return Result(
        reason="reported",
        message=Message(
            what=f"{len(documents)} objects for GitOps Promoter.", next="Read the comments first."
        ),
        outputs={"objects": str(len(documents))},
    )


def _domain(address: str) -> str:
    """The host of GitHub Enterprise Server in an address of a repository; empty for github.com."""
    host = urlsplit(address).hostname or ""
    return "" if host == "github.com" else host


def run() -> int:
    """The exit code of this command."""
    return entrypoint("export", Export, main)
