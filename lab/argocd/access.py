"""Tokens, permissions and errors of Argo CD's API, with its own format and messages."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, INVALID, PRECONDITION, UNKNOWN = 16, 7, 5, 3, 9, 2
HTTP = {
    UNAUTHENTICATED: 401,
    PERMISSION_DENIED: 403,
    NOT_FOUND: 404,
    INVALID: 400,
    PRECONDITION: 400,
    UNKNOWN: 500,
}


class ApiError(Exception):
    """A gRPC status as the gateway writes it: `{"error", "code", "message"}` and an HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def status(self) -> int:
        return HTTP[self.code]

    def body(self) -> dict[str, object]:
        return {"error": self.message, "code": self.code, "message": self.message}


@dataclass(frozen=True)
class Token:
    """The account of a token, the applications it may `get` (None: all), and its expiry (Unix time)."""

    name: str
    applications: tuple[str, ...] | None
    expires: float | None

    def may_get(self, application: str, project: str) -> bool:
        return (
            self.applications is None
            or application in self.applications
            or f"{project}/{application}" in self.applications
        )


class Tokens:
    """The tokens that exist, in the form of JWTs."""

    def __init__(self) -> None:
        self._held: dict[str, Token] = {}
        self._lock = threading.Lock()

    def add(self, name: str, applications: Sequence[str] | None, expires: float | None) -> str:
        """A new token. `expires` in seconds from now; zero or less makes one that has expired."""
        head = json.dumps({"alg": "HS256", "typ": "JWT"})
        claims = json.dumps({"iss": "argocd", "sub": f"{name}:apiKey", "jti": secrets.token_hex(8)})
        parts = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (head, claims)]
        text = ".".join([*parts, secrets.token_urlsafe(32)])
        until = time.time() + expires if expires is not None else None
        with self._lock:
            self._held[text] = Token(name, tuple(applications) if applications is not None else None, until)
        return text

    def identify(self, header: str | None) -> Token:
        """The token of an Authorization header; ApiError 401 with Argo CD's reason otherwise."""
        text = (header or "").removeprefix("Bearer ").strip()
        if not text:
            raise ApiError(UNAUTHENTICATED, "no session information")
        with self._lock:
            token = self._held.get(text)
        if token is None:
            why = "token signature is invalid: signature is invalid"
            if text.count(".") != 2:
                why = "token is malformed: token contains an invalid number of segments"
            raise ApiError(UNAUTHENTICATED, f"invalid session: {why}")
        if token.expires is not None and token.expires <= time.time():
            raise ApiError(UNAUTHENTICATED, EXPIRED)
        return token


EXPIRED = "invalid session: token has invalid claims: token is expired"
