"""Helm charts the way Argo CD's repo server handles them: pull by real helm, keep by version, template."""

from __future__ import annotations

import base64
import copy
import functools
import json
import os
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.argocd import archives
from lab.argocd.oci import CannotFetch, Registries

Json = dict[str, Any]
EXACT = re.compile(r"v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
# A template that may render to something else the next time is rendered each time.
CHANGING = re.compile(
    rb"\b(rand[A-Z]|now|date|ago|uuid|gen[A-Z]|htpasswd|bcrypt|encrypt|derivePassword|getHostByName)"
)


class CannotRender(Exception):
    """The source gave no manifests; the text is what follows "failed to generate manifest"."""


def parse_objects(text: str) -> tuple[Json, ...]:
    """Every Kubernetes object of a YAML stream; `kind: List` is opened."""
    return copy.deepcopy(_objects(text))


@functools.lru_cache(maxsize=256)
def _objects(text: str) -> tuple[Json, ...]:
    """As `parse_objects`, kept: the same text is rendered again and again, and reading it takes long."""
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(text))
    except YAMLError as error:
        raise CannotRender(f"failed to unmarshal manifest: {error}") from error
    objects: list[Json] = []
    for document in documents:
        if isinstance(document, dict) and document.get("kind"):
            objects.extend(document.get("items") or () if document["kind"] == "List" else (document,))
    return tuple(objects)


