"""The commands of SECURITY.md are calls that GitHub describes, and its rulesets name the refs that stagegate writes."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

import pytest

from lab.conformance import written_calls
from lab.conformance.openapi import Description
from stagegate.marks import marks
from stagegate.model import branch_names

TEXT = written_calls.DOCUMENT.read_text(encoding="utf-8")
CALLS = list(written_calls.calls(TEXT))
EXCERPT: dict[str, Any] = json.loads(written_calls.FILE.read_text(encoding="utf-8"))
DESCRIPTION = Description(EXCERPT)
RULESETS: dict[str, Any] = {
    call.request["name"]: call.request for call in CALLS if call.path.endswith("/rulesets")
}


def test_every_command_is_a_call_that_github_describes() -> None:
    assert len(CALLS) == TEXT.count("gh api ") >= 6
    assert list(written_calls.problems(TEXT, DESCRIPTION)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"require_last_push_approval": true, ', ""),
        ("dismiss_stale_reviews_on_push", "dismiss_stale_reviews"),
        ('"enforcement": "active"', '"enforcement": "on"'),
        ('"integration_id": 123456', '"app_id": 123456'),
        ("deployment-branch-policies", "branch-policies"),
        ("actions/permissions/workflow", "actions/permission/workflow"),
        ("-F can_approve", "-f can_approve"),
        ("-f name=main", "-f branch=main"),
    ],
)
def test_a_wrong_field_in_a_command_is_found(old: str, new: str) -> None:
    assert old in TEXT
    assert list(written_calls.problems(TEXT.replace(old, new), DESCRIPTION))


def test_the_rulesets_are_about_the_names_that_stagegate_writes() -> None:
    patterns = RULESETS["stagegate: marks"]["conditions"]["ref_name"]["include"]
    written = [
        f"refs/heads/{branch_names.promotion('shop', 'prod')}",
        f"refs/heads/{branch_names.rollback('shop', 'prod')}",
        f"refs/heads/{branch_names.promotion_helper('shop', 'prod')}",
        marks.hold_ref("shop", "prod"),
        marks.ban_ref("shop", "1.2.0"),
        marks.override_ref("shop", "prod", "1.2.0"),
        "refs/heads/stagegate",  # a branch of this name would exclude all branches below it
    ]
    # fnmatch's `*` crosses slashes, as `**/*` does for GitHub.
    matching = [one.replace("**/", "") for one in patterns]
    assert all(any(fnmatch.fnmatchcase(ref, one) for one in matching) for ref in written), written
    rules = [rule["type"] for rule in RULESETS["stagegate: marks"]["rules"]]
    assert {"creation", "update", "deletion"} <= set(rules)
    (tags,) = RULESETS["stagegate: release tags"]["conditions"]["ref_name"]["include"]
    assert fnmatch.fnmatchcase("refs/tags/v1.2.3", tags)


def test_no_environment_is_left_to_protected_branches() -> None:
    """GitHub counts no rulesets there: without a classic protection rule every branch could use the App's key."""
    policies = [call.request for call in CALLS if call.path.endswith("/environments/stagegate")]
    assert [one["deployment_branch_policy"] for one in policies] == [
        {"protected_branches": False, "custom_branch_policies": True}
    ]
