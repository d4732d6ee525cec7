"""The reasons why a rollout is complete or not. docs/gate.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

RolloutReason = Literal[
    "being-deleted", "wrong-source", "invalid-spec", "comparison-error", "superseded", "operation-failed",
    "degraded", "canary-aborted", "canary", "pin-not-applied", "no-status", "refreshing", "stale-comparison",
    "old-revision", "unknown-commit", "old-commit", "syncing", "out-of-sync", "sync-error", "prune",
    "auto-sync-off", "sync-window", "sync-unknown", "stale-health", "progressing", "missing", "suspended",
    "health-unknown", "settling", "old-pods", "other-software", "ready",
]  # fmt: skip

REASONS: Mapping[RolloutReason, str] = {
    "being-deleted": "the Application is being deleted",
    "wrong-source": "the Application deploys no chart, image or commit of this release",
    "invalid-spec": "Argo CD refuses the Application's spec",
    "comparison-error": "Argo CD has not been able to render or compare the Application for longer than `patience`",
    "superseded": "the Application requests a different release, or its range resolves to a different release",
    "operation-failed": "the sync of exactly these revisions failed and was not tried again",
    "degraded": "the release is Degraded: it exceeded its progress deadline, or was Degraded for longer than "
    "`degraded-after`",
    "canary-aborted": "the Rollout or Canary of this release was aborted",
    "canary": "a Rollout or Canary is paused, or shifts its traffic",
    "pin-not-applied": "the Application does not yet request the version of the pin in Git",
    "no-status": "Argo CD has not compared the Application yet",
    "refreshing": "a refresh was requested and has not finished",
    "stale-comparison": "Argo CD still shows the comparison with an earlier spec of the Application",
    "old-revision": "Argo CD compared with a different revision",
    "unknown-commit": "the gate has not read the pins of the revision yet",
    "old-commit": "Argo CD's revision is older than the commit that wrote the current pins or values",
    "syncing": "a sync is requested or running",
    "out-of-sync": "the cluster differs from this release",
    "sync-error": "Argo CD reports that it will not sync this revision",
    "prune": "an object must be removed, but the automated sync of this Application does not remove objects",
    "auto-sync-off": "the cluster differs from this release, and the Application has no automatic sync",
    "sync-window": "the cluster differs from this release, but a sync window forbids the sync",
    "sync-unknown": "Argo CD does not report whether the cluster differs",
    "stale-health": "Argo CD reported the health before the sync finished",
    "progressing": "the workloads are rolling out",
    "missing": "objects of the release are missing in the cluster",
    "suspended": "an object is suspended and waits for a person",
    "health-unknown": "Argo CD does not report the health",
    "settling": "the release is good, but not yet for as long as `settle` requires",
    "old-pods": "pods run images with tags that do not belong to the release",
    "other-software": "pods run images with the tags of the release, but with different content",
    "ready": "the release runs and stays good",
}

Objection = tuple[RolloutReason, str]  # a reason, and a sentence about it
