"""The effects on open pull requests when one of their branches moves."""

from __future__ import annotations

from lab.forge import mergeable, merging, pulls, rules
from lab.forge.permissions import at_least, role_of
from lab.forge.records import PullRequest
from lab.forge.state import Repository
from lab.forge.values import ZERO, Token


def follow(repo: Repository, token: Token, branch: str, after: str) -> None:
    """Update open pull requests after a branch of `repo` has moved to `after` (ZERO: deleted)."""
    for target in list(repo.world.repositories.values()):
        for pull in target.pulls:
            if pull.open and pull.head_repository is repo and pull.head_ref == branch:
                _head_moved(pull, token, after)
            elif pull.open and target is repo and pull.base_ref == branch:
                _base_moved(pull, token, after)
    merging.wake(repo)


def _head_moved(pull: PullRequest, token: Token, after: str) -> None:
    repo, before = pull.repository, pull.head_sha
    if after == ZERO:
        pulls.close(pull, token)
        return
    pulls.fetch(repo, pull.head_repository, pull.head_ref)
    base = mergeable.base_head(pull)
    pull.head_sha, pull.updated_at = after, repo.world.now()
    if repo.store.is_ancestor(after, base):
        # A branch that equals (or lies behind) its base has nothing to merge: GitHub closes it.
        pulls.close(pull, token)
        return
    pulls.keep_head(pull)
    if any(rule.dismiss_stale for rule in rules.applying(repo, f"refs/heads/{pull.base_ref}")):
        for review in pull.reviews:
            if review.state == "APPROVED":
                review.state = "DISMISSED"
    if pull.auto_merge and not at_least(role_of(repo, token.user), "write"):
        pull.auto_merge = None
        pulls.announce(pull, token, "auto_merge_disabled")
    pulls.announce(pull, token, "synchronize", before=before, after=after)


def _base_moved(pull: PullRequest, token: Token, after: str) -> None:
    repo = pull.repository
    if after == ZERO:
        pulls.close(pull, token)
    elif repo.store.is_ancestor(pull.head_sha, after):
        pull.open = False
        pull.merged_at = pull.closed_at = pull.updated_at = repo.world.now()
        pull.merged_by, pull.merge_sha, pull.auto_merge = token.user, after, None
        pulls.announce(pull, token, "closed")
