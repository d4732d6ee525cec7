"""The picture of the layers in docs/architecture.md: drawn from the import contract and from the code's imports."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "scripts" / "stagegate"


def layers() -> list[list[str]]:
    """The rooms of every layer, the highest first, as the import contract in pyproject.toml lists them."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r'containers = \["stagegate"\]\nlayers = \[\n(.*?)\n\]', text, re.DOTALL)
    if listed is None:
        raise ValueError("pyproject.toml has no layers contract")
    rows = re.findall(r'"([^"]+)"', listed[1])
    return [re.split(r"\s*[|:]\s*", row) for row in rows]


@functools.cache
def imports() -> Mapping[str, frozenset[str]]:
    """For every room, the rooms that its files import, read from the source without running it."""
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()} - {"__init__"}
    imported: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _modules(node):
                target = name.removeprefix("stagegate.").split(".")[0]
                if name.startswith("stagegate.") and target in rooms - {room}:
                    imported.setdefault(room, set()).add(target)
    return {room: frozenset(targets) for room, targets in imported.items()}


def picture() -> str:
    """A Mermaid flowchart: one box for each layer, one arrow for each import that no other path implies."""
    rows, edges = layers(), imports()
    shown = {room for row in rows for room in row}
    lines = ["```mermaid", "flowchart TD"]
    for number, row in enumerate(rows):
        lines.append(f'  subgraph layer{number}[" "]')
        lines += [f"    {room}" for room in row]
        lines.append("  end")
    for room in (room for row in rows for room in row):
        targets = edges.get(room, frozenset()) & shown
        for target in sorted(targets):
            if not any(target in _reached(other, edges) for other in targets - {target}):
                lines.append(f"  {room} --> {target}")
    return "\n".join([*lines, "```"]) + "\n"


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        if node.module == "stagegate":
            return [f"stagegate.{alias.name}" for alias in node.names]
        return [node.module]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def _reached(room: str, edges: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Every room that a room imports, directly or not."""
    reached: set[str] = set()
    waiting = [room]
    while waiting:
        for target in edges.get(waiting.pop(), frozenset()) - reached:
            reached.add(target)
            waiting.append(target)
    return frozenset(reached)
