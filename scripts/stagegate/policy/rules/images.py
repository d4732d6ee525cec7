"""images: every first-party image is one of the release, and its tag still leads to the recorded digest (I3)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from stagegate.difference.change import ImageSeen
from stagegate.model import RuleResult, full_name
from stagegate.policy import evidence_for
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "images"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Stop for an image that is not proven; unknown when a registry did not say what a tag means now."""
    if subject.release_absent:
        return RuleResult(rule=NAME, state="stop", detail=subject.release_absent)
    if subject.release is None:
        return RuleResult(
            rule=NAME, state="unknown", detail=subject.release_trouble or "the release could not be read"
        )
    proven = {full_name(image.reference): image.digest for image in subject.release.images}
    absent = [name for name in facts.settings.images if full_name(name) not in proven]
    if absent:
        detail = f"the release record has no digest of {', '.join(absent)}"
        return RuleResult(rule=NAME, state="stop", detail=detail)
    if facts.settings.images and not subject.release.recorded and not _recorded_here(subject, facts):
        detail = "the release has no record, so its digests were only read from its tags as they are now"
        return RuleResult(rule=NAME, state="stop", detail=detail)
    unknown: list[str] = []
    tags = (*facts.settings.image_tags(subject.version), f"sha-{subject.release.commit}")
    for image in subject.images:
        state, detail = _one(image, proven, facts, tags)
        if state == "stop":
            return RuleResult(rule=NAME, state="stop", detail=detail)
        if state == "unknown":
            unknown.append(detail)
    if unknown:
        return RuleResult(rule=NAME, state="unknown", detail="; ".join(unknown))
    count = len(proven)
    detail = f"{count} proven image{'s' if count != 1 else ''}" if count else "the release has no images"
    if subject.release is not None and subject.release.looked_up:
        detail += "; their digests were looked up by tag when the release was recorded"
    return RuleResult(rule=NAME, state="pass", detail=detail)


def _recorded_here(subject: Subject, facts: PromotionFacts) -> bool:
    """Whether a rollback goes to digests that a gate here recorded: an adopted release may have no other record."""
    if subject.kind != "rollback":
        return False
    verdict = evidence_for.of(facts, subject.environment, subject.version, subject.release)
    return verdict.state in ("passed", "adopted")


def _one(
    image: ImageSeen, proven: dict[str, str], facts: PromotionFacts, tags: Collection[str]
) -> tuple[str, str]:
    repository = full_name(image.repository)
    if repository not in map(full_name, facts.settings.images):
        if repository in proven or repository in map(full_name, facts.settings.images_allowed):
            return "pass", ""
        if facts.settings.images_strict:
            return "stop", f"{image.reference} is not part of the release (images-strict)"
        if image.reference.partition("@")[0].rpartition("/")[2].partition(":")[2] in tags:
            return "stop", (
                f"{image.reference} has the release's tag, but the release record does not contain this image"
            )
        return "pass", ""
    if image.trouble:
        return "unknown", f"{image.reference}: {image.trouble}"
    recorded = proven[repository]
    if image.digest != recorded:
        return (
            "stop",
            f"{image.reference} is {image.digest or 'not in the registry'}, but the release record "
            f"has {recorded}",
        )
    return "pass", ""


RULE = Rule(
    name=NAME,
    title="Every image of the app belongs to the release and has the recorded digest",
    rank=60,
    kinds=frozenset({"promote", "rollback"}),
    check=check,
    reason="image-untested",
    cure="Publish a release whose record contains the image, correct the tag, or list the image in "
    "`images-allowed`. If the tag of the image did not change, `chart.image-tag-value` names the "
    "wrong Helm value.",
)
