"""The trailers of our commits and tags: their names, and how a message is read."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.patterns import pattern

APP, VERSION = "Stagegate-App", "Stagegate-Version"
ENVIRONMENT, RUN, RISK = "Stagegate-Environment", "Stagegate-Run", "Stagegate-Risk"
PROPOSED_BY, APPROVED_BY, MERGED_BY = "Stagegate-Proposed-By", "Stagegate-Approved-By", "Stagegate-Merged-By"
RULES, OVERRIDDEN, POLICY = "Stagegate-Rules", "Stagegate-Overridden", "Stagegate-Policy"
_LINE = pattern(r"([A-Za-z][A-Za-z0-9-]*): *(.*)")
_BLANK_LINES = pattern(r"\n[ \t]*\n\s*")


def parse(message: str) -> dict[str, str]:
    """The `Key: value` lines of the last paragraph, if all of its lines are such and it is not the headline.

    The last line of a key counts.
    """
    if ": " not in message:
        return {}
    _, *paragraphs = _BLANK_LINES.split(message.replace("\r", "").strip())
    lines = paragraphs[-1].splitlines() if paragraphs else []
    matches = [_LINE.fullmatch(line.strip()) for line in lines]
    return {match[1]: match[2].strip() for match in matches if match} if all(matches) else {}


def written(values: Mapping[str, str]) -> str:
    """Trailers as the last paragraph of a message."""
    return "\n".join(f"{name}: {value}" for name, value in values.items())


def is_of(trailers: Mapping[str, str], app: str, environment: str) -> bool:
    """Whether a commit's trailers name this app and environment."""
    return (trailers.get(APP), trailers.get(ENVIRONMENT)) == (app, environment)


def approvers(trailers: Mapping[str, str]) -> tuple[str, ...]:
    """The people whom the trailers name as having approved."""
    return tuple(trailers.get(APPROVED_BY, "").replace(",", " ").split())
