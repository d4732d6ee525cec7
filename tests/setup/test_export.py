"""export promoter: objects with the fields, names and limits of GitOps Promoter's published CRDs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from stagegate import cli
from stagegate import settings as settings_file
from stagegate.setup.migration import promoter
from stagegate.setup.migration.promoter import PromoterTarget
from tests.setup.bare_repositories import commit, write
from tests.setup.test_init import alone

SETTINGS = """\
app: shop
images: [ghcr.io/acme/shop]
environments:
  - name: staging
    pins: [a.yaml]
    promotion: {strategy: direct}
    gate: {scenarios: e2e.yaml}
  - name: prod-eu
    after: [staging]
    soak: 30m
    pins: [b.yaml]
    freeze: [{from: 2026-12-20, to: 2027-01-02, timezone: Europe/Berlin, reason: winter}]
    window: [{rrule: "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9", duration: 8h, timezone: Europe/Berlin}]
  - name: prod-us
    after: [staging]
    soak: 1h
    pins: [c.yaml]
    promotion: {merge: stagegate, approvals: 1}
    window: [{rrule: "FREQ=MONTHLY;BYDAY=1MO", duration: 8h, timezone: UTC}]
"""


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


# The requirements of the CRDs for these kinds, in our words, as of GitOps Promoter 0.39, which made `orderCommitStatusRef`
# required: https://gitops-promoter.readthedocs.io/en/stable/crd-specs/
NAME: dict[str, Any] = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
KEY = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
REF = closed(["name"], name=NAME)
SELECTORS = {"type": "array", "items": closed(["key"], key=KEY)}
BRANCH = {"type": "string", "maxLength": 100, "pattern": r"^(?!-)(?!.*[:]|.*\.\.).+$"}
DURATION = {"type": "string", "pattern": r"^(\d+(h|m|s))+$"}
WINDOWS = {
    "type": "array",
    "maxItems": 20,
    "items": closed(
        ["cron", "duration"],
        cron={"type": "string", "minLength": 9, "maxLength": 256},
        duration=DURATION,
        timezone={"type": "string", "pattern": r"^[a-zA-Z0-9_/+-]*$", "maxLength": 64},
        description={"type": "string", "maxLength": 256},
    ),
}


def several(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items[0]}


SPECS: dict[str, dict[str, Any]] = {
    "ScmProvider": closed(
        ["github"],
        github=closed(
            ["appID"], appID={"type": "integer", "minimum": 0}, domain={"not": {"const": "github.com"}}
        ),
        secretRef=closed(["name"], name=NAME),
    ),
    "GitRepository": closed(
        ["github", "scmProviderRef"],
        github=closed(
            ["owner", "name"],
            owner={"type": "string", "pattern": r"^[a-zA-Z0-9][a-zA-Z0-9\-]*$", "maxLength": 39},
            name={"type": "string", "pattern": r"^[a-zA-Z0-9_\-\.]+$", "maxLength": 100},
        ),
        scmProviderRef=closed(["kind", "name"], kind={"enum": ["ScmProvider"]}, name=NAME),
    ),
    "PromotionStrategy": closed(
        ["gitRepositoryRef", "environments", "orderCommitStatusRef"],
        gitRepositoryRef=REF,
        orderCommitStatusRef=closed(
            ["group", "kind", "name"],
            group={"enum": ["promoter.argoproj.io"]},
            kind={"enum": ["DependentsSuccessfulCommitStatus"]},
            name=NAME,
        ),
        activePath={"type": "string", "minLength": 1},
        activeCommitStatuses=SELECTORS,
        environments=several(
            closed(
                ["branch"],
                branch=BRANCH,
                dependsOn={"type": "array", "items": BRANCH, "maxItems": 100, "uniqueItems": True},
                autoMerge={"type": "boolean"},
                activeCommitStatuses=SELECTORS,
                proposedCommitStatuses=SELECTORS,
            )
        ),
    ),
    "DependentsSuccessfulCommitStatus": closed(
        ["key", "promotionStrategyRef"], key=KEY, promotionStrategyRef=REF
    ),
    "ArgoCDCommitStatus": closed(
        ["promotionStrategyRef", "applicationSelector"],
        key=KEY,
        promotionStrategyRef=REF,
        applicationSelector=closed(["matchLabels"], matchLabels={"type": "object"}),
    ),
    "TimedCommitStatus": closed(
        ["promotionStrategyRef", "environments"],
        key=KEY,
        promotionStrategyRef=REF,
        environments=several(closed(["branch", "duration"], branch=BRANCH, duration=DURATION)),
    ),
    "ScheduledCommitStatus": closed(
        ["key", "promotionStrategyRef", "environments"],
        key=KEY,
        promotionStrategyRef=REF,
        # each environment has at least one window
        environments=several(
            closed(["branch"], branch=BRANCH, allow=WINDOWS, exclude=WINDOWS) | {"minProperties": 2}
        ),
    ),
}


@pytest.fixture
def exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, dict[str, Any]], str]:
    write(tmp_path, {"stagegate.yaml": SETTINGS})
    commit(tmp_path, "acme/gitops")
    alone(monkeypatch, tmp_path)
    assert cli.main(["export", "promoter", "--app-id", "42"]) == 0
    said = capsys.readouterr().out
    text = said[: said.index("objects=")]
    return {one["kind"]: one for one in yaml.safe_load_all(text)}, text


def test_every_exported_object_is_valid_for_the_crds(exported: tuple[dict[str, dict[str, Any]], str]) -> None:
    documents, _ = exported
    assert set(documents) == set(SPECS)
    for kind, document in documents.items():
        Draft202012Validator(SPECS[kind]).validate(document["spec"])
        assert re.fullmatch(NAME["pattern"], document["metadata"]["name"])
        assert document["apiVersion"] == "promoter.argoproj.io/v1alpha1"


def test_order_merge_soak_freeze_and_windows_are_exported(
    exported: tuple[dict[str, dict[str, Any]], str],
) -> None:
    documents, text = exported
    assert [
        (one["branch"], one["autoMerge"]) for one in documents["PromotionStrategy"]["spec"]["environments"]
    ] == [("environment/staging", True), ("environment/prod-eu", False), ("environment/prod-us", True)]
    strategy = documents["PromotionStrategy"]["spec"]
    # The status of a timer exists only for listed environments, and Promoter waits for a missing one.
    assert strategy["activeCommitStatuses"] == [{"key": "argocd-health-shop"}]
    assert [one.get("activeCommitStatuses") for one in strategy["environments"]] == [
        [{"key": "timer-shop"}],
        None,
        None,
    ]
    assert [one.get("dependsOn") for one in strategy["environments"]] == [
        None,
        ["environment/staging"],
        ["environment/staging"],
    ]
    order = documents["DependentsSuccessfulCommitStatus"]
    assert strategy["orderCommitStatusRef"]["name"] == order["metadata"]["name"]
    assert order["spec"]["promotionStrategyRef"]["name"] == documents["PromotionStrategy"]["metadata"]["name"]
    assert documents["TimedCommitStatus"]["spec"]["environments"] == [
        {"branch": "environment/staging", "duration": "3600s"}
    ]
    (scheduled,) = documents["ScheduledCommitStatus"]["spec"]["environments"]
    assert scheduled["allow"] == [{"cron": "0 9 * * 1,2", "duration": "28800s", "timezone": "Europe/Berlin"}]
    assert scheduled["exclude"][0] | {"description": ""} == {
        "cron": "0 0 20 12 *",
        "duration": "336h",
        "timezone": "Europe/Berlin",
        "description": "",
    }
    assert documents["ScmProvider"]["spec"]["github"]["appID"] == 42
    for part in (
        "FREQ=MONTHLY;BYDAY=1MO of prod-us cannot be written as a cron schedule",
        "repeats every year",
        "need GitOps Promoter 0.39 or newer",
        "GitOps Promoter has no gate for scenarios",
    ):
        assert part in text


def test_environments_without_an_order_are_refused_because_promoter_would_make_a_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"stagegate.yaml": SETTINGS.replace("    after: [staging]\n", "")})
    commit(tmp_path, "acme/gitops")
    alone(monkeypatch, tmp_path)
    assert cli.main(["export", "promoter"]) == 2
    said = capsys.readouterr().out
    assert "reads such a list as a chain: staging -> prod-eu -> prod-us" in said
    assert "`after: [staging]` for prod-eu" in said


def test_long_names_another_host_and_many_freezes_stay_within_the_crds() -> None:
    days = "".join(
        f"      - {{from: 2026-01-{day:02}, to: 2026-01-{day:02}, timezone: UTC, reason: audit}}\n"
        for day in range(1, 23)
    )
    text = f"""\
