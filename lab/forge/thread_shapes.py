"""The JSON of issues, pull requests, reviews, comments, labels and releases."""

from __future__ import annotations

from urllib.parse import quote

from lab.forge import mergeable, shapes
from lab.forge.exchange import Links
from lab.forge.permissions import role_of
from lab.forge.records import Comment, Label, PullRequest, Release, Review, Thread
from lab.forge.state import Repository
from lab.forge.values import Asset, Body, User


def label(links: Links, repo: Repository, found: Label) -> Body:
    """A label."""
    return {
        "id": found.id, "node_id": f"LA_{found.id}", "name": found.name, "color": found.color, "default": False,
        "description": found.description, "url": f"{links.repo(repo)}/labels/{quote(found.name, safe='')}",
    }  # fmt: skip


def issue(links: Links, thread: Thread) -> Body:
    """An issue, or the issue side of a pull request."""
    repo = thread.repository
    at = f"{links.repo(repo)}/issues/{thread.number}"
    is_pull = isinstance(thread, PullRequest)
    page = f"{links.page(repo)}/{'pull' if is_pull else 'issues'}/{thread.number}"
    body: Body = {
        "id": thread.id, "node_id": f"{'PR' if is_pull else 'I'}_{thread.id}", "number": thread.number, "url": at,
        "html_url": page, "repository_url": links.repo(repo), "comments_url": f"{at}/comments",
        "labels_url": f"{at}/labels{{/name}}", "events_url": f"{at}/events", "title": thread.title,
        "body": thread.body,
        "state": "open" if thread.open else "closed", "state_reason": None, "locked": False,
        "user": shapes.user(links, thread.author), "author_association": association(repo, thread.author),
        "labels": [label(links, repo, one) for one in thread.labels], "milestone": None,
        "assignees": [shapes.user(links, who) for who in thread.assignees],
        "assignee": shapes.user(links, thread.assignees[0]) if thread.assignees else None,
        "comments": len(thread.comments), "created_at": thread.created_at, "updated_at": thread.updated_at,
        "closed_at": thread.closed_at,
    }  # fmt: skip
    if isinstance(thread, PullRequest):
        at = f"{links.repo(repo)}/pulls/{thread.number}"
        body["pull_request"] = {"url": at, "html_url": page, "merged_at": thread.merged_at}
    return body


def association(repo: Repository, who: User) -> str:
    """How GitHub names the relation of an author to a repository."""
    if who == repo.owner:
        return "OWNER"
    if who.login in repo.collaborators:
        return "COLLABORATOR"
    return "CONTRIBUTOR" if role_of(repo, who) == "write" else "NONE"


def pull(links: Links, found: PullRequest, *, full: bool = False, look: bool = False) -> Body:
    """A pull request; the full form has mergeability and counts.

    `look`: this is a GET, which makes GitHub compute the mergeability; it is null until then.
    """
    repo = found.repository
    at, page = f"{links.repo(repo)}/pulls/{found.number}", f"{links.page(repo)}/pull/{found.number}"
    body = issue(links, found)
    for key in ("pull_request", "events_url", "labels_url", "repository_url", "comments", "state_reason"):
        body.pop(key)
    body |= {
        "url": at, "html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch",
        "issue_url": f"{links.repo(repo)}/issues/{found.number}", "commits_url": f"{at}/commits",
        "statuses_url": f"{links.repo(repo)}/statuses/{found.head_sha}", "draft": found.draft,
        "review_comments_url": f"{at}/comments", "merged_at": found.merged_at, "merge_commit_sha": found.merge_sha,
        "requested_reviewers": [shapes.user(links, who) for who in found.reviewers],
        "requested_teams": [{"slug": slug, "name": slug} for slug in found.teams],
        "head": _side(links, found.head_repository, found.head_ref, found.head_sha),
        "base": _side(links, repo, found.base_ref, mergeable.base_head(found)),
        "auto_merge": _auto(links, found), "review_comment_url": f"{at}/comments{{/number}}",
    }  # fmt: skip
    body["_links"] = {
        "self": {"href": at}, "html": {"href": page}, "issue": {"href": body["issue_url"]},
        "comments": {"href": body["comments_url"]}, "review_comments": {"href": f"{at}/comments"},
        "review_comment": {"href": f"{at}/comments{{/number}}"}, "commits": {"href": f"{at}/commits"},
        "statuses": {"href": body["statuses_url"]},
    }  # fmt: skip
    if full:
        able = mergeable.peek(found) if look else None
        files = mergeable.changes(found)
        body |= {
            "merged": found.merged_at is not None, "mergeable": able, "rebaseable": able,
            "mergeable_state": mergeable.state(found, able), "commits": len(mergeable.commits(found)),
            "merged_by": shapes.user(links, found.merged_by) if found.merged_by else None,
            "comments": len(found.comments), "review_comments": 0, "maintainer_can_modify": False,
            "additions": sum(one.additions for one in files), "changed_files": len(files),
            "deletions": sum(one.deletions for one in files),
        }  # fmt: skip
    return body


