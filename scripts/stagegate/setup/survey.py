"""Surveys a repository for adoption, from its files, tags and address. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import msgspec

from stagegate.argocd_app.sources import items
from stagegate.argocd_app.tree import Tree
from stagegate.setup import charts as chart_files
from stagegate.setup import documents as document_files
from stagegate.setup import references as named
from stagegate.setup.charts import DetectedChart
from stagegate.setup.documents import Document
from stagegate.setup.references import NamedReference

# Files with a version that need no path in the settings.
VERSION_FILES = (
    "VERSION",
    "package.json",
    "package-lock.json",
    "pyproject.toml",
    "Cargo.toml",
    "Cargo.lock",
    "pom.xml",
)
# fmt: off
_CODE = frozenset(
    {
        ".go", ".py", ".js", ".ts", ".tsx", ".jsx", ".java", ".kt", ".rs", ".rb", ".cs", ".php", ".c",
        ".cc", ".cpp", ".scala", ".ex", ".exs", ".swift", ".dart",
    }
)
# fmt: on
_RELEASING = {
    "release-please": re.compile(r"googleapis/release-please-action|google-github-actions/release-please"),
    "semantic-release": re.compile(r"semantic-release"),
    "Argo CD Image Updater": re.compile(r"argocd-image-updater"),
    "helm push": re.compile(r"helm\s+push|chart-releaser-action"),
    "image build": re.compile(
        r"docker/build-push-action|docker\s+(?:buildx\s+)?build|ko\s+(?:build|publish)|kaniko"
    ),
    "git tag": re.compile(
        r"git\s+(?:push\s+\S*\s*--tags|tag\s+)|softprops/action-gh-release|gh\s+release\s+create"
    ),
}

_BASES = ("resources", "bases", "components")
_OURS = re.compile(r"uses:\s*[\w.-]+/stagegate/(?:actions|\.github/workflows)/")


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow file, and steps in it that a release has too, such as `image build`. `ours`: it uses stagegate."""

    file: str
    does: tuple[str, ...]
    ours: bool = False


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a repository.

    `repository` is `owner/name` where the address of origin tells it, `address` where Argo CD reads it, `branch`
    the default one as far as known.
    `code` are the folders with source code or a Dockerfile. `settings` are the stagegate.yaml files that exist,
    by the name of their app. `builds_on` has, for the file of each kustomization, the folders it builds on, and
    those that these build on.
    """

    repository: str
    address: str
    branch: str
    tags: tuple[str, ...]
    paths: frozenset[str]
    documents: tuple[Document, ...]
    charts: tuple[DetectedChart, ...]
    references: tuple[NamedReference, ...]
    version_files: tuple[str, ...]
    dockerfiles: tuple[str, ...]
    code: tuple[str, ...]
    workflows: tuple[Workflow, ...]
    settings: Mapping[str, str]
    builds_on: Mapping[str, frozenset[str]]

    @property
    def server(self) -> str:
        """GitHub's address for a browser, from the host of origin."""
        return f"https://{urlsplit(self.address).hostname or 'github.com'}"

    @property
    def owner(self) -> str:
        """The owner of the repository, or nothing."""
        return self.repository.partition("/")[0]


def read(
    tree: Tree, *, repository: str = "", address: str = "", branch: str = "main", tags: Sequence[str] = ()
) -> Survey:
    """The survey of a tree, without running a program or sending a request."""
    documents = document_files.read(tree)
    names = sorted(tree.entries)
    return Survey(
        repository=repository,
        address=address,
        branch=branch,
        tags=tuple(tags),
        paths=frozenset(names),
        documents=documents,
        charts=chart_files.read(tree, documents),
        references=tuple(one for document in documents for one in named.of(document)),
        version_files=tuple(
            path for path in names if PurePosixPath(path).name in VERSION_FILES and _is_own(path)
        ),
        dockerfiles=tuple(path for path in names if _is_dockerfile(path)),
        code=_code(names),
        workflows=_workflows(tree, names),
        settings={
            str(one.content.get("app")): one.file
            for one in documents
            if PurePosixPath(one.file).name == "stagegate.yaml" and "app" in one.content
        },
        builds_on=_builds_on(documents),
    )


def _builds_on(documents: Sequence[Document]) -> dict[str, frozenset[str]]:
    """For each kustomization, all folders that it builds on, at any depth."""
    direct: dict[str, set[str]] = {}
    files: dict[str, str] = {}
    for document in documents:
        if document.is_kustomization:
            folder = posixpath.dirname(document.file)
            files[document.file] = folder
            listed = (item for key in _BASES for item in items(document.content.get(key)))
            direct[folder] = {posixpath.normpath(posixpath.join(folder, str(item))) for item in listed}

    def reached(folder: str) -> frozenset[str]:
        bases: set[str] = set()
        queue = [folder]
        while queue:
            fresh = direct.get(queue.pop(), set()) - bases
            bases |= fresh
            queue += fresh
        return frozenset(bases)

    return {file: reached(folder) for file, folder in files.items()}


def _code(names: Sequence[str]) -> tuple[str, ...]:
    own_files = (path for path in names if _is_own(path))
    folders = {
        PurePosixPath(path).parent.as_posix()
        for path in own_files
        if PurePosixPath(path).suffix in _CODE
        or _is_dockerfile(path)
        or PurePosixPath(path).name in VERSION_FILES
    }
    return tuple(sorted(folders))


def _is_own(path: str) -> bool:
    return not {"node_modules", "vendor", ".github", "testdata", ".venv"} & set(PurePosixPath(path).parts)


def _is_dockerfile(path: str) -> bool:
    name = PurePosixPath(path).name
    return (
        name in ("Dockerfile", "Containerfile")
        or name.endswith(".Dockerfile")
        or name.startswith("Dockerfile.")
    )


def _workflows(tree: Tree, names: Sequence[str]) -> tuple[Workflow, ...]:
    files = [path for path in names if re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", path)]
    texts = {path: data.decode("utf-8", "replace") for path, data in tree.read(files).items()}
    return tuple(
        Workflow(
            file=path,
            does=tuple(description for description, mark in _RELEASING.items() if mark.search(text)),
            ours=_OURS.search(text) is not None,
        )
        for path, text in sorted(texts.items())
    )
