"""The repositories and registries that rendering may read: the pins', the app's, and the hosts of the policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import ApplicationSource
from stagegate.argocd_app.tree import Entry, Tree
from stagegate.chart import published
from stagegate.clients import hub, registry
from stagegate.clients.argocd.clusters import Clusters
from stagegate.clients.connections import Connections
from stagegate.difference.manifests.surroundings import Around, Cluster, NotRendered
from stagegate.errors import Stop
from stagegate.model import DIGEST
from stagegate.model.git_files import LINK, SUBMODULE
from stagegate.pins import changes, templates
from stagegate.pins.tree import PinsTree
from stagegate.settings import Settings

_SETTINGS = (
    "The manifests are rendered with `render.kube-version` and `render.api-versions` of the "
    "settings, or with the defaults of helm."
)
_trees: WeakKeyDictionary[hub.Hub, dict[str, Tree]] = WeakKeyDictionary()


def around(connections: Connections, settings: Settings, base: str, files: PinsTree) -> Around:
    """What rendering reads for one side of a change, whose default branch `base` is as `files` say."""
    edited: list[Tree] = []

    def tree(address: str, revision: str) -> Tree:
        answers = []
        for side in (connections.pins, connections.app):
            answers.append(same_repository(address, f"{side.server_url}/{side.repository}"))
            if answers[-1] != "ours":
                continue
            if side.repository != connections.pins.repository or not changes.is_branch(revision, base):
                is_default = changes.is_branch(revision, side.default_branch())
                return tree_at(side, side.default_head() if is_default else revision)
            if not edited:
                edited.append(tree_at(side, files.at).with_contents(files.contents))
            return edited[0]
        if "unknown" in answers:
            raise NotRendered(f"it is not certain whether {address} is {connections.pins.repository}")
        raise NotRendered(f"{address} is neither the app's repository nor the pins' repository")

    return Around(
        tree=tree,
        chart=_charts(connections.registry, settings),
        kube_version=settings.render.kube_version,
        api_versions=settings.render.api_versions,
        reported=partial(_reported, connections.clusters, settings) if connections.clusters else None,
        kustomize_options=settings.render.kustomize_options,
    )


def _reported(clusters: Clusters, settings: Settings, destination: Mapping[str, Any]) -> Cluster:
    """The cluster of a destination as Argo CD reports it, else as the settings do."""
    fallback = settings.render
    versions = clusters.of(destination)
    if versions.trouble:
        origin = (
            f"Argo CD at {clusters.host} did not report the versions of {versions.name}: {versions.trouble}"
        )
        return Cluster(
            kube_version=fallback.kube_version,
            api_versions=fallback.api_versions,
            origin=f"{origin}. {_SETTINGS}",
        )
    origin = (
        f"The manifests are rendered for Kubernetes {versions.kube_version} and "
        f"{len(versions.api_versions)} API versions, which Argo CD at {clusters.host} reports for "
        f"{versions.name}."
    )
    return Cluster(kube_version=versions.kube_version, api_versions=versions.api_versions, origin=origin)


def tree_at(side: hub.Hub, ref: str) -> Tree:
    """The files of a commit, branch or tag; those of a commit are listed once. Stop(missing-file)."""
    kept = _trees.setdefault(side, {})
    if ref not in kept:
        entries = {
            path: Entry(oid=oid, link=mode == LINK, submodule=mode == SUBMODULE)
            for path, (oid, mode) in side.entries(ref).items()
        }

        def load(paths: Sequence[str]) -> dict[str, bytes]:
            return {path: blob.content for path, blob in side.files(ref, paths).items() if blob}

        tree = Tree(entries, load)
        if len(ref) < 40:  # a name moves
            return tree
        kept[ref] = tree
    return kept[ref]


def _charts(source: registry.Registry, settings: Settings) -> Callable[[ApplicationSource], bytes]:
    kept: dict[tuple[str, str, str], bytes] = {}

    def chart(wanted: ApplicationSource) -> bytes:
        key = (wanted.address, wanted.chart, wanted.revision)
        if key not in kept:
            kept[key] = chart_archive(source, wanted, settings)
        return kept[key]

    return chart


def chart_archive(source: registry.Registry, wanted: ApplicationSource, settings: Settings) -> bytes:
    """The packaged chart that a source names. NotRendered for a host that policy omits; Stop(missing-file)."""
    address = wanted.address.removeprefix("oci://").rstrip("/")
    host = published.host(wanted.address)
    if host not in settings.registry_hosts | set(settings.render.hosts):
        raise NotRendered(f"the chart comes from the host {host}, which the settings do not list")
    if wanted.kind == "repository":
        archive = published.from_index(wanted.address, wanted.chart, wanted.revision, settings.render.hosts)
        where = f"{wanted.chart} {wanted.revision} in {wanted.address}"
    else:
        place = registry.parse(f"{address}/{wanted.chart}" if wanted.chart else address)
        if not DIGEST.fullmatch(wanted.revision) and templates.is_range(wanted.revision):
            raise NotRendered(
                f"{wanted.revision or 'its version'} of {place} can change without a pull request"
            )
        exact = DIGEST.fullmatch(wanted.revision)
        tag = wanted.revision if exact else registry.chart_tag(wanted.revision)
        target = place.at(tag) if exact else place.tagged(tag)
        fetched = published.fetch(source, target)
        archive, where = fetched.archive if fetched else None, str(target)
    if archive is None:
        raise Stop(
            "missing-file",
            f"The registry has no chart at {where}.",
            "The version does not exist, or it is not a Helm chart.",
            "Publish the chart first, or correct the pin.",
        )
    return archive
