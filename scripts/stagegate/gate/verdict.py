"""Derives the verdict from the gate's observations: outcome, reason, records and message. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from stagegate.evidence import records
from stagegate.evidence import verdict as evidence_verdict
from stagegate.evidence.records import Record
from stagegate.model import (
    OWN_CHECKS,
    Check,
    Evidence,
    EvidenceKind,
    EvidenceOutcome,
    Message,
    Release,
    count_tests,
)

Mode = Literal["wait", "look", "adopt", "skip"]
KINDS: dict[Mode, EvidenceKind] = {"wait": "rollout", "look": "look", "adopt": "adopt", "skip": "skip"}
_REASONS = (("image-record", "image-untested"), ("images", "image-moved"), ("content", "content-differs"))


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict. `reason` is a word of errors.VERDICTS; `word` the reason of the roll-out where it failed."""

    outcome: EvidenceOutcome
    reason: str
    message: Message


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """How this attempt begins: with a gate of its own, or with what an earlier attempt of the run left."""

    do: Literal["run", "finish", "already"]
    record: Record | None = None


def start(judged: Sequence[Record], release: Release, run: str, mode: Mode) -> Start:
    """Finish this run's own unfinished record; a passed one of this run is not repeated (I4).

    A record that another run has overtaken is left as it is: finished now, it would hide the newer verdict.
    """
    kind = KINDS[mode]
    newest = evidence_verdict.of(judged, release).record
    half = unfinished(judged, release, run, kind)
    if half is not None and (newest is None or (newest.created, newest.id) < (half.created, half.id)):
        return Start(do="finish", record=half)
    mine = own(judged, release, run, kind)
    is_good = bool(mine and mine[0].evidence and mine[0].evidence.outcome != "failed")
    if is_good and (kind == "look" or (newest is not None and newest.id == mine[0].id)):
        return Start(do="already", record=mine[0])
    return Start(do="run")


def unfinished(judged: Sequence[Record], release: Release, run: str, kind: str) -> Record | None:
    """This run's own record of these digests that has no deployment status yet."""
    return next((r for r in own(judged, release, run, kind) if not r.since), None)


def own(judged: Sequence[Record], release: Release, run: str, kind: str) -> tuple[Record, ...]:
    """Records that earlier attempts of this run wrote for exactly these digests, newest first."""
    return tuple(
        r
        for r in judged
        if run
        and r.evidence
        and r.evidence.run.id == run
        and r.evidence.kind == kind
        and r.evidence.version == release.version
        and not records.differs(r.evidence, release)
    )


def conclude(
    release: Release, environment: str, kind: EvidenceKind, checks: Sequence[Check], actor: str
) -> Conclusion:
    """The verdict on a release that rolled out: every required check passed, and at least one was run.

    Adopting runs no checks besides the gate's own.
    """
    where = f"{release.app} {release.version} in {environment}"
    for name, reason in _REASONS:
        bad = next((c for c in checks if c.name == name and c.required and c.outcome != "passed"), None)
        if bad:
            return _failed(
                reason,
                f"The content of {where} is not the released content.",
                f"{bad.detail}.",
                _NEXT[reason],
                kind,
            )
    other_checks = [check for check in checks if check.name not in OWN_CHECKS]
    if kind != "adopt" and not any(check.outcome in ("passed", "failed") for check in other_checks):
        why = "No check was run, and a gate without checks proves nothing."
        return _failed("no-checks", f"{where} has not been tested.", why, _NEXT["no-checks"], kind)
    bad_checks = [c for c in checks if c.required and c.outcome != "passed"]
    if bad_checks:
        first = bad_checks[0]
        more = f" and {len(bad_checks) - 1} more" if len(bad_checks) > 1 else ""
        why = f"{first.name}: {first.detail or first.outcome}."
        return _failed(
            "checks-failed", f"{where} failed {first.name}{more}.", why, _NEXT["checks-failed"], kind
        )
    if kind == "adopt":
        text = Message(what=f"{where} is adopted by {actor}.", why=_adopted(release))
        return Conclusion(outcome="adopted", reason="adopted", message=text)
    what = (
        f"{where} passed the check of the running release." if kind == "look" else f"{where} passed the gate."
    )
    text = Message(what=what, why=f"The release rolled out, and {counted(checks)} passed.")
    return Conclusion(outcome="passed", reason="passed", message=text)


