"""GitHub Apps: the JWT signed by the App's key, its installation, and the tokens made from it."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lab.forge import shapes
from lab.forge.exchange import Answer, Ask, made
from lab.forge.permissions import LEVELS
from lab.forge.refusal import Refusal, not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.values import App, Body, Token

LONGEST = 600
LIFETIME = 3_600


def app_of(ask: Ask) -> App:
    """The App whose key signed the caller's JWT (RS256, at most ten minutes); 401 otherwise."""
    value = ask.headers.get("Authorization", "").partition(" ")[2]
    try:
        issuer = str(jwt.decode(value, options={"verify_signature": False, "verify_iss": False}).get("iss"))
    except jwt.PyJWTError:
        raise Refusal(401, "A JSON web token could not be decoded") from None
    app = next((app for app in ask.world.apps.values() if issuer in (str(app.id), f"Iv1.{app.id}")), None)
    if app is None:
        raise Refusal(401, "Integration must generate a public key")
    public = load_pem_private_key(app.private_key.encode(), None).public_key()
    lenient = {"require": ["iat", "exp"], "verify_exp": False, "verify_iat": False, "verify_iss": False}
    try:
        claims = jwt.decode(value, public, algorithms=["RS256"], options=lenient)  # type: ignore[arg-type]
    except jwt.PyJWTError:
        raise Refusal(401, "A JSON web token could not be decoded") from None
    now = ask.world.seconds()
    if claims["exp"] <= now:
        raise Refusal(
            401, "'Expiration time' claim ('exp') must be a numeric value representing the future time"
        )
    if claims["exp"] > now + LONGEST + 60:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def get_app(ask: Ask) -> Answer:
    """GET /app."""
    return Answer(200, shapes.app(ask.links, app_of(ask)))


def get_by_slug(ask: Ask) -> Answer:
    """GET /apps/{slug}: public."""
    app = ask.world.apps.get(ask.param("slug"))
    if app is None:
        raise not_found()
    return Answer(200, shapes.app(ask.links, app))


def list_installations(ask: Ask) -> Answer:
    """GET /app/installations."""
    return ask.page([_installation(ask, app_of(ask))])


def get_installation(ask: Ask) -> Answer:
    """GET /app/installations/{id}, and /repos/{owner}/{repo}/installation."""
    app = app_of(ask)
    if "id" in ask.params and ask.number("id") != app.installation_id:
        raise not_found()
    return Answer(200, _installation(ask, app))


def _installation(ask: Ask, app: App) -> Body:
    at = f"{ask.api}/app/installations/{app.installation_id}"
    owner = next((repository.owner for repository in ask.world.repositories.values()), app.bot)
    return {
        "id": app.installation_id, "app_id": app.id, "app_slug": app.slug, "account": shapes.user(ask.links, owner),
        "target_id": owner.id, "target_type": owner.type, "repository_selection": "all", "events": [],
        "permissions": dict(app.permissions), "access_tokens_url": f"{at}/access_tokens", "html_url": at,
        "repositories_url": f"{ask.api}/installation/repositories", "suspended_at": None, "suspended_by": None,
        "single_file_name": None,
        "created_at": ask.world.now(), "updated_at": ask.world.now(),
    }  # fmt: skip


def create_token(ask: Ask) -> Answer:
    """POST /app/installations/{id}/access_tokens: lives an hour; 422 for rights the App does not have."""
    app = app_of(ask)
    if ask.number("id") != app.installation_id:
        raise not_found()
    permissions = ask.fields.object("permissions")
    requested = permissions.values if permissions else {}  # {} asks for nothing special, as PyGithub does
    rights = {name: str(level) for name, level in requested.items()} or dict(app.permissions)
    if any(
        LEVELS.get(level, 9) > LEVELS[app.permissions.get(name, "none")] for name, level in rights.items()
    ):
        raise unprocessable("The permissions requested are not granted to this installation.")
    names = ask.fields.texts("repositories")
    limit = _repositories(ask, names) if names is not None else None
    expires = ask.world.seconds() + LIFETIME
    value = f"ghs_{app.id}_{secrets.token_urlsafe(120)}"
    ask.world.tokens[value] = Token(value, "app", app.bot, limit, rights, expires, app)
    until = datetime.fromtimestamp(expires, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    body: Body = {
        "token": value, "expires_at": until, "permissions": rights,
        "repository_selection": "all" if limit is None else "selected",
    }  # fmt: skip
    return made(body)


def _repositories(ask: Ask, names: list[str]) -> frozenset[str]:
    full_names = {
        repository.name.lower(): repository.full_name.lower()
        for repository in ask.world.repositories.values()
    }
    missing = [name for name in names if name.lower() not in full_names]
    if missing:
        raise unprocessable("There is at least one repository that does not exist or is not accessible")
    return frozenset(full_names[name.lower()] for name in names)


ROUTES = (
    Route("GET", "/app", get_app),
    Route("GET", "/apps/{slug}", get_by_slug),
    Route("GET", "/app/installations", list_installations),
    Route("GET", "/app/installations/{id}", get_installation),
    Route("POST", "/app/installations/{id}/access_tokens", create_token),
    Route("GET", "/repos/{owner}/{repo}/installation", get_installation),
)
