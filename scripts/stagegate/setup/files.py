"""The files that init would write, and their difference to the work tree. Nothing is written here."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from stagegate.argocd_app.tree import Tree
from stagegate.settings import locations
from stagegate.setup import environments, existing_settings, workflow_files
from stagegate.setup.propose import unit
from stagegate.setup.proposed import AppProposal, EnvironmentProposal
from stagegate.setup.render import render
from stagegate.setup.survey import Survey

ROOT, PROJECT = "root.yaml", "project.yaml"
CODEOWNERS = ("CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS")


class SetupFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What to write: `new` by path, `added` are lines at the end of a file that exists, `kept` exist and stay.

    `applied`: files and folders that a person applies to Argo CD's cluster once.
    """

    new: Mapping[str, str] = {}
    added: Mapping[str, str] = {}
    kept: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()


def compose(
    proposals: Sequence[AppProposal], survey: Survey, tree: Tree, uses: str, owners: str
) -> SetupFiles:
    """Every file for the proposals. `uses` is stagegate as workflows name it, `owners` people for CODEOWNERS."""
    wanted: dict[str, str] = {}
    for one in proposals:
        wanted |= dict(_of_app(one, survey, uses))
    wanted |= workflow_files.compose(proposals, survey, uses)
    new = {path: text for path, text in wanted.items() if path not in survey.paths}
    begun = {
        path: lines
        for path in (one.config for one in proposals if one.config in survey.paths)
        if (lines := existing_settings.missing(path, wanted.get(path, ""), survey))
    }
    kept = tuple(path for path in wanted if path in survey.paths and path not in begun)
    existing = next((path for path in CODEOWNERS if path in survey.paths), "")
    text = (tree.file(existing) or b"").decode("utf-8", "replace") if existing else ""
    owned = {line.split()[0] for line in text.splitlines() if line.strip()}
    missing = [path for path in _guarded(proposals) if path not in owned]
    lines = render("CODEOWNERS.j2", paths=missing, owners=owners)
    if not existing:
        new = new | {"CODEOWNERS": lines}
    elif missing:
        begun[existing] = lines
    return SetupFiles(new=new, added=begun, kept=kept, applied=_applied(new))


def _applied(new: Mapping[str, str]) -> tuple[str, ...]:
    """The root Applications among new files, which apply the others; without one, the folder of Applications."""
    roots = [path for path in new if posixpath.basename(path) == ROOT]
    under = {posixpath.join(posixpath.dirname(path), "argocd") for path in roots}
    folders = {posixpath.dirname(path) for path in new if posixpath.basename(path) == PROJECT}
    return tuple(sorted({*roots, *folders - under}))


def difference(files: SetupFiles, tree: Tree) -> str:
    """All of it as one unified difference."""
    pieces = [_diff(path, "", text) for path, text in files.new.items()]
    for path, lines in files.added.items():
        before = (tree.file(path) or b"").decode("utf-8", "replace")
        pieces.append(_diff(path, before, before + _line_end(before) + lines))
    return "".join(pieces)


def contents(files: SetupFiles, tree: Tree) -> dict[str, bytes]:
    """The bytes of every file that changes."""
    texts = {path: text.encode() for path, text in files.new.items()}
    for path, lines in files.added.items():
        before = tree.file(path) or b""
        texts[path] = before + _line_end(before.decode("utf-8", "replace")).encode() + lines.encode()
    return texts


def _line_end(before: str) -> str:
    return "" if not before or before.endswith("\n") else "\n"


def _diff(path: str, before: str, after: str) -> str:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    origin = f"a/{path}" if before else "/dev/null"
    return "".join(difflib.unified_diff(old, new, origin, f"b/{path}"))


def _of_app(one: AppProposal, survey: Survey, uses: str) -> Iterator[tuple[str, str]]:
    repository, _, revision = uses.partition("@")
    schema = f"https://raw.githubusercontent.com/{repository}/{revision}/stagegate.schema.json"
    yield one.config, render("stagegate.yaml.j2", one=one, schema=schema, source_file="")
    if one.has_code:
        yield one.scenarios, render("scenarios.yaml.j2", one=one)
    if one.policy:
        return
    made = [place for place in one.environments if place.made]
    if made and one.chart_path:
        yield from _with_chart(one, made, survey)
    elif not any(d.is_argocd for d in survey.documents):
        yield from _with_folders(one, survey)


