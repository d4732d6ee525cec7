"""The JSON of commits, refs and changed files."""

from __future__ import annotations

from urllib.parse import quote

from lab.forge.exchange import Links
from lab.forge.git_objects import Change, Commit, Signature
from lab.forge.shapes import user
from lab.forge.state import Repository, World
from lab.forge.values import Body


def person(signature: Signature) -> Body:
    """Name, address and date of a commit's author."""
    return {"name": signature.name, "email": signature.email, "date": signature.date}


def git_commit(links: Links, repo: Repository, commit: Commit) -> Body:
    """A commit of the Git database."""
    at, page = links.repo(repo), links.page(repo)
    return {
        "sha": commit.sha, "node_id": f"C_{repo.id}_{commit.sha}", "url": f"{at}/git/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}", "author": person(commit.author),
        "committer": person(commit.committer),
        "message": commit.message, "tree": {"sha": commit.tree, "url": f"{at}/git/trees/{commit.tree}"},
        "parents": [{"sha": sha, "url": f"{at}/git/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
                    for sha in commit.parents],
        "verification": verification(repo.world, commit.sha),
    }  # fmt: skip


def verification(world: World, sha: str) -> Body:
    """Whether GitHub signed the commit."""
    signed = sha in world.signed
    return {
        "verified": signed, "reason": "valid" if signed else "unsigned",
        "signature": "-----BEGIN PGP SIGNATURE-----" if signed else None, "payload": None,
        "verified_at": world.now() if signed else None,
    }  # fmt: skip


def commit(links: Links, repo: Repository, commit: Commit) -> Body:
    """A commit as lists show it: Git's data inside, GitHub's accounts outside."""
    inner = git_commit(links, repo, commit)
    del inner["parents"]
    at, page, world = links.repo(repo), links.page(repo), repo.world
    author, committer = world.person_of(commit.author.email), world.person_of(commit.committer.email)
    return {
        "sha": commit.sha, "node_id": f"C_{repo.id}_{commit.sha}", "url": f"{at}/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}", "comments_url": f"{at}/commits/{commit.sha}/comments",
        "commit": inner | {"url": f"{at}/git/commits/{commit.sha}", "comment_count": 0},
        "author": user(links, author) if author else None,
        "committer": user(links, committer) if committer else None,
        "parents": [{"sha": sha, "url": f"{at}/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
                    for sha in commit.parents],
    }  # fmt: skip


def file(links: Links, repo: Repository, change: Change, head: str, patch: str | None) -> Body:
    """A changed file of a commit, comparison or pull request."""
    body: Body = {
        "sha": change.sha, "filename": change.path, "status": change.status, "additions": change.additions,
        "deletions": change.deletions, "changes": change.additions + change.deletions,
        "blob_url": f"{links.page(repo)}/blob/{head}/{quote(change.path)}",
        "raw_url": f"{links.page(repo)}/raw/{head}/{quote(change.path)}",
        "contents_url": f"{links.repo(repo)}/contents/{quote(change.path)}?ref={head}",
    }  # fmt: skip
    if change.previous:
        body["previous_filename"] = change.previous
    if patch is not None:
        body["patch"] = patch
    return body


def ref(links: Links, repo: Repository, name: str, sha: str) -> Body:
    """A Git reference. Its `url` says `/git/refs/`, which clients PATCH and DELETE."""
    kind = repo.store.type_of(sha) or "commit"
    at = links.repo(repo)
    return {
        "ref": name, "node_id": f"REF_{repo.id}_{name}", "url": f"{at}/git/{quote(name)}",
        "object": {"type": kind, "sha": sha, "url": f"{at}/git/{kind}s/{sha}"},
    }  # fmt: skip
