"""Documents beside the pins that name what an environment runs, though no pin is in them.

Argo CD often takes a whole folder, so a new Application in a file beside the pin deploys although no pin is moved.
In scope are the folders that hold an environment's pins, and the paths of the setting `guarded-paths`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from stagegate import nesting, yaml_1_1
from stagegate.argocd_app import globs, sources
from stagegate.argocd_app.named_files import KUSTOMIZATIONS
from stagegate.argocd_app.sources import mapping
from stagegate.difference import environment_names
from stagegate.difference.environment_names import Names
from stagegate.difference.side import Side
from stagegate.errors import Stop
from stagegate.model.git_files import LFS_POINTER
from stagegate.pins import files as pin_files
from stagegate.pins import strict

_LARGEST = 1 << 20  # bytes of a file that is read; a manifest in Git is smaller
_MANIFEST = re.compile(r"\.(?:ya?ml|json|jsonnet|libsonnet)$")
_ATTRIBUTES = ".gitattributes"
_PROGRAM = re.compile(r"\.(?:jsonnet|libsonnet)$")

Documents = Mapping[tuple[str, str, str], Mapping[str, Any]]


def documents(old: Side, new: Side, paths: Iterable[str]) -> dict[str, str]:
    """Why each of these changed paths is judged with the environment; paths that name nothing are left out.

    A link in scope changes with what it points to, wherever that is.
    """
    changed = frozenset(paths)
    wanted = [path for path in sorted(changed) if _is_guarded(path, new)]
    wanted += [
        path for path, way in _links(new).items() if path not in changed and not changed.isdisjoint(way)
    ]
    if not wanted:
        return {}
    for side in (old, new):
        side.tree.read(wanted)
    names = environment_names.of(old, new)
    reasons = {path: _why(path, old, new, names) for path in wanted}
    return {path: why for path, why in reasons.items() if why}


def linked(side: Side) -> frozenset[str]:
    """Every path, wherever it is, to which a symbolic link in scope leads."""
    return frozenset(path for way in _links(side).values() for path in way)


def _links(side: Side) -> dict[str, tuple[str, ...]]:
    """The symbolic links in scope: where each leads, and the links on the way."""
    links = [
        path for path, entry in sorted(side.tree.entries.items()) if entry.link and _is_guarded(path, side)
    ]
    side.tree.read(links)
    ways = {path: side.tree.resolve(path) for path in links}
    return {path: (target, *between) for path, (target, between) in ways.items()}


def _is_guarded(path: str, side: Side) -> bool:
    base = posixpath.basename(path)
    folders = {posixpath.dirname(file) for file in pin_files.of([side.environment])}
    if base == _ATTRIBUTES or _turns_folder(path, folders):
        return True
    is_manifest = _MANIFEST.search(base) is not None or base in KUSTOMIZATIONS
    if not is_manifest and not _is_submodule(path, side):
        return False
    in_folder = any(path.startswith(f"{one}/") if one else "/" not in path for one in folders)
    return in_folder or any(globs.of_directory(one, path) for one in side.settings.guarded_paths)


def _turns_folder(path: str, folders: Iterable[str]) -> bool:
    """Whether a file makes Argo CD read a folder with pins in another way: as a kustomization, as a chart."""
    base = posixpath.basename(path)
    is_one = base in (*KUSTOMIZATIONS, "Chart.yaml") or base.startswith(".argocd-source")
    return is_one and posixpath.dirname(path) in folders


def _is_submodule(path: str, side: Side) -> bool:
    return path in side.tree.entries and side.tree.entries[path].submodule


def _why(path: str, old: Side, new: Side, names: Names) -> str:
    """Why a changed file concerns the environment, in words; nothing where it does not."""
    if any(_is_submodule(path, side) for side in (old, new)):
        return "is a submodule, so the files are in another repository"
    is_both = all(path in side.tree.entries for side in (old, new))
    is_same_kind = is_both and posixpath.basename(path) == "Chart.yaml"
    if not is_same_kind and _turns_folder(path, {posixpath.dirname(file) for file in names.pins}):
        return "changes how Argo CD reads the folder of a pin"
    before, after = (_content(side, path) for side in (old, new))
    if before == after:
        return ""
    if posixpath.basename(path) == _ATTRIBUTES:
        return _attributes_why(before, after)
    if why := _unreadable(path, after, names):
        return why
    sides = [_read(content) for content in (before, after)]
    if None in sides:
        reasons = [environment_names.in_text(content or b"", names) for content in (after, before)]
        reason = next(filter(None, reasons), "")
        return f"cannot be read as plain YAML, and {reason}" if reason else ""
    return _documents_why(path, sides[0] or {}, sides[1] or {}, names, new)


def _attributes_why(before: bytes | None, after: bytes | None) -> str:
    """Git writes a file in the encoding that its attributes name, so umlauts can become braces in what Argo CD
    checks out: https://git-scm.com/docs/gitattributes#_working_tree_encoding."""
    was, now = (
        [line for line in (content or b"").splitlines() if b"working-tree-encoding" in line]
        for content in (before, after)
    )
    if was == now and after is not None:
        return ""
    return (
        "changes the encoding in which Git writes files, so Argo CD reads different bytes from those checked "
        "here"
    )


