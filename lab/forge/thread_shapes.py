"""The JSON of issues, pull requests, reviews, comments, labels and releases."""

from __future__ import annotations

from urllib.parse import quote

from lab.forge import mergeable, shapes
from lab.forge.exchange import Links
from lab.forge.permissions import role_of
from lab.forge.records import Comment, Label, PullRequest, Release, Review, Thread
from lab.forge.state import Repository
from lab.forge.values import Asset, Body, User


def label(links: Links, repo: Repository, label: Label) -> Body:
    """A label."""
    return {
        "id": label.id, "node_id": f"LA_{label.id}", "name": label.name, "color": label.color, "default": False,
        "description": label.description, "url": f"{links.repo(repo)}/labels/{quote(label.name, safe='')}",
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
        "labels": [label(links, repo, applied) for applied in thread.labels], "milestone": None,
        "assignees": [shapes.user(links, user) for user in thread.assignees],
        "assignee": shapes.user(links, thread.assignees[0]) if thread.assignees else None,
        "comments": len(thread.comments), "created_at": thread.created_at, "updated_at": thread.updated_at,
        "closed_at": thread.closed_at,
    }  # fmt: skip
    if isinstance(thread, PullRequest):
        at = f"{links.repo(repo)}/pulls/{thread.number}"
        body["pull_request"] = {"url": at, "html_url": page, "merged_at": thread.merged_at}
    return body


def association(repo: Repository, user: User) -> str:
    """GitHub's name for the relation of an author to a repository."""
    if user == repo.owner:
        return "OWNER"
    if user.login in repo.collaborators:
        return "COLLABORATOR"
    return "CONTRIBUTOR" if role_of(repo, user) == "write" else "NONE"


def pull(links: Links, pull: PullRequest, *, full: bool = False, look: bool = False) -> Body:
    """A pull request; the full form has mergeability and counts.

    `look`: this is a GET, which makes GitHub compute the mergeability; it is null until then.
    """
    repo = pull.repository
    at, page = f"{links.repo(repo)}/pulls/{pull.number}", f"{links.page(repo)}/pull/{pull.number}"
    body = issue(links, pull)
    for key in ("pull_request", "events_url", "labels_url", "repository_url", "comments", "state_reason"):
        body.pop(key)
    body |= {
        "url": at, "html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch",
        "issue_url": f"{links.repo(repo)}/issues/{pull.number}", "commits_url": f"{at}/commits",
        "statuses_url": f"{links.repo(repo)}/statuses/{pull.head_sha}", "draft": pull.draft,
        "review_comments_url": f"{at}/comments", "merged_at": pull.merged_at, "merge_commit_sha": pull.merge_sha,
        "requested_reviewers": [shapes.user(links, reviewer) for reviewer in pull.reviewers],
        "requested_teams": [{"slug": slug, "name": slug} for slug in pull.teams],
        "head": _side(links, pull.head_repository, pull.head_ref, pull.head_sha),
        "base": _side(links, repo, pull.base_ref, mergeable.base_head(pull)),
        "auto_merge": _auto(links, pull), "review_comment_url": f"{at}/comments{{/number}}",
    }  # fmt: skip
    body["_links"] = {
        "self": {"href": at}, "html": {"href": page}, "issue": {"href": body["issue_url"]},
        "comments": {"href": body["comments_url"]}, "review_comments": {"href": f"{at}/comments"},
        "review_comment": {"href": f"{at}/comments{{/number}}"}, "commits": {"href": f"{at}/commits"},
        "statuses": {"href": body["statuses_url"]},
    }  # fmt: skip
    if full:
        able = mergeable.peek(pull) if look else None
        files = mergeable.changes(pull)
        body |= {
            "merged": pull.merged_at is not None, "mergeable": able, "rebaseable": able,
            "mergeable_state": mergeable.state(pull, able), "commits": len(mergeable.commits(pull)),
            "merged_by": shapes.user(links, pull.merged_by) if pull.merged_by else None,
            "comments": len(pull.comments), "review_comments": 0, "maintainer_can_modify": False,
            "additions": sum(change.additions for change in files), "changed_files": len(files),
            "deletions": sum(change.deletions for change in files),
        }  # fmt: skip
    return body


