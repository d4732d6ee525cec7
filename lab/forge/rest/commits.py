"""Commits, their lists, and comparisons."""

from __future__ import annotations

from lab.forge import git_shapes, thread_shapes
from lab.forge.exchange import Answer, Ask, Links
from lab.forge.git_objects import Change
from lab.forge.refusal import Refusal, not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.state import Repository
from lab.forge.values import EMPTY_TREE, Body


def get_commit(ask: Ask) -> Answer:
    """GET commits/{ref}, with files; the bare sha for `application/vnd.github.sha`."""
    repo = ask.repository
    sha = _resolve(ask, ask.param("ref"))
    if "github.sha" in ask.headers.get("Accept", ""):
        return Answer(200, sha, {"Content-Type": "application/vnd.github.sha; charset=utf-8"})
    commit = repo.store.commit(sha)
    shown = files(ask.links, repo, commit.parents[0] if commit.parents else EMPTY_TREE, sha)
    added = sum(int(str(file["additions"])) for file in shown)
    removed = sum(int(str(file["deletions"])) for file in shown)
    stats: Body = {"additions": added, "deletions": removed, "total": added + removed}
    return Answer(200, git_shapes.commit(ask.links, repo, commit) | {"files": shown, "stats": stats})


def files(links: Links, repo: Repository, before: str, after: str) -> list[Body]:
    """Changed files with their patches."""
    changes = repo.store.changes(before, after)
    return [
        git_shapes.file(links, repo, change, after, _patch(repo, before, after, change)) for change in changes
    ]


def _patch(repo: Repository, before: str, after: str, change: Change) -> str | None:
    names = [name for name in (change.previous, change.path) if name]
    text = repo.store.git("diff", "-M", before, after, "--", *names).decode(errors="replace")
    start = text.find("@@ ")
    return text[start:].rstrip("\n") if start >= 0 else None


def list_commits(ask: Ask) -> Answer:
    """GET commits: from `sha` (default branch), filtered by path, since, until, author."""
    repo, query = ask.repository, ask.query
    if not repo.store.refs():
        raise Refusal(409, "Git Repository is empty.")
    start = _resolve(ask, query.get("sha") or repo.default_branch)
    options = [f"--{name}={query[name]}" for name in ("since", "until", "author") if query.get(name)]
    shas = repo.store.rev_list(*options, start, "--", *([query["path"]] if query.get("path") else []))
    return ask.page(shas, show=lambda sha: git_shapes.commit(ask.links, repo, repo.store.commit(str(sha))))


def compare(ask: Ask) -> Answer:
    """GET compare/{base}...{head}; 404 for a missing side or no common ancestor."""
    repo, (base_name, dots, head_name) = ask.repository, ask.param("spec").partition("...")
    if not dots:
        raise not_found()
    base, head = _side(ask, base_name), _side(ask, head_name)
    common = repo.store.merge_base(base, head)
    if common is None:
        raise not_found(f"No common ancestor between {base_name} and {head_name}.")
    ahead = repo.store.rev_list("--reverse", head, f"^{base}")
    behind = repo.store.rev_list(base, f"^{head}")
    word = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    at, page = ask.links.repo(repo), ask.links.page(repo)
    name = f"compare/{base_name}...{head_name}"
    body: Body = {
        "url": f"{at}/{name}", "html_url": f"{page}/{name}", "permalink_url": f"{page}/compare/{base}...{head}",
        "diff_url": f"{page}/{name}.diff", "patch_url": f"{page}/{name}.patch", "status": word,
        "ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead),
        "base_commit": git_shapes.commit(ask.links, repo, repo.store.commit(base)),
        "merge_base_commit": git_shapes.commit(ask.links, repo, repo.store.commit(common)),
        "commits": [git_shapes.commit(ask.links, repo, repo.store.commit(sha)) for sha in ahead[:250]],
        "files": files(ask.links, repo, common, head),
    }  # fmt: skip
    return Answer(200, body)


def _side(ask: Ask, name: str) -> str:
    """A side of a comparison: branch, tag, sha, or `owner:branch`."""
    sha = ask.repository.store.commit_of(name.partition(":")[2] or name)
    if sha is None:
        raise not_found()
    return sha


def commit_pulls(ask: Ask) -> Answer:
    """GET commits/{sha}/pulls: pull requests that brought or carry the commit."""
    repo, sha = ask.repository, _resolve(ask, ask.param("ref"))
    near = [
        pull for pull in repo.pulls if pull.merge_sha == sha or repo.store.is_ancestor(sha, pull.head_sha)
    ]
    pulls = [pull for pull in near if pull.merge_sha == sha or not repo.store.is_ancestor(sha, pull.base_sha)]
    return ask.page([thread_shapes.pull(ask.links, pull) for pull in pulls])


def _resolve(ask: Ask, name: str) -> str:
    sha = ask.repository.store.commit_of(name)
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {name}") if len(name) == 40 else not_found()
    return sha


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/compare/{spec*}", compare, "contents=read"),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref}/pulls", commit_pulls, "pull_requests=read"),
    Route("GET", "/repos/{owner}/{repo}/commits", list_commits, "contents=read"),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref*}", get_commit, "contents=read"),
)
