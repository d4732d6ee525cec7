"""One answer of GitHub: what it says, and whether it only says to wait."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from stagegate.runner import log


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: HTTP status, headers (lower-case names), body, GitHub's own words in it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def said(self) -> str:
        """`message` and the messages of `errors`, or the first words of a body that is not JSON."""
        try:
            body = msgspec.json.decode(self.text)
        except msgspec.DecodeError:
            return log.redact(" ".join(self.text.split()))[:120]
        if not isinstance(body, dict):
            return ""
        errors = body.get("errors") or []
        parts = [_error(e) for e in (errors if isinstance(errors, list) else [errors])]
        said = "; ".join(part for part in (str(body.get("message") or ""), *parts) if part)
        return log.redact(said)[:600]  # masked first: half a secret is not found any more


def _error(error: object) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or " ".join(str(error[k]) for k in ("field", "code") if k in error))
    return str(error)


def limit_wait(answer: Answer, now: float) -> float | None:
    """Seconds to wait when the answer is a rate limit, else None. `now` is Unix time.

    Without Retry-After a secondary limit means "at least a minute".
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    graphql = answer.status == 200 and '"RATE_LIMITED"' in answer.text and '"errors"' in answer.text
    words = answer.said.lower() if graphql or answer.status in (403, 429) else ""
    after = answer.headers.get("retry-after", "").strip()
    spent = answer.headers.get("x-ratelimit-remaining", "") == "0"
    limited = answer.status == 429 or (
        answer.status == 403 and (bool(after) or spent or "rate limit" in words or "abuse" in words)
    )
    if not limited and not graphql:
        return None
    if after:
        return max(_seconds(after, now), 1.0)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if (spent or graphql) and reset.replace(".", "", 1).isdigit():
        return max(float(reset) - now + 1, 1.0)
    return 60.0


def _seconds(after: str, now: float) -> float:
    try:
        return float(after)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(after).timestamp() - now
    except ValueError:
        return 60.0