def _side(links: Links, repo: Repository, ref: str, sha: str) -> Body:
    return {
        "label": f"{repo.owner.login}:{ref}", "ref": ref, "sha": sha, "user": shapes.user(links, repo.owner),
        "repo": shapes.repository(links, repo),
    }  # fmt: skip


def _auto(links: Links, found: PullRequest) -> Body | None:
    wish = found.auto_merge
    if wish is None:
        return None
    return {
        "enabled_by": shapes.user(links, wish.token.user), "merge_method": wish.method.lower(),
        "commit_title": wish.title or "", "commit_message": wish.body or "",
    }  # fmt: skip


def review(links: Links, found: Review) -> Body:
    """A review."""
    repo, page = found.pull.repository, f"{links.page(found.pull.repository)}/pull/{found.pull.number}"
    at = f"{links.repo(repo)}/pulls/{found.pull.number}"
    body: Body = {
        "id": found.id, "node_id": f"PRR_{found.id}", "user": shapes.user(links, found.user), "body": found.body,
        "state": found.state, "html_url": f"{page}#pullrequestreview-{found.id}", "pull_request_url": at,
        "commit_id": found.sha, "author_association": association(repo, found.user),
    }  # fmt: skip
    body["_links"] = {"html": {"href": body["html_url"]}, "pull_request": {"href": at}}
    return body | {"submitted_at": found.submitted_at} if found.submitted_at else body


def comment(links: Links, found: Comment) -> Body:
    """A comment on an issue or pull request."""
    repo, number = found.thread.repository, found.thread.number
    return {
        "id": found.id, "node_id": f"IC_{found.id}", "url": f"{links.repo(repo)}/issues/comments/{found.id}",
        "html_url": f"{links.page(repo)}/issues/{number}#issuecomment-{found.id}",
        "issue_url": f"{links.repo(repo)}/issues/{number}", "body": found.body, "created_at": found.created_at,
        "updated_at": found.updated_at, "user": shapes.user(links, found.user),
        "author_association": association(repo, found.user),
    }  # fmt: skip


def reaction(links: Links, found: tuple[int, User, str], now: str) -> Body:
    """A reaction."""
    number, who, content = found
    return {
        "id": number, "node_id": f"REA_{number}", "user": shapes.user(links, who), "content": content,
        "created_at": now,
    }  # fmt: skip


def release(links: Links, found: Release) -> Body:
    """A release; uploads go to their own address, as GitHub's do."""
    repo = found.repository
    at, page = f"{links.repo(repo)}/releases/{found.id}", links.page(repo)
    prefix = "/api/uploads" if links.api.endswith("/api/v3") else "/uploads"
    uploads = f"{links.web}{prefix}/repos/{repo.full_name}/releases/{found.id}/assets{{?name,label}}"
    tag = f"untagged-{found.id}" if found.draft else found.tag
    return {
        "id": found.id, "node_id": f"RE_{found.id}", "url": at, "html_url": f"{page}/releases/tag/{quote(tag)}",
        "assets_url": f"{at}/assets", "upload_url": uploads, "tag_name": found.tag, "name": found.name,
        "target_commitish": found.target, "body": found.body, "draft": found.draft, "prerelease": found.prerelease,
        "immutable": repo.settings.immutable_releases and not found.draft,
        "author": shapes.user(links, found.author), "created_at": found.created_at,
        "published_at": found.published_at, "assets": [asset(links, found, one) for one in found.assets],
        "tarball_url": f"{links.repo(repo)}/tarball/{quote(found.tag)}",
        "zipball_url": f"{links.repo(repo)}/zipball/{quote(found.tag)}",
    }  # fmt: skip


def asset(links: Links, of: Release, found: Asset) -> Body:
    """A file of a release."""
    repo = of.repository
    return {
        "id": found.id, "node_id": f"RA_{found.id}", "name": found.name, "label": found.label, "state": "uploaded",
        "url": f"{links.repo(repo)}/releases/assets/{found.id}", "content_type": found.content_type,
        "size": len(found.content), "digest": found.digest, "download_count": 0,
        "uploader": shapes.user(links, found.uploader), "created_at": found.created_at,
        "updated_at": found.created_at,
        "browser_download_url": f"{links.page(repo)}/releases/download/{quote(of.tag)}/{quote(found.name)}",
    }  # fmt: skip
