"""Checks before a change of the pins is judged: pins are plain files that all parsers read alike."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate import yaml_1_1
from stagegate.argocd_app import malformed, render_inputs
from stagegate.argocd_app.sets import expand
from stagegate.clients import hub
from stagegate.difference.side import Side
from stagegate.errors import Stop
from stagegate.model import git_files
from stagegate.pins import companion, strict
from stagegate.pins import files as pin_files
from stagegate.pins.changes import Changed
from stagegate.pins.tree import PinsTree
from stagegate.settings import PinSettings, Settings

_PLAIN = ("", git_files.PLAIN, git_files.EXECUTABLE)


def one_reading(pins: hub.Hub, settings: Settings, old: PinsTree, new: PinsTree) -> None:
    """Stop(ambiguous-pin) where a pin's file is no plain file, or one that changes could be read in two ways."""
    texts = _texts(settings)
    paths = sorted(new.contents)
    for path, mode in (pins.modes(new.at, paths) if paths else {}).items():
        if mode not in _PLAIN:
            raise Stop(
                "ambiguous-pin",
                f"{path} is not a regular file (its mode in Git is {mode}).",
                "For a link or a submodule, Argo CD reads the files that it points to, but "
                "stagegate reads only the link itself.",
                "Keep pins in regular files.",
                file=path,
            )
    for path, content in new.contents.items():
        if content is not None and content != old.contents.get(path) and path not in texts:
            strict.check(content, path)
            _well_formed(content, path)


def edited(settings: Settings, files: Mapping[str, bytes]) -> None:
    """Stop(ambiguous-pin) for a pin file that a promotion changes and that could be read in two ways."""
    texts = _texts(settings)
    for path, content in files.items():
        if path not in texts:
            strict.check(content, path)


def _texts(settings: Settings) -> frozenset[str]:
    """Pin files that are not read as YAML: their version is found by a pattern or in TOML, or they are locks."""
    files: dict[str, bool] = {}
    for pin in (pin for environment in settings.environments for pin in environment.pins):
        name = pin_files.file_of(pin)
        by_text = (isinstance(pin, PinSettings) and bool(pin.pattern)) or name.endswith(".toml")
        files[name] = by_text and files.get(name, True)
    locks = {lock for file in files if (lock := companion(file))}
    return frozenset({*(file for file, by_text in files.items() if by_text), *locks})


def plain_values(changed: Changed, new: Side) -> None:
    """Stop(ambiguous-pin) where a values file that changes could be read in two ways."""
    for path in changed.values:
        content = new.tree.file(path) if path.endswith((".yaml", ".yml")) else None
        if content is not None:
            strict.check(content, path)


def _well_formed(content: bytes, path: str) -> None:
    """Stop(ambiguous-pin) for an Application that Kubernetes would refuse: what runs then is not what it says."""
    for document in yaml_1_1.load_all_last(content):
        if (render_inputs.is_application(document) or expand.is_set(document)) and (
            why := malformed.first(document)
        ):
            raise Stop(
                "ambiguous-pin",
                f"{path} is not a valid {document['kind']}: {why}.",
                "Kubernetes refuses such an object, so Argo CD does not apply the content of the file.",
                "Correct the field in the file.",
                file=path,
            )
