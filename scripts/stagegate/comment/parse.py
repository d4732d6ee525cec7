"""What a comment asks for: a strict grammar over its whole text, pure. Anything not understood in full is not done.

A comment is a command when it begins with `/` and one of our words; everything else gets no answer.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import msgspec
import semver

from stagegate.errors import Stop

Name = Literal["promote", "rollback", "hold", "unhold", "ban", "unban", "override", "status", "help"]

LONGEST = 1_000
USAGE: dict[str, str] = {
    "promote": "/promote [app/]environment [version]",
    "rollback": "/rollback [app/]environment [version]",
    "hold": "/hold [app/|all/]environment reason [for 2h]",
    "unhold": "/unhold [app/|all/]environment",
    "ban": "/ban [app@]version reason",
    "unban": "/unban [app@]version",
    "override": "/override [app/]environment version rule,rule reason [for 2h]",
    "status": "/status [[app/]environment]",
    "help": "/help",
}

_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TARGET = rf"(?:(?P<app>{_NAME})/)?(?P<environment>{_NAME})"
_VERSION = r"(?P<version>[0-9A-Za-z.+-]{1,100})"
_REASON = r"(?P<reason>\S(?:.*\S)?)"
_SHAPES = {
    "promote": rf"{_TARGET}(?: {_VERSION})?",
    "rollback": rf"{_TARGET}(?: {_VERSION})?",
    "hold": rf"{_TARGET} {_REASON}",
    "unhold": _TARGET,
    "ban": rf"(?:(?P<app>{_NAME})@)?{_VERSION} {_REASON}",
    "unban": rf"(?:(?P<app>{_NAME})@)?{_VERSION}",
    "override": rf"{_TARGET} {_VERSION} (?P<rules>[a-z,]{{1,200}}) {_REASON}",
    "status": rf"(?:{_TARGET})?",
    "help": "",
}
_GRAMMAR = {name: re.compile(shape) for name, shape in _SHAPES.items()}
_WORD = re.compile(rf"/({'|'.join(USAGE)})(?![^\s])")
_UNTIL = re.compile(r"(?P<reason>.*\S) for (?P<until>[1-9][0-9]{0,5}[smhd])")
_SEPARATOR = re.compile(" {2,}")
_SHORTEST, _LONGEST_REASON = 3, 200


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command as written. `app` may be `all` for hold and unhold; empty where it was left out."""

    name: Name
    app: str = ""
    environment: str = ""
    version: str = ""
    reason: str = ""
    until: str = ""
    rules: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The command in its full spelling."""
        target = f"{self.app}/{self.environment}" if self.app and self.environment else self.environment
        ban = f"{self.app}@{self.version}" if self.app else self.version
        words = [ban] if self.name in ("ban", "unban") else [target, self.version]
        until = f"for {self.until}" if self.until else ""
        return " ".join(
            word for word in (f"/{self.name}", *words, ",".join(self.rules), self.reason, until) if word
        )


def begins(body: str) -> bool:
    """Whether a comment begins as a command; all others are none of ours and get no answer."""
    return _WORD.match(body) is not None


def understood(body: str) -> Command:
    """The command of a comment that begins as one. Stop(bad-input) when it goes wrong after that."""
    word = _WORD.match(body)
    if word is None:
        raise _wrong("help", "It does not begin with one of the commands")
    name = word[1]
    line = _SEPARATOR.sub(" ", _one_line(body, name)).rstrip(" ")
    rest = line[len(word[0]) :]
    found = _GRAMMAR[name].fullmatch(rest.removeprefix(" "))
    if found is None or (rest and not rest.startswith(" ")):
        raise _wrong(name, "The words after it do not fit")
    parts = {key: value or "" for key, value in found.groupdict().items()}
    if parts.get("app") == "all" and name not in ("hold", "unhold"):
        raise _wrong(name, "`all` is no app here")
    if (version := parts.get("version", "")) and not semver.Version.is_valid(version):
        raise _wrong(name, f"{version} is not a version such as 1.4.0 or 2.0.0-rc.1")
    reason, until = _reason(name, parts.get("reason", ""))
    rules = tuple(dict.fromkeys(filter(None, parts.get("rules", "").split(","))))
    return Command(
        name=name,  # type: ignore[arg-type]
        app=parts.get("app", ""),
        environment=parts.get("environment", ""),
        version=version,
        reason=reason,
        until=until,
        rules=rules,
    )


def _one_line(body: str, name: str) -> str:
    """The comment as one line of visible characters."""
    line = body.replace("\r\n", "\n").rstrip(" \n")
    if len(line) > LONGEST:
        raise _wrong(name, f"It is longer than {LONGEST} characters")
    if "\n" in line:
        raise _wrong(name, "A comment holds one command, on one line, and nothing else")
    for character in line:
        if character != " " and not _visible(character):
            point = f"U+{ord(character):04X}"
            raise _wrong(name, f"It has a character that cannot be seen ({point})")
    return line


def _visible(character: str) -> bool:
    """Letters, marks, numbers, punctuation and symbols; no control, format, private or separating characters."""
    return unicodedata.category(character)[0] in "LMNPS"


def _reason(name: str, text: str) -> tuple[str, str]:
    """The reason, and the duration at its end where the command takes one."""
    if name not in ("hold", "ban", "override"):
        return "", ""
    until = ""
    if name != "ban" and (found := _UNTIL.fullmatch(text)):
        text, until = found["reason"], found["until"]
    if not _SHORTEST <= len(text) <= _LONGEST_REASON:
        raise _wrong(name, f"A reason has {_SHORTEST} to {_LONGEST_REASON} characters")
    return text, until


def _wrong(name: str, why: str) -> Stop:
    return Stop("bad-input", f"This is no {name} command.", f"{why}.", f"Write: {USAGE[name]}")
