"""The permissions of a GitHub App's token for a job in each repository: exactly the rows of docs/permissions.md.

An App has one installation for many repositories and jobs. A token without these limits would carry everything.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Permissions = Mapping[str, str]  # as the API writes them: `pull_requests`
# `checks`: check runs that `promotion.require` names.
READS: Permissions = {"contents": "read", "statuses": "read", "deployments": "read", "checks": "read"}


class JobPermissions(msgspec.Struct, frozen=True, kw_only=True):
    """`pins` for the pins repository, also where both are one; `app` for an app repository beside it."""

    pins: Permissions
    app: Permissions = msgspec.field(default_factory=lambda: dict(READS))


PROMOTE = JobPermissions(
    pins={
        "contents": "write",
        "statuses": "write",
        "deployments": "read",
        "pull_requests": "write",
        "actions": "write",
        "members": "read",  # to check whether a person is in a team of `commands`
        "checks": "read",
    }
)
ADOPT = JobPermissions(
    pins={**PROMOTE.pins, "deployments": "write"},
    app={"contents": "read", "statuses": "write", "deployments": "write"},
)
RECORD: Permissions = {"contents": "read", "deployments": "write"}
GUARD = JobPermissions(
    pins={
        "contents": "read",
        "statuses": "write",
        "deployments": "read",
        "pull_requests": "write",
        "checks": "read",
    }
)
VERDICT: Permissions = {"contents": "read", "statuses": "write", "deployments": "write"}
GATE = JobPermissions(pins={"contents": "read"}, app=VERDICT)
PUBLISH = JobPermissions(
    pins={"contents": "read"}, app={"contents": "write", "statuses": "read", "deployments": "read"}
)
ANNOUNCE = JobPermissions(pins={"actions": "write"}, app={"contents": "read"})
WATCH = JobPermissions(pins={"contents": "read", "deployments": "read"})