def _with_chart(
    one: AppProposal, places: Sequence[EnvironmentProposal], survey: Survey
) -> Iterator[tuple[str, str]]:
    """Applications, values, project and Secret for a chart that nothing deploys yet."""
    folder = posixpath.join(posixpath.dirname(one.config), "deploy")
    chart = {
        "where": one.chart_repository.removeprefix("oci://"),
        "name": one.chart_name or PurePosixPath(one.chart_path).name,
    }
    version = one.version or "0.0.0"
    shared = {
        "one": one,
        "title": one.name,
        "namespaces": {place.name: f"{one.name}-{place.name}" for place in places},
        "chart": chart,
        "version": version,
        "tag": one.image_tag.replace("{version}", version).replace("{app}", one.name),
        "tag_before": one.image_tag.replace("{version}", "").replace("{app}", one.name),
        "address": survey.address,
        "branch": survey.branch,
        "values_folder": f"{folder}/values",
    }
    by_file: dict[str, list[EnvironmentProposal]] = {}
    for place in places:
        by_file.setdefault(str(place.pins[0]), []).append(place)
        yield (
            f"{folder}/values/{place.name}.yaml",
            render("values.yaml.j2", place=place, **_values(one, place)),
        )
    for file, alike in by_file.items():
        if len(alike) > 1:
            yield file, render("application_set.yaml.j2", places=alike, **shared)
        else:
            values = f"{folder}/values/{alike[0].name}.yaml"
            yield file, render("application.yaml.j2", place=alike[0], values=values, **shared)
    clusters = any(len(alike) > 1 for alike in by_file.values())
    yield (
        f"{folder}/argocd/{PROJECT}",
        render("project.yaml.j2", places=places, clusters=clusters, **shared),
    )
    root = f"{folder}/{ROOT}"
    name = next(place.parent for place in places)
    yield root, render("root.yaml.j2", path=root, name=name, folder=f"{folder}/argocd", **shared)
    secret = f"{folder}/argocd/repository-secret.sh"
    yield secret, render("repository-secret.sh.j2", path=secret, **shared)


def _with_folders(one: AppProposal, survey: Survey) -> Iterator[tuple[str, str]]:
    """Applications for folders of manifests or kustomizations that nothing deploys yet."""
    pinned = [pin if isinstance(pin, str) else pin.file for place in one.environments for pin in place.pins]
    folder = posixpath.join(unit(pinned[0]) if pinned else "deploy", "argocd")
    folders = {place.name: _pinned_folder(place) for place in one.environments}
    first = one.environments[0]
    title = first.applications[0].removesuffix(f"-{first.name}")
    shared = {
        "one": one,
        "title": title,
        "namespaces": {
            name: _namespace(survey, folder) or f"{title}-{name}" for name, folder in folders.items()
        },
        "chart": None,
        "address": survey.address,
        "branch": survey.branch,
        "clusters": False,
    }
    for place in one.environments:
        yield (
            f"{folder}/{place.name}.yaml",
            render("application.yaml.j2", place=place, folder=folders[place.name] or ".", **shared),
        )
    yield f"{folder}/{PROJECT}", render("project.yaml.j2", places=one.environments, **shared)


def _pinned_folder(place: EnvironmentProposal) -> str:
    pin = place.pins[0]
    return posixpath.dirname(pin if isinstance(pin, str) else pin.file)


def _namespace(survey: Survey, folder: str) -> str:
    """The namespace that a kustomization puts its objects into, or nothing."""
    namespaces = (
        str(document.content.get("namespace") or "")
        for document in survey.documents
        if document.is_kustomization and posixpath.dirname(document.file) == folder
    )
    return next(namespaces, "")


def _values(one: AppProposal, place: EnvironmentProposal) -> dict[str, object]:
    """What an environment's values need: our image where the chart names another, two pods in production."""
    chart = one.app.chart
    named = {image.name for image in chart.images} if chart else set()
    foreign = len(named) == 1 and named.isdisjoint(one.images) and len(one.images) == 1
    production = environments.rank(place.name) >= environments.PRODUCTION
    return {
        "image": one.images[0] if foreign else "",
        "replicas": production and chart is not None and chart.has_replicas,
    }


def _guarded(proposals: Sequence[AppProposal]) -> list[str]:
    """Folders and files that decide about production."""
    paths = ["/.github/", "/CODEOWNERS"]
    if len(proposals) > 1:
        paths.append(f"/{locations.FILE}")  # one in the root would take the place of all others
    for one in proposals:
        paths.append(f"/{one.config}")
        if one.has_code:
            paths.append(f"/{one.scenarios}")
        for place in one.environments:
            for pin in place.pins:
                file = pin if isinstance(pin, str) else pin.file
                paths.append(f"/{posixpath.dirname(file)}/" if posixpath.dirname(file) else f"/{file}")
            if place.made:
                paths.append(f"/{posixpath.join(posixpath.dirname(one.config), 'deploy', ROOT)}")
    return sorted(dict.fromkeys(paths))
