"""The verdicts of an environment, read from GitHub as far back as a question needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stagegate.clients.hub import Deployment, Hub
from stagegate.errors import Stop
from stagegate.evidence import agreement
from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.model import Actor, Release

PAGE = 100
LIMIT = 500  # deployments, counted in whole pages

Enough = Callable[[Sequence[Record]], object]


def records(
    github: Hub, app: str, environment: str, accepted: Sequence[Actor], enough: Enough, *, sha: str = ""
) -> tuple[Record, ...]:
    """Records of roll-outs, adoptions and skips, newest first and without a gap, read until they are `enough`.

    `sha`: only those of one commit. All there are when they never are enough; Stop(unknown-state) where more
    than `LIMIT` deployments would have to be read, because what was not read is not nothing (I2).
    """
    deployments: dict[int, Deployment] = {}  # by id: what is created meanwhile moves the pages
    read_records: tuple[Record, ...] = ()
    for page in github.deployment_pages(evidence.task(app), environment, sha or None, PAGE):
        if len(deployments) >= LIMIT:
            raise _too_far(app, environment, sha)
        deployments |= {deployment.id: deployment for deployment in page}
        read_records = evidence.records(deployments.values(), app, environment, accepted)
        if enough(read_records):
            break
    return read_records


def confirmed(
    github: Hub, records: Sequence[Record], environment: str, release: Release, accepted: Sequence[Actor]
) -> tuple[Record, ...]:
    """The records, compared with the commit statuses of the release: what they contradict cannot be read."""
    statuses = github.statuses(release.commit)
    return agreement.checked(records, statuses, environment, release, accepted)


def _too_far(app: str, environment: str, sha: str) -> Stop:
    of = f" of {sha[:12]}" if sha else ""
    return Stop(
        "unknown-state",
        f"The newest {LIMIT} deployments{of} of {app} to {environment} do not contain the requested verdict.",
        "stagegate reads no older deployments, so the verdict is unknown.",
        f"Name a `version` whose gate in {environment} ran recently, or run the gate of this version again.",
    )
