"""Moves refs as GitHub does: names, rules, compare-and-swap, then the consequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lab.forge import events
from lab.forge.git_moves import Move
from lab.forge.git_reader import GitError
from lab.forge.git_store import valid_ref
from lab.forge.refusal import Refusal, unprocessable
from lab.forge.rules import demand_workflows, violations, words
from lab.forge.state import Repository
from lab.forge.values import ZERO, Token


def move_refs(repo: Repository, token: Token, moves: Sequence[Move], *, rules: bool = True) -> None:
    """All moves or none. `before` None means "whatever it is now"; without `force` only forward.

    Refusal: 422 for names, missing objects, not fast-forward, rules; kind STALE_DATA when `before` is wrong;
    403 for workflow files. `rules` False is for merges, which were judged before.
    """
    plans = [_checked(repo, token, move, rules) for move in moves]
    try:
        repo.store.move(plans)
    except GitError as error:
        raise unprocessable(f"Reference update failed: {error}") from None
    announce(repo, token, [(plan.name, plan.before or ZERO, plan.after) for plan in plans])


def _checked(repo: Repository, token: Token, move: Move, rules: bool) -> Move:
    """The move with its real `before`, or a refusal."""
    if not move.name.startswith("refs/") or move.name.count("/") < 2 or not valid_ref(move.name):
        raise unprocessable(f"Reference name {move.name!r} is not valid: it must start with 'refs/'.")
    if move.name.startswith("refs/pull/"):
        raise unprocessable("Reference cannot be updated: refs/pull is read only.")
    current = repo.store.ref(move.name) or ZERO
    if move.before is not None and move.before != current:
        raise unprocessable(
            f"Reference {move.name} was expected to be at {move.before} but is at {current}.",
            kind="STALE_DATA",
        )
    if move.after == ZERO:
        if current == ZERO:
            raise unprocessable("Reference does not exist")
    else:
        _check_target(repo, token, move, current)
    if rules:
        reasons, classic = violations(repo, token, move, current)
        if reasons:
            kind = "BRANCH_PROTECTION_RULE_VIOLATION" if classic else "UNPROCESSABLE"
            raise unprocessable(words(reasons, classic, move.name), kind=kind)
    return replace(move, before=current)


def _check_target(repo: Repository, token: Token, move: Move, current: str) -> None:
    kind = repo.store.type_of(move.after)
    if kind is None or (move.name.startswith("refs/heads/") and kind != "commit"):
        raise unprocessable(
            "Object does not exist" if kind is None else "Reference cannot be updated: not a commit"
        )
    if current not in (ZERO, move.after) and not move.force and not _forward(repo, current, move.after):
        raise unprocessable("Update is not a fast forward")
    if current == ZERO and _blocked(repo, move.name):
        raise unprocessable("Reference update failed: a file and a directory cannot have the same name.")
    demand_workflows(repo, token, move.after, current)


def _forward(repo: Repository, before: str, after: str) -> bool:
    return repo.store.is_ancestor(before, after)


def _blocked(repo: Repository, name: str) -> bool:
    """True when a ref is a folder of this name, or this name a folder of a ref."""
    return any(
        existing.startswith(f"{name}/") or name.startswith(f"{existing}/") for existing in repo.store.refs()
    )


def announce(repo: Repository, token: Token, moved: Sequence[tuple[str, str, str]]) -> None:
    """Events, activity and pull requests for refs (name, before, after) that have already moved."""
    tags = [name for name, before, _ in moved if before == ZERO and name.startswith("refs/tags/")]
    for name, before, after in moved:
        if before == after:
            continue
        repo.world.replica.created(after)
        events.ref_moved(repo, token, name, before, after, crowd=len(tags) > 3 and name in tags)
    for name, before, after in moved:
        if before != after and name.startswith("refs/heads/"):
            for follow in repo.world.followers:
                follow(repo, token, name.removeprefix("refs/heads/"), after)


def demand_commits(repository: Repository) -> None:
    """Refuse the Git database of a repository without a commit, as GitHub does."""
    if not repository.store.refs():
        raise Refusal(409, "Git Repository is empty.")
