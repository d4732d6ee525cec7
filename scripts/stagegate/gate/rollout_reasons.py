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
    "comparison-error": "Argo CD cannot render or compare the Application, for longer than `patience`",
    "superseded": "the Application requests, or resolves to, another release",
    "operation-failed": "the sync of exactly these revisions failed and was not tried again",
    "degraded": "the release is Degraded: past its progress deadline, or for longer than it may be",
    "canary-aborted": "the Rollout or Canary of this release was aborted",
    "canary": "a Rollout or Canary is paused, or shifts its traffic",
    "pin-not-applied": "the Application still requests another version than the pin in Git",
    "no-status": "Argo CD has not compared the Application yet",
    "refreshing": "a refresh was requested and has not finished",
    "stale-comparison": "the comparison is of an earlier spec",
    "old-revision": "Argo CD compared against another revision",
    "unknown-commit": "the revision is a commit whose pins have not been read yet",
    "old-commit": "Argo CD's revision is older than the commit that wrote the current pins or values",
    "syncing": "a sync is requested or running",
    "out-of-sync": "the cluster differs from this release",
    "sync-error": "Argo CD reports that it will not sync this revision",
    "prune": "an object must be removed, and automated sync does not remove objects here",
    "auto-sync-off": "the cluster differs from this release, and the Application has no automatic sync",
    "sync-window": "the cluster differs from this release, and a sync window forbids the sync",
    "sync-unknown": "Argo CD does not report whether the cluster differs",
    "stale-health": "the health is from before the sync finished",
    "progressing": "the workloads are rolling out",
    "missing": "objects of the release are missing in the cluster",
    "suspended": "an object is suspended and waits for a person",
    "health-unknown": "Argo CD does not report the health",
    "settling": "good, but not yet for as long as `settle` requires",
    "old-pods": "pods run other images than the release's, by their tags",
    "other-software": "pods have the release's tags and other content",
    "ready": "the release runs and stayed good",
}

Objection = tuple[RolloutReason, str]  # a reason, and a sentence about it
