"""Pull requests, reviews, comments, labels."""

from __future__ import annotations

from collections.abc import Mapping

from lab.forge import mergeable, rules, thread_shapes
from lab.forge.graph.arguments import Arguments, Field, Table
from lab.forge.graph.git_fields import commit_node, connection
from lab.forge.graph.nodes import Asker, Connection, GitNode, PullCommitNode, RefNode
from lab.forge.permissions import at_least, demand, role_of
from lab.forge.records import PullRequest, Review, Thread
from lab.forge.refusal import not_found
from lab.forge.state import Repository


def _pulls(asker: Asker, source: Repository | RefNode, arguments: Arguments) -> Connection:
    repo = source if isinstance(source, Repository) else source.repository
    demand(asker.token, repo, "pull_requests=read")
    head = arguments.text("headRefName") or (
        "" if isinstance(source, Repository) else source.name.split("/", 2)[2]
    )
    states, labels = arguments.texts("states"), {name.lower() for name in arguments.texts("labels") or []}
    selected: list[object] = [
        pull
        for pull in repo.pulls
        if (states is None or pull.state in states)
        and head in ("", pull.head_ref)
        and arguments.text("baseRefName") in ("", pull.base_ref)
        and (not labels or labels & {label.name.lower() for label in pull.labels})
        and not repo.world.replica.misses(pull.id)
    ]
    return connection(selected[::-1] if arguments.descending() else selected, "pullRequests", arguments)


def _pull(asker: Asker, repo: Repository, arguments: Arguments) -> PullRequest:
    demand(asker.token, repo, "pull_requests=read")
    thread = repo.threads.get(arguments.number("number") or 0)
    if not isinstance(thread, PullRequest) or repo.world.replica.misses(thread.id):
        raise not_found(
            f"Could not resolve to a PullRequest with the number of {arguments.number('number')}."
        )
    return thread


def _thread(_asker: Asker, repo: Repository, arguments: Arguments) -> Thread:
    thread = repo.threads.get(arguments.number("number") or 0)
    if thread is None:
        raise not_found(
            f"Could not resolve to an issue or pull request with the number of {arguments.number('number')}."
        )
    return thread


def _mergeable(_asker: Asker, pull: PullRequest, _given: Arguments) -> str:
    return {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}[mergeable.peek(pull)]


def _merge_state(_asker: Asker, pull: PullRequest, _given: Arguments) -> str:
    return mergeable.state(pull, mergeable.peek(pull)).upper()


def _branch(repo: Repository, name: str) -> RefNode | None:
    return RefNode(repo, f"refs/heads/{name}") if repo.store.ref(f"refs/heads/{name}") else None


def _merge_commit(_asker: Asker, pull: PullRequest, _given: Arguments) -> GitNode | None:
    return commit_node(pull.repository, pull.merge_sha) if pull.merged_at and pull.merge_sha else None


def _reviews(_asker: Asker, pull: PullRequest, arguments: Arguments) -> Connection:
    states, author = arguments.texts("states"), arguments.text("author")
    selected: list[object] = [
        review
        for review in pull.reviews
        if (states is None or review.state in states) and author in ("", review.user.short_login)
    ]
    return connection(selected, "reviews", arguments)


def _latest_reviews(_asker: Asker, pull: PullRequest, arguments: Arguments) -> Connection:
    return connection(
        list({review.user: review for review in pull.reviews}.values()), "latestReviews", arguments
    )


def _timeline(_asker: Asker, pull: PullRequest, arguments: Arguments) -> Connection:
    return connection(list(pull.labelings), "timelineItems", arguments)


def _decision(_asker: Asker, pull: PullRequest, _given: Arguments) -> str | None:
    applied = rules.applying(pull.repository, f"refs/heads/{pull.base_ref}")
    if not any(rule.approvals for rule in applied):
        return None
    reasons = " ".join(rules.obstacles(pull, None)[0])
    if "Changes have been requested" in reasons:
        return "CHANGES_REQUESTED"
    return "REVIEW_REQUIRED" if "approving" in reasons else "APPROVED"


def _commits(_asker: Asker, pull: PullRequest, arguments: Arguments) -> Connection:
    nodes = [
        PullCommitNode(pull, commit_node(pull.repository, commit.sha)) for commit in mergeable.commits(pull)
    ]
    return connection(list(nodes), "commits", arguments)


def _files(_asker: Asker, pull: PullRequest, arguments: Arguments) -> Connection:
    words = {"removed": "DELETED"}
    files = [
        {
            "path": change.path, "additions": change.additions, "deletions": change.deletions,
            "changeType": words.get(change.status, change.status.upper()),
        }
        for change in mergeable.changes(pull)
    ]  # fmt: skip
    return connection(list(files), "files", arguments)


