"""Change single scalars of a YAML or JSON file and no other byte of it (invariant I6).

Places come from the start and end marks of composed nodes; the text between is replaced, then the file is
composed again and compared. Loading and dumping instead would lose quotes, layout and comments.
"""

from __future__ import annotations

from stagegate.yaml_edit.paths import Path, Scalar, aliases, find, leaves, parse_path, resolve, written_path
from stagegate.yaml_edit.scalars import differing, inside, replace, replace_inside
from stagegate.yaml_nodes import compose as documents

__all__ = [
    "Path",
    "Scalar",
    "aliases",
    "differing",
    "documents",
    "find",
    "inside",
    "leaves",
    "parse_path",
    "replace",
    "replace_inside",
    "resolve",
    "written_path",
]
