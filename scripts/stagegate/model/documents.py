"""Times, canonical JSON and digests, as the published documents have them."""

from __future__ import annotations

from datetime import datetime, timezone

import msgspec


def rfc3339(moment: datetime) -> str:
    """`2026-01-05T12:00:00Z`: UTC, whole seconds."""
    return moment.astimezone(timezone.utc).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """An RFC 3339 time as an aware UTC datetime; ValueError when it is not one or has no zone."""
    parsed = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return parsed.astimezone(timezone.utc)


def to_json(value: object) -> bytes:
    """Canonical JSON (sorted keys, no spaces): equal values give equal bytes, so it can be hashed."""
    return msgspec.json.encode(value, order="sorted")


def digest_of(value: object) -> str:
    """`sha256:<hex>` of the canonical JSON of a value, or of bytes as they are."""
    import hashlib

    raw = value if isinstance(value, bytes) else to_json(value)
    return "sha256:" + hashlib.sha256(raw).hexdigest()
