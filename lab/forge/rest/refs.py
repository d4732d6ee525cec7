"""Git references."""

from __future__ import annotations

import re

from lab.forge import branches, git_shapes
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.git_moves import Move
from lab.forge.refusal import not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.values import ZERO

SHA = re.compile(r"[0-9a-f]{40}")


def get_ref(ask: Ask) -> Answer:
    """GET git/ref/{ref}: exactly this one; 404 when it is only the beginning of others."""
    branches.demand_commits(ask.repository)
    name = _full(ask)
    sha = ask.repository.store.ref(name)
    if sha is None:
        raise not_found()
    return Answer(200, git_shapes.ref(ask.links, ask.repository, name, sha))


def matching_refs(ask: Ask) -> Answer:
    """GET git/matching-refs/{ref}: all that begin so, at once whatever `per_page` is, [] when none."""
    branches.demand_commits(ask.repository)
    refs = ask.repository.store.refs(f"refs/{ask.params.get('ref', '')}")
    return Answer(200, [git_shapes.ref(ask.links, ask.repository, name, sha) for name, sha in refs.items()])


def create_ref(ask: Ask) -> Answer:
    """POST git/refs; 422 `Reference already exists`, `Object does not exist`."""
    branches.demand_commits(ask.repository)
    name, sha = ask.fields.text("ref"), _sha(ask)
    if ask.repository.store.ref(name):
        raise unprocessable("Reference already exists")
    branches.move_refs(ask.repository, ask.token, [Move(name, sha, ZERO)])
    return made(git_shapes.ref(ask.links, ask.repository, name, sha))


def update_ref(ask: Ask) -> Answer:
    """PATCH git/refs/{ref}; 422 when it does not exist, or is no fast-forward and not forced."""
    name, sha = _full(ask), _sha(ask)
    if ask.repository.store.ref(name) is None:
        raise unprocessable("Reference does not exist")
    branches.move_refs(ask.repository, ask.token, [Move(name, sha, None, ask.fields.flag("force", False))])
    return Answer(200, git_shapes.ref(ask.links, ask.repository, name, sha))


def delete_ref(ask: Ask) -> Answer:
    """DELETE git/refs/{ref}; 422 when it does not exist."""
    name = _full(ask)
    if name == f"refs/heads/{ask.repository.default_branch}":
        raise unprocessable("Cannot delete the default branch")
    branches.move_refs(ask.repository, ask.token, [Move(name, ZERO)])
    return nothing()


def _full(ask: Ask) -> str:
    return f"refs/{ask.param('ref')}"


def _sha(ask: Ask) -> str:
    sha = ask.fields.text("sha")
    if not SHA.fullmatch(sha):
        raise unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    return sha


ROUTES = (
    Route("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref*}", matching_refs, "contents=read"),
    Route("GET", "/repos/{owner}/{repo}/git/ref/{ref*}", get_ref, "contents=read"),
    Route("GET", "/repos/{owner}/{repo}/git/refs/{ref*}", get_ref, "contents=read"),
    Route("GET", "/repos/{owner}/{repo}/git/refs", matching_refs, "contents=read"),
    Route("POST", "/repos/{owner}/{repo}/git/refs", create_ref, "contents=write"),
    Route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref*}", update_ref, "contents=write"),
    Route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref*}", delete_ref, "contents=write"),
)
