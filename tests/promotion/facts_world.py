"""Facts for rules and planner without any service: two environments, releases and evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from stagegate import settings as settings_file
from stagegate.evidence.records import Record
from stagegate.model import Actor, Chart, Edit, Evidence, Image, Release, WorkflowRun, digest_of, rfc3339
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.settings import Settings

BOT = Actor(kind="Bot", id=41898282, login="github-actions[bot]")
NOW = datetime(2026, 6, 3, 12, 0, tzinfo=timezone.utc)  # a Wednesday
IMAGE = "ghcr.io/acme/shop"

SETTINGS = """\
app: shop
images: [ghcr.io/acme/shop]
chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts"}
environments:
  - {name: staging, pins: [staging.yaml], promotion: {strategy: direct}}
  - {name: prod, after: [staging], pins: [prod.yaml]PROD}
"""


def settings(prod: str = "", more: str = "") -> Settings:
    """Settings with text added to prod (`, soak: 1h`) and at the end."""
    return settings_file.parse((SETTINGS.replace("PROD", prod) + more).encode(), "stagegate.yaml")


def release(version: str, salt: str = "") -> Release:
    """A release whose digests follow from its version (and `salt`)."""
    return Release(
        app="shop",
        version=version,
        tag=f"v{version}",
        commit=digest_of(version.encode())[7:47],
        chart=Chart(
            reference="oci://ghcr.io/acme/charts/shop",
            version=version,
            digest=digest_of(f"c{version}{salt}".encode()),
        ),
        images=(Image(reference=IMAGE, digest=digest_of(f"i{version}{salt}".encode())),),
    )


def record(
    of: Release,
    environment: str = "staging",
    outcome: Any = "passed",
    *,
    ago: timedelta = timedelta(hours=2),
    number: int = 1,
    kind: Any = "rollout",
) -> Record:
    """A finished record by an accepted creator."""
    at = rfc3339(NOW - ago)
    evidence = Evidence(
        kind=kind,
        app="shop",
        environment=environment,
        outcome=outcome,
        reason=outcome,
        version=of.version,
        tag=of.tag,
        commit=of.commit,
        chart=of.chart,
        images=of.images,
        started=at,
        finished=at,
        run=WorkflowRun(id="1"),
        actor="octo-dev",
    )
    return Record(id=number, sha=of.commit, created=at, creator=BOT, evidence=evidence, since=at)


def facts(
    *,
    policy: Settings | None = None,
    staging: str = "1.1.0",
    prod: str = "1.0.0",
    records: Mapping[str, Iterable[Record]] | None = None,
    **changes: Any,
) -> PromotionFacts:
    """Facts about prod."""
    default = PromotionFacts(
        app="shop",
        environment="prod",
        requested="",
        mode="promote",
        pins_repository="acme/shop",
        app_repository="acme/shop",
        base="main",
        base_head="b" * 40,
        policy="p" * 40,
        settings=policy or settings(),
        trust="advisory",
        accepted=(BOT,),
        standings=(
            PinnedVersion(environment="staging", version=staging),
            PinnedVersion(environment="prod", version=prod),
        ),
        records={name: tuple(listed) for name, listed in (records or {}).items()},
    )
    return msgspec.structs.replace(default, **changes)


def subject(version: str = "1.1.0", before: str = "1.0.0", **changes: Any) -> Subject:
    """A promotion of prod to a version, rendered without risk."""
    edit = Edit(
        repository="acme/shop",
        file="prod.yaml",
        line=1,
        path="v",
        before=before,
        after=version,
        shape="custom",
    )
    default = Subject(
        environment="prod",
        kind="promote",
        version=version,
        before=before,
        release=release(version),
        edits=(edit,),
        files={"prod.yaml": version.encode()},
        rendered=True,
    )
    return msgspec.structs.replace(default, **changes)
