"""The inputs of rendering besides the Application: repositories, charts, and policy's settings of the cluster."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from stagegate.argocd_app.named_files import Named
from stagegate.argocd_app.sources import ApplicationSource
from stagegate.argocd_app.tree import Tree

_FILES, _BYTES = 20_000, 256 << 20


class NotRendered(Exception):
    """This cannot be rendered here, for a reason that is no failure; the message says which."""


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of a cluster. `kube_version` is empty and `api_versions` None where they are unknown.

    `origin` is a sentence about who reports them, or why nobody does; empty where the settings alone decide.
    """

    kube_version: str = ""
    api_versions: tuple[str, ...] | None = None
    origin: str = ""


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What is outside. `tree(address, revision)` and `chart(source)` raise NotRendered for what may not be read,
    Stop for what fails. `reported(destination)` is what Argo CD knows of the cluster of an Application; without it,
    `kube_version` and `api_versions` are those of every cluster.
    """

    tree: Callable[[str, str], Tree]
    chart: Callable[[ApplicationSource], bytes]
    kube_version: str = ""
    api_versions: tuple[str, ...] | None = None
    reported: Callable[[Mapping[str, Any]], Cluster] | None = None
    kustomize_options: tuple[str, ...] = ()

    def cluster(self, destination: Mapping[str, Any]) -> Cluster:
        """What is known of the cluster of an Application's destination."""
        if self.reported is not None:
            return self.reported(destination)
        return Cluster(kube_version=self.kube_version, api_versions=self.api_versions)


def _put(target: Path, content: bytes, tree: Tree, path: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not tree.entries[path].link:
        target.write_bytes(content)
    elif tree.resolve(path)[0] or not path:
        target.symlink_to(content.decode("utf-8", "surrogateescape"))


@contextmanager
def on_disk(tree: Tree, named: Named) -> Iterator[Path]:
    """Files of a tree in a temporary folder, removed afterwards. Links that lead outside are left out."""
    paths = named.paths(tree)
    if len(paths) > _FILES:
        raise NotRendered(f"more than {_FILES} files are deployed together, which is the limit")
    contents = tree.read(paths)
    if sum(map(len, contents.values())) > _BYTES:
        raise NotRendered(f"more than {_BYTES >> 20} MiB are deployed together, which is the limit")
    with tempfile.TemporaryDirectory(prefix="stagegate-tree-") as place:
        root = Path(place).resolve()
        for path, content in contents.items():
            try:
                _put(root / path, content, tree, path)
            except (OSError, ValueError) as error:  # Git keeps names and links that this disk cannot
                raise NotRendered(
                    f"{path[:200]} cannot be written as a file ({type(error).__name__})"
                ) from error
        yield root
