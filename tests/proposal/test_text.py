"""The body as people read it (golden files), its limit, and inert foreign text."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from stagegate.chart import objects
from stagegate.comment import parse
from stagegate.difference import Difference, compare, risks
from stagegate.difference.change import RiskSeen
from stagegate.model import (
    ApplicationSeen,
    Chart,
    Check,
    Edit,
    Evidence,
    Image,
    Release,
    RuleResult,
    WorkflowRun,
)
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.proposal import body as text
from stagegate.proposal.body_values import BodyFacts, CommitLine, EvidenceRow, Passage, ReleaseRoad
from tests.promotion import facts_world

GOLDEN = Path(__file__).parent / "text"
DIGEST = "sha256:" + "1f" * 32
IMAGE = Image(reference="ghcr.io/acme/shop", digest=DIGEST)
CHART = Chart(reference="oci://ghcr.io/acme/charts/shop", version="1.1.0", digest="sha256:" + "2e" * 32)
RELEASE = Release(
    app="shop", version="1.1.0", tag="v1.1.0", commit="c0ffee" + "0" * 34, chart=CHART, images=(IMAGE,)
)
RUN = WorkflowRun(id="7", url="https://github.example/acme/shop/actions/runs/7")
EVIDENCE = Evidence(
    kind="rollout",
    app="shop",
    environment="staging",
    outcome="passed",
    reason="passed",
    version="1.1.0",
    tag="v1.1.0",
    commit=RELEASE.commit,
    chart=CHART,
    images=(IMAGE,),
    content="compared",
    application=ApplicationSeen(source="api", name="shop-staging"),
    checks=(Check(name="health", outcome="passed"), Check(name="login", outcome="passed")),
    started="2026-01-05T10:00:00Z",
    finished="2026-01-05T10:04:00Z",
    run=RUN,
    actor="octo-dev",
)
BEFORE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop-prod, labels: {helm.sh/chart: shop-1.0.0}}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - {name: shop, image: "ghcr.io/acme/shop:v1.0.0", env: [{name: DB_PASSWORD, value: hunter2}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop, namespace: shop-prod}
data: {motd: "one\\ntwo"}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop-prod, labels: {helm.sh/chart: shop-1.0.0}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: sweep, namespace: shop-prod}
"""
AFTER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop-prod, labels: {helm.sh/chart: shop-1.1.0}}
spec:
  replicas: 0
  template:
    spec:
      containers:
        - {name: shop, image: "ghcr.io/acme/shop:v1.1.0", env: [{name: DB_PASSWORD, value: correct-horse}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop, namespace: shop-prod}
data: {motd: "one\\nthree"}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop-prod, labels: {helm.sh/chart: shop-1.1.0}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop-prod, annotations: {helm.sh/hook: pre-upgrade}}
"""


def difference(before: str = BEFORE, after: str = AFTER) -> Difference:
    """Two renderings compared, with a key that is always the same."""
    return compare(objects.parse(before, "test"), objects.parse(after, "test"), b"golden")


def facts(**changes: object) -> BodyFacts:
    """A promotion of the shop to production that may merge, with some facts changed."""
    usual = BodyFacts(
        app="shop",
        environment="prod",
        before="1.0.0",
        after="1.1.0",
        release=RELEASE,
        trust="advisory",
        now="2026-01-05T12:00:00Z",
        rules=(
            RuleResult(rule="evidence", state="pass", detail="passed in staging for these digests"),
            RuleResult(rule="soak", state="pass", detail="30 minutes good in staging"),
        ),
        edits=(
            Edit(
                repository="acme/shop",
                file="deploy/argocd/prod.yaml",
                line=17,
                path="spec.sources.0.targetRevision",
                before="1.0.0",
                after="1.1.0",
                shape="application",
            ),
        ),
        difference=difference(after=BEFORE.replace("1.0.0", "1.1.0")),
        proofs=(
            EvidenceRow(
                environment="staging", state="passed", since="2026-01-05T10:04:00Z", evidence=EVIDENCE
            ),
        ),
        standings=(
            PinnedVersion(environment="staging", version="1.1.0"),
            PinnedVersion(environment="prod", version="1.0.0"),
            PinnedVersion(environment="prod-us", version="0.9.0"),
        ),
        commits=(
            CommitLine(sha="a" * 40, subject="feat: show prices (#12)", author="octo-dev", kind="feature"),
            CommitLine(sha="b" * 40, subject="fix: count twice", author="octo-lead", kind="fix"),
            CommitLine(sha="d" * 40, subject="ci: run on Mondays"),
        ),
        commits_total=3,
        code_url="https://github.example/acme/shop",
        back_to="1.0.0",
        compare_url="https://github.example/acme/shop/compare/v1.0.0...v1.1.0",
        run_url="https://github.example/acme/gitops/actions/runs/9",
    )
    return msgspec.structs.replace(usual, **changes)


def seen(found: Difference) -> tuple[RiskSeen, ...]:
    """Risks as the facts contain them."""
    return tuple(RiskSeen(kind=r.kind, object=r.object, detail=r.detail) for r in risks(found))


def road(version: str, *commits: str, **passed: str) -> ReleaseRoad:
    """A release that was tagged and built, with the verdicts of its gates."""
    steps = {"tagged": "", "built": "", "published": "", **passed}
    return ReleaseRoad(
        version=version,
        url=f"https://github.example/acme/shop/releases/tag/v{version}",
        commits=commits,
        passages=tuple(
            Passage(where=where, state=state, at=f"2026-01-05T0{n + 1}:30:00Z", url=f"{RUN.url}{n}")
            for n, (where, state) in enumerate(steps.items())
        ),
    )


EARLIER = road("1.0.1", "b" * 40, "c" * 40, staging="failed")
LATER = road("1.1.0", "d" * 40, "a" * 40, staging="passed")
CASES: dict[str, BodyFacts] = {
    "a-quiet-promotion": facts(),
    "risky-and-waiting": facts(
        difference=difference(),
        risks=seen(difference()),
        labels=("stagegate/risk:hook-job",),
        trust="protected",
        rules=(
            RuleResult(rule="evidence", state="pass", detail="passed in staging for these digests"),
            RuleResult(
                rule="soak", state="wait", detail="good for 4 of 30 minutes", until="2026-01-05T12:26:00Z"
            ),
            RuleResult(rule="risk", state="stop", detail="needs the label stagegate/risk:replicas-zero"),
            RuleResult(rule="images", state="unknown", detail="the registry does not answer"),
        ),
    ),
    "overridden": facts(
        rules=(
            RuleResult(
                rule="soak",
                state="pass",
                detail="good since noon, but must soak for 1h",
                override="octo-lead: hotfix for 500s",
            ),
        )
    ),
    "several-releases": facts(
        after_of={"staging": (), "prod": ("staging",), "prod-us": ("prod",)}, roads=(EARLIER, LATER)
    ),
    "a-rollback": facts(
        kind="rollback",
        before="1.1.0",
        after="1.0.0",
        release=None,
        commits=(),
        commits_total=0,
        edits=(),
        back_to="",
        difference=difference(BEFORE.replace("1.0.0", "1.1.0"), BEFORE),
    ),
    "the-first-release": facts(before="", proofs=(), standings=(), difference=None, not_rendered="no chart"),
    "nothing-changes": facts(difference=difference(after=BEFORE), kind="configure", before="1.1.0"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_body_equals_its_golden_file(case: str) -> None:
    found = text.body(CASES[case])
    golden = GOLDEN / f"{case}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found.text, encoding="utf-8")
    assert found.text == golden.read_text(encoding="utf-8")
    assert not found.rest
    assert "hunter2" not in found.text
    assert "correct-horse" not in found.text


def test_a_rollback_shows_its_risks_and_asks_for_no_label_wherever_it_is_judged() -> None:
    risky = seen(difference())
    asked = {}
    for kind in ("promote", "rollback"):
        changed = facts_world.subject(kind=kind, risks=risky)
        said = text.account(facts_world.facts(), changed, (), None, now=facts_world.NOW, run_url="")
        body = text.body(said).text
        asked[kind] = "Review these risks first" in body
        assert risky[0].kind in body
    assert asked == {"promote": True, "rollback": False}


def test_a_body_too_long_for_github_moves_its_folds_to_the_summary() -> None:
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{0}}}\ndata: {{motd: '{1}', colour: '{2}'}}\n"
    sides = [
        "---\n".join(one.format(n, f"{side} {n} ✓" * 9, "x" * 900) for n in range(900))
        for side in ("old", "new")
    ]
    found = text.body(facts(difference=difference(*sides)))
    assert len(found.text.encode()) <= text.LIMIT
    assert len(found.text.encode()) > text.LIMIT - 2_000
    assert "The other objects do not fit here" in found.text
    assert "/rollback shop/prod 1.0.0" in found.text
    folds = re.findall(r"ConfigMap/c(\d+)", found.text) + re.findall(r"ConfigMap/c(\d+)", found.rest)
    assert folds == [str(n) for n in range(900)]
    for part in (found.text, found.rest):
        assert part.count("<details>") == part.count("</details>")


def test_a_body_with_long_lists_stays_within_the_limit() -> None:
    usual = facts()
    many = facts(
        commits=tuple(CommitLine(sha="a" * 40, subject="feat: " + "é" * 500) for _ in range(300)),
        commits_total=4_000,
        edits=usual.edits * 500,
        proofs=usual.proofs * 500,
        standings=usual.standings * 500,
        roads=(EARLIER, LATER) * 100,
        risks=(RiskSeen(kind="replicas-zero", object="Deployment/x", detail="é" * 900),) * 500,
        rules=tuple(RuleResult(rule="soak", state="stop", detail="é" * 900) for _ in range(12)),
        difference=difference(),
    )
    found = text.body(many)
    assert len(found.text.encode()) <= text.LIMIT
    assert re.search(r"and 39\d\d more", found.text)
    assert "/rollback shop/prod 1.0.0" in found.text


HOSTILE = "fixes #12 @octo-lead <!-- stagegate --> <img src=x> [skip ci] GH-7 [x](https://evil.example) | `` ` **b**"


def test_foreign_text_is_shown_and_does_not_act() -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  motd: |\n    one\n    "
    found = text.body(
        facts(
            commits=(CommitLine(sha="a" * 40, subject=HOSTILE),),
            rules=(RuleResult(rule="hold", state="stop", detail=HOSTILE),),
            risks=(RiskSeen(kind="hook-job", object=HOSTILE, detail=HOSTILE),),
            not_rendered="",
            difference=difference(config + "calm\n", config + HOSTILE + "\n    ```\n    @octo-lead\n"),
            proofs=(EvidenceRow(environment="staging", state=HOSTILE),),
        )
    ).text
    outside = re.sub(r"(?s)(?P<t>`{3,})diff\n.*?\n(?P=t)|(?P<c>`+)[^`].*?(?P=c)", "", found)
    for acting in ("@octo-lead", "#12", "<!--", "<img", "[skip ci]", "GH-7", "fixes "):
        assert acting not in outside, acting
    assert not re.search(r"(?<!\\)\]\(https://evil", outside)
    assert text.title("shop", "prod", "1.0.0", "1.1.0") == "Promote shop to prod: 1.0.0 → 1.1.0"
    assert text.title("shop", "prod", "1.1.0", "1.0.0", "rollback") == "Roll back shop in prod: 1.1.0 → 1.0.0"
    assert "@octo-lead" not in text.title("shop", "@octo-lead", "", "1.1.0")


WAITS = RuleResult(rule="approvals", state="wait", detail="the head of the pull request needs an approval")
SOAKS = RuleResult(rule="soak", state="wait", detail="soaks", until="2026-01-05T12:26:00Z")


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, "may merge"),
        ({"rules": (WAITS,), "approvals_missing": 1}, "may merge after one approval"),
        (
            {"rules": (SOAKS, WAITS), "approvals_missing": 2},
            "may merge after soak (2026-01-05 12:26 UTC) and 2 approvals",
        ),
        ({"rules": (RuleResult(rule="hold", state="stop", detail="x"), SOAKS)}, "may not merge: hold"),
        ({"difference": None}, "the change in the cluster is unknown · may merge"),
    ],
)
def test_the_first_line_summarises_the_promotion(changes: dict[str, object], end: str) -> None:
    line = text.body(facts(**changes)).text.split("\n", 1)[0].replace("\u200b", "")
    begin = "**1.0.0 → 1.1.0** · 1 feature, 1 fix, 1 other commit · staging passed 2 checks at 2026-01-05 10:04 UTC · "
    assert line.startswith(begin)
    assert line.endswith(f" · {end}")


@pytest.mark.parametrize("kind", ["promote", "rollback", "configure"])
def test_the_parser_accepts_every_command_that_the_text_suggests(kind: str) -> None:
    found = re.findall(r"`(/[^`]+)`", text.body(facts(kind=kind)).text)
    names = [parse.parse(command).name for command in found]
    assert names == {
        "promote": ["rollback", "hold", "ban"], "rollback": ["unhold", "ban"], "configure": ["hold"]
    }[kind]  # fmt: skip


def test_times_in_the_text_are_absolute() -> None:
    found = text.body(CASES["risky-and-waiting"]).text
    assert not re.search(r"\bago\b|\d{4}-\d\d-\d\dT", found)
