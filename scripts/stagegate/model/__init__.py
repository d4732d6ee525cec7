"""The values of the road: what a release, its evidence, a mark, a plan and a report are.

One definition gives the type, the JSON document and its schema. JSON is snake_case, times are RFC 3339 UTC,
durations are seconds, digests are `sha256:<hex>`.
"""

from __future__ import annotations

from stagegate.model.actor import Actor
from stagegate.model.documents import digest_of, moment, rfc3339, to_json
from stagegate.model.evidence import (
    OWN_CHECKS,
    ApplicationSeen,
    Check,
    CheckOutcome,
    Content,
    Evidence,
    EvidenceKind,
    EvidenceOutcome,
    PromotedBy,
    Skip,
    WorkflowRun,
    count_tests,
)
from stagegate.model.mark import Mark, MarkKind, Removed
from stagegate.model.plan import Edit, Plan, PullRequestText, RuleResult, RuleState
from stagegate.model.release import (
    DIGEST,
    IMAGE_TAG,
    Chart,
    Digest,
    Image,
    Release,
    full_name,
    image_tags,
    is_prerelease,
    parse_version,
)
from stagegate.model.report import (
    Calls,
    Change,
    Finding,
    Message,
    OpenProposal,
    Report,
    Result,
    Severity,
    Trust,
)

__all__ = [
    "DIGEST",
    "IMAGE_TAG",
    "OWN_CHECKS",
    "Actor",
    "ApplicationSeen",
    "Calls",
    "Change",
    "Chart",
    "Check",
    "CheckOutcome",
    "Content",
    "Digest",
    "Edit",
    "Evidence",
    "EvidenceKind",
    "EvidenceOutcome",
    "Finding",
    "Image",
    "Mark",
    "MarkKind",
    "Message",
    "OpenProposal",
    "Plan",
    "PromotedBy",
    "PullRequestText",
    "Release",
    "Removed",
    "Report",
    "Result",
    "RuleResult",
    "RuleState",
    "Severity",
    "Skip",
    "Trust",
    "WorkflowRun",
    "count_tests",
    "digest_of",
    "full_name",
    "image_tags",
    "is_prerelease",
    "moment",
    "parse_version",
    "rfc3339",
    "to_json",
]
