"""One response of GitHub: its message, and whether it is a rate limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from stagegate.runner import log


class ObjectId(msgspec.Struct, frozen=True):
    """An object of Git in GraphQL, of which only the id is read."""

    oid: str


class PageInfo(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a list in GraphQL has more pages, and its cursor."""

    has_next_page: bool
    end_cursor: str | None = None


class HubResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A response: HTTP status, headers (lower-case names), body, and GitHub's message in it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def message(self) -> str:
        """`message` and the messages of `errors`, or the first words of a body that is not JSON."""
        try:
            body = msgspec.json.decode(self.text)
        except msgspec.DecodeError:
            return log.redact(" ".join(self.text.split()))[:120]
        if not isinstance(body, dict):
            return ""
        errors = body.get("errors") or []
        parts = [_error(e) for e in (errors if isinstance(errors, list) else [errors])]
        reason = "; ".join(part for part in (str(body.get("message") or ""), *parts) if part)
        return log.redact(reason)[:600]  # masked first: half a secret is not found any more


def _error(error: object) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or " ".join(str(error[k]) for k in ("field", "code") if k in error))
    return str(error)


_LIMIT_TYPES = ("RATE_LIMIT", "RATE_LIMITED")
_LIMIT_WORDS = ("rate limit", "abuse detection")
_MINUTE = 60.0


def limit_wait(response: HubResponse, now: float) -> float | None:
    """Seconds to wait when the response is a rate limit, else None. `now` is Unix time.

    GraphQL reports its primary limit with status 200, a secondary one with 200 or 403. Without Retry-After a
    secondary limit means "at least a minute".
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
    """
    spent = response.headers.get("x-ratelimit-remaining", "").strip() == "0"
    after = response.headers.get("retry-after", "").strip()
    if response.status == 200:
        limited = _limited_by_graphql(response, spent)
    else:
        limited = response.status == 429 or (
            response.status == 403 and _limited_by_rest(response, spent, after)
        )
    if not limited:
        return None
    if after:
        return max(_seconds(after, now), 1.0)
    reset = _number(response.headers.get("x-ratelimit-reset", ""))
    # A secondary limit also sends the reset of the primary one, which is not what has to be waited for.
    return max(reset - now + 1, 1.0) if reset is not None and (spent or response.status == 200) else _MINUTE


def _limited_by_graphql(response: HubResponse, spent: bool) -> bool:
    if '"errors"' not in response.text and '"documentation_url"' not in response.text:
        return False
    try:
        body = msgspec.json.decode(response.text)
    except msgspec.DecodeError:
        return False
    if not isinstance(body, dict):
        return False
    if "documentation_url" in body and "data" not in body:  # REST's form of a refusal, with GraphQL's status
        return any(sign in str(body.get("message")).lower() for sign in _LIMIT_WORDS)
    errors = body.get("errors")
    if not isinstance(errors, list):
        return False
    for error in (entry for entry in errors if isinstance(entry, dict)):
        words = str(error.get("message") or "").lower()
        kind = str(error.get("type") or "")
        if kind in _LIMIT_TYPES or any(sign in words for sign in _LIMIT_WORDS):
            return True
        if spent and not kind and not body.get("data"):
            return True
    return False


def _limited_by_rest(response: HubResponse, spent: bool, after: str) -> bool:
    words = response.message.lower()
    if "not accessible by" in words:  # the last request of an hour can still lack a permission
        return False
    return bool(after) or spent or any(sign in words for sign in (*_LIMIT_WORDS, "abuse"))


def _seconds(after: str, now: float) -> float:
    seconds = _number(after)
    if seconds is not None:
        return seconds
    try:
        return parsedate_to_datetime(after).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return _MINUTE


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
