"""Turns an Application's sources into revisions and rendered objects, as Argo CD's repo server does."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lab.argocd import gitread
from lab.argocd.charts import EXACT, CannotRender, Charts, native_digest, parse_objects
from lab.argocd.oci import CannotFetch, Registries

Json = dict[str, Any]
ASK_AGAIN = 1.0  # seconds before a tag or range is looked up in the registry again


@dataclass(frozen=True)
class Resolved:
    """One comparison's target: a revision, a type and objects for each source, in the order of the spec."""

    revisions: tuple[str, ...]
    source_types: tuple[str, ...]
    by_source: tuple[tuple[Json, ...], ...]

    @property
    def objects(self) -> tuple[Json, ...]:
        return tuple(item for group in self.by_source for item in group)


def sources_of(spec: Json) -> tuple[Json, ...]:
    """`sources` wins over `source`, as in Argo CD."""
    return tuple(spec.get("sources") or ([spec["source"]] if spec.get("source") else ()))


class Sources:
    """Git repositories, charts and OCI artifacts behind the addresses the Applications name.

    `peels`: an annotated tag is shown as its commit, not as the id of the tag.
    """

    def __init__(
        self,
        charts: Charts,
        registries: Registries,
        repositories: Mapping[str, Path],
        rewrite: Mapping[str, str],
        store: Path,
        peels: bool = True,
    ) -> None:
        self._peels = peels
        self._charts, self._registries, self._rewrite, self._store = charts, registries, rewrite, store
        self._git = {_same(url): path for url, path in repositories.items()}
        self._seen: dict[tuple[str, str], tuple[float, str]] = {}

    def revision(self, source: Json, cached: bool = True) -> str:
        """The commit, chart version or digest that the source's targetRevision names now.

        `cached=False` asks the registry again even within a second. CannotRender when it names nothing.
        """
        repository, requested = str(source.get("repoURL", "")), str(source.get("targetRevision") or "")
        try:
            if source.get("chart"):
                chart = str(source["chart"])
                if EXACT.fullmatch(requested):
                    return requested
                return self._ask(
                    (f"{repository}/{chart}", requested),
                    cached,
                    lambda: self._charts.version(repository, chart, requested),
                )
            if repository.startswith("oci://"):
                bare = repository.removeprefix("oci://")
                return self._ask(
                    (bare, requested), cached, lambda: native_digest(self._registries, bare, requested)
                )
            local = self._repository(repository)
            tag = None if self._peels else gitread.tag_object(local, requested.removeprefix("refs/tags/"))
            return tag or gitread.commit_of(local, "" if requested == "HEAD" else requested)
        except (gitread.NoSuchRevision, CannotFetch) as error:
            raise CannotRender(str(error)) from error

    def _ask(self, key: tuple[str, str], cached: bool, look: Callable[[], str]) -> str:
        read_at, revision = self._seen.get(key, (0.0, ""))
        if not cached or not revision or time.monotonic() - read_at > ASK_AGAIN:
            revision = look()
            self._seen[key] = (time.monotonic(), revision)
        return revision

    def revisions(self, spec: Json, cached: bool = True) -> tuple[str, ...]:
        """Revision of every source, in order."""
        return tuple(self.revision(source, cached) for source in sources_of(spec))

    def render(self, name: str, spec: Json, revisions: Sequence[str], fresh: bool = False) -> Resolved:
        """Render every source at its revision; CannotRender with the source's place in its text."""
        sources = sources_of(spec)
        if not sources:
            raise CannotRender("application has no source")
        refs: dict[str, Path] = {}
        for source, revision in zip(sources, revisions, strict=True):
            if source.get("ref"):
                refs[f"${source['ref']}"] = self._tree(source, revision)
        types: list[str] = []
        rendered: list[tuple[Json, ...]] = []
        for place, (source, revision) in enumerate(zip(sources, revisions, strict=True), 1):
            try:
                kind, objects = self._render_one(name, spec, source, revision, refs, fresh)
            except (CannotRender, CannotFetch, gitread.NoSuchRevision, OSError, StopIteration) as error:
                text = f"failed to generate manifest for source {place} of {len(sources)}: "
                raise CannotRender(f"{text}rpc error: code = Unknown desc = {error}") from error
            types.append(kind)
            rendered.append(objects)
        return Resolved(tuple(revisions), tuple(types), tuple(rendered))

    def _render_one(
        self, name: str, spec: Json, source: Json, revision: str, refs: Mapping[str, Path], fresh: bool
    ) -> tuple[str, tuple[Json, ...]]:
        if source.get("ref") and not source.get("path") and not source.get("chart"):
            return "Directory", ()
        folder = self._folder(source, revision, fresh)
        if (folder / "Chart.yaml").exists():
            self._charts.build_dependencies(folder, self._rewrite)
            helm = source.get("helm") or {}
            namespace = str((spec.get("destination") or {}).get("namespace") or "default")
            with tempfile.TemporaryDirectory(dir=self._store) as scratch:
                options = helm_options(helm, folder, refs, Path(scratch))
                release = str(helm.get("releaseName") or name)
                return "Helm", self._charts.template(folder, release, namespace, options)
        if any(
            (folder / file).exists() for file in ("kustomization.yaml", "kustomization.yml", "Kustomization")
        ):
            return "Kustomize", kustomized(folder)
        deep = bool((source.get("directory") or {}).get("recurse"))
        paths = sorted(
            p for p in folder.glob("**/*" if deep else "*") if p.suffix in (".yaml", ".yml", ".json")
        )
        return "Directory", tuple(item for path in paths for item in parse_objects(path.read_text("utf-8")))

    def _folder(self, source: Json, revision: str, fresh: bool) -> Path:
        repository = str(source["repoURL"])
        if source.get("chart"):
            return self._charts.pull(repository, str(source["chart"]), revision, fresh)
        if repository.startswith("oci://"):
            root = self._charts.pull_native(repository.removeprefix("oci://"), revision)
        else:
            root = self._tree(source, revision)
        folder = (root / str(source.get("path") or ".")).resolve()
        if not folder.is_dir() or (root.resolve() != folder and root.resolve() not in folder.parents):
            raise CannotRender(f"{source.get('path')}: app path does not exist")
        return folder

    def tree(self, repository: str, revision: str) -> Path:
        """The folder with the files of a repository at a branch, tag or commit. CannotRender without one."""
        source = {"repoURL": repository, "targetRevision": revision}
        return self._tree(source, self.revision(source))

    def _tree(self, source: Json, revision: str) -> Path:
        return gitread.export(self._repository(str(source["repoURL"])), revision, self._store)

    def _repository(self, url: str) -> Path:
        path = self._git.get(_same(url))
        if path is None:
            raise CannotRender(f"failed to list refs: repository not found: {url}")
        return path


