"""Files and folders by path."""

from __future__ import annotations

import base64
from urllib.parse import quote

from lab.forge import branches, git_shapes, git_write
from lab.forge.exchange import Answer, Ask
from lab.forge.git_moves import Move
from lab.forge.refusal import Refusal, malformed, not_found
from lab.forge.rest.git_database import decoded
from lab.forge.routing import Route
from lab.forge.values import Body


def get_contents(ask: Ask) -> Answer:
    """GET contents/{path}: a file (base64, or raw when asked) or a folder's list."""
    repo, path = ask.repository, ask.params.get("path", "").strip("/")
    ref = ask.query.get("ref") or repo.default_branch
    commit = repo.store.commit_of(ref)
    if commit is None:
        raise not_found(f"No commit found for the ref {ref}")
    sha = repo.store.at(commit, path)
    if sha is None:
        raise not_found()
    if repo.store.type_of(sha) == "tree":
        listed = repo.store.entries(sha)
        prefix = f"{path}/" if path else ""
        return Answer(200, [_entry(ask, prefix + entry.path, entry.sha, ref, entry.size) for entry in listed])
    content = repo.store.object(sha)
    if "raw" in ask.headers.get("Accept", ""):
        return Answer(200, content, {"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    shown = {"content": base64.encodebytes(content).decode(), "encoding": "base64"}
    return Answer(200, _entry(ask, path, sha, ref, len(content)) | shown)


def _entry(ask: Ask, path: str, sha: str, ref: str, size: int | None) -> Body:
    at, page = ask.links.repo(ask.repository), ask.links.page(ask.repository)
    where, kind = f"{at}/contents/{quote(path)}?ref={quote(ref)}", "dir" if size is None else "file"
    return {
        "type": kind, "name": path.rsplit("/", 1)[-1], "path": path, "sha": sha, "size": size or 0, "url": where,
        "html_url": f"{page}/blob/{quote(ref)}/{quote(path)}", "download_url": f"{page}/raw/{ref}/{quote(path)}",
        "git_url": f"{at}/git/{'trees' if size is None else 'blobs'}/{sha}", "_links": {
            "self": where, "git": f"{at}/git/blobs/{sha}", "html": f"{page}/blob/{quote(ref)}/{quote(path)}",
        },
    }  # fmt: skip


def put_contents(ask: Ask) -> Answer:
    """PUT contents/{path}: create, or update with the blob's `sha`; 409 when that is stale."""
    return _change(ask, decoded(str(ask.fields.values.get("content", ""))))


def delete_contents(ask: Ask) -> Answer:
    """DELETE contents/{path} with the blob's `sha`."""
    return _change(ask, None)


def _change(ask: Ask, content: bytes | None) -> Answer:
    repo, path = ask.repository, ask.param("path").strip("/")
    message, expected_sha = ask.fields.text("message"), ask.fields.text_or("sha", ask.query.get("sha"))
    branch = ask.fields.text_or("branch", repo.default_branch)
    head = repo.store.ref(f"refs/heads/{branch}")
    if head is None and repo.store.refs():
        raise not_found(f"Branch {branch} not found")
    old = repo.store.at(head, path) if head else None
    if old and expected_sha is None:
        raise malformed('"sha" wasn\'t supplied.')
    if expected_sha is not None and expected_sha != old:
        raise Refusal(409, f"{path} does not match {expected_sha}")
    if content is None and old is None:
        raise not_found()
    tree = git_write.tree_with(repo.store, head, {path: content})
    by = ask.world.signature(ask.token.user)
    sha = git_write.commit(repo.store, tree, [head] if head else [], message, by, ask.world.web_flow())
    ask.world.signed.add(sha)
    try:
        branches.move_refs(repo, ask.token, [Move(f"refs/heads/{branch}", sha, head)])
    except Refusal as refusal:
        raise Refusal(409, refusal.message) if refusal.status == 422 else refusal from None
    blob = repo.store.at(sha, path)
    commit = git_shapes.git_commit(ask.links, repo, repo.store.commit(sha))
    shown = _entry(ask, path, blob, branch, len(content or b"")) if blob else None
    return Answer(200 if old else 201, {"content": shown, "commit": commit})


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/contents/{path*}", get_contents, "contents=read"),
    Route("GET", "/repos/{owner}/{repo}/contents", get_contents, "contents=read"),
    Route("PUT", "/repos/{owner}/{repo}/contents/{path*}", put_contents, "contents=write"),
    Route("DELETE", "/repos/{owner}/{repo}/contents/{path*}", delete_contents, "contents=write"),
)
