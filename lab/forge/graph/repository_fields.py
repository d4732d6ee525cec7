"""A repository's fields: refs, objects, deployments, releases."""

from __future__ import annotations

from lab.forge import ci_shapes
from lab.forge.git_store import Store
from lab.forge.graph.arguments import Arguments, Table
from lab.forge.graph.git_fields import commit_node, connection
from lab.forge.graph.nodes import (
    Asker,
    AssetNode,
    Connection,
    DeploymentStatusNode,
    GitNode,
    RefNode,
    git_node,
)
from lab.forge.permissions import allows, demand, role_of
from lab.forge.records import Deployment, Release
from lab.forge.refusal import Refusal
from lab.forge.state import Repository


def _main(_asker: Asker, repo: Repository, _given: Arguments) -> RefNode | None:
    name = f"refs/heads/{repo.default_branch}"
    return RefNode(repo, name) if repo.store.ref(name) else None


def _ref(asker: Asker, repo: Repository, arguments: Arguments) -> RefNode | None:
    """By full name, or the first of branch and tag with this short one."""
    demand(asker.token, repo, "contents=read")
    qualified_name = arguments.text("qualifiedName")
    for name in (qualified_name, f"refs/heads/{qualified_name}", f"refs/tags/{qualified_name}"):
        if name.startswith("refs/") and repo.store.ref(name):
            return RefNode(repo, name)
    return None


def _refs(asker: Asker, repo: Repository, arguments: Arguments) -> Connection:
    """Refs below a prefix that ends in a slash; `query` is a part of the name; newest tag first when asked."""
    demand(asker.token, repo, "contents=read")
    prefix = arguments.text("refPrefix")
    if not prefix.endswith("/") or not prefix.startswith("refs/"):
        raise Refusal(422, "refPrefix must start with 'refs/' and end with '/'", kind="INVALID_ARGUMENT")
    names = [
        name
        for name in repo.store.refs(prefix)
        if arguments.text("query").lower() in name[len(prefix) :].lower()
    ]
    if arguments.inner("orderBy").text("field") == "TAG_COMMIT_DATE":
        names.sort(key=lambda name: _date(repo.store, name))
    down = arguments.descending() or arguments.text("direction") == "DESC"
    return connection(
        [RefNode(repo, name) for name in (reversed(names) if down else names)], "refs", arguments
    )


def _date(store: Store, name: str) -> str:
    sha = store.resolve(f"{name}^{{commit}}")
    return store.commit(sha).committer.date if sha else ""


def _object(asker: Asker, repo: Repository, arguments: Arguments) -> GitNode | None:
    demand(asker.token, repo, "contents=read")
    expression = arguments.text("oid") or arguments.text("expression")
    sha = repo.store.resolve(expression)
    if sha is None and ":" in expression:
        sha = repo.store.resolve(f"refs/heads/{expression}")
    return git_node(repo, sha) if sha else None


def _permission(asker: Asker, repo: Repository, _given: Arguments) -> str | None:
    role = role_of(repo, asker.token.user)
    return None if role == "none" else role.upper()


def _deployments(asker: Asker, source: Repository | GitNode, arguments: Arguments) -> Connection:
    repo = source.repository if isinstance(source, GitNode) else source
    demand(asker.token, repo, "deployments=read")
    names = arguments.texts("environments")
    selected: list[object] = [
        deployment
        for deployment in repo.deployments
        if (names is None or deployment.environment in names)
        and (source is repo or deployment.sha == getattr(source, "oid", ""))
    ]
    return connection(selected[::-1] if arguments.descending() else selected, "deployments", arguments)


def _deployment_statuses(_asker: Asker, deployment: Deployment, arguments: Arguments) -> Connection:
    newest_first: list[object] = [
        DeploymentStatusNode(deployment, status) for status in reversed(deployment.statuses)
    ]
    return connection(newest_first, "statuses", arguments)


def _latest_status(_asker: Asker, deployment: Deployment, _given: Arguments) -> DeploymentStatusNode | None:
    return DeploymentStatusNode(deployment, deployment.statuses[-1]) if deployment.statuses else None


def _deployment_state(_asker: Asker, deployment: Deployment, _given: Arguments) -> str:
    last = deployment.statuses[-1].state if deployment.statuses else "pending"
    return "ACTIVE" if last == "success" else last.upper()


def _deployment_ref(_asker: Asker, deployment: Deployment, _given: Arguments) -> RefNode | None:
    name = f"refs/heads/{deployment.ref}"
    return RefNode(deployment.repository, name) if deployment.repository.store.ref(name) else None


def _releases(asker: Asker, repo: Repository, arguments: Arguments) -> Connection:
    drafts = allows(asker.token, repo, "contents=write")
    selected: list[object] = [release for release in repo.releases if drafts or not release.draft]
    down = arguments.descending() or not arguments.inner("orderBy").values
    return connection(selected[::-1] if down else selected, "releases", arguments)


