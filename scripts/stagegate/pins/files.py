"""The files that decide what an environment runs: those of its pins, and the values files they name."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from stagegate import yaml_edit
from stagegate.argocd_app.named_files import KUSTOMIZATIONS
from stagegate.errors import Stop
from stagegate.settings import Environment, PinSettings, Settings
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

_FILES = (".yaml", ".yml", ".json")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def of(environments: Iterable[Environment]) -> tuple[str, ...]:
    """The pin files of environments, each once, in the settings' order."""
    pins = [pin for environment in environments for pin in environment.pins]
    return tuple(dict.fromkeys(file_of(pin) for pin in pins))


def is_glob(path: str) -> bool:
    """Whether a pin's file is a pattern for several."""
    return any(mark in path for mark in "*?[")


def has_globs(settings: Settings) -> bool:
    """Whether any pin is named by a pattern."""
    return any(is_glob(file_of(pin)) for place in settings.environments for pin in place.pins)


def expanded(settings: Settings, paths: Iterable[str], config: str = "", content: bytes = b"") -> Settings:
    """The settings with every glob in `pins` replaced by the files it matches among `paths`, sorted.

    `*` stands for any text without a slash, `**` for any folders. Stop(bad-settings) for one that matches nothing,
    with its line in the settings file `config` where its `content` is given.
    """
    if not has_globs(settings):
        return settings
    listed = sorted(paths)
    places = []
    for place in settings.environments:
        matched = [(pin, _matching(pin, listed)) for pin in place.pins]
        for pin, files in matched:
            if not files:
                raise _unmatched(file_of(pin), place.name, listed, config, content)
        places.append(
            msgspec.structs.replace(place, pins=tuple(one for _, files in matched for one in files))
        )
    return msgspec.structs.replace(settings, environments=tuple(places))


def file_of(pin: str | PinSettings) -> str:
    """The file of a pin, short or long form."""
    return pin if isinstance(pin, str) else pin.file


def closest(file: str, paths: Iterable[str]) -> str:
    """A sentence about the existing file whose path resembles a wrong one most; nothing where none does."""
    names = difflib.get_close_matches(file, [path for path in paths if path.endswith(_FILES)], 1, 0.6)
    return f" The most similar file is {names[0]}." if names else " No file has a similar name."


def _matching(pin: str | PinSettings, listed: Sequence[str]) -> list[str | PinSettings]:
    file = file_of(pin)
    if not is_glob(file):
        return [pin]
    wanted = _glob(file)
    names = [path for path in listed if wanted.fullmatch(path)]
    return [name if isinstance(pin, str) else msgspec.structs.replace(pin, file=name) for name in names]


def _unmatched(file: str, environment: str, listed: Sequence[str], config: str, content: bytes) -> Stop:
    lines = enumerate(content.decode("utf-8", "replace").splitlines(), 1)
    return Stop(
        "bad-settings",
        f"No file matches the pin {file} of {environment}.",
        "Without a matching file, the environment would have no version.",
        f"Correct the glob in `pins`.{closest(file, listed)}",
        file=config or None,
        line=next((number for number, line in lines if file in line), None),
    )


def _glob(pattern: str) -> re.Pattern[str]:
    text = ""
    for part in re.split(r"(\*\*/?|\*|\?|\[[^\]/]+\])", pattern):
        if part.startswith("**"):
            text += r"(?:[^/]+/)*" if part.endswith("/") else ".*"
        elif part in ("*", "?"):
            text += r"[^/]*" if part == "*" else r"[^/]"
        else:
            text += part if part.startswith("[") else re.escape(part)
    return re.compile(text)


def values(contents: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """Values files that pin files name through a `ref` source, as `$values/deploy/values/prod.yaml`."""
    paths: dict[str, None] = {}
    for file, content in contents.items():
        for document in _documents(content, file):
            texts = (text for _, (_, text) in yaml_edit.leaves(document))
            paths |= {text.split("/", 1)[1]: None for text in texts if text.startswith("$") and "/" in text}
    return tuple(paths)


def is_kustomization(file: str) -> bool:
    """Whether a file is a kustomization by its name."""
    return PurePosixPath(file).name in KUSTOMIZATIONS


def folder(file: str) -> str | None:
    """The folder that is deployed with a chart or kustomization, empty for the root; None for other files."""
    if not is_kustomization(file) and PurePosixPath(file).name != "Chart.yaml":
        return None
    return posixpath.dirname(file)


def named(file: str, content: bytes | None) -> frozenset[str]:
    """Paths in the repository that a kustomization or chart may name: every text in it that can be one."""
    local = "" if is_kustomization(file) else "file://"
    return frozenset(_paths(file, content, lambda _, text: text.startswith(local)))


def bases(file: str, content: bytes | None) -> frozenset[str]:
    """Folders that a kustomization builds on, which may be kustomizations themselves."""

    def is_base(path: Path, text: str) -> bool:
        return path[0] in ("resources", "bases", "components") and PurePosixPath(text).suffix not in _FILES

    return frozenset(_paths(file, content, is_base)) if is_kustomization(file) else frozenset()


def _paths(file: str, content: bytes | None, wanted: Callable[[Path, str], bool]) -> Iterator[str]:
    place = folder(file)
    if place is None or not content:
        return
    for document in yaml_edit.documents(content, file):
        for path, (_, text) in yaml_edit.leaves(document):
            written = text.removeprefix("file://").rpartition("=")[2]  # a generator's `key=path`
            if not wanted(path, text) or not written or "\n" in written or _SCHEME.match(written):
                continue
            clean = posixpath.normpath(posixpath.join(place, written))
            if not clean.startswith(("..", "/")) and clean not in (".", place):
                yield clean


def are_all(contents: Mapping[str, bytes | None]) -> bool:
    """Whether pin files, with the values they name, are all in Git that decides what runs.

    So it is for Applications that take a chart from a registry. A folder of Git (a chart, a kustomization, plain
    manifests), or a pin that is no Application, leaves the rest of what decides unnamed.
    """
    return bool(contents) and all(
        (documents := _documents(content, file)) and all(_is_whole(document) for document in documents)
        for file, content in contents.items()
    )


def _documents(content: bytes | None, file: str) -> Sequence[Node]:
    """The documents of a pin's file; none where it is of another kind, whose version is named by a pattern."""
    try:
        return yaml_edit.documents(content, file) if content else ()
    except Stop:
        return ()


def _is_whole(document: Node) -> bool:
    leaves = {path: text for path, (_, text) in yaml_edit.leaves(document)}
    folders = [
        path
        for path in leaves
        if path[:2] in (("spec", "source"), ("spec", "sources")) and path[-1] == "path"
    ]
    return leaves.get(("kind",)) == "Application" and not folders