class Charts:
    """Charts by name and version. A version once pulled is kept until a hard refresh, as Argo CD keeps it."""

    def __init__(
        self,
        helm: str,
        registries: Registries,
        root: Path,
        rewrite: Mapping[str, str],
        auth: tuple[str, str] | None,
    ) -> None:
        self._helm, self._registries, self._store = helm, registries, root / "charts"
        self._lock = threading.Lock()
        self._kept: dict[object, str] = {}
        self._ranges: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {}
        home = root / "helm"
        home.mkdir(parents=True, exist_ok=True)
        config = home / "registry.json"
        secret = base64.b64encode(":".join(auth).encode()).decode() if auth else ""
        config.write_text(
            json.dumps(
                {"auths": {host.partition("/")[0]: {"auth": secret} for host in rewrite.values() if auth}}
            )
        )
        config.chmod(0o600)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("HELM_", "GIT_"))}
        self._env = {
            **environment, "HELM_REGISTRY_CONFIG": str(config), "HELM_CACHE_HOME": str(home / "cache"),
            "HELM_CONFIG_HOME": str(home / "config"), "HELM_DATA_HOME": str(home / "data"),
        }  # fmt: skip

    def version(self, repository: str, chart: str, constraint: str) -> str:
        """The exact version that `wanted` names now; ranges by helm's own rules over the registry's tags."""
        if EXACT.fullmatch(constraint):
            return constraint
        url, name = self._address(repository, chart)
        oci = name[0].startswith("oci://")
        tags = (
            self._registries.tags(f"{repository.removeprefix('oci://').rstrip('/')}/{chart}") if oci else ()
        )
        cached = self._ranges.get((name[0], constraint))
        if cached is None or cached[0] != tags or not oci:
            shown = self._run("show", "chart", *name, "--version", constraint or "*", *url)
            cached = (tags, str(YAML(typ="safe", pure=True).load(shown)["version"]))
            self._ranges[name[0], constraint] = cached
        return cached[1]

    def pull(self, repository: str, chart: str, version: str, fresh: bool = False) -> Path:
        """Folder of the unpacked chart. `fresh` (hard refresh) drops what is kept."""
        safe = re.sub(r"[^A-Za-z0-9.+-]", "_", f"{repository}_{chart}")
        folder = self._store / safe / version
        with self._lock:
            if fresh:
                shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                part = folder.with_name(version + ".part")
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir(parents=True)
                url, name = self._address(repository, chart)
                self._run("pull", *name, "--version", version, *url, "--untar", "--untardir", str(part))
                part.rename(folder)
        return next(path.parent for path in sorted(folder.glob("*/Chart.yaml")))

    def pull_native(self, repository: str, digest: str) -> Path:
        """Folder of an `oci://` source's content; of a Helm artifact, the chart itself."""
        folder = self._store / "oci" / digest.removeprefix("sha256:")
        with self._lock:
            if not folder.exists():
                part = folder.with_suffix(".part")
                shutil.rmtree(part, ignore_errors=True)
                layers = list(self._registries.manifest(repository, digest).document.get("layers") or [])
                if len(layers) != 1:
                    raise CannotRender(f"expected only a single oci layer, got {len(layers)}")
                blob = self._registries.blob(repository, layers[0]["digest"], part / "layer")
                with tarfile.open(blob) as archive:
                    archives.extract_all(archive, part / "content")
                part.rename(folder)
        content = folder / "content"
        inner = sorted(content.glob("*/Chart.yaml"))
        return inner[0].parent if inner and not (content / "Chart.yaml").exists() else content

    def build_dependencies(self, chart: Path, place: Mapping[str, str]) -> None:
        """Fetch the dependencies of a chart from git, at the lab's registry; does nothing when they are present."""
        file = chart / "Chart.yaml"
        dependencies = YAML(typ="safe", pure=True).load(file.read_text("utf-8")).get("dependencies") or ()
        if not any(str(item.get("repository") or "") for item in dependencies) or (chart / "charts").exists():
            return
        text = file.read_text("utf-8")
        for source, target in place.items():
            text = text.replace(f"oci://{source}", f"oci://{target}")
        file.write_text(text, "utf-8")
        (chart / "Chart.lock").unlink(missing_ok=True)
        self._run("dependency", "update", str(chart))

    def template(self, chart: Path, release: str, namespace: str, options: Sequence[str]) -> tuple[Json, ...]:
        """The objects `helm template` renders, CRDs included, in helm's order."""
        crds = () if "--skip-crds" in options else ("--include-crds",)
        return parse_objects(self._rendered(chart, (release, "--namespace", namespace, *crds, *options)))

    def _rendered(self, chart: Path, options: Sequence[str]) -> str:
        """What helm prints, kept for the same files and options: most commits change neither."""
        contents = [
            (path.relative_to(chart), path.read_bytes())
            for path in sorted(chart.rglob("*"))
            if path.is_file()
        ]
        given = (chart.name, *contents, *map(_content, options))
        kept = self._kept.get(given)
        if kept is not None:
            return kept
        printed = self._run("template", options[0], str(chart), *options[1:])
        if not any(path.suffix == ".tgz" or CHANGING.search(content) for path, content in contents):
            self._kept[given] = printed
        return printed

    def _address(self, repository: str, chart: str) -> tuple[list[str], list[str]]:
        """(trailing options, chart argument) for an OCI or a classic repository."""
        bare = repository.removeprefix("oci://").rstrip("/")
        if bare.startswith(("http://", "https://")):
            scheme, _, path = bare.partition("://")
            placed = self._registries.place(path)
            return ["--repo", f"{'http' if placed != path else scheme}://{placed}"], [chart]
        # without this flag helm requests tags by https even from 127.0.0.1
        return ["--plain-http"], [f"oci://{self._registries.place(f'{bare}/{chart}')}"]

    def _run(self, *args: str) -> str:
        try:
            completed = subprocess.run(
                [self._helm, *args], capture_output=True, text=True, env=self._env, check=False, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotRender(f"`helm {args[0]}` failed: {error}") from error
        if completed.returncode:
            raise CannotRender(
                f"`helm {' '.join(args)}` failed exit status {completed.returncode}: {completed.stderr.strip()}"
            )
        return completed.stdout


def _content(option: str) -> tuple[str, bytes]:
    """An option of helm, with the content of the file that it names."""
    name, _, value = option.rpartition("=")
    path = Path(value)
    return (name, path.read_bytes()) if path.is_absolute() and path.is_file() else (option, b"")


def native_digest(registries: Registries, repository: str, revision: str) -> str:
    """The digest that the targetRevision of an `oci://` source names; a tag is looked up in the registry."""
    if revision.startswith("sha256:"):
        return revision
    if any(mark in revision for mark in "*<>=^~|") or not revision:
        raise CannotFetch(f"{repository}: cannot resolve {revision!r} to a digest")
    return registries.manifest(repository, revision).digest
