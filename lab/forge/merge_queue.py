"""The merge queue, in its smallest form: one pull request is one group, merged when its statuses are green."""

from __future__ import annotations

from lab.forge import events, git_write, mergeable, merging, rules
from lab.forge.git_moves import Move
from lab.forge.records import PullRequest
from lab.forge.refusal import unprocessable
from lab.forge.state import Repository
from lab.forge.values import ZERO, Body, Token

BRANCHES = "refs/heads/gh-readonly-queue"


def enqueue(pull: PullRequest, token: Token) -> str:
    """Put a pull request on the queue: makes the group's commit and asks for its checks; the group's head."""
    repo = pull.repository
    approvals = [text for text in rules.obstacles(pull, token)[0] if "review" in text]
    tree = mergeable.test_merge(pull) if pull.open and not pull.draft and not approvals else None
    if tree is None:
        raise unprocessable("Pull request is not mergeable" if not approvals else approvals[0])
    base = mergeable.base_head(pull)
    message = f"Merge pull request #{pull.number} from {pull.head_repository.owner.login}/{pull.head_ref}"
    by = repo.world.signature(token.user)
    sha = git_write.commit(repo.store, tree, [base, pull.head_sha], message, by, repo.world.web_flow())
    pull.queued = f"{BRANCHES}/{pull.base_ref}/pr-{pull.number}-{base}"
    repo.store.move([Move(pull.queued, sha)])
    group: Body = {
        "head_sha": sha, "head_ref": pull.queued, "base_sha": base, "base_ref": f"refs/heads/{pull.base_ref}",
        "head_commit": {"id": sha, "message": message},
    }  # fmt: skip
    events.emit(
        repo,
        "merge_group",
        token,
        {"merge_group": group},
        action="checks_requested",
        ref=pull.queued,
        sha=sha,
    )
    pull.auto_merge = None
    repo.queue_tokens[pull.number] = token
    return sha


def advance(repo: Repository) -> None:
    """Merge every queued pull request whose group has all its required statuses."""
    for pull in repo.pulls:
        if pull.queued is None or not pull.open:
            continue
        sha = repo.store.ref(pull.queued)
        token = repo.queue_tokens.get(pull.number)
        if sha is None or token is None or rules.obstacles(pull, token, head=sha)[0]:
            continue
        base = repo.store.commit(sha).parents[0]
        name, pull.queued = pull.queued, None
        repo.store.move([Move(name, ZERO)])
        if mergeable.base_head(pull) == base:
            merging.land(pull, token, sha, base)
        else:
            enqueue(pull, token)
