"""The base of every part of the hub: one connection to one repository."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from stagegate.clients.hub.accounts import ACTIONS_BOT
from stagegate.clients.hub.client import Connection
from stagegate.model import Actor, Calls


class Port:
    """One repository, used with one token."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    @property
    def repository(self) -> str:
        """`owner/name`."""
        return self._c.repository

    @property
    def token(self) -> str:
        """The token itself, for a program of GitHub's own that is started with it."""
        return self._c.token

    @property
    def server_url(self) -> str:
        """The web address, without a slash at the end."""
        return self._c.server_url

    @property
    def calls(self) -> Calls:
        """How many requests were made so far."""
        return self._c.calls

    def now(self) -> datetime:
        """GitHub's last reported time: its records are compared with this, never with a runner's clock."""
        if not self._c.server_date:
            self._c.see_repository()
        try:
            server_time = parsedate_to_datetime(self._c.server_date)
        except ValueError:  # a proxy that strips the header
            return datetime.now(timezone.utc)
        return server_time.astimezone(timezone.utc)

    def viewer(self) -> Actor:
        """The token's own identity, read once; GITHUB_TOKEN is the Bot 41898282."""
        viewer = self._c.see_repository().viewer
        is_bot = viewer.login.endswith("[bot]")  # a person's login cannot contain a bracket
        return Actor(kind="Bot" if is_bot else "User", id=viewer.database_id, login=viewer.login)

    def is_actions_token(self) -> bool:
        """True for GITHUB_TOKEN, whose writes start no workflows."""
        return self.viewer().same(ACTIONS_BOT)
