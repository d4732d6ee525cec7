"""Makes the release commit and its tag, both or neither, and leaves the same bytes in the work tree."""

from __future__ import annotations

from pathlib import Path

from stagegate.clients.hub import Hub, RefUpdate
from stagegate.clients.hub.values import ZERO
from stagegate.errors import Stop
from stagegate.model import Change
from stagegate.release.bump.plan import APP, RUN, VERSION, BumpPlan
from stagegate.report import markdown
from stagegate.runner import log
from stagegate.settings import Settings


def apply(
    plan: BumpPlan, settings: Settings, hub: Hub, *, workspace: Path, branch: str, head: str, run_id: str
) -> tuple[str, tuple[Change, ...]]:
    """Write commit and tag; return the released commit and the changes.

    The commit is made on a branch of its own. Then one request moves the release branch and creates the tag, so
    that a race leaves nothing behind. Raises StaleHead when the branch or the tag was there first: read again and
    decide again.
    """
    message = f"{settings.app} {plan.version}\n\n{markdown.plain(plan.notes)}\n"
    if plan.commit or not plan.files:
        sha = plan.commit or head
        hub.create_tag(plan.tag, sha, message)
        log.say(f"tagged {sha[:12]} as {plan.tag}")
        write_locally(plan, workspace)
        return sha, (Change(kind="tag", target=plan.tag, after=sha),)
    headline = f"chore(release): {settings.app} {plan.version}"
    body = "\n".join((f"{APP}: {settings.app}", f"{VERSION}: {plan.version}", f"{RUN}: {run_id}"))
    helper = f"stagegate/release/{settings.app}/{plan.version}-{run_id or head[:12]}"
    _prepare(hub, helper, head)
    sha = ""
    try:
        sha = hub.create_commit(helper, head, headline, body, plan.files)
        tag = hub.tag_object(plan.tag, sha, message)
        hub.update_refs(
            (
                RefUpdate(name=f"refs/heads/{branch}", before=head, after=sha),
                RefUpdate(name=f"refs/tags/{plan.tag}", before=ZERO, after=tag),
                RefUpdate(name=f"refs/heads/{helper}", before=sha, after=ZERO),
            )
        )
    except Stop:
        _discard(hub, helper)
        raise
    log.say(f"committed {sha[:12]} on {branch} and tagged it as {plan.tag}: {', '.join(plan.files)}")
    write_locally(plan, workspace)
    return sha, (
        Change(kind="commit", target=branch, before=head, after=sha),
        Change(kind="tag", target=plan.tag, after=sha),
    )


def _prepare(hub: Hub, helper: str, head: str) -> None:
    """The helper branch at `head`, also when a killed attempt of this run left it elsewhere."""
    tip = hub.head(helper)
    if tip is None:
        hub.create_ref(f"refs/heads/{helper}", head)
    elif tip != head:
        hub.update_refs([RefUpdate(name=f"refs/heads/{helper}", before=tip, after=head, force=True)])


def _discard(hub: Hub, helper: str) -> None:
    """Remove the helper branch where that is still possible; the first problem is the one to report."""
    try:
        tip = hub.head(helper)
        if tip:
            hub.update_refs([RefUpdate(name=f"refs/heads/{helper}", before=tip, after=ZERO)])
    except Stop as stop:
        log.say(f"the branch {helper} stays and can be deleted: {stop.what}")


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
