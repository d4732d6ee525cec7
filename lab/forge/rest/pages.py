"""The few pages that a person opens from a link while the lab runs: plain text in place of GitHub's."""

from __future__ import annotations

from html import escape

from lab.forge.exchange import Answer, Ask
from lab.forge.records import PullRequest
from lab.forge.refusal import not_found
from lab.forge.routing import Route
from lab.forge.rules import newest_statuses


def repository_page(ask: Ask) -> Answer:
    """Branches, open pull requests, releases."""
    repo = ask.repository
    heads = [f"{sha[:12]} {name}" for name, sha in repo.store.refs("refs/").items()]
    open_ones = [f"#{pull.number} {pull.title}" for pull in repo.pulls if pull.open]
    releases = [f"{release.tag}{' (draft)' if release.draft else ''}" for release in repo.releases]
    return _page(repo.full_name, [*heads, "", "Open pull requests", *open_ones, "", "Releases", *releases])


def pull_page(ask: Ask) -> Answer:
    """A pull request with its statuses, reviews and comments."""
    thread = ask.repository.threads.get(ask.number("number"))
    if thread is None:
        raise not_found()
    lines = [thread.body or "", ""]
    if isinstance(thread, PullRequest):
        lines = [f"{thread.state}: {thread.head_ref} -> {thread.base_ref}, {thread.head_sha}", "", *lines]
        newest = newest_statuses(ask.repository, thread.head_sha).values()
        lines += [f"{status.context}: {status.state}, {status.description or ''}" for status in newest]
        lines += [f"{review.user.login}: {review.state}" for review in thread.reviews]
    lines += [f"{comment.user.login}: {comment.body}" for comment in thread.comments]
    return _page(f"#{thread.number} {thread.title}", lines)


def release_page(ask: Ask) -> Answer:
    """A release with its files."""
    for release in ask.repository.releases:
        if release.tag == ask.param("tag"):
            return _page(
                release.name or release.tag,
                [release.body or "", "", *[asset.name for asset in release.assets]],
            )
    raise not_found()


def run_page(ask: Ask) -> Answer:
    """A workflow run's state."""
    repo, run = ask.world.runs.get(ask.number("id"), (None, None))
    if run is None or repo is not ask.repository:
        raise not_found()
    return _page(f"Run {run.id}", [f"{run.workflow} on {run.ref}: {run.status} {run.conclusion or ''}"])


def commit_page(ask: Ask) -> Answer:
    """A commit with its statuses."""
    repo = ask.repository
    sha = repo.store.commit_of(ask.param("sha"))
    if sha is None:
        raise not_found()
    lines = [
        f"{status.context}: {status.state}, {status.description or ''}"
        for status in newest_statuses(repo, sha).values()
    ]
    return _page(sha, [repo.store.commit(sha).message, "", *lines])


def _page(title: str, lines: list[str]) -> Answer:
    text = escape("\n".join(lines))
    html = f"<!doctype html><title>{escape(title)}</title><h1>{escape(title)}</h1><pre>{text}</pre>"
    return Answer(200, html, {"Content-Type": "text/html; charset=utf-8"})


AT = "/{owner}/{repo}"
ROUTES = (
    Route("GET", AT + "/pull/{number}", pull_page, "pull_requests=read"),
    Route("GET", AT + "/issues/{number}", pull_page, "issues=read"),
    Route("GET", AT + "/releases/tag/{tag*}", release_page, "contents=read"),
    Route("GET", AT + "/actions/runs/{id}", run_page, "actions=read"),
    Route("GET", AT + "/commit/{sha}", commit_page, "contents=read"),
    Route("GET", AT, repository_page, "contents=read"),
)
