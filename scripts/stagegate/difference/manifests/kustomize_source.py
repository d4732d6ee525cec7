"""A kustomization with what its Application adds, built by kustomize or kubectl without any network.

https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stagegate import nesting, yaml_1_1
from stagegate.argocd_app import named_files
from stagegate.argocd_app.helm_files import expand
from stagegate.argocd_app.named_files import KUSTOMIZATIONS
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree, inside
from stagegate.chart import objects
from stagegate.chart.objects import RenderedObject
from stagegate.clients import process
from stagegate.difference.manifests.surroundings import Around, NotRendered, on_disk
from stagegate.errors import Stop

_SECONDS = 60.0
_LIMIT = 64 << 20
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|git::|[\w-]+(?:\.[\w-]+)+/[^/]+/|.*[?&]ref=", re.IGNORECASE)
_LOGGED = re.compile(r'^[EWI]\d{4} [\d:.]+ +\d+ \S+\] "command failed" err=', re.MULTILINE)  # of kubectl
_NO_NETWORK = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"),
    "NO_PROXY": "",
    "no_proxy": "",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
}


def render(
    tree: Tree,
    folder: str,
    options: Mapping[str, Any],
    around: Around,
    known: Mapping[str, str] | None = None,
) -> tuple[RenderedObject, ...]:
    """Objects that the kustomization in a folder builds, with an Application's `kustomize` options over it.

    `known` is the build environment for variables in them. Stop(findings) when it does not build.
    """
    program = _program()
    components = [path for one in items(options.get("components")) if (path := inside(folder, str(one)))]
    named = named_files.following([folder, *components], tree)
    with on_disk(tree, named) as root:
        _refuse_endless(root)
        _refuse_remote(root, around)
        place = root / folder
        file = next(place / name for name in KUSTOMIZATIONS if (place / name).is_file())
        if options:
            _edit(file, options, known or {})
        done = process.run_bounded(
            *program,
            str(place),
            *around.kustomize_options,
            cwd=root,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(root), **_NO_NETWORK},
            timeout=_SECONDS,
            keep=_LIMIT,
        )
    if done.code:
        raise Stop(
            "findings",
            f"{folder or 'The root'} does not build with kustomize.",
            _LOGGED.sub("", done.errors.replace(str(root), "")).strip()[-600:],
            f"Run `{' '.join(program)} {folder or '.'}` and correct the errors that the command "
            "prints. If Argo CD builds with extra options, write the options under "
            "render.kustomize-options.",
            file=f"{folder}/{file.name}".lstrip("/"),
        )
    return objects.parse(done.stdout.decode("utf-8", "replace"), folder or "the root")


def _program() -> tuple[str, ...]:
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    if shutil.which("kubectl"):
        return ("kubectl", "kustomize")
    raise NotRendered("neither kustomize nor kubectl is on PATH")


def _refuse_endless(root: Path) -> None:
    """Stop(findings) for a file whose aliases or depth would keep kustomize busy until its time is over."""
    for file in sorted(root.rglob("*")):
        if file.suffix in (".yaml", ".yml", ".json") and file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            if ("&" in text or "[" in text or "{" in text) and (why := nesting.bomb(text)):
                path = file.relative_to(root).as_posix()
                raise Stop(
                    "findings",
                    f"{path} cannot be read.",
                    f"{path} is YAML, but {why}.",
                    "Simplify the YAML of the file.",
                    file=path,
                )


def _refuse_remote(root: Path, around: Around) -> None:
    """NotRendered where a kustomization would fetch something, which is not in Git then, or lacks its program."""
    for file in sorted(root.rglob("*")):
        if file.name not in KUSTOMIZATIONS or not file.is_file():
            continue
        document = _load(file)
        fetched = [
            str(one)
            for key in (
                "resources",
                "bases",
                "components",
                "crds",
                "configurations",
                "transformers",
                "generators",
            )
            for one in items(document.get(key))
            if isinstance(one, str) and _REMOTE.match(one) and not (file.parent / one).exists()
        ]
        charts = [mapping(one) for one in items(document.get("helmCharts"))]
        if "--enable-helm" in around.kustomize_options:
            fetched += [str(one.get("repo")) for one in charts if one.get("repo")]
            if charts and not fetched and not shutil.which("helm"):
                raise NotRendered(f"{file.relative_to(root)} inflates charts, and helm is not on PATH")
        if fetched:
            raise NotRendered(f"{file.relative_to(root)} fetches {fetched[0]}")


def _edit(file: Path, options: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Apply the edits that Argo CD makes with `kustomize edit` before the build."""
    document: dict[str, Any] = dict(_load(file))
    for key in ("namePrefix", "nameSuffix", "namespace"):
        if options.get(key):
            document[key] = options[key]
    if images := items(options.get("images")):
        listed = {str(mapping(one).get("name")): dict(mapping(one)) for one in items(document.get("images"))}
        for one in images:
            name, image = _image(expand(str(one), known))
            listed[name] = {"name": name, **image} if "newName" in image else {**_kept(listed, name), **image}
        document["images"] = list(listed.values())
    if replicas := items(options.get("replicas")):
        counts = {
            str(mapping(one).get("name")): mapping(one).get("count")
            for one in items(document.get("replicas"))
        }
        counts |= {str(mapping(one).get("name")): mapping(one).get("count") for one in replicas}
        document["replicas"] = [{"name": name, "count": int(count or 0)} for name, count in counts.items()]
    _label(document, options, known)
    if patches := items(options.get("patches")):
        document["patches"] = [*items(document.get("patches")), *patches]
    if components := items(options.get("components")):
        wanted = [
            str(one)
            for one in components
            if not options.get("ignoreMissingComponents") or (file.parent / str(one)).is_dir()
        ]
        document["components"] = [*items(document.get("components")), *wanted]
    file.unlink()  # it may be a link; what it leads to stays as it is
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _label(document: dict[str, Any], options: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Common labels and annotations; existing ones stay unless Argo CD is told to force them."""
    labels = {key: expand(str(value), known) for key, value in mapping(options.get("commonLabels")).items()}
    if labels and (options.get("labelWithoutSelector") or options.get("labelIncludeTemplates")):
        entry = {"pairs": labels, "includeSelectors": False}
        if options.get("labelIncludeTemplates"):
            entry["includeTemplates"] = True
        document["labels"] = [*items(document.get("labels")), entry]
    elif labels:
        document["commonLabels"] = {**mapping(document.get("commonLabels")), **labels}
    notes = mapping(options.get("commonAnnotations"))
    expands = options.get("commonAnnotationsEnvsubst")
    if notes:
        filled = {key: expand(str(value), known) if expands else str(value) for key, value in notes.items()}
        document["commonAnnotations"] = {**mapping(document.get("commonAnnotations")), **filled}


def _image(written: str) -> tuple[str, dict[str, str]]:
    """`name=new:tag@digest` and its shorter forms, as `kustomize edit set image` reads them."""
    name, equals, rest = written.partition("=")
    text = rest if equals else name
    bare, _, digest = text.partition("@")
    head, colon, tag = bare.rpartition(":")
    repository, tag = (head, tag) if colon and "/" not in tag else (bare, "")
    image = {"newTag": tag} if tag else {}
    image |= {"digest": digest} if digest else {}
    if equals:
        return name, {"newName": repository, **image} if repository != "*" else image
    return repository, image


def _kept(listed: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    """The fields of an image's entry besides tag and digest."""
    entry = listed.get(name, {"name": name})
    return {key: value for key, value in entry.items() if key not in ("newTag", "digest")}


def _load(file: Path) -> Mapping[str, Any]:
    try:
        return mapping(yaml_1_1.load(file.read_bytes()))
    except (yaml.YAMLError, ValueError):
        return {}  # kustomize says what is wrong with it