def _auto(_asker: Asker, pull: PullRequest, _given: Arguments) -> Mapping[str, object] | None:
    wish = pull.auto_merge
    if wish is None:
        return None
    return {
        "enabledAt": wish.enabled_at, "enabledBy": wish.token.user, "mergeMethod": wish.method.upper(),
        "commitHeadline": wish.title, "commitBody": wish.body, "pullRequest": pull, "authorEmail": None,
    }  # fmt: skip


def _can_push(_asker: Asker, review: Review, _given: Arguments) -> bool:
    return at_least(role_of(review.pull.repository, review.user), "write")


def _thread_url(asker: Asker, thread: Thread, _given: Arguments) -> str:
    kind = "pull" if isinstance(thread, PullRequest) else "issues"
    return f"{asker.world.url}/{thread.repository.full_name}/{kind}/{thread.number}"


def _comment_url(asker: Asker, source: object, _given: Arguments) -> str:
    thread = source.pull if isinstance(source, Review) else getattr(source, "thread")  # noqa: B009
    return f"{asker.world.url}/{thread.repository.full_name}/pull/{thread.number}#{getattr(source, 'id', '')}"


THREAD: dict[str, Field] = {
    "databaseId": lambda _asker, thread, _given: thread.id,
    "body": lambda _asker, thread, _given: thread.body or "",
    "authorAssociation": lambda _asker, thread, _given: thread_shapes.association(thread.repository, thread.author),
    "labels": lambda _asker, thread, arguments: connection(list(thread.labels), "labels", arguments),
    "comments": lambda _asker, thread, arguments: connection(list(thread.comments), "comments", arguments),
    "viewerDidAuthor": lambda asker, thread, _given: thread.author == asker.token.user, "url": _thread_url,
}  # fmt: skip
REMARK: dict[str, Field] = {
    "fullDatabaseId": lambda _asker, record, _given: str(record.id),
    "author": lambda _asker, record, _given: record.user, "databaseId": lambda _asker, record, _given: record.id,
    "authorAssociation": lambda *_: "NONE", "url": _comment_url,
    "viewerDidAuthor": lambda asker, record, _given: record.user == asker.token.user,
}  # fmt: skip
FIELDS: Table = {
    "Repository": {"pullRequests": _pulls, "pullRequest": _pull, "issueOrPullRequest": _thread},
    "Ref": {"associatedPullRequests": _pulls},
    "Issue": {**THREAD,"state": lambda _asker, thread, _given: "OPEN" if thread.open else "CLOSED"},
    "PullRequest": {**THREAD,
        "isDraft": lambda _asker, pull, _given: pull.draft, "closed": lambda _asker, pull, _given: not pull.open,
        "merged": lambda _asker, pull, _given: pull.merged_at is not None, "mergeable": _mergeable,
        "mergeStateStatus": _merge_state, "headRefName": lambda _asker, pull, _given: pull.head_ref,
        "headRefOid": lambda _asker, pull, _given: pull.head_sha,
        "headRef": lambda _asker, pull, _given: _branch(pull.head_repository, pull.head_ref),
        "baseRefName": lambda _asker, pull, _given: pull.base_ref,
        "baseRefOid": lambda _asker, pull, _given: mergeable.base_head(pull),
        "baseRef": lambda _asker, pull, _given: _branch(pull.repository, pull.base_ref),
        "baseRepository": lambda _asker, pull, _given: pull.repository, "mergeCommit": _merge_commit,
        "isCrossRepository": lambda _asker, pull, _given: pull.head_repository is not pull.repository,
        "isInMergeQueue": lambda _asker, pull, _given: pull.queued is not None,
        "fullDatabaseId": lambda _asker, pull, _given: str(pull.id), "potentialMergeCommit": lambda *_: None,
        "reviews": _reviews, "latestReviews": _latest_reviews, "reviewDecision": _decision, "commits": _commits,
        "files": _files, "timelineItems": _timeline, "autoMergeRequest": _auto,
        "changedFiles": lambda _asker, pull, _given: len(mergeable.changes(pull)),
        "additions": lambda _asker, pull, _given: sum(change.additions for change in mergeable.changes(pull)),
        "deletions": lambda _asker, pull, _given: sum(change.deletions for change in mergeable.changes(pull)),
    },
    "PullRequestCommit": {"pullRequest": lambda _asker, node, _given: node.pull},
    "PullRequestReview": {**REMARK,
        "authorCanPushToRepository": _can_push, "pullRequest": lambda _asker, review, _given: review.pull,
        "commit": lambda _asker, review, _given: commit_node(review.pull.repository, review.sha),
        "createdAt": lambda _asker, review, _given: review.submitted_at or review.pull.updated_at,
        "updatedAt": lambda _asker, review, _given: review.submitted_at or review.pull.updated_at,
    },
    "IssueComment": REMARK,
}  # fmt: skip
