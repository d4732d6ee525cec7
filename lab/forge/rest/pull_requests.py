"""Pull requests: create, list, get, update, files, commits, merge."""

from __future__ import annotations

from lab.forge import branches, git_shapes, git_write, mergeable, merging, pulls, thread_shapes
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.git_moves import Move
from lab.forge.records import PullRequest
from lab.forge.refusal import malformed, not_found, unprocessable
from lab.forge.rest.commits import files
from lab.forge.routing import Route
from lab.forge.values import Body


def find_pull(ask: Ask) -> PullRequest:
    """The pull request of the path, or 404."""
    thread = ask.repository.threads.get(ask.number("number"))
    if not isinstance(thread, PullRequest) or ask.world.replica.misses(thread.id):
        raise not_found()
    return thread


def create_pull(ask: Ask) -> Answer:
    """POST pulls."""
    fields = ask.fields
    title, head, base = fields.text("title"), fields.text("head"), fields.text("base")
    body, draft = fields.text_or("body", None), fields.flag("draft", False)
    pull = pulls.create(ask.repository, ask.token, title, head, base, body, draft)
    return made(thread_shapes.pull(ask.links, pull, full=True))


def list_pulls(ask: Ask) -> Answer:
    """GET pulls: state (open), head=owner:branch, base, sort, direction."""
    query = ask.query
    state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base", "")
    pulls = [
        pull
        for pull in ask.repository.pulls
        if state in ("all", "open" if pull.open else "closed")
        and base in ("", pull.base_ref)
        and (":" not in head or head.lower() == f"{pull.head_repository.owner.login}:{pull.head_ref}".lower())
    ]
    key = "updated_at" if query.get("sort") == "updated" else "created_at"
    newest_first = query.get("direction", "asc" if "sort" in query and query["sort"] != "created" else "desc")
    pulls.sort(key=lambda pull: (getattr(pull, key), pull.number), reverse=newest_first == "desc")
    return ask.page([thread_shapes.pull(ask.links, pull) for pull in pulls])


def get_pull(ask: Ask) -> Answer:
    """GET pulls/{number}: `mergeable` is null the first time."""
    return Answer(200, thread_shapes.pull(ask.links, find_pull(ask), full=True, look=True))


def update_pull(ask: Ask) -> Answer:
    """PATCH pulls/{number}: title, body, base, state."""
    pull, fields = find_pull(ask), ask.fields
    pulls.edit(
        pull, ask.token, title=fields.text_or("title", None), body=fields.text_or("body", None),
        base=fields.text_or("base", None),
    )  # fmt: skip
    change_state(ask, pull)
    return Answer(200, thread_shapes.pull(ask.links, pull, full=True))


def change_state(ask: Ask, pull: PullRequest) -> None:
    """Close or reopen when the body asks for it."""
    state = ask.fields.text_or("state", None)
    if state not in (None, "open", "closed"):
        raise malformed("For 'properties/state', value is not one of open, closed.")
    if state == "closed" and pull.open:
        pulls.close(pull, ask.token)
    elif state == "open" and not pull.open:
        pulls.reopen(pull, ask.token)


def list_files(ask: Ask) -> Answer:
    """GET pulls/{number}/files: from the merge base to the head."""
    pull = find_pull(ask)
    store = pull.repository.store
    base = store.merge_base(mergeable.base_head(pull), pull.head_sha)
    return ask.page(files(ask.links, pull.repository, base, pull.head_sha) if base else [])


def list_commits(ask: Ask) -> Answer:
    """GET pulls/{number}/commits, oldest first."""
    pull = find_pull(ask)
    return ask.page(
        [git_shapes.commit(ask.links, pull.repository, commit) for commit in mergeable.commits(pull)]
    )


def is_merged(ask: Ask) -> Answer:
    """GET pulls/{number}/merge: 204 or 404."""
    if find_pull(ask).merged_at is None:
        raise not_found()
    return nothing()