app: {"a" * 63}
images: [ghcr.io/acme/shop]
environments:
  - name: staging
    pins: [a.yaml]
  - name: {"p" * 63}
    after: [staging]
    soak: 1h
    pins: [b.yaml]
    freeze:
{days}"""
    target = PromoterTarget(
        namespace="promoter", repository="acme/Shop.API", app_id=1, secret="key", domain="github.example.com"
    )
    exported = promoter.export(settings_file.parse(text.encode(), "stagegate.yaml"), target)
    documents = {document["kind"]: document for document in exported.documents}
    for kind, document in documents.items():
        Draft202012Validator(SPECS[kind]).validate(document["spec"])
        assert re.fullmatch(NAME["pattern"], document["metadata"]["name"])
    keys = {document["spec"]["key"] for document in documents.values() if "key" in document["spec"]}
    assert len(keys) == 4 and max(map(len, keys)) <= 63
    assert documents["ScmProvider"]["spec"]["github"]["domain"] == "github.example.com"
    assert any("has 22 freezes, but GitOps Promoter accepts at most 20" in note for note in exported.notes)
    assert any("appID 1 is not your App" in note for note in exported.notes)


def test_another_tool_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "kargo"]) == 2
    assert "The value must be one of: promoter" in capsys.readouterr().out
