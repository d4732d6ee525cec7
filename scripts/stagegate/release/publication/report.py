"""Reports the result of publish-release, and writes the text of the release."""

from __future__ import annotations

from stagegate import markdown
from stagegate.model import Calls, Message, Result
from stagegate.release.publication.apply import PublishedRelease
from stagegate.release.publication.plan_facts import Publication, ReleaseFacts
from stagegate.report.render import render
from stagegate.settings import Settings

_LIMIT = 120_000  # characters; GitHub accepts 125,000


def body(facts: ReleaseFacts) -> str:
    """The text of the release: notes, contents, and evidence of its gates."""
    tested = next((e.evidence for e in facts.environments if e.required and e.evidence), None)
    text = render("release_body.md.j2", facts=facts, tested=tested)
    return markdown.shorten(
        text, _LIMIT, "The notes are too long for a GitHub release. They are in the changelog."
    )


def result(
    facts: ReleaseFacts,
    decided: Publication,
    published: PublishedRelease,
    settings: Settings,
    *,
    dry_run: bool,
    calls: Calls,
) -> Result:
    """The result: message, outputs and summary."""
    reason = "planned" if dry_run and published.changes else decided.reason
    if reason == "already-published" and published.changes:
        reason = "tagged"
    name = f"{facts.app} {facts.version}"
    message = {
        "published": Message(what=f"{name} is published as a GitHub release.", why=published.url),
        "planned": Message(what=f"{name} would be published as a GitHub release."),
        "tagged": Message(
            what=f"{name} was already published, and publish-release updated its floating tags.",
            why=published.url,
        ),
        "queued": Message(
            what=f"{name} is not published yet.",
            why=decided.waits_for,
            next="Nothing to do: publish-release publishes the release after the last gate has passed.",
        ),
        "already-published": Message(what=f"{name} is already published.", why=published.url),
    }[reason]
    return Result(
        reason=reason,
        message=message,
        outputs={"release-url": published.url, "version": facts.version, "tag": facts.tag},
        summary=render(
            "publish_release.md.j2",
            facts=facts,
            plan=decided,
            changes=published.changes,
        ),
        app=facts.app,
        version=facts.version,
        dry_run=dry_run,
        trust=settings.trust.level,
        changes=published.changes,
        calls=calls,
    )