def _side(links: Links, repo: Repository, ref: str, sha: str) -> Body:
    return {
        "label": f"{repo.owner.login}:{ref}", "ref": ref, "sha": sha, "user": shapes.user(links, repo.owner),
        "repo": shapes.repository(links, repo),
    }  # fmt: skip


def _auto(links: Links, pull: PullRequest) -> Body | None:
    wish = pull.auto_merge
    if wish is None:
        return None
    return {
        "enabled_by": shapes.user(links, wish.token.user), "merge_method": wish.method.lower(),
        "commit_title": wish.title or "", "commit_message": wish.body or "",
    }  # fmt: skip


def review(links: Links, review: Review) -> Body:
    """A review."""
    repo, page = review.pull.repository, f"{links.page(review.pull.repository)}/pull/{review.pull.number}"
    at = f"{links.repo(repo)}/pulls/{review.pull.number}"
    body: Body = {
        "id": review.id,
        "node_id": f"PRR_{review.id}",
        "user": shapes.user(links, review.user),
        "body": review.body,
        "state": review.state,
        "html_url": f"{page}#pullrequestreview-{review.id}",
        "pull_request_url": at,
        "commit_id": review.sha,
        "author_association": association(repo, review.user),
    }
    body["_links"] = {"html": {"href": body["html_url"]}, "pull_request": {"href": at}}
    return body | {"submitted_at": review.submitted_at} if review.submitted_at else body


def comment(links: Links, comment: Comment) -> Body:
    """A comment on an issue or pull request."""
    repo, number = comment.thread.repository, comment.thread.number
    return {
        "id": comment.id, "node_id": f"IC_{comment.id}", "url": f"{links.repo(repo)}/issues/comments/{comment.id}",
        "html_url": f"{links.page(repo)}/issues/{number}#issuecomment-{comment.id}",
        "issue_url": f"{links.repo(repo)}/issues/{number}", "body": comment.body, "created_at": comment.created_at,
        "updated_at": comment.updated_at, "user": shapes.user(links, comment.user),
        "author_association": association(repo, comment.user),
    }  # fmt: skip


def reaction(links: Links, record: tuple[int, User, str], now: str) -> Body:
    """A reaction."""
    number, user, content = record
    return {
        "id": number, "node_id": f"REA_{number}", "user": shapes.user(links, user), "content": content,
        "created_at": now,
    }  # fmt: skip


def release(links: Links, release: Release) -> Body:
    """A release; uploads go to their own address, as GitHub's do."""
    repo = release.repository
    at, page = f"{links.repo(repo)}/releases/{release.id}", links.page(repo)
    prefix = "/api/uploads" if links.api.endswith("/api/v3") else "/uploads"
    uploads = f"{links.web}{prefix}/repos/{repo.full_name}/releases/{release.id}/assets{{?name,label}}"
    tag = f"untagged-{release.id}" if release.draft else release.tag
    return {
        "id": release.id,
        "node_id": f"RE_{release.id}",
        "url": at,
        "html_url": f"{page}/releases/tag/{quote(tag)}",
        "assets_url": f"{at}/assets",
        "upload_url": uploads,
        "tag_name": release.tag,
        "name": release.name,
        "target_commitish": release.target,
        "body": release.body,
        "draft": release.draft,
        "prerelease": release.prerelease,
        "immutable": repo.settings.immutable_releases and not release.draft,
        "author": shapes.user(links, release.author),
        "created_at": release.created_at,
        "published_at": release.published_at,
        "assets": [asset(links, release, uploaded) for uploaded in release.assets],
        "tarball_url": f"{links.repo(repo)}/tarball/{quote(release.tag)}",
        "zipball_url": f"{links.repo(repo)}/zipball/{quote(release.tag)}",
    }


def asset(links: Links, of: Release, asset: Asset) -> Body:
    """A file of a release."""
    repo = of.repository
    return {
        "id": asset.id, "node_id": f"RA_{asset.id}", "name": asset.name, "label": asset.label, "state": "uploaded",
        "url": f"{links.repo(repo)}/releases/assets/{asset.id}", "content_type": asset.content_type,
        "size": len(asset.content), "digest": asset.digest, "download_count": 0,
        "uploader": shapes.user(links, asset.uploader), "created_at": asset.created_at,
        "updated_at": asset.created_at,
        "browser_download_url": f"{links.page(repo)}/releases/download/{quote(of.tag)}/{quote(asset.name)}",
    }  # fmt: skip
