"""Reads permissions of people, and rules of branches."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.accounts import Account, actor_of
from stagegate.clients.hub.client import PAGE
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import Refused
from stagegate.clients.hub.values import BranchRule, RefActivity, RefMove
from stagegate.errors import Stop
from stagegate.model import Actor

_SEEN_TRIES = 4
_DELETION = "branch_deletion"
_ROLES = ("none", "read", "triage", "write", "maintain", "admin")


class _Permission(msgspec.Struct, frozen=True):
    permission: str
    role_name: str = ""


class _Membership(msgspec.Struct, frozen=True):
    state: str


class _Rule(msgspec.Struct, frozen=True):
    type: str
    parameters: dict[str, Any] | None = None
    ruleset_id: int = 0


class _Bypass(msgspec.Struct, frozen=True):
    actor_type: str
    actor_id: int | None = None


class _Ruleset(msgspec.Struct, frozen=True):
    bypass_actors: list[_Bypass] = []


class _Check(msgspec.Struct, frozen=True):
    context: str
    app_id: int | None = None


class _Checks(msgspec.Struct, frozen=True):
    checks: list[_Check] = []


class _Protection(msgspec.Struct, frozen=True):
    """Classic protection of a branch."""

    required_status_checks: _Checks | None = None
    required_pull_request_reviews: dict[str, Any] | None = None


class _Activity(msgspec.Struct, frozen=True):
    ref: str
    before: str
    after: str
    timestamp: str
    activity_type: str = ""
    actor: Account | None = None

    def move(self) -> RefMove:
        return RefMove(after=self.after, at=self.timestamp, by=actor_of(self.actor))


class People(Port):
    """Permissions and rules of a repository."""

    def default_branch(self) -> str:
        """Its name; Stop(unknown-state) for an empty repository."""
        repository = self._c.see_repository().repository
        if repository is None or repository.default_branch_ref is None:
            raise Stop(
                "unknown-state",
                f"{self.repository} has no default branch.",
                "The repository has no commit yet.",
                "Push a first commit, then run the job again.",
            )
        return repository.default_branch_ref.name

    @remembered
    def permission(self, login: str) -> str:
        """none, read, triage, write, maintain or admin. A custom role counts as the role it is built on.

        Whoever cannot be looked up is a Stop, never a default.
        """
        response = self._c.get(
            self._c.path("collaborators", login, "permission"),
            _Permission,
            f"read the permission of {login}",
        )
        role = response.role_name if response.role_name in _ROLES else response.permission
        if role not in _ROLES:
            raise Stop(
                "unknown-state",
                f"The permission of {login} is unknown.",
                f"GitHub reports the custom role {role!r}, which stagegate cannot compare with the "
                "built-in roles.",
                f"Give {login} one of GitHub's built-in roles, or let a different person run the command.",
            )
        return role

    @remembered
    def is_member(self, team: str, login: str) -> bool | None:
        """Whether a person is an active member of a team `org/slug`; None when this token may not read it.

        A team that does not exist, or that the token cannot see, has no members.
        """
        org, _, slug = team.partition("/")
        path = f"/orgs/{quote(org)}/teams/{quote(slug)}/memberships/{quote(login)}"
        try:
            membership = self._c.get(path, _Membership, f"read the members of {team}", "members: read")
        except Refused as refusal:
            if refusal.status == 403:
                return None
            if refusal.status == 404:
                return False
            raise
        return membership.state == "active"

    @remembered
    def account(self, login: str) -> Actor | None:
        """The account of a login (`name[bot]` for an App's), None when there is none."""
        account = self._c.find(f"/users/{quote(login)}", Account, f"look up {login}")
        return actor_of(account)

    def branch_rules(self, branch: str) -> list[BranchRule] | None:
        """The active rules of a branch; [] if there are none, None if they cannot be read."""
        path = self._c.path("rules/branches", branch)
        try:
            rules = list(self._c.pages(path, _Rule, f"read the rules of {branch}"))
        except Refused as refusal:
            if refusal.status in (403, 404):
                return None
            raise
        return [
            BranchRule(type=rule.type, parameters=rule.parameters or {}, ruleset=rule.ruleset_id)
            for rule in rules
        ]

    def branch_protection(self, branch: str) -> list[BranchRule] | None:
        """Classic protection of a branch, which `branch_rules` leaves out, in the words of rules.

        [] without any, None where the token may not read it: only administrators may.
        """
        path = self._c.path("branches", branch, "protection")
        try:
            protection = self._c.get(path, _Protection, f"read the protection of {branch}")
        except Refused as refusal:
            if refusal.status == 404 and "not protected" in refusal.message.lower():
                return []
            if refusal.status in (403, 404):
                return None
            raise
        rules = []
        if protection.required_pull_request_reviews is not None:
            reviews = protection.required_pull_request_reviews
            rules.append(BranchRule(type="pull_request", parameters=reviews))
        if protection.required_status_checks is not None:
            required = [
                {
                    "context": check.context,
                    "integration_id": check.app_id if (check.app_id or 0) > 0 else None,
                }
                for check in protection.required_status_checks.checks
            ]
            parameters = {"required_status_checks": required}
            rules.append(BranchRule(type="required_status_checks", parameters=parameters))
        return rules

    def bypassing_roles(self, ruleset: int) -> tuple[int, ...]:
        """The ids of the repository roles that a ruleset does not bind; none where the token may not read them."""
        details = self._c.find(self._c.path("rulesets", str(ruleset)), _Ruleset, f"read ruleset {ruleset}")
        actors = details.bypass_actors if details else ()
        return tuple(actor.actor_id or 0 for actor in actors if actor.actor_type == "RepositoryRole")

    @remembered
    def pushed(self, branch: str, repository: str, head: str = "") -> RefMove | None:
        """The newest move of a branch of this repository or of a fork, by GitHub's clock; None: not to be known.

        `head`: only a move to this commit counts. The activity follows a moment after the push, so it is read again
        until it names the head; one that never does is unknown.
        """
        if repository == self.repository and head and (listed := self._listed_move(branch, head)):
            return listed
        path = f"/repos/{quote(repository)}/activity"
        doing = f"read the push times of {branch}"
        for attempt in range(_SEEN_TRIES):
            try:
                params: dict[str, str | int] = {"ref": f"refs/heads/{branch}", "per_page": 1}
                moves = self._c.get(path, list[_Activity], doing, "contents: read", **params)
            except Refused as refusal:
                if refusal.status in (403, 404, 410):
                    return None
                raise
            newest = next(iter(moves), None)
            if newest is not None and head in ("", newest.after):
                return newest.move()
            if not head:
                return None
            if attempt < _SEEN_TRIES - 1:
                self._c.back_off(attempt)
        return None

    def _listed_move(self, branch: str, head: str) -> RefMove | None:
        """The newest move of a branch to `head`, where the activity that was read already has it."""
        if not memory.knows(self, "_newest_activity", ()):
            return None
        moves = (move for move in self._newest_activity()[0] if move.ref == f"refs/heads/{branch}")
        newest = next(moves, None)
        return newest.move() if newest is not None and newest.after == head else None

    @remembered
    def _newest_activity(self) -> tuple[list[_Activity], bool]:
        """The newest 100 moves of all refs, newest first, and whether all of a month's are among them."""
        doing = "read the newest moves of branches"
        path = self._c.path("activity")
        moves = self._c.get(
            path, list[_Activity], doing, "contents: read", per_page=PAGE, time_period="month"
        )
        return moves, len(moves) < PAGE

    def read_moves(self) -> None:
        """Read ahead what `pushed` and `deleted_refs` then give without a request, in a run that remembers.

        Where the activity may not be read, they say so.
        """
        if memory.current() is not None:
            with suppress(Refused):
                self._newest_activity()

    @remembered
    def deleted_refs(self, prefix: str) -> list[RefActivity]:
        """Refs under `prefix` (full name) that somebody deleted within a month, newest first."""
        activity: Iterable[_Activity]
        if memory.knows(self, "_newest_activity", ()) and self._newest_activity()[1]:
            activity = [move for move in self._newest_activity()[0] if move.activity_type == _DELETION]
        else:
            path = self._c.path("activity")
            doing = f"read which refs under {prefix} were deleted"
            parameters = {"activity_type": _DELETION, "time_period": "month"}
            activity = self._c.pages(path, _Activity, doing, "contents: read", **parameters)
        return [
            RefActivity(ref=a.ref, before=a.before, actor=actor_of(a.actor), at=a.timestamp)
            for a in activity
            if a.ref.startswith(prefix)
        ]
