"""Finds mistakes in the files of an overlay, each with its line. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import named_files
from stagegate.argocd_app.tree import Tree
from stagegate.model import Finding
from stagegate.setup.migration import inflated

_HEADS = ("apiVersion", "kind", "metadata")  # keys that occur once in an object

_PATHS = frozenset(
    [
        "resources",
        "bases",
        "components",
        "crds",
        "configurations",
        "transformers",
        "generators",
        "validators",
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "replacements",
    ]
)  # keys of a kustomization with lists of files
# Parts of kustomize's messages: a field, the path of a patch, the target of a patch, a file.
_SUBJECT = re.compile(
    r'unknown field \\?"?([\w.-]+)|missing path: (/[^\s:"]+)|path: (/[^\s:"]+)|Id [\w.]+/([\w-]+)|'
    r"accumulation err='accumulating resources from '([^']+)'|name: ([\w.-]+)"
)
_BUILT = frozenset(("resources", "bases", "components"))  # keys of folders with their own kustomization
_REMOTE = re.compile(r"://|\?ref=|^[\w.-]+@|^[\w-]+\.[\w.-]+/[\w.-]+/[\w.-]+|\.git(?:/|$)|//")


def find(tree: Tree, folder: str, options: Collection[str] = ()) -> Iterator[Finding]:
    """Every mistake in the YAML files of a kustomization and its bases. `options` are those of the build."""
    named = named_files.following([folder], tree)
    templates = tuple(f"{folder}templates/" for folder in _chart_folders(tree))
    paths = [
        path
        for path in named.paths(tree)
        if path.endswith((".yaml", ".yml")) and not path.startswith(templates)
    ]
    for path, _ in sorted(_kustomizations(tree, folder)):
        yield from _absent(tree, path)
        yield from inflated.absent(tree, path, options)
    for path, content in sorted(tree.read(sorted(paths)).items()):
        try:
            for node in yaml_1_1.compose_all(content):
                yield from _twice(node, path)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            yield Finding(
                rule="broken-overlay",
                severity="error",
                file=path,
                line=mark.line + 1 if mark else 1,
                message=f"{path} is not YAML: {getattr(error, 'problem', None) or error}.",
                why="No tool can build the overlay with this file.",
                fix="Correct the line that the error names.",
            )


def _chart_folders(tree: Tree) -> list[str]:
    """The folders of charts, with a slash at the end; their templates are text until helm fills them in."""
    return [path[: -len("Chart.yaml")] for path in tree.entries if posixpath.basename(path) == "Chart.yaml"]


def place(tree: Tree, folder: str, trouble: str) -> tuple[str, int]:
    """The file and line of a message of kustomize, if the message contains a text that only one line has."""
    words = [word for match in _SUBJECT.finditer(trouble) for word in match.groups() if word]
    files = [
        path for path in named_files.following([folder], tree).paths(tree) if path.endswith((".yaml", ".yml"))
    ]
    for word in words:
        for path in sorted(files, key=lambda path: (not path.startswith(f"{folder}/"), path)):
            line = line_of(tree, path, word)
            if line:
                return path, line
    return "", 0


def line_of(tree: Tree, file: str, text: str) -> int:
    """The number of the first line of a file that contains a text, counted from 1; 0 where there is none."""
    lines = (tree.file(file) or b"").decode("utf-8", "replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text and text in line), 0)


def _kustomizations(tree: Tree, folder: str) -> Iterator[tuple[str, bytes]]:
    for path in named_files.following([folder], tree).paths(tree):
        if posixpath.basename(path) in named_files.KUSTOMIZATIONS:
            yield path, tree.file(path) or b""


def _absent(tree: Tree, file: str) -> Iterator[Finding]:
    """Findings for missing files and folders of a kustomization."""
    try:
        node = yaml_1_1.compose(tree.file(file) or b"")
    except (yaml.YAMLError, UnicodeDecodeError):
        return  # the caller reports it with its line
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    for key, value in pairs:
        for path_node in _named(str(key.value), value):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(file), path_node.value))
            line = path_node.start_mark.line + 1
            target = tree.resolve(path)[0] or path
            if target in tree.folders and key.value in _BUILT and not _is_built(tree, target):
                yield Finding(
                    rule="broken-overlay",
                    severity="error",
                    file=file,
                    line=line,
                    message=f"{file} names the folder {path_node.value}, which has no kustomization.yaml.",
                    why="kustomize therefore cannot build the overlay.",
                    fix=f"Add {path}/kustomization.yaml, or correct line {line}.",
                )
            if target in tree.entries or target in tree.folders:
                continue
            place = "outside this repository" if path.startswith("../") else "not there"
            yield Finding(
                rule="broken-overlay",
                severity="error",
                file=file,
                line=line,
                message=f"{file} names {path_node.value}, which is {place}.",
                why="kustomize therefore cannot build the overlay.",
                fix=f"Correct line {line}, or add {path}.",
            )


def _is_built(tree: Tree, folder: str) -> bool:
    return any(f"{folder}/{name}".lstrip("/") in tree.entries for name in named_files.KUSTOMIZATIONS)


def _named(key: str, value: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """The local paths below one key of a kustomization."""
    listed = value.value if isinstance(value, yaml.SequenceNode) else []
    for generator in listed if key == "configMapGenerator" else ():
        for name, held in generator.value if isinstance(generator, yaml.MappingNode) else ():
            if name.value in ("files", "envs"):
                yield from (_without_key(path) for path in held.value if isinstance(path, yaml.ScalarNode))
    for item in listed if key in _PATHS else ():
        if isinstance(item, yaml.MappingNode):  # patches: {path: ...}
            item = next((held for name, held in item.value if name.value == "path"), item)
        if isinstance(item, yaml.ScalarNode) and _is_local(item):
            yield item


def _without_key(node: yaml.ScalarNode) -> yaml.ScalarNode:
    """The path in an entry of a generator, which may begin with a key: `name=path`."""
    return yaml.ScalarNode(node.tag, str(node.value).rpartition("=")[2], node.start_mark, node.end_mark)


def _is_local(node: yaml.ScalarNode) -> bool:
    """Whether a text is a local path, not the address of another repository or the YAML of a patch."""
    text = str(node.value)
    return bool(text) and "\n" not in text and not _REMOTE.search(text) and ": " not in text


def _twice(node: yaml.Node | None, path: str) -> Iterator[Finding]:
    """Findings for repeated keys in mappings, at any depth."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item, path)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.value in lines:
            glued = key.value in _HEADS and node.start_mark.column == 0
            yield Finding(
                rule="broken-overlay",
                severity="error",
                file=path,
                line=line,
                message=f"{path} has the key {key.value} twice, in lines {lines[key.value]} and {line}.",
                why="kustomize refuses a repeated key, and other programs use the last value without a "
                "warning.",
                fix=f"Write `---` before line {line}, because a second object begins in this line."
                if glued
                else f"Delete one of the two keys, in line {lines[key.value]} or {line}.",
            )
            if glued:
                return  # do not report the other keys of the second object
        lines.setdefault(str(key.value), line)
        yield from _twice(value, path)
