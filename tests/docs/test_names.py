"""A type name means one thing: no two folders of the package define types of the same name."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "scripts" / "stagegate"


def folders_of_types() -> dict[str, set[str]]:
    """For every public type, the folders or top-level modules that define one of its name."""
    defined: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        folder = str(path.parent.relative_to(PACKAGE)) if path.parent != PACKAGE else path.stem
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined.setdefault(node.name, set()).add(folder)
    return defined


def test_no_two_folders_define_types_of_one_name() -> None:
    shared = {name for name, folders in folders_of_types().items() if len(folders) > 1}
    assert shared == set(), "choose a name that says which one it is"
