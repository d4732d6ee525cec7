"""Merging a pull request (merge, squash, rebase), now or as soon as rules allow."""

from __future__ import annotations

from lab.forge import branches, git_write, mergeable, pulls, rules
from lab.forge.git_moves import Move
from lab.forge.git_objects import Commit
from lab.forge.records import PullRequest
from lab.forge.refusal import Refusal
from lab.forge.state import Repository
from lab.forge.values import ZERO, Rules, Token

BASE_MODIFIED = "Base branch was modified. Review and try the merge again."
HEAD_MODIFIED = "Head branch was modified. Review and try the merge again."
NOT_MERGEABLE = "Pull Request is not mergeable"
DISALLOWED = {
    "merge": "Merge commits are not allowed on this repository.",
    "squash": "Squash merges are not allowed on this repository.",
    "rebase": "Rebase merges are not allowed on this repository.",
}


def merge(
    pull: PullRequest,
    token: Token,
    method: str = "merge",
    *,
    sha: str = "",
    title: str | None = None,
    message: str | None = None,
) -> str:
    """Merge now; the new commit of the base. Refusal: 405 policy, conflict, draft; 409 stale `sha`."""
    repo = pull.repository
    if not pull.open:
        raise Refusal(405, NOT_MERGEABLE)
    if pull.draft:
        raise Refusal(405, "Pull Request is still a draft")
    if sha and sha != pull.head_sha:
        raise Refusal(409, HEAD_MODIFIED)
    if not getattr(repo.settings, f"allow_{'merge_commit' if method == 'merge' else method + '_merge'}"):
        raise Refusal(405, DISALLOWED[method])
    base = mergeable.base_head(pull)
    tree = mergeable.test_merge(pull)
    if tree is None:
        raise Refusal(405, NOT_MERGEABLE)
    _obey(pull, token)
    merged = _combine(pull, token, method, base, tree, title, message)
    rules.demand_workflows(repo, token, merged, base)
    land(pull, token, merged, base)
    return merged


def _obey(pull: PullRequest, token: Token) -> None:
    reasons, classic = rules.obstacles(pull, token)
    if any(rule.merge_queue and not rules.bypasses(rule, token) for rule in _rules(pull)):
        reasons.append(rules.THROUGH_QUEUE)
    if reasons:
        name = f"refs/heads/{pull.base_ref}"
        raise Refusal(405, "\n".join(reasons) if classic else rules.words(reasons, False, name))


def _rules(pull: PullRequest) -> list[Rules]:
    return rules.applying(pull.repository, f"refs/heads/{pull.base_ref}")


def land(pull: PullRequest, token: Token, merged: str, base: str) -> None:
    """Move the base to `merged` and close the pull request as merged."""
    repo = pull.repository
    pull.open, pull.base_sha = False, base
    pull.merged_at = pull.closed_at = pull.updated_at = repo.world.now()
    pull.merged_by, pull.merge_sha, pull.auto_merge = token.user, merged, None
    try:
        move = Move(f"refs/heads/{pull.base_ref}", merged, base)
        branches.move_refs(repo, token, [move], rules=False)
    except Refusal as refusal:
        pull.open, pull.merged_at, pull.closed_at, pull.merge_sha = True, None, None, None
        raise Refusal(405, BASE_MODIFIED) if refusal.kind == "STALE_DATA" else refusal from None
    pulls.announce(pull, token, "closed")
    head = pull.head_repository.store.ref(f"refs/heads/{pull.head_ref}")
    if repo.settings.delete_branch_on_merge and head == pull.head_sha:
        gone = Move(f"refs/heads/{pull.head_ref}", ZERO, head)
        branches.move_refs(pull.head_repository, token, [gone])


def _combine(
    pull: PullRequest, token: Token, method: str, base: str, tree: str, title: str | None, message: str | None
) -> str:
    repo = pull.repository
    world, store = repo.world, repo.store
    author, flow = world.signature(token.user), world.web_flow()
    inside = mergeable.commits(pull)
    if method == "rebase":
        return _rebased(repo, inside, base)
    if method == "squash":
        by = world.signature(pull.author)
        headline = inside[0].headline if len(inside) == 1 else pull.title
        text = "\n\n".join(f"* {commit.message}" for commit in inside) if len(inside) > 1 else inside[0].body
        full = _text(title or f"{headline} (#{pull.number})", text if message is None else message)
        sha = git_write.commit(store, tree, [base], full, by, flow)
    else:
        name = f"{pull.head_repository.owner.login}/{pull.head_ref}"
        full = _text(
            title or f"Merge pull request #{pull.number} from {name}",
            pull.title if message is None else message,
        )
        sha = git_write.commit(store, tree, [base, pull.head_sha], full, author, flow)
    world.signed.add(sha)
    return sha


def _text(title: str, body: str) -> str:
    return f"{title}\n\n{body}" if body else title


def _rebased(repo: Repository, inside: list[Commit], base: str) -> str:
    tip = base
    for commit in inside:
        if len(commit.parents) != 1:
            raise Refusal(405, "This branch can't be rebased")
        tree = git_write.merged_tree(repo.store, commit.parents[0], tip, commit.sha)
        if tree is None:
            raise Refusal(405, "This branch can't be rebased due to conflicts")
        tip = git_write.commit(repo.store, tree, [tip], commit.message, commit.author, repo.world.web_flow())
    return tip


def wake(repo: Repository) -> None:
    """Merge every pull request that waits for it and whose rules are met now."""
    for pull in repo.pulls:
        wish = pull.auto_merge
        if wish is None or not pull.open or pull.draft or rules.obstacles(pull, None)[0]:
            continue
        if mergeable.test_merge(pull) is not None:
            merge(pull, wish.token, wish.method.lower(), title=wish.title, message=wish.body)
