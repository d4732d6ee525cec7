"""Judges open promotions again, writes their status, and merges where `merge: stagegate` allows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.markdown import plain
from stagegate.marks import marks
from stagegate.model import Change, branch_names, trailers
from stagegate.policy import rules
from stagegate.policy.commit_status import PinsStatus
from stagegate.policy.facts import PromotionFacts
from stagegate.promotion import app_state, merge_result
from stagegate.promotion.app_state import AppState
from stagegate.promotion.evaluate import Judgement
from stagegate.promotion.run import PromotionRun
from stagegate.proposal import commit_record, verifying, write
from stagegate.proposal.write import Applied
from stagegate.settings import Merge


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one open promotion; `stop` where it could not be judged."""

    environment: str
    pull: hub.Pull
    judgement: Judgement
    verdict: PinsStatus
    reason: str
    changes: tuple[Change, ...] = ()
    commit: str = ""
    stop: Stop | None = None


def again(run: PromotionRun, state: AppState, environments: Iterable[str]) -> tuple[Evaluated, ...]:
    """Every open promotion or rollback of these environments, judged now."""
    connections = run.connections
    evaluated = []
    ours = {
        name: environment
        for environment in environments
        for name in branch_names.both(state.settings.app, environment)
    }
    branches = connections.pins.ref_files(marks.PREFIX, marks.FILE)
    if not any(f"refs/heads/{name}" in branches for name in ours):
        return ()  # GitHub closes the pull request of a branch that is deleted
    for pull in connections.pins.pulls(base=state.base):
        if pull.head_ref in ours and pull.head_repository == connections.pins.repository:
            evaluated.append(_one(run, state, ours[pull.head_ref], pull))
    return tuple(evaluated)


def closed(pins: hub.Hub, branch: str, base: str, environment: str) -> tuple[Change, ...]:
    """Close what is open from a branch of ours, because the environment takes releases by direct commits now."""
    return tuple(
        _close(pins, pull, environment)
        for pull in pins.pulls(head=branch, base=base)
        if pull.head_repository == pins.repository
    )


def _close(pins: hub.Hub, pull: hub.Pull, environment: str) -> Change:
    sentence = (
        f"{environment} now gets releases by direct commits (`promotion.strategy: direct`), so "
        "stagegate closes this pull request. stagegate commits the release as soon as the rules "
        "allow it."
    )
    pins.comment(pull.number, sentence)
    pins.update_pull(pull.number, state="closed")
    return Change(kind="pull-request", target=f"#{pull.number}", before=pull.title, after="closed")


def _one(run: PromotionRun, state: AppState, environment: str, pull: hub.Pull) -> Evaluated:
    connections, dry_run = run.connections, run.request.dry_run
    policy = state.settings.environment(environment).promotion
    if policy.strategy == "direct":
        return _left_over(connections, environment, pull, dry_run=dry_run)
    merge = merger(state, environment, pull)
    try:
        judgement = merge_result.judge(connections, state, pull, run.now)
        verdict = judgement.verdict
    except Stop as stop:
        if stop.reason == "stale-base" or dry_run:
            raise
        return _unjudged(connections, environment, pull, stop)
    evaluated = Evaluated(
        environment=environment, pull=pull, judgement=judgement, verdict=verdict, reason="already-proposed"
    )
    if dry_run:
        return msgspec.structs.replace(evaluated, reason="planned")
    changes = write.status(connections.pins, pull.head_sha, verdict, pull.url)
    if merge == "stagegate" and verdict.state == "success" and not pull.draft:
        sha, merged = into_base(run, state, pull, policy.merge_method, judgement)
        return msgspec.structs.replace(evaluated, reason="merged", changes=(*changes, *merged), commit=sha)
    reason = _waiting(evaluated) if merge == "stagegate" else ""
    return msgspec.structs.replace(
        evaluated, reason=reason or ("updated" if changes else "already-proposed"), changes=changes
    )


def _left_over(connections: Connections, environment: str, pull: hub.Pull, *, dry_run: bool) -> Evaluated:
    """A promotion from before the environment took direct commits: it is closed with a sentence."""
    verdict = PinsStatus(state="failure", description=f"{environment} now gets releases by direct commits")
    return Evaluated(
        environment=environment,
        pull=pull,
        judgement=Judgement(head=pull.head_sha, verdict=verdict),
        verdict=verdict,
        reason="planned" if dry_run else "updated",
        changes=() if dry_run else (_close(connections.pins, pull, environment),),
    )