def merge_pull(ask: Ask) -> Answer:
    """PUT pulls/{number}/merge; 405 for policy, 409 for a stale `sha`."""
    fields, method = ask.fields, ask.fields.text_or("merge_method", "merge")
    if method not in merging.DISALLOWED:
        raise malformed("For 'properties/merge_method', value is not one of merge, squash, rebase.")
    sha = merging.merge(
        find_pull(ask), ask.token, method, sha=fields.text_or("sha", ""),
        title=fields.text_or("commit_title", None), message=fields.text_or("commit_message", None),
    )  # fmt: skip
    body: Body = {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
    return Answer(200, body)


def update_branch(ask: Ask) -> Answer:
    """PUT pulls/{number}/update-branch: merge the base into the head; 422 for a stale expected_head_sha."""
    pull = find_pull(ask)
    store, base = pull.repository.store, mergeable.base_head(pull)
    expected = ask.fields.text_or("expected_head_sha", pull.head_sha)
    if expected != pull.head_sha:
        raise unprocessable("expected head sha didn't match current head ref.")
    if store.is_ancestor(base, pull.head_sha):
        raise unprocessable("There are no new commits on the base branch.")
    tree = mergeable.test_merge(pull)
    if tree is None:
        raise unprocessable("merge conflict between base and head")
    by = ask.world.signature(ask.token.user)
    message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    sha = git_write.commit(store, tree, [pull.head_sha, base], message, by, ask.world.web_flow())
    ask.world.signed.add(sha)
    branches.move_refs(pull.repository, ask.token, [Move(f"refs/heads/{pull.head_ref}", sha, pull.head_sha)])
    return Answer(202, {"message": "Updating pull request branch.", "url": ask.links.repo(pull.repository)})


def request_reviewers(ask: Ask) -> Answer:
    """POST requested_reviewers: people; GITHUB_TOKEN can't see teams, and nobody reviews their own."""
    pull = find_pull(ask)
    names, teams = ask.fields.texts("reviewers") or [], ask.fields.texts("team_reviewers") or []
    if teams and "members" not in (ask.token.permissions or {"members": "read"}):
        raise unprocessable("Could not resolve to a node with the global id of 'T_kwDO'.")
    if any(name.lower() == pull.author.login.lower() for name in names):
        raise unprocessable("Review cannot be requested from pull request author.")
    for name in names:
        user = ask.world.user(name)
        if user is None or user.type != "User":
            message = "Reviews may only be requested from collaborators. One or more of the users or teams"
            raise unprocessable(f"{message} you specified is not a collaborator of the repository: {name}")
        if user not in pull.reviewers:
            pull.reviewers.append(user)
            pulls.announce(pull, ask.token, "review_requested")
    pull.teams += [team for team in teams if team not in pull.teams]
    return made(thread_shapes.pull(ask.links, pull))


def unrequest_reviewers(ask: Ask) -> Answer:
    """DELETE requested_reviewers."""
    pull, names = find_pull(ask), ask.fields.texts("reviewers") or []
    teams = ask.fields.texts("team_reviewers") or []
    pull.reviewers = [reviewer for reviewer in pull.reviewers if reviewer.login not in names]
    pull.teams = [team for team in pull.teams if team not in teams]
    return Answer(200, thread_shapes.pull(ask.links, pull))


AT = "/repos/{owner}/{repo}/pulls"
WRITE = "pull_requests=write"
ROUTES = (
    Route("POST", AT, create_pull, WRITE, "read"),
    Route("GET", AT, list_pulls, "pull_requests=read"),
    Route("GET", AT + "/{number}", get_pull, "pull_requests=read"),
    Route("PATCH", AT + "/{number}", update_pull, WRITE),
    Route("GET", AT + "/{number}/files", list_files, "pull_requests=read"),
    Route("GET", AT + "/{number}/commits", list_commits, "pull_requests=read"),
    Route("GET", AT + "/{number}/merge", is_merged, "pull_requests=read"),
    Route("PUT", AT + "/{number}/merge", merge_pull, "contents=write"),
    Route("PUT", AT + "/{number}/update-branch", update_branch, WRITE),
    Route("POST", AT + "/{number}/requested_reviewers", request_reviewers, WRITE),
    Route("DELETE", AT + "/{number}/requested_reviewers", unrequest_reviewers, WRITE),
)
