"""The life of a pull request: opened, edited, closed, opened again."""

from __future__ import annotations

from lab.forge import events, mergeable, thread_shapes
from lab.forge.git_moves import Move
from lab.forge.permissions import demand
from lab.forge.records import PullRequest
from lab.forge.refusal import Refusal, invalid
from lab.forge.state import Repository, next_number
from lab.forge.values import TITLE_LIMIT, Body, Token

NO_PULL_REQUESTS = "GitHub Actions is not permitted to create or approve pull requests."


def announce(pull: PullRequest, token: Token, action: str, **more: object) -> None:
    """One `pull_request` event."""
    repo = pull.repository
    links = events.links(repo.world)
    body: Body = {"number": pull.number, "pull_request": thread_shapes.pull(links, pull)}
    paths = tuple(change.path for change in mergeable.changes(pull))
    events.emit(
        repo, "pull_request", token, body | more, action=action, ref=f"refs/pull/{pull.number}/merge",
        sha=pull.head_sha, paths=paths,
    )  # fmt: skip


def find_head(repo: Repository, label: str) -> tuple[Repository, str] | None:
    """The repository and branch that `branch` or `owner:branch` names, or None."""
    owner, colon, branch = label.rpartition(":")
    if not colon:
        return (repo, label) if repo.store.ref(f"refs/heads/{label}") else None
    near = [
        repository
        for repository in repo.world.repositories.values()
        if repository is repo or repository.parent is repo
    ]
    near = [repository for repository in near if repository.owner.login.lower() == owner.lower()]
    return next(
        ((repository, branch) for repository in near if repository.store.ref(f"refs/heads/{branch}")), None
    )


def create(
    repo: Repository, token: Token, title: str, head: str, base: str, body: str | None, draft: bool
) -> PullRequest:
    """Open a pull request; 422 for a missing branch, no commits, a second one for the same branches."""
    if token.kind == "actions" and not repo.settings.actions_may_write_pull_requests:
        raise Refusal(403, NO_PULL_REQUESTS)
    _demand_title(title)
    head_branch = find_head(repo, head)
    if head_branch is None:
        raise invalid("PullRequest", "head", "invalid")
    from_repo, branch = head_branch
    demand(token, from_repo, "contents=write" if token.kind == "pat" and from_repo is repo else "")
    target = repo.store.ref(f"refs/heads/{base}")
    if target is None:
        raise invalid("PullRequest", "base", "invalid")
    sha = fetch(repo, from_repo, branch)
    if repo.store.merge_base(target, sha) is None:
        raise _custom(f"The {branch} branch has no history in common with {base}")
    if repo.store.is_ancestor(sha, target):
        raise _custom(f"No commits between {base} and {branch}")
    if any(_same(existing, from_repo, branch, base) for existing in repo.pulls):
        raise _custom(f"A pull request already exists for {from_repo.owner.login}:{branch}.")
    now = repo.world.now()
    pull = PullRequest(
        id=repo.world.next_id(), number=next_number(repo), repository=repo, title=title, body=body,
        author=token.user, created_at=now, updated_at=now, head_repository=from_repo, head_ref=branch,
        head_sha=sha, base_ref=base, base_sha=target, draft=draft,
    )  # fmt: skip
    repo.threads[pull.number] = pull
    keep_head(pull)
    announce(pull, token, "opened")
    return pull


def _demand_title(title: str) -> None:
    if len(title) > TITLE_LIMIT:
        raise invalid("PullRequest", "title", "custom", "title is too long (maximum is 256 characters)")


def _custom(message: str) -> Refusal:
    error = {"resource": "PullRequest", "code": "custom", "message": message}
    return Refusal(422, "Validation Failed", errors=[error])


def _same(pull: PullRequest, repo: Repository, branch: str, base: str) -> bool:
    return pull.open and pull.head_repository is repo and (pull.head_ref, pull.base_ref) == (branch, base)


def fetch(repo: Repository, source: Repository, branch: str) -> str:
    """The head of a branch, its objects brought over when it lives in a fork."""
    if source is not repo:
        repo.store.git("fetch", "--quiet", "--no-tags", str(source.path), f"refs/heads/{branch}")
    return source.head(branch)


def keep_head(pull: PullRequest) -> None:
    """Keep `refs/pull/N/head` and `refs/pull/N/merge` at what they are now."""
    pull.repository.store.move([Move(f"refs/pull/{pull.number}/head", pull.head_sha)])
    mergeable.test_merge(pull)


def close(pull: PullRequest, token: Token) -> None:
    """Close without merging."""
    pull.base_sha = mergeable.base_head(pull)
    pull.open, pull.auto_merge = False, None
    pull.closed_at = pull.updated_at = pull.repository.world.now()
    announce(pull, token, "closed")


def reopen(pull: PullRequest, token: Token) -> None:
    """Open a closed pull request again; 422 when its branch is gone, has nothing, or another took its place."""
    repo = pull.repository
    head = pull.head_repository.store.ref(f"refs/heads/{pull.head_ref}")
    base = repo.store.ref(f"refs/heads/{pull.base_ref}")
    if pull.merged_at or head is None or base is None:
        raise _custom("state cannot be changed. The branch was deleted or merged.")
    if repo.store.is_ancestor(head, base):
        raise _custom(f"state cannot be changed. There are no new commits on the {pull.head_ref} branch.")
    if any(
        _same(other_pull, pull.head_repository, pull.head_ref, pull.base_ref) for other_pull in repo.pulls
    ):
        raise _custom(f"A pull request already exists for {repo.owner.login}:{pull.head_ref}.")
    pull.open, pull.closed_at, pull.head_sha = True, None, head
    pull.updated_at = repo.world.now()
    keep_head(pull)
    announce(pull, token, "reopened")


def edit(pull: PullRequest, token: Token, *, title: str | None, body: str | None, base: str | None) -> None:
    """Change title, body, base; nothing given is nothing changed."""
    changes: Body = {}
    if title is not None and title != pull.title:
        if not title.strip():
            raise invalid("PullRequest", "title", "missing_field")
        _demand_title(title)
        changes["title"] = {"from": pull.title}
        pull.title = title
    if body is not None and body != pull.body:
        changes["body"] = {"from": pull.body}
        pull.body = body
    if base is not None and base != pull.base_ref:
        if pull.repository.store.ref(f"refs/heads/{base}") is None:
            raise invalid("PullRequest", "base", "invalid")
        changes["base"] = {"ref": {"from": pull.base_ref}}
        pull.base_ref = base
    if changes:
        pull.updated_at = pull.repository.world.now()
        announce(pull, token, "edited", changes=changes)


def set_draft(pull: PullRequest, token: Token, draft: bool) -> None:
    """Convert to a draft, or mark as ready."""
    if pull.draft != draft:
        pull.draft = draft
        announce(pull, token, "converted_to_draft" if draft else "ready_for_review")