def _release(_asker: Asker, repo: Repository, arguments: Arguments) -> Release | None:
    tag = arguments.text("tagName")
    return next((release for release in repo.releases if release.tag == tag and not release.draft), None)


def _latest(_asker: Asker, release: Release, _given: Arguments) -> bool:
    near = [
        candidate
        for candidate in release.repository.releases
        if not candidate.draft and not candidate.prerelease
    ]
    return (
        bool(near)
        and max(near, key=lambda candidate: (candidate.published_at or "", candidate.id)) is release
    )


def _tag_commit(_asker: Asker, release: Release, _given: Arguments) -> GitNode | None:
    sha = release.repository.store.resolve(f"refs/tags/{release.tag}^{{commit}}")
    return commit_node(release.repository, sha) if sha else None


def _assets(_asker: Asker, release: Release, arguments: Arguments) -> Connection:
    name = arguments.text("name")
    assets: list[object] = [AssetNode(release, asset) for asset in release.assets if name in ("", asset.name)]
    return connection(assets, "releaseAssets", arguments)


FIELDS: Table = {
    "Repository": {
        "databaseId": lambda _asker, repo, _given: repo.id, "isPrivate": lambda _asker, repo, _given: repo.private,
        "nameWithOwner": lambda _asker, repo, _given: repo.full_name,
        "isFork": lambda _asker, repo, _given: repo.parent is not None,
        "url": lambda asker, repo, _given: f"{asker.world.url}/{repo.full_name}", "viewerPermission": _permission,
        "autoMergeAllowed": lambda _asker, repo, _given: repo.settings.allow_auto_merge,
        "mergeCommitAllowed": lambda _asker, repo, _given: repo.settings.allow_merge_commit,
        "squashMergeAllowed": lambda _asker, repo, _given: repo.settings.allow_squash_merge,
        "rebaseMergeAllowed": lambda _asker, repo, _given: repo.settings.allow_rebase_merge,
        "deleteBranchOnMerge": lambda _asker, repo, _given: repo.settings.delete_branch_on_merge,
        "defaultBranchRef": _main, "ref": _ref, "refs": _refs, "object": _object, "deployments": _deployments,
        "release": _release, "releases": _releases,
        "label": lambda _asker, repo, arguments: repo.labels.get(arguments.text("name").lower()),
    },
    "Commit": {"deployments": _deployments},
    "Deployment": {
        "databaseId": lambda _asker, deployment, _given: deployment.id,
        "commitOid": lambda _asker, deployment, _given: deployment.sha,
        "commit": lambda _asker, deployment, _given: commit_node(deployment.repository, deployment.sha),
        "payload": lambda _asker, deployment, _given: ci_shapes.payload_text(deployment.payload),
        "ref": _deployment_ref,
        "originalEnvironment": lambda _asker, deployment, _given: deployment.environment,
        "latestEnvironment": lambda _asker, deployment, _given: deployment.environment,
        "state": _deployment_state, "latestStatus": _latest_status, "statuses": _deployment_statuses,
    },
    "DeploymentStatus": {
        "state": lambda _asker, node, _given: node.status.state.upper(),
        "description": lambda _asker, node, _given: node.status.description,
        "environment": lambda _asker, node, _given: node.status.environment,
        "environmentUrl": lambda _asker, node, _given: node.status.environment_url or None,
        "logUrl": lambda _asker, node, _given: node.status.log_url or None,
        "creator": lambda _asker, node, _given: node.status.creator,
        "createdAt": lambda _asker, node, _given: node.status.created_at,
        "updatedAt": lambda _asker, node, _given: node.status.created_at,
    },
    "Release": {
        "databaseId": lambda _asker, release, _given: release.id,
        "tagName": lambda _asker, release, _given: release.tag,
        "description": lambda _asker, release, _given: release.body,
        "isDraft": lambda _asker, release, _given: release.draft, "isLatest": _latest,
        "isPrerelease": lambda _asker, release, _given: release.prerelease, "tagCommit": _tag_commit,
        "author": lambda _asker, release, _given: release.author if release.author.type == "User" else None,
        "updatedAt": lambda _asker, release, _given: release.published_at or release.created_at,
        "url": lambda asker, release, _given: (
            f"{asker.world.url}/{release.repository.full_name}/releases/tag/{release.tag}"
        ),
        "releaseAssets": _assets,
    },
    "ReleaseAsset": {
        "name": lambda _asker, node, _given: node.asset.name,
        "contentType": lambda _asker, node, _given: node.asset.content_type,
        "size": lambda _asker, node, _given: len(node.asset.content),
        "downloadUrl": lambda asker, node, _given: (
            f"{asker.world.url}/{node.release.repository.full_name}/releases/download/"
            f"{node.release.tag}/{node.asset.name}"
        ),
    },
}  # fmt: skip
