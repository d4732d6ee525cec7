"""The base, commits and changed files of a pull request, and whether it can be merged."""

from __future__ import annotations

from lab.forge import git_write, rules
from lab.forge.git_moves import Move
from lab.forge.git_objects import Change, Commit
from lab.forge.records import PullRequest


def base_head(pull: PullRequest) -> str:
    """The current head of the base branch, or the last one of a closed pull request."""
    if not pull.open:
        return pull.base_sha
    return pull.repository.store.ref(f"refs/heads/{pull.base_ref}") or pull.base_sha


def commits(pull: PullRequest) -> list[Commit]:
    """The commits of the pull request, oldest first."""
    store = pull.repository.store
    return [store.commit(sha) for sha in store.rev_list("--reverse", pull.head_sha, f"^{base_head(pull)}")]


def changes(pull: PullRequest) -> list[Change]:
    """The changed files, from the merge base to the head."""
    store = pull.repository.store
    base = store.merge_base(base_head(pull), pull.head_sha)
    return store.changes(base, pull.head_sha) if base else []


def test_merge(pull: PullRequest) -> str | None:
    """The tree of merging the head into the base now, or None on a conflict; keeps `refs/pull/N/merge`."""
    key = (pull.head_sha, base_head(pull))
    if pull.tried and pull.tried[0] == key:
        return pull.tried[1]
    repo, (head, base) = pull.repository, key
    tree = git_write.merged_tree(repo.store, repo.store.merge_base(base, head), base, head)
    if tree:
        flow = repo.world.web_flow()
        sha = git_write.commit(repo.store, tree, [base, head], f"Merge {head} into {base}", flow)
        repo.store.move([Move(f"refs/pull/{pull.number}/merge", sha)])
        if pull.open:
            pull.merge_sha = sha
    pull.tried = (key, tree)
    return tree


def peek(pull: PullRequest) -> bool | None:
    """Whether it can be merged; None for the first request with a head and base, as on GitHub."""
    if not pull.open:
        return None
    key = (pull.head_sha, base_head(pull))
    if pull.asked != key:
        pull.asked = key
        return None
    return test_merge(pull) is not None


def state(pull: PullRequest, able: bool | None) -> str:
    """REST's `mergeable_state`."""
    if able is None:
        return "unknown"
    if not able:
        return "dirty"
    if pull.draft:
        return "draft"
    reasons, _ = rules.obstacles(pull, None)
    if any("out-of-date" in text for text in reasons):
        return "behind"
    if reasons:
        return "blocked"
    newest = rules.newest_statuses(pull.repository, pull.head_sha)
    return "unstable" if any(status.state != "success" for status in newest.values()) else "clean"
