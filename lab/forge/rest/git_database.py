"""Blobs, trees, commits and annotated tags of the Git database."""

from __future__ import annotations

import base64
import binascii

from lab.forge import branches, git_shapes, git_write
from lab.forge.exchange import Answer, Ask, Fields, made
from lab.forge.git_objects import Signature, Tag
from lab.forge.git_reader import GitError
from lab.forge.git_store import valid_ref
from lab.forge.refusal import not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.values import EMPTY_TREE, Body

MODES = ("100644", "100755", "040000", "160000", "120000")


def get_blob(ask: Ask) -> Answer:
    """GET git/blobs/{sha}, base64."""
    sha = _object(ask, "blob")
    content = ask.repository.store.object(sha)
    body: Body = {
        "sha": sha, "node_id": f"B_{sha}", "size": len(content), "url": f"{_git(ask)}/blobs/{sha}",
        "content": base64.encodebytes(content).decode(), "encoding": "base64",
    }  # fmt: skip
    return Answer(200, body)


def create_blob(ask: Ask) -> Answer:
    """POST git/blobs: utf-8 or base64."""
    branches.demand_commits(ask.repository)
    text = str(ask.fields.values.get("content", ""))
    content = decoded(text) if ask.fields.text_or("encoding", "utf-8") == "base64" else text.encode()
    sha = git_write.blobs(ask.repository.store, [content])[0]
    return made({"sha": sha, "url": f"{_git(ask)}/blobs/{sha}"})