def counted(checks: Sequence[Check]) -> str:
    """The count of passed checks for every text, without the gate's own checks."""
    passed = count_tests(checks, "passed")
    return f"{passed} check{'s' * (passed != 1)}"


def _adopted(release: Release) -> str:
    summary = "The image runs in the environment, and nobody tested it."
    if release.recorded or not release.images:
        return summary
    names = ", ".join(f"{image.reference}@{image.digest[:19]}" for image in release.images)
    return (
        f"{summary} The release has no record, so its digests were looked up in the registry by tag ({names}); "
        "this evidence records them for a rollback."
    )


def rolled_out_badly(
    release: Release, environment: str, outcome: str, reason: str, detail: str, kind: EvidenceKind = "rollout"
) -> Conclusion:
    """The verdict on a release that did not roll out: failed, or not within the time."""
    where = f"{release.app} {release.version}"
    if outcome == "timeout":
        what = f"{where} was not ready in {environment} in time."
        return _failed("timeout", what, f"Last seen: {reason}: {detail}.", _NEXT["timeout"], kind)
    words = "content-differs" if reason == "other-software" else "rollout-failed"
    what = f"{where} did not roll out in {environment}."
    return _failed(words, what, f"{reason}: {detail}.", _NEXT[words], kind)


def skipped(release: Release, environment: str, actor: str, reason: str) -> Conclusion:
    """No verdict was reached: a named person skipped the gate, which is never a pass."""
    what = f"The gate of {release.app} {release.version} in {environment} is skipped by {actor}."
    text = Message(
        what=what,
        why=f"{reason.strip()}.",
        next="The next environment needs an override of the rule `evidence`.",
    )
    return Conclusion(outcome="skipped", reason="skipped", message=text)


def of_record(evidence: Evidence) -> Conclusion:
    """The verdict an earlier attempt of this run came to."""
    reason = evidence.reason
    what = f"{evidence.app} {evidence.version} in {evidence.environment}: {evidence.outcome}."
    why = f"An earlier attempt of this run ended with {reason}, and this attempt completed the record."
    return Conclusion(outcome=evidence.outcome, reason=reason, message=Message(what=what, why=why))


def description(evidence: Evidence) -> str:
    """The text of the commit status: what decides stands first, GitHub cuts after 140 characters."""
    if evidence.outcome == "skipped" and evidence.skip:
        return f"{evidence.version} skipped by {evidence.skip.actor}: {evidence.skip.reason}"
    if evidence.outcome == "adopted":
        return f"{evidence.version} adopted by {evidence.actor}"
    if evidence.outcome == "passed":
        return f"{evidence.version} passed: {counted(evidence.checks)}"
    bad = next((c for c in evidence.checks if c.required and c.outcome != "passed"), None)
    return f"{evidence.version} failed: {evidence.reason}" + (f" ({bad.name})" if bad else "")


_NEXT = {
    "image-untested": "Add the image to the release (`images` in the settings), or list it in `images-allowed`.",
    "image-moved": "Find out who pushed to the tag, then release again under a new version.",
    "content-differs": "Compare chart and images in the registry with the release record, then release a new "
    "version.",
    "no-checks": "Write scenarios (`gate.scenarios`) or a `gate.command`.",
    "checks-failed": "Look at the failed check in the summary, fix the app, and release a new version.",
    "rollout-failed": "Look at the Application in Argo CD, fix the cause, and release a new version.",
    "timeout": "Look at the Application in Argo CD, and raise `gate.timeout` if the roll-out only needs longer.",
}


def _failed(reason: str, what: str, why: str, next_step: str, kind: EvidenceKind = "rollout") -> Conclusion:
    if kind == "look":
        next_step = (
            f"{next_step} This run only checked the running release again, so it revokes no "
            "evidence, sets no hold and proposes no rollback."
        )
    return Conclusion(outcome="failed", reason=reason, message=Message(what=what, why=why, next=next_step))
