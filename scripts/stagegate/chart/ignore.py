"""Reads .helmignore as helm does, so that our package contains the same files as one of `helm package`.

Each line is a pattern; `#` begins a comment. A pattern without a slash is compared with the last part of a path,
else with the whole path from the chart's folder. A leading `/` also means the whole path, a trailing `/` means
folders only. `*` and `?` do not match a slash, `[...]` is a set, `**` is refused. A leading `!` drops every path
that does not match: in helm it is not an exception to an earlier line.
https://helm.sh/docs/chart_template_guide/helm_ignore_file/
"""

from __future__ import annotations

import re

import msgspec

from stagegate.errors import Stop

FILE = ".helmignore"
_SPECIAL = frozenset("*?[\\")
_ALWAYS = "templates/.?*"  # helm always ignores hidden files among the templates


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file.

    For a plain name, or `*` with a plain ending, `ending` is compared and `expression` is empty.
    """

    ending: str
    starred: bool
    expression: str
    whole_path: bool
    folders_only: bool
    inverted: bool

    def drops(self, path: str, is_folder: bool) -> bool:
        """Whether this line alone excludes `path` (relative, with `/`) from the package."""
        subject = path if self.whole_path else path.rpartition("/")[2]
        matches = self._matches(subject)
        fits = is_folder or not self.folders_only
        return not (fits and matches) if self.inverted else fits and matches

    def _matches(self, subject: str) -> bool:
        if self.expression:
            return re.fullmatch(self.expression, subject, re.DOTALL) is not None
        if self.starred:
            return subject.endswith(self.ending) and "/" not in subject.removesuffix(self.ending)
        return subject == self.ending


def patterns(content: bytes, file: str) -> tuple[Pattern, ...]:
    """The patterns of a .helmignore, with helm's default at the end. Stop(findings) where helm refuses a line."""
    parsed = []
    lines = content.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    for number, line in enumerate([*lines, _ALWAYS], 1):
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        if "**" in rule:
            raise _refused(file, number, "Helm does not support ** in a pattern.")
        inverted, rule = rule.startswith("!"), rule.removeprefix("!")
        folders_only, rule = rule.endswith("/"), rule.removesuffix("/")
        compared = rule.removeprefix("/")
        ending = compared.removeprefix("*")
        parsed.append(
            Pattern(
                ending=ending,
                starred=ending != compared,
                expression=_expression(compared, file, number) if _SPECIAL & {*ending} else "",
                whole_path="/" in rule,
                folders_only=folders_only,
                inverted=inverted,
            )
        )
    return tuple(parsed)


def ignored(path: str, is_folder: bool, rules: tuple[Pattern, ...]) -> bool:
    """Whether a rule excludes the path. An excluded folder excludes everything in it."""
    return any(rule.drops(path, is_folder) for rule in rules)


def _expression(rule: str, file: str, line: int) -> str:
    """Go's filepath.Match syntax as a regular expression."""
    parts: list[str] = []
    remaining = rule
    while remaining:
        character, remaining = remaining[0], remaining[1:]
        if character in "*?":
            parts.append("[^/]*" if character == "*" else "[^/]")
        elif character == "[":
            members = re.match(r"(\^?)((?:\\.|[^\\\]])+)\]", remaining)
            if members is None:
                raise _refused(file, line, "A [ has no closing ].")
            parts.append(f"[{members[1]}{members[2].replace('[', chr(92) + '[')}]")
            remaining = remaining[members.end() :]
        elif character == "\\":
            parts.append(re.escape(remaining[:1]))
            remaining = remaining[1:]
        else:
            parts.append(re.escape(character))
    expression = "".join(parts)
    try:
        re.compile(expression)
    except re.error as error:
        raise _refused(file, line, f"{error}.") from error
    return expression


def _refused(file: str, line: int, why: str) -> Stop:
    return Stop("findings", f"{file} cannot be read.", why, "Correct the line.", file=file, line=line)
