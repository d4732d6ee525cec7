"""Composes the files that init writes, and their difference from the work tree. Pure."""

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
    """The files to write: `new` by path, `added` are lines for the end of existing files, `kept` files stay.

    `applied` are the files and folders that a person applies to Argo CD's cluster once.
    """

    new: Mapping[str, str] = {}
    added: Mapping[str, str] = {}
    kept: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()


def compose(
    proposals: Sequence[AppProposal], survey: Survey, tree: Tree, uses: str, owners: str
) -> SetupFiles:
    """Every file for the proposals.

    `uses` is the address of stagegate in workflows, `owners` are the code owners.
    """
    texts: dict[str, str] = {}
    for proposal in proposals:
        texts |= dict(_of_app(proposal, survey, uses))
    texts |= workflow_files.compose(proposals, survey, uses)
    new = {path: text for path, text in texts.items() if path not in survey.paths}
    begun = {
        path: lines
        for path in (proposal.config for proposal in proposals if proposal.config in survey.paths)
        if (lines := existing_settings.missing(path, texts.get(path, ""), survey))
    }
    kept = tuple(path for path in texts if path in survey.paths and path not in begun)
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


def _applied(new_files: Mapping[str, str]) -> tuple[str, ...]:
    """The new root Applications, which apply the others; without one, the folder of Applications."""
    roots = [path for path in new_files if posixpath.basename(path) == ROOT]
    under = {posixpath.join(posixpath.dirname(path), "argocd") for path in roots}
    folders = {posixpath.dirname(path) for path in new_files if posixpath.basename(path) == PROJECT}
    return tuple(sorted({*roots, *folders - under}))


def difference(files: SetupFiles, tree: Tree) -> str:
    """All files as one unified difference."""
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


def _of_app(proposal: AppProposal, survey: Survey, uses: str) -> Iterator[tuple[str, str]]:
    repository, _, revision = uses.partition("@")
    schema = f"https://raw.githubusercontent.com/{repository}/{revision}/stagegate.schema.json"
    yield proposal.config, render("stagegate.yaml.j2", proposal=proposal, schema=schema, source_file="")
    if proposal.has_code:
        yield proposal.scenarios, render("scenarios.yaml.j2", proposal=proposal)
    if proposal.policy:
        return
    new_environments = [place for place in proposal.environments if place.made]
    if new_environments and proposal.chart_path:
        yield from _with_chart(proposal, new_environments, survey)
    elif not any(d.is_argocd for d in survey.documents):
        yield from _with_folders(proposal, survey)


def _with_chart(
    proposal: AppProposal, places: Sequence[EnvironmentProposal], survey: Survey
) -> Iterator[tuple[str, str]]:
    """Applications, values, project and Secret for a chart that no Application deploys."""
    folder = posixpath.join(posixpath.dirname(proposal.config), "deploy")
    chart = {
        "where": proposal.chart_repository.removeprefix("oci://"),
        "name": proposal.chart_name or PurePosixPath(proposal.chart_path).name,
    }
    version = proposal.version or "0.0.0"
    shared = {
        "proposal": proposal,
        "title": proposal.name,
        "namespaces": {place.name: f"{proposal.name}-{place.name}" for place in places},
        "chart": chart,
        "version": version,
        "tag": proposal.tag_now,
        "tag_before": proposal.image_tag.replace("{version}", "").replace("{app}", proposal.name),
        "address": survey.address,
        "branch": survey.branch,
        "values_folder": f"{folder}/values",
    }
    by_file: dict[str, list[EnvironmentProposal]] = {}
    for place in places:
        by_file.setdefault(str(place.pins[0]), []).append(place)
        yield (
            f"{folder}/values/{place.name}.yaml",
            render("values.yaml.j2", place=place, **_values(proposal, place)),
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


def _with_folders(proposal: AppProposal, survey: Survey) -> Iterator[tuple[str, str]]:
    """Applications for folders of manifests or kustomizations that no Application deploys."""
    pinned = [
        pin if isinstance(pin, str) else pin.file for place in proposal.environments for pin in place.pins
    ]
    folder = posixpath.join(unit(pinned[0]) if pinned else "deploy", "argocd")
    folders = {place.name: _pinned_folder(place) for place in proposal.environments}
    first = proposal.environments[0]
    title = first.applications[0].removesuffix(f"-{first.name}")
    shared = {
        "proposal": proposal,
        "title": title,
        "namespaces": {
            name: _namespace(survey, folder) or f"{title}-{name}" for name, folder in folders.items()
        },
        "chart": None,
        "address": survey.address,
        "branch": survey.branch,
        "clusters": False,
    }
    for place in proposal.environments:
        yield (
            f"{folder}/{place.name}.yaml",
            render("application.yaml.j2", place=place, folder=folders[place.name] or ".", **shared),
        )
    yield f"{folder}/{PROJECT}", render("project.yaml.j2", places=proposal.environments, **shared)


def _pinned_folder(place: EnvironmentProposal) -> str:
    pin = place.pins[0]
    return posixpath.dirname(pin if isinstance(pin, str) else pin.file)


def _namespace(survey: Survey, folder: str) -> str:
    """The namespace that a kustomization sets, or nothing."""
    namespaces = (
        str(document.content.get("namespace") or "")
        for document in survey.documents
        if document.is_kustomization and posixpath.dirname(document.file) == folder
    )
    return next(namespaces, "")


def _values(proposal: AppProposal, place: EnvironmentProposal) -> dict[str, object]:
    """The values of an environment: the app's image if the chart has another one, two pods in production."""
    chart = proposal.app.chart
    named = {image.name for image in chart.images} if chart else set()
    foreign = len(named) == 1 and named.isdisjoint(proposal.images) and len(proposal.images) == 1
    production = environments.rank(place.name) >= environments.PRODUCTION
    return {
        "image": proposal.images[0] if foreign else "",
        "replicas": production and chart is not None and chart.has_replicas,
    }


def _guarded(proposals: Sequence[AppProposal]) -> list[str]:
    """Folders and files that control production, for CODEOWNERS."""
    paths = ["/.github/", "/CODEOWNERS"]
    if len(proposals) > 1:
        paths.append(f"/{locations.FILE}")  # one in the root would take the place of all others
    for proposal in proposals:
        paths.append(f"/{proposal.config}")
        if proposal.has_code:
            paths.append(f"/{proposal.scenarios}")
        for place in proposal.environments:
            for pin in place.pins:
                file = pin if isinstance(pin, str) else pin.file
                paths.append(f"/{posixpath.dirname(file)}/" if posixpath.dirname(file) else f"/{file}")
            if place.made:
                paths.append(f"/{posixpath.join(posixpath.dirname(proposal.config), 'deploy', ROOT)}")
    return sorted(dict.fromkeys(paths))