def _unreadable(path: str, content: bytes | None, names: Names) -> str:
    """Why the content of a changed file is not certain for Argo CD; nothing where its documents can be compared.

    An Application may hide in what our reader and Argo CD's take differently.
    """
    if content is None:
        return "cannot be read, because the file is larger than 1 MiB or a link to a file that does not exist"
    if content.startswith(LFS_POINTER):
        return "is a Git LFS pointer, and the content of the file that it points to is not known"
    if content and _PROGRAM.search(path):
        return "is a program, and the output of the program is unknown"
    if environment_names.is_template(content) and _read(content) is None:
        return ""
    try:
        strict.check(content, path)
    except Stop as stop:
        if environment_names.is_manifest(content) or environment_names.in_text(content, names):
            return (
                "could be read in two ways, because the file "
                f"{stop.what.removeprefix(path).strip().rstrip('.')}"
            )
    return ""


def _documents_why(path: str, before: Documents, after: Documents, names: Names, new: Side) -> str:
    for key in dict.fromkeys((*after, *before)):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        strong, weak = (
            environment_names.in_document(now or {}, path, names, new.settings) if now else ("", "")
        )
        strong_then, weak_then = (
            environment_names.in_document(was, path, names, new.settings) if was else ("", "")
        )
        reason = strong or strong_then or (weak if weak != weak_then else "")
        if reason:
            verb = "is new" if was is None else "is removed" if now is None else "changes"
            return f"has {key[0] or 'a document'} {key[2]}, which {verb} and names {reason}"
    return ""


def _content(side: Side, path: str) -> bytes | None:
    """A file, with links followed; a link that leads outside is unreadable."""
    if path not in side.tree.entries:
        return b""
    content = side.tree.file(path)
    return content if content is not None and len(content) <= _LARGEST else None


def _read(content: bytes | None) -> Documents | None:
    """The documents of a file by kind, namespace and name; None where it cannot be read."""
    if content is None:
        return None
    try:
        text = content.decode("utf-8-sig")
        if nesting.bomb(text):
            return None
        listed = yaml_1_1.load_all_last(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    by_identity: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for one in listed:
        for document in sources.items(mapping(one).get("items")) or [one]:
            metadata = mapping(mapping(document).get("metadata"))
            kind, space, name = (
                str(one or "")
                for one in (mapping(document).get("kind"), metadata.get("namespace"), metadata.get("name"))
            )
            if kind:
                by_identity[
                    kind,
                    space,
                    name if (kind, space, name) not in by_identity else f"{name} {len(by_identity)}",
                ] = mapping(document)
    return by_identity