def _unjudged(connections: Connections, environment: str, pull: hub.Pull, stop: Stop) -> Evaluated:
    """A promotion that cannot be judged keeps no status of before: it is an error, and the others are judged."""
    verdict = PinsStatus(state="error", description=f"{stop.reason}: {stop.what} {stop.why}")
    return Evaluated(
        environment=environment,
        pull=pull,
        judgement=Judgement(head=pull.head_sha, verdict=verdict),
        verdict=verdict,
        reason=stop.reason,
        changes=write.status(connections.pins, pull.head_sha, verdict, pull.url),
        stop=stop,
    )


def merger(state: AppState, environment: str, pull: hub.Pull) -> Merge:
    """The merger of this promotion or rollback: a person, stagegate or the queue."""
    policy = state.settings.environment(environment).promotion
    back = branch_names.is_rollback(pull.head_ref)
    return (policy.rollback_merge or policy.merge) if back else policy.merge


def follow(run: PromotionRun, facts: PromotionFacts, done: Applied) -> Applied:
    """After a proposal that we may merge ourselves, or a rollback whose hold stops others: judge what is open."""
    state = app_state.read(run.connections, run.settings)
    limited = replace(run, connections=run.connections.limited(state.settings))
    evaluated = again(limited, state, (facts.environment,))
    if (stop := next((one.stop for one in evaluated if one.stop), None)) is not None:
        raise stop
    changes = (*done.changes, *(change for one in evaluated for change in one.changes))
    merged = next(
        (one for one in evaluated if one.reason == "merged" and one.pull.number == done.number), None
    )
    if merged is None:
        return msgspec.structs.replace(done, changes=changes)
    return msgspec.structs.replace(done, reason="merged", changes=changes, commit=merged.commit)


def into_base(
    run: PromotionRun, state: AppState, pull: hub.Pull, method: str, judgement: Judgement
) -> tuple[str, tuple[Change, ...]]:
    """Merge exactly the head that was judged, then start the verification that GITHUB_TOKEN's merge does not."""
    pins = run.connections.pins
    environment = pull.head_ref.rpartition("/")[2]
    app = state.settings.app
    commits = pins.compare(state.head, pull.head_sha).commits
    version = commits[-1].trailers.get(trailers.VERSION, "") if commits else ""
    title = plain(f"{pull.title} (PR {pull.number})")
    release = commit_record.release(app, version, environment, run.context.run_id)
    record = commit_record.provenance(
        [result for judged in judgement.environments for result in judged.rules],
        proposed_by=pull.author.login if pull.author else "",
        approved_by=dict.fromkeys(
            login for judged in judgement.environments for login in judged.subject.approvals.people
        ),
        merged_by=pins.viewer().login,
        policy=state.blob,
    )
    workflow = verifying.demand(pins, state.head, run.request.verify_workflow)
    sha = pins.merge(pull.number, pull.head_sha, method, title, f"{release}\n{record}")
    change = Change(kind="merge", target=f"#{pull.number} into {state.base}", before=pull.head_sha, after=sha)
    pull_outputs = {"pr-number": str(pull.number), "pr-url": pull.url, "version": version}
    try:
        started = verifying.start(pins, state.base, state.head, workflow)
    except Stop as stop:
        raise Stop(
            stop.reason,
            f"Pull request #{pull.number} is merged ({sha[:12]}), but the release was not verified.",
            f"The workflow that verifies the change could not be started: {stop.what} {stop.why}",
            f"{stop.next} Then start the workflow that runs staging-gate by hand.",
        ).after([change], **pull_outputs, commit=sha, environment=environment) from stop
    return sha, (change, *started)


def _waiting(evaluated: Evaluated) -> str:
    """The word for a merge of ours that waits, or nothing when it is no waiting."""
    if evaluated.verdict.state != "pending":
        return ""
    for judged in evaluated.judgement.environments:
        for result in judged.rules:
            if result.state == "wait":
                return rules.reason(result, judged.subject, judged.facts)
    return "awaiting-review"