def _same(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").lower()


def kustomized(folder: Path) -> tuple[Json, ...]:
    """What `kustomize build` makes of a folder, by kustomize or kubectl, whichever this machine has."""
    programs = (["kustomize", "build"], ["kubectl", "kustomize"])
    command = next((program for program in programs if shutil.which(program[0])), None)
    if command is None:
        raise CannotRender("`kustomize build` failed: executable file not found in $PATH")
    completed = subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    if completed.returncode:
        raise CannotRender(f"`kustomize build {folder.name}` failed: {completed.stderr.strip()}")
    return parse_objects(completed.stdout)


def helm_options(helm: Json, chart: Path, refs: Mapping[str, Path], scratch: Path) -> list[str]:
    """Options of `helm template` in Argo CD's order of precedence: files, values, parameters."""
    options: list[str] = []
    for name in helm.get("valueFiles") or ():
        first, _, file_path = str(name).partition("/")
        path = (refs[first] / file_path) if first in refs else (chart / str(name))
        if not path.is_file():
            if helm.get("ignoreMissingValueFiles"):
                continue
            raise CannotRender(f"Error: open {name}: no such file or directory")
        options += ["--values", str(path)]
    if helm.get("valuesObject") is not None or helm.get("values"):
        inline = scratch / "values.yaml"
        with inline.open("w", encoding="utf-8") as stream:
            if helm.get("valuesObject") is not None:
                YAML(typ="safe", pure=True).dump(helm["valuesObject"], stream)
            else:
                stream.write(str(helm["values"]))
        options += ["--values", str(inline)]
    for item in helm.get("parameters") or ():
        flag = "--set-string" if item.get("forceString") else "--set"
        options += [flag, f"{item['name']}={_escape(str(item.get('value', '')))}"]
    for item in helm.get("fileParameters") or ():
        options += ["--set-file", f"{item['name']}={chart / str(item['path'])}"]
    return options + (["--skip-crds"] if helm.get("skipCrds") else [])


def _escape(value: str) -> str:
    """Commas are escaped unless they are already, or the value is a list: Argo CD's rule."""
    return value if value.startswith("{") else re.sub(r"(?<!\\),", r"\,", value)
