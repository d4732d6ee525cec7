"""A comment command as it was written, and the parts that the grammar of several commands shares."""

from __future__ import annotations

import msgspec

NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
TARGET = rf"(?:(?P<app>{NAME})/)?(?P<environment>{NAME})"
BANNED = rf"(?:(?P<app>{NAME})@)?"
VERSION = r"(?P<version>[0-9A-Za-z.+-]{1,100})"
RULES = r"(?P<rules>[a-z][a-z,-]{0,199})"
REASON = r"(?P<reason>\S(?:.*\S)?)"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command as written. `app` may be `all` for hold and unhold; empty where it was left out."""

    name: str
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
