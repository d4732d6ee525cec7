"""After an evaluation: the newest release that may enter each environment where nothing is open.

A release that met a hold, a freeze or an outage when it came is so proposed later, without anybody remembering it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.model import Message, Result, branch_names, is_prerelease
from stagegate.pins import pinned_version
from stagegate.policy import candidate
from stagegate.promotion import app_state
from stagegate.promotion.app_state import AppState
from stagegate.promotion.reevaluate import Evaluated
from stagegate.versions import Version

FOLLOWED = ("evaluate", "unhold", "unban")  # and a ban, where it ends an open proposal
_OF_PROPOSAL = ("pr-number", "pr-url", "changed", "commit", "version", "environment", "plan")
_WRITTEN = ("proposed", "updated", "planned", "committed")


def free(
    connections: Connections,
    state: AppState,
    mode: str,
    environments: Iterable[str],
    evaluated: Iterable[Evaluated],
) -> tuple[str, ...]:
    """Environments that a newer release may enter, and for which nothing is open that may still be merged.

    By pins and tags alone, which costs nothing where no release waits. After a merge its verification comes first.
    """
    judged = tuple(evaluated)
    if any(one.reason == "merged" for one in judged):
        return ()
    over = {one.environment for one in judged if _is_over(one)}
    direct = {e.name for e in state.settings.environments if e.promotion.strategy == "direct"}
    taken = {one.environment for one in judged} - over - direct
    if mode not in FOLLOWED:
        environments = over if mode == "ban" else ()
    return tuple(name for name in environments if name not in taken and _may_wait(connections, state, name))


def joined(evaluated: Result, promoted: Result) -> Result:
    """The result of an evaluation or mark that went on to the next release.

    An evaluation takes the reason of the proposal, where one was made; a mark keeps its own.
    """
    if promoted.reason not in _WRITTEN:
        if promoted.reason == "no-difference":
            return evaluated
        return said(evaluated, promoted.environment, promoted.version, promoted.reason, promoted.message)
    is_mark = evaluated.reason in ("marked", "unmarked")
    joint = evaluated if is_mark else promoted
    what = f"{evaluated.message.what} {promoted.message.what}" if is_mark else promoted.message.what
    of_proposal = {name: promoted.outputs[name] for name in _OF_PROPOSAL}
    return msgspec.structs.replace(
        joint,
        message=msgspec.structs.replace(joint.message, what=what),
        outputs={**evaluated.outputs, **of_proposal} if is_mark else promoted.outputs,
        changes=(*evaluated.changes, *promoted.changes),
        findings=evaluated.findings,
        summary=evaluated.summary + promoted.summary,
        parts=(*(evaluated.parts or (evaluated,)), promoted),
        proposals=(),
    )


def said(evaluated: Result, environment: str, version: str, reason: str, message: Message) -> Result:
    """The result with a sentence about a release that could not be proposed; the evaluation itself is done."""
    what = f"{environment} does not get {version or 'the next release'} yet ({reason})"
    why = f"{evaluated.message.why} {what}: {message.what} {message.why}".strip()
    return msgspec.structs.replace(evaluated, message=msgspec.structs.replace(evaluated.message, why=why))


def stopped(evaluated: Result, environment: str, stop: Stop) -> Result:
    """`said`, where reading the release ended with a Stop. Stop(stale-base) goes on: everything is read again.

    A tag without artifacts is no release yet, and no news.
    """
    if stop.reason == "stale-base":
        raise stop
    if stop.reason == "missing-file":
        return evaluated
    return said(evaluated, environment, "", stop.reason, Message(what=stop.what, why=stop.why))


def _is_over(one: Evaluated) -> bool:
    """Whether an open promotion can no longer be merged: its version is banned or has lost its evidence, or the
    base has changed the same lines, such as those of another environment in the same file."""
    return branch_names.is_promotion(one.pull.head_ref) and (
        one.judgement.conflicts
        or any(
            result.rule in ("ban", "evidence") and result.state == "stop"
            for judged in one.judgement.environments
            for result in judged.rules
        )
    )


def _may_wait(connections: Connections, state: AppState, name: str) -> bool:
    """Whether a release newer than what runs here may exist: in every environment before, or among the tags."""
    policy = state.settings.environment(name)
    running = _pinned(state, name)
    if policy.after:
        before = [_pinned(state, place) for place in policy.after]
        return all(not version or candidate.comes_after(version, running) for version in before)
    if policy.promotion.strategy == "direct" and not running:
        return False
    return any(
        candidate.comes_after(version, running)
        for version in app_state.tags(connections, state.settings)
        if policy.admits_prereleases or not is_prerelease(version)
    )


def _pinned(state: AppState, name: str) -> str:
    """The version that the pins of an environment name; empty where they name none, or a range."""
    version = pinned_version.standing(state.settings.environment(name), state.files, state.settings).version
    return version if Version.is_valid(version) else ""
