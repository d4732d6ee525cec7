"""Rulesets and classic protection: the reasons to refuse a direct ref update or a merge.

Source: docs.github.com "Available rules for rulesets"; the texts are those that pushes and the API show.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from lab.forge.git_moves import Move
from lab.forge.permissions import at_least, may_change_workflows, missing, role_of
from lab.forge.records import PullRequest
from lab.forge.refusal import Refusal
from lab.forge.state import Repository
from lab.forge.values import ZERO, Rules, Status, Token

THROUGH_PULL_REQUEST = "Changes must be made through a pull request."
THROUGH_QUEUE = "Changes must be made through the merge queue"
WORKFLOWS = ".github/workflows"


def applying(repo: Repository, name: str) -> list[Rules]:
    """The rules whose pattern names this fully qualified ref; a pattern without `refs/` means branches."""
    return [rules for rules in repo.rules if _matches(repo, rules.pattern, name)]


def _matches(repo: Repository, pattern: str, name: str) -> bool:
    if pattern == "~ALL":
        return name.startswith("refs/heads/")
    if pattern == "~DEFAULT_BRANCH":
        return name == f"refs/heads/{repo.default_branch}"
    full = pattern if pattern.startswith("refs/") else f"refs/heads/{pattern}"
    return fnmatchcase(name, full)


def bypasses(rules: Rules, token: Token) -> bool:
    """True for Apps (by slug) and people (by login) on the bypass list; GITHUB_TOKEN can't be on one."""
    return token.kind != "actions" and bool(
        {token.app.slug if token.app else "", token.user.login} & rules.bypass
    )


def violations(
    repo: Repository, token: Token, move: Move, before: str, *, arrived: bool = True
) -> tuple[list[str], bool]:
    """Why this direct update is refused, and whether classic protection is the reason.

    `arrived` False: the new objects are not here yet (a push), so nothing that reads them is judged.
    """
    reasons: list[str] = []
    classic = False
    for rules in applying(repo, move.name):
        if bypasses(rules, token):
            continue
        direct_reasons = _direct(repo, rules, move, before, arrived)
        classic = classic or (rules.classic and bool(direct_reasons))
        reasons += [text for text in direct_reasons if text not in reasons]
    return reasons, classic


def _direct(repo: Repository, rules: Rules, move: Move, before: str, arrived: bool) -> list[str]:
    if before == ZERO:
        return ["Cannot create ref due to creations being restricted."] if rules.creation else []
    if move.after == ZERO:
        return ["Cannot delete this branch"] if rules.deletion or rules.pull_request else []
    reasons: list[str] = []
    if rules.non_fast_forward and arrived and not repo.store.is_ancestor(before, move.after):
        reasons.append("Cannot force-push to this branch")
    if rules.creation:
        reasons.append("Cannot update this protected ref.")
    if rules.pull_request:
        reasons.append(THROUGH_PULL_REQUEST)
    if rules.merge_queue:
        reasons.append(THROUGH_QUEUE)
    return reasons + _statuses(repo, rules, move.after)


def _statuses(repo: Repository, rules: Rules, sha: str) -> list[str]:
    """The missing required statuses of a commit; a status by another App than the bound one does not count."""
    newest = newest_statuses(repo, sha)
    reasons = []
    for context, app_id in rules.statuses:
        status = newest.get(context)
        if status is None or (app_id is not None and status.app_id != app_id):
            reasons.append(f'Required status check "{context}" is expected.')
        elif status.state != "success":
            word = {"pending": "is pending", "failure": "is failing", "error": "is failing"}[status.state]
            reasons.append(f'Required status check "{context}" {word}.')
    return reasons


def newest_statuses(repo: Repository, sha: str) -> dict[str, Status]:
    """The newest status of each context of a commit."""
    return {status.context: status for status in repo.statuses if status.sha == sha}


def obstacles(pull: PullRequest, token: Token | None, head: str = "") -> tuple[list[str], bool]:
    """The reasons to refuse the merge of this pull request, and whether classic protection is one."""
    repo = pull.repository
    reasons: list[str] = []
    classic = False
    for rules in applying(repo, f"refs/heads/{pull.base_ref}"):
        if token is not None and bypasses(rules, token):
            continue
        texts = _approvals(pull, rules) + _statuses(repo, rules, head or pull.head_sha)
        if rules.strict and not repo.store.is_ancestor(_base(pull), pull.head_sha):
            texts.append("This branch must not be out-of-date with the base branch.")
        classic = classic or (rules.classic and bool(texts))
        reasons += [text for text in texts if text not in reasons]
    return reasons, classic


def _base(pull: PullRequest) -> str:
    return pull.repository.store.ref(f"refs/heads/{pull.base_ref}") or pull.base_sha


def _approvals(pull: PullRequest, rules: Rules) -> list[str]:
    if not rules.approvals:
        return []
    last: dict[str, str] = {}
    for review in pull.reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            last[review.user.login] = review.state
    writers = {r.user.login for r in pull.reviews if at_least(role_of(pull.repository, r.user), "write")}
    if any(state == "CHANGES_REQUESTED" for login, state in last.items() if login in writers):
        return ["Changes have been requested by reviewers with write access."]
    approving = [login for login, state in last.items() if state == "APPROVED" and login in writers]
    if len(approving) >= rules.approvals:
        return []
    plural = "review is" if rules.approvals == 1 else "reviews are"
    return [f"At least {rules.approvals} approving {plural} required by reviewers with write access."]


def words(reasons: list[str], classic: bool, name: str) -> str:
    """The API's message for refused updates."""
    if classic:
        return f"Protected branch update failed for {name}.\n\n" + "\n".join(reasons)
    return "Repository rule violations found\n\n" + "".join(f"{text}\n\n" for text in reasons)


def demand_workflows(repo: Repository, token: Token, after: str, before: str | None) -> None:
    """Refuse a ref to a commit whose workflow files are neither those of the default branch nor of `before`.

    The response is a 403 that names only `contents=write,workflows=write`.
    """
    if may_change_workflows(token, repo):
        return
    store = repo.store
    tree = store.at(after, WORKFLOWS)
    main = store.ref(f"refs/heads/{repo.default_branch}")
    known_trees = {store.at(main, WORKFLOWS) if main else None}
    if before and before != ZERO:
        known_trees.add(store.at(before, WORKFLOWS))
    if tree not in known_trees and tree is not None:
        raise _workflows(token)


def _workflows(token: Token) -> Refusal:
    return missing(token, "contents=write,workflows=write")
