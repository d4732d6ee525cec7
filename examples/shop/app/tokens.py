"""Access tokens that every replica can check without sharing a store: an expiry, signed with the login's password."""

from __future__ import annotations

import hashlib
import hmac

LIFETIME = 900  # seconds


def issue(key: str, now: float) -> str:
    """A token that is good until `now` + LIFETIME; times are Unix seconds."""
    expiry = str(int(now) + LIFETIME)
    return f"{expiry}.{_sign(key, expiry)}"


def valid(token: str, key: str, now: float) -> bool:
    expiry, _, signature = token.partition(".")
    genuine = hmac.compare_digest(signature.encode(), _sign(key, expiry).encode())
    return genuine and now < int(expiry)


def _sign(key: str, expiry: str) -> str:
    return hmac.new(key.encode(), expiry.encode(), hashlib.sha256).hexdigest()
