"""Teams of an organisation: who is in one, for tokens that may ask."""

from __future__ import annotations

from lab.forge.exchange import Answer, Ask
from lab.forge.refusal import Refusal, not_found
from lab.forge.routing import Route


def get_membership(ask: Ask) -> Answer:
    """GET memberships/{username}: 404 for no member. An App needs `members: read`; GITHUB_TOKEN never has it."""
    token = ask.token
    if token.kind == "anonymous":
        raise not_found()
    may = token.kind == "pat" or (token.kind == "app" and "members" in (token.permissions or {}))
    if not may:
        headers = {"X-Accepted-GitHub-Permissions": "members=read"}
        raise Refusal(403, "Resource not accessible by integration", headers=headers)
    members = ask.world.teams.get(f"{ask.param('org')}/{ask.param('slug')}".lower(), {})
    state = {login.lower(): state for login, state in members.items()}.get(ask.param("username").lower())
    if state is None:
        raise not_found()
    url = f"{ask.api}/organizations/1/team/1/memberships/{ask.param('username')}"
    return Answer(200, {"url": url, "role": "member", "state": state})


ROUTES = (Route("GET", "/orgs/{org}/teams/{slug}/memberships/{username}", get_membership),)
