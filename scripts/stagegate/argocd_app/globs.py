"""The ways in which Argo CD matches paths. Each field has its own; they differ in whether `*` matches `/`."""

from __future__ import annotations

import functools
import re


@functools.cache
def compiled(pattern: str, *, star: str, any_depth: bool) -> re.Pattern[str]:
    """A pattern as a regular expression: `star` is what `*` stands for, `**` crosses folders if `any_depth`."""
    parts: list[str] = []
    position, depth = 0, 0
    while position < len(pattern):
        rest = pattern[position:]
        character = pattern[position]
        position += 1
        if any_depth and rest.startswith("**/"):
            parts.append("(?:.*/)?")
            position += 2
        elif rest.startswith("**"):
            parts.append(".*" if any_depth else star)
            position += 1
        elif character == "*":
            parts.append(star)
        elif character == "?":
            parts.append(star.rstrip("*"))
        elif character == "[" and "]" in pattern[position + 1 :]:
            end = pattern.index("]", position + 1)
            inner = pattern[position:end]
            negated = inner[:1] in "!^"
            body = re.escape(inner[1:] if negated else inner).replace(r"\-", "-")
            parts.append(f"[{'^' if negated else ''}{body}]")
            position = end + 1
        elif character == "{" and "}" in rest:
            parts.append("(?:")
            depth += 1
        elif character == "}" and depth:
            parts.append(")")
            depth -= 1
        elif character == "," and depth:
            parts.append("|")
        elif character == "\\" and position < len(pattern):
            parts.append(re.escape(pattern[position]))
            position += 1
        else:
            parts.append(re.escape(character))
    return re.compile("".join(parts) + ")" * depth, re.DOTALL)


def of_directory(pattern: str, path: str) -> bool:
    """`directory.include` and `exclude`: `*` crosses folders, `{a,b}` is one of several."""
    return compiled(pattern, star=".*", any_depth=False).fullmatch(path) is not None


def of_folders(pattern: str, path: str) -> bool:
    """Folders of a Git generator, as Go's path.Match: `*` is one step."""
    return compiled(_plain(pattern), star="[^/]*", any_depth=False).fullmatch(path) is not None


def of_files(pattern: str, path: str) -> bool:
    """Files of a Git generator, as `git ls-files`: `*` crosses folders; a folder stands for all that is in it."""
    if compiled(_plain(pattern), star=".*", any_depth=False).fullmatch(path):
        return True
    return not re.search(r"[*?\[]", pattern) and path.startswith(pattern.rstrip("/") + "/")


def of_values(pattern: str, path: str) -> bool:
    """Values files of Helm: `*` is one step, `**` any number."""
    return compiled(pattern, star="[^/]*", any_depth=True).fullmatch(path) is not None


def is_pattern(text: str) -> bool:
    """Whether a path has something in it that stands for several."""
    return re.search(r"[*?\[{]", text) is not None


def _plain(pattern: str) -> str:
    """Braces are letters for Git and for path.Match."""
    return pattern.replace("{", r"\{").replace("}", r"\}")
