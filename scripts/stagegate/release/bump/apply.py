"""Makes the release commit and its tag, each only once, and leaves the same bytes in the work tree."""

from __future__ import annotations

from pathlib import Path

from stagegate.clients.hub import Hub
from stagegate.model import Change
from stagegate.release.bump.plan import APP, RUN, VERSION, BumpPlan
from stagegate.report import markdown
from stagegate.runner import log
from stagegate.settings import Settings


def apply(
    plan: BumpPlan, settings: Settings, hub: Hub, *, workspace: Path, branch: str, head: str, run_id: str
) -> tuple[str, tuple[Change, ...]]:
    """Write commit and tag; return the released commit and the changes.

    Raises StaleHead when the branch moved meanwhile: read again and decide again. A commit that an earlier
    attempt made is taken over; a tag that is there already is left alone.
    """
    changes: list[Change] = []
    sha = plan.commit or head
    if plan.files and not plan.commit:
        headline = f"chore(release): {settings.app} {plan.version}"
        body = "\n".join((f"{APP}: {settings.app}", f"{VERSION}: {plan.version}", f"{RUN}: {run_id}"))
        sha = hub.create_commit(branch, head, headline, body, plan.files)
        log.say(f"committed {sha[:12]} on {branch}: {', '.join(plan.files)}")
        changes.append(Change(kind="commit", target=branch, before=head, after=sha))
    message = f"{settings.app} {plan.version}\n\n{markdown.plain(plan.notes)}\n"
    hub.create_tag(plan.tag, sha, message)
    log.say(f"tagged {sha[:12]} as {plan.tag}")
    changes.append(Change(kind="tag", target=plan.tag, after=sha))
    write_locally(plan, workspace)
    return sha, tuple(changes)


def write_locally(plan: BumpPlan, workspace: Path) -> None:
    """The same bytes into the work tree, so that later steps of this job see the release."""
    for name, content in plan.files.items():
        target = (workspace / name).resolve()
        if target.is_relative_to(workspace):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def intended(plan: BumpPlan, branch: str, head: str) -> tuple[Change, ...]:
    """The changes a dry run would make."""
    if plan.reason != "released":
        return ()
    commit = Change(kind="commit", target=branch, before=head, after=", ".join(plan.files), done=False)
    return (*((commit,) if plan.files else ()), Change(kind="tag", target=plan.tag, after=head, done=False))