def decoded(text: str) -> bytes:
    """Bytes from base64, line breaks allowed; 422 otherwise."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise unprocessable("content is not valid Base64") from None


def get_tree(ask: Ask) -> Answer:
    """GET git/trees/{sha or ref}."""
    store = ask.repository.store
    name = ask.param("sha")
    sha = store.resolve(f"{store.commit_of(name) or name}^{{tree}}")
    if sha is None:
        raise not_found()
    return Answer(200, _tree(ask, sha, recursive="recursive" in ask.query))


def _tree(ask: Ask, sha: str, *, recursive: bool = False) -> Body:
    lines = ask.repository.store.entries(sha, recursive=recursive)
    entries = []
    for line in lines:
        entry: Body = {"path": line.path, "mode": line.mode, "type": line.type, "sha": line.sha}
        if line.size is not None:
            entry["size"] = line.size
        entries.append(entry | {"url": f"{_git(ask)}/{line.type}s/{line.sha}"})
    return {"sha": sha, "url": f"{_git(ask)}/trees/{sha}", "tree": entries, "truncated": False}


def create_tree(ask: Ask) -> Answer:
    """POST git/trees: entries on top of `base_tree`; an empty list is `Invalid tree info`."""
    branches.demand_commits(ask.repository)
    store = ask.repository.store
    entries = ask.fields.objects("tree")
    if not entries:
        raise unprocessable("Invalid tree info")
    base = ask.fields.text_or("base_tree", None)
    if base and (base == EMPTY_TREE or store.resolve(f"{base}^{{tree}}") is None):
        raise unprocessable("base_tree is not a valid tree oid")
    lines: list[str] = []
    for entry in entries:
        lines += _lines(ask, entry)
    try:
        sha = git_write.tree_of(store, base, lines)
    except GitError as error:
        raise unprocessable(f"Invalid tree info: {error}") from None
    return made(_tree(ask, sha))


def _lines(ask: Ask, entry: Fields) -> list[str]:
    store, path, mode = ask.repository.store, entry.text("path"), entry.text_or("mode", "100644")
    if mode not in MODES or path.startswith("/") or ".." in path.split("/"):
        raise unprocessable("tree.path contains a malformed path component or tree.mode is not valid")
    if entry.given("content"):
        sha = git_write.blobs(store, [str(entry.values["content"]).encode()])[0]
    elif entry.values.get("sha", "") is None:
        return [f"0 {'0' * 40}\t{path}"]
    else:
        sha = entry.text("sha")
        if mode != "160000" and store.type_of(sha) is None:
            raise unprocessable(f"tree.sha {sha} is not a valid {'tree' if mode == '040000' else 'blob'}")
    if mode != "040000":
        return [f"{mode} {sha}\t{path}"]
    inside = store.entries(sha, recursive=True)
    return [f"{line.mode} {line.sha}\t{path}/{line.path}" for line in inside if line.type != "tree"]


def get_commit(ask: Ask) -> Answer:
    """GET git/commits/{sha}."""
    commit = ask.repository.store.commit(_object(ask, "commit"))
    return Answer(200, git_shapes.git_commit(ask.links, ask.repository, commit))


def create_commit(ask: Ask) -> Answer:
    """POST git/commits; 422 for a missing tree (also Git's built-in empty one) or parent.

    A bot that gives no author gets a signed commit, as on GitHub.
    """
    branches.demand_commits(ask.repository)
    store, message, tree = ask.repository.store, ask.fields.text("message"), ask.fields.text("tree")
    if tree == EMPTY_TREE or store.type_of(tree) != "tree":
        raise unprocessable("Tree SHA does not exist")
    parents = ask.fields.texts("parents") or []
    if any(store.type_of(parent) != "commit" for parent in parents):
        raise unprocessable("Parent SHA does not exist or is not a commit object")
    author = _signature(ask, ask.fields.object("author"))
    committer = _signature(ask, ask.fields.object("committer"), author)
    is_default_author = not ask.fields.given("author") and not ask.fields.given("committer")
    if is_default_author and ask.token.is_integration:
        committer = ask.world.web_flow()
    sha = git_write.commit(store, tree, parents, message, author, committer)
    if is_default_author and ask.token.is_integration:
        ask.world.signed.add(sha)
    return made(git_shapes.git_commit(ask.links, ask.repository, store.commit(sha)))


def _signature(ask: Ask, fields: Fields | None, default: Signature | None = None) -> Signature:
    if fields is None:
        return default or ask.world.signature(ask.token.user)
    return Signature(fields.text("name"), fields.text("email"), fields.text_or("date", ask.world.now()))


def get_tag(ask: Ask) -> Answer:
    """GET git/tags/{sha}: the annotated tag object."""
    return Answer(200, _tag(ask, ask.repository.store.tag(_object(ask, "tag"))))


def create_tag(ask: Ask) -> Answer:
    """POST git/tags: the object only; the reference is a second call."""
    store = ask.repository.store
    name, sha, kind = ask.fields.text("tag"), ask.fields.text("object"), ask.fields.text("type")
    message = ask.fields.text("message")
    if not valid_ref(f"refs/tags/{name}"):
        raise unprocessable("tag is not a valid tag name")
    if store.type_of(sha) != kind:
        raise unprocessable("Could not verify object")
    tag_sha = git_write.tag(store, name, sha, kind, message, _signature(ask, ask.fields.object("tagger")))
    return made(_tag(ask, store.tag(tag_sha)))


def _tag(ask: Ask, tag: Tag) -> Body:
    return {
        "node_id": f"TA_{tag.sha}", "tag": tag.name, "sha": tag.sha, "url": f"{_git(ask)}/tags/{tag.sha}",
        "message": tag.message, "tagger": git_shapes.person(tag.tagger) if tag.tagger else None,
        "object": {"type": tag.target_type, "sha": tag.target,
                   "url": f"{_git(ask)}/{tag.target_type}s/{tag.target}"},
        "verification": git_shapes.verification(ask.world, tag.sha),
    }  # fmt: skip


def _object(ask: Ask, kind: str) -> str:
    sha = ask.param("sha")
    if ask.repository.store.type_of(sha) != kind:
        raise not_found()
    return sha


def _git(ask: Ask) -> str:
    return f"{ask.links.repo(ask.repository)}/git"


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/git/blobs/{sha}", get_blob, "contents=read"),
    Route("POST", "/repos/{owner}/{repo}/git/blobs", create_blob, "contents=write"),
    Route("GET", "/repos/{owner}/{repo}/git/trees/{sha*}", get_tree, "contents=read"),
    Route("POST", "/repos/{owner}/{repo}/git/trees", create_tree, "contents=write"),
    Route("GET", "/repos/{owner}/{repo}/git/commits/{sha}", get_commit, "contents=read"),
    Route("POST", "/repos/{owner}/{repo}/git/commits", create_commit, "contents=write"),
    Route("GET", "/repos/{owner}/{repo}/git/tags/{sha}", get_tag, "contents=read"),
    Route("POST", "/repos/{owner}/{repo}/git/tags", create_tag, "contents=write"),
)
