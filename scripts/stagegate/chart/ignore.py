""".helmignore as helm reads it, so that our package holds the files that `helm package` would take.

One pattern a line, `#` comments. Without a slash it is compared with the last part of a path, else with the
whole path from the chart's folder; a leading `/` says so too, a trailing `/` means folders only. `*` and `?`
stop at a slash, `[...]` is a set, `**` is refused. A leading `!` drops whatever does not match (that is what
helm does: it is no exception to an earlier line). https://helm.sh/docs/chart_template_guide/helm_ignore_file/
"""

from __future__ import annotations

import re

import msgspec

from stagegate.errors import Stop

FILE = ".helmignore"
_SPECIAL = frozenset("*?[\\")
_ALWAYS = "templates/.?*"  # helm's own default: hidden files among the templates


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file, ready to be compared.

    Most lines are a plain name, or `*` and a plain ending: `ending` is compared then, and `expression` is empty.
    """

    ending: str
    starred: bool
    expression: str
    whole_path: bool
    folders_only: bool
    inverted: bool

    def drops(self, path: str, is_folder: bool) -> bool:
        """True when this line alone takes `path` (relative, with `/`) out of the package."""
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
    """The patterns of a .helmignore, helm's default last. Stop(findings) where helm refuses a line."""
    found = []
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
        found.append(
            Pattern(
                ending=ending,
                starred=ending != compared,
                expression=_expression(compared, file, number) if _SPECIAL & {*ending} else "",
                whole_path="/" in rule,
                folders_only=folders_only,
                inverted=inverted,
            )
        )
    return tuple(found)


def ignored(path: str, is_folder: bool, rules: tuple[Pattern, ...]) -> bool:
    """True when a rule takes the path out; a folder that is taken out takes everything below with it."""
    return any(rule.drops(path, is_folder) for rule in rules)


def _expression(rule: str, file: str, line: int) -> str:
    """Go's filepath.Match syntax as a regular expression."""
    parts: list[str] = []
    rest = rule
    while rest:
        character, rest = rest[0], rest[1:]
        if character in "*?":
            parts.append("[^/]*" if character == "*" else "[^/]")
        elif character == "[":
            members = re.match(r"(\^?)((?:\\.|[^\\\]])+)\]", rest)
            if members is None:
                raise _refused(file, line, "A [ has no closing ].")
            parts.append(f"[{members[1]}{members[2].replace('[', chr(92) + '[')}]")
            rest = rest[members.end() :]
        elif character == "\\":
            parts.append(re.escape(rest[:1]))
            rest = rest[1:]
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
