"""docs/architecture.md is true: its picture is current, and what it names exists."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Set
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "scripts" / "stagegate"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SPEC = importlib.util.spec_from_file_location("docs_layers", ROOT / "scripts" / "docs_layers.py")
assert SPEC is not None
assert SPEC.loader is not None
docs_layers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(docs_layers)


def test_the_picture_is_drawn_from_the_imports_of_today() -> None:
    assert docs_layers.picture() in PAGE


def test_every_import_goes_down() -> None:
    level = {room: number for number, row in enumerate(docs_layers.layers()) for room in row}
    upwards = [
        (room, target)
        for room, targets in docs_layers.imports().items()
        for target in targets
        if room in level and target in level and level[target] < level[room]
    ]
    assert upwards == []


def test_the_page_has_all_nine_invariants() -> None:
    assert re.findall(r"- \*\*(I[0-9])\*\*", PAGE) == [f"I{number}" for number in range(1, 10)]


def test_the_table_has_every_folder() -> None:
    rows = re.findall(r"(?m)^\| (`[a-z_0-9`, ]+`) \|", PAGE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    rooms = {path.stem for path in PACKAGE.iterdir() if path.name not in ("__init__.py", "__pycache__")}
    assert rooms == named


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([a-z_]+/[a-z_/.0-9]+)`", PAGE))))
def test_a_file_that_it_names_exists(path: str) -> None:
    assert (PACKAGE / path).exists() or (ROOT / path).exists(), path


@pytest.mark.parametrize("path", sorted((PACKAGE / "actions").glob("*.py")), ids=lambda path: str(path.stem))
def test_an_entrypoint_imports_no_other(path: Path) -> None:
    assert "stagegate.actions" not in re.sub(r'"stagegate\.actions\."', "", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((PACKAGE / "actions").glob("*.py")), ids=lambda path: str(path.stem))
def test_an_entrypoint_is_short(path: Path) -> None:
    """Inputs and the calls of one action, nothing else: what decides or writes lives in a room of its own."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


def imported(tree: ast.Module, modules: Set[str]) -> set[str]:
    """The modules that are imported when this one is; what only the type checker reads does not count."""
    targets = set()
    for node in ast.walk(ast.Module([one for one in tree.body if not isinstance(one, ast.If)], [])):
        if isinstance(node, ast.ImportFrom):
            named = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            targets |= named or {str(node.module)} & modules
    return targets


@pytest.mark.parametrize(("package", "above"), [("stagegate", ROOT / "scripts"), ("lab", ROOT)])
def test_no_modules_import_each_other_in_a_circle(package: str, above: Path) -> None:
    files = {".".join(p.relative_to(above).with_suffix("").parts): p for p in (above / package).rglob("*.py")}
    files = {name.removesuffix(".__init__"): path for name, path in files.items()}
    graph = {
        name: imported(ast.parse(path.read_text(encoding="utf-8")), files.keys())
        for name, path in files.items()
    }
    TopologicalSorter(graph).prepare()  # CycleError names the circle
