"""staging-gate as a whole: the forge, a registry, the stand-in for Argo CD and the running shop."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lab.kubernetes import ApiServer
from lab.lab import Lab
from lab.programs import outputs
from lab.servers import LOGIN, SHOP
from stagegate import cli
from stagegate.clients import hub
from stagegate.clients.hub import ACTIONS_BOT, Deployment, Hub
from stagegate.evidence import records as evidence
from stagegate.evidence import verdict as evidence_verdict
from stagegate.gate import already_done, trial
from stagegate.model import Evidence

RIGHTS = {"contents": "read", "statuses": "write", "deployments": "write"}
STATUS = "stagegate/shop/staging"
runs = itertools.count(5000)


class Killed(BaseException):
    """The runner is gone; no code of ours may handle this."""


class Done(NamedTuple):
    """One run of the action."""

    code: int
    outputs: Mapping[str, str]
    log: str
    summary: str

    @property
    def evidence(self) -> Evidence:
        found = evidence.decode(json.loads(self.outputs["evidence"]))
        assert found
        return found


class Bench:
    """The lab with a fast gate, and ways to run the action and to read what it wrote."""

    def __init__(self, lab: Lab, root: Path) -> None:
        self.lab, self.root, self.number = lab, root, 0
        self.commit = lab.shop.head("main")
        self.settings({"timeout: 20m, settle: 2s": "timeout: 20m, settle: 0s"})
        self.reader = self.hub(lab.forge.token("octo-lead"))

    def settings(self, changes: Mapping[str, str]) -> None:
        """Change the policy on the default branch."""
        text = self.lab.shop.read("main", "stagegate.yaml").decode()
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        self.lab.shop.seed({"stagegate.yaml": text}, "chore: change the policy")

    def hub(self, token: str) -> Hub:
        url = self.lab.forge.url
        return hub.connect(SHOP, token, api_url=url, graphql_url=f"{url}/graphql", server_url=url, pace=0)

    def token(self, **rights: str) -> str:
        return self.lab.forge.token("", "actions", repositories=[SHOP], permissions={**RIGHTS, **rights})

    def work(self) -> Path:
        """A work tree with only the settings, because the gate reads everything else from GitHub."""
        self.number += 1
        folder = self.root / f"work-{self.number}"
        folder.mkdir()
        policy = self.reader.files("main", ["stagegate.yaml"])["stagegate.yaml"]
        assert policy
        (folder / "stagegate.yaml").write_bytes(policy.content)
        return folder

    @property
    def statuses(self) -> list[Any]:
        return [s for s in self.reader.statuses(self.commit) if s.context == STATUS]

    @property
    def deployments(self) -> list[Deployment]:
        return self.reader.deployments("stagegate:shop", "staging", first=100)

    @property
    def looks(self) -> list[Deployment]:
        return self.reader.deployments("stagegate:shop:look", "staging")

    def of_run(self, run: int) -> list[Deployment]:
        return [d for d in self.deployments if d.payload.get("run", {}).get("id") == str(run)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("gate")
    with Lab(root / "lab") as lab:
        yield Bench(lab, root)


Gate = Callable[..., Done]


@pytest.fixture
def gate(bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Run the action; flags by keyword, `env` for variables of the job (None: not set)."""

    def run(run: int = 0, attempt: int = 1, env: Mapping[str, str] | None = None, **flags: str) -> Done:
        folder, lab = bench.work(), bench.lab
        variables = {
            "GITHUB_REPOSITORY": SHOP,
            "GITHUB_API_URL": lab.forge.url,
            "GITHUB_GRAPHQL_URL": f"{lab.forge.url}/graphql",
            "GITHUB_SERVER_URL": lab.forge.url,
            "GITHUB_WORKSPACE": str(folder),
            "GITHUB_RUN_ID": str(run or next(runs)),
            "GITHUB_RUN_ATTEMPT": str(attempt),
            "GITHUB_ACTOR": "octo-dev",
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "RUNNER_TEMP": str(folder),
            "STAGEGATE_WRITE_PACE": "0",
            "STAGEGATE_RETRY_PACE": "0.01",
            **lab.variables()["staging"],
            **lab.scenario_variables("staging"),
            **(env or {}),
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        given = {
            "environment": "staging",
            "token": bench.token(),
            "argocd-server": variables["ARGOCD_SERVER"],
            "argocd-token": variables["ARGOCD_TOKEN"],
            "timeout": "20s",
            "again": "true",  # all tests share one lab, and most of them need a gate of their own
            **{name.replace("_", "-"): value for name, value in flags.items()},
        }
        argv = [f"--{name}={value}" for name, value in given.items()]
        code = cli.main(["gate", *argv])
        said = capsys.readouterr()
        written, summary = folder / "output", folder / "summary"
        return Done(
            code,
            outputs(written.read_text()) if written.exists() else {},
            said.out + said.err,
            summary.read_text() if summary.exists() else "",
        )

    return run


def test_a_good_release_leaves_one_complete_record(bench: Bench, gate: Gate) -> None:
    before = len(bench.lab.forge.calls)
    number = next(runs)
    done = gate(run=number, junit="out/gate.xml")
    assert (done.code, done.outputs["outcome"], done.outputs["reason"]) == (0, "done", "passed"), done.log
    proof = done.evidence
    assert (proof.kind, proof.outcome, proof.version, proof.commit) == (
        "rollout",
        "passed",
        "1.0.0",
        bench.commit,
    )
    assert proof.content == "compared"
    assert {c.name: c.outcome for c in proof.checks} == dict.fromkeys(
        ("roll-out", "content", "login", "health", "products", "products need a login", "query", "images"),
        "passed",
    )
    (record,) = bench.of_run(number)
    assert (str(record.id), record.sha, record.creator) == (
        done.outputs["deployment"],
        bench.commit,
        ACTIONS_BOT,
    )
    assert evidence.decode(record.payload) == proof
    assert [s.state for s in record.statuses] == ["success"]
    assert (bench.statuses[0].state, bench.statuses[0].description) == ("success", "1.0.0 passed: 5 checks")
    release = staging_release(bench)
    found = evidence.records(bench.deployments, "shop", "staging", (ACTIONS_BOT,))
    assert evidence_verdict.of(found, release).state == "passed"
    calls = [c for c in bench.lab.forge.calls[before:] if c.method == "POST" and "/graphql" not in c.path]
    assert [
        c.path.rpartition("/")[0].rpartition("/")[2] + "/" + c.path.rpartition("/")[2] for c in calls
    ] == [
        f"statuses/{bench.commit}",
        "shop/deployments",
        f"{record.id}/statuses",
        f"statuses/{bench.commit}",
    ]
    assert 'tests="8"' in (bench.root / f"work-{bench.number}" / "out" / "gate.xml").read_text()


def staging_release(bench: Bench) -> Any:
    from stagegate import settings
    from stagegate.clients.registry import Registry
    from stagegate.evidence import releases

    blob = bench.reader.files("main", ["stagegate.yaml"])["stagegate.yaml"]
    assert blob
    known = settings.parse(blob.content, "stagegate.yaml")
    return releases.find(known, "1.0.0", bench.reader, Registry(known.registry_hosts))


WRITES = ("set_first_status", "create_deployment", "create_deployment_status", "set_first_status")


@pytest.mark.parametrize("point", range(len(WRITES)))
def test_a_gate_that_is_killed_after_any_write_and_run_again_leaves_one_record(
    bench: Bench, gate: Gate, point: int
) -> None:
    """I4: the same end state, nothing twice. Killed before a write is killed after the one before it."""
    number, seen = next(runs), 0

    def deadly(real: Any) -> Any:
        def write(*args: Any, **more: Any) -> Any:
            nonlocal seen
            answer = real(*args, **more)
            seen += 1
            if seen == point + 1:
                raise Killed
            return answer

        return write

    with pytest.MonkeyPatch.context() as patch:
        for name in set(WRITES):
            patch.setattr(Hub, name, deadly(getattr(Hub, name)))
        with pytest.raises(Killed):
            gate(run=number)
    again = gate(run=number, attempt=2)
    assert (again.code, again.outputs["outcome"] in ("done", "nothing-to-do")) == (0, True), again.log
    (record,) = bench.of_run(number)
    assert [s.state for s in record.statuses] == ["success"]
    assert (bench.statuses[0].state, str(record.id)) == ("success", again.outputs["deployment"])
    if point == 2:
        third = gate(run=number, attempt=3)
        assert (third.outputs["reason"], len(bench.of_run(number))) == ("already-passed", 1)


def test_a_failed_check_is_recorded_and_revokes_evidence(bench: Bench, gate: Gate) -> None:
    wrong = {"SHOP_PASSWORD": "quite-another-one"}
    number = next(runs)
    done = gate(run=number, env=wrong)
    assert (done.code, done.outputs["reason"]) == (1, "checks-failed")
    assert {c.name: c.outcome for c in done.evidence.checks if c.outcome != "passed"} == {
        "login": "failed", "products": "skipped", "query": "skipped",
    }  # fmt: skip
    (record,) = bench.of_run(number)
    assert [s.state for s in record.statuses] == ["failure"]
    assert (bench.statuses[0].state, bench.statuses[0].description) == (
        "failure", "1.0.0 failed: checks-failed (login)",
    )  # fmt: skip
    found = evidence.records(bench.deployments, "shop", "staging", (ACTIONS_BOT,))
    assert evidence_verdict.of(found, staging_release(bench)).state == "revoked"
    again = gate(run=number, attempt=2)  # a second attempt after a verdict is a gate of its own
    assert (again.code, len(bench.of_run(number))) == (0, 2)
    assert done.log.count("::error") == 1


def test_a_failure_requests_the_rollback_and_stays_a_failure(bench: Bench, gate: Gate) -> None:
    bench.settings({"settle: 0s}": "settle: 0s, on-failure: rollback}"})
    try:
        done = gate(env={"SHOP_PASSWORD": "quite-another-one"})
    finally:
        bench.settings({"settle: 0s, on-failure: rollback}": "settle: 0s}"})
    assert (done.code, done.outputs["reason"], done.outputs["rollback"]) == (1, "checks-failed", "")
    assert "ollback" in done.summary  # there is only one release yet: nothing to go back to
    assert done.log.count("::error") == 1


def test_a_release_without_evidence_is_reported_and_not_tested(bench: Bench, gate: Gate) -> None:
    gate(env={"SHOP_PASSWORD": "quite-another-one"})  # revokes the evidence of staging for 1.0.0
    before, spoken = len(bench.deployments), len(bench.reader.statuses(bench.commit))
    done = gate(environment="prod")
    assert (done.code, done.outputs["outcome"], done.outputs["reason"]) == (1, "refused", "no-evidence")
    assert (done.log.count("::error"), done.outputs["evidence"]) == (1, "")
    assert "prod is pinned to 1.0.0, which has no passing evidence" in done.log
    assert "no passing evidence" in done.summary
    assert (len(bench.deployments), len(bench.reader.statuses(bench.commit))) == (before, spoken)
    assert gate(environment="prod", dry_run="true").outputs["reason"] == "planned"
    assert (
        gate(environment="prod", mode="look").outputs["reason"] == "passed"
    )  # a look gives no evidence in any case
    assert gate(environment="prod", mode="adopt").code == 0
    assert gate(environment="prod").outputs["reason"] == "passed"  # a person has adopted it here


def test_no_record_or_output_contains_a_secret(bench: Bench, gate: Gate) -> None:
    done = gate(env={"SHOP_PASSWORD": "quite-another-one"})
    report = Path(done.outputs["report"]).read_text()
    payloads = str([d.payload for d in bench.deployments]) + str(bench.statuses)
    everything = done.log + done.summary + str(done.outputs) + report + payloads
    without_masks = "\n".join(line for line in everything.splitlines() if not line.startswith("::add-mask::"))
    for secret in (LOGIN["password"], "quite-another-one", bench.lab.argocd.token):
        assert secret not in without_masks


def test_a_skip_is_never_a_pass(bench: Bench, gate: Gate) -> None:
    refused = gate(mode="skip")
    assert (refused.code, refused.outputs["reason"]) == (2, "bad-input")
    asked = len(bench.lab.argocd.calls)
    reason = "Argo CD is down, fixes #12"
    refused = gate(mode="skip", reason=reason)
    assert (refused.code, refused.outputs["reason"]) == (1, "not-authorised"), "a writer is no admin"
    bench.lab.forge.collaborator(SHOP, "octo-admin", "admin")
    done = gate(mode="skip", reason=reason, env={"GITHUB_ACTOR": "octo-admin"})
    assert (done.code, done.outputs["reason"], done.evidence.outcome) == (0, "skipped", "skipped")
    assert bench.statuses[0].state == "failure"
    assert bench.statuses[0].description.startswith("1.0.0 skipped by octo-admin: Argo CD is down")
    assert "#12" not in bench.statuses[0].description
    assert not any("/api/v1/applications/shop-staging" in c for c in bench.lab.argocd.calls[asked:])
    found = evidence.records(bench.deployments, "shop", "staging", (ACTIONS_BOT,))
    assert evidence_verdict.of(found, staging_release(bench)).state == "skipped"


@pytest.mark.parametrize("actor", ["octo-stranger", "github-actions[bot]", "dependabot[bot]"])
@pytest.mark.parametrize("mode", ["adopt", "skip"])
def test_a_person_who_adopts_or_skips_needs_permission(
    bench: Bench, gate: Gate, mode: str, actor: str
) -> None:
    bench.lab.forge.user("octo-stranger")
    before = len(bench.deployments)
    refused = gate(mode=mode, reason="because", env={"GITHUB_ACTOR": actor})
    assert (refused.code, refused.outputs["reason"]) == (1, "not-authorised")
    repeated = gate(
        mode=mode, reason="because", env={"GITHUB_ACTOR": "octo-lead", "GITHUB_TRIGGERING_ACTOR": actor}
    )
    assert repeated.outputs["reason"] == "not-authorised"
    assert len(bench.deployments) == before


def test_adopt_records_what_runs_and_is_no_evidence(bench: Bench, gate: Gate) -> None:
    done = gate(mode="adopt")
    assert (done.code, done.outputs["reason"], done.evidence.kind) == (0, "adopted", "adopt")
    assert (bench.statuses[0].state, bench.statuses[0].description) == (
        "success",
        "1.0.0 adopted by octo-dev",
    )
    verdict = evidence_verdict.of(
        evidence.records(bench.deployments, "shop", "staging", (ACTIONS_BOT,)), staging_release(bench)
    )
    assert (verdict.state, verdict.good) == ("adopted", False)


def test_a_scheduled_look_writes_a_deployment_only(bench: Bench, gate: Gate) -> None:
    before = bench.statuses
    number = next(runs)
    done = gate(run=number, mode="look", env={"SHOP_PASSWORD": "quite-another-one"})
    assert (done.code, done.evidence.kind) == (1, "look")
    assert [str(look.id) for look in bench.looks] == [done.outputs["deployment"]]
    assert bench.of_run(number) == [], "a look is listed among the verdicts"
    assert bench.statuses == before
    good = gate(run=next(runs), mode="look")
    again = gate(run=int(good.evidence.run.id), attempt=2, mode="look")
    assert (again.outputs["reason"], len(bench.looks)) == ("already-passed", 2)


def test_a_dry_run_writes_nothing(bench: Bench, gate: Gate) -> None:
    before = [c for c in bench.lab.forge.calls if c.method != "GET" and "/graphql" not in c.path]
    done = gate(dry_run="true")
    assert (done.code, done.outputs["reason"]) == (0, "planned")
    assert [c for c in bench.lab.forge.calls if c.method != "GET" and "/graphql" not in c.path] == before


@pytest.mark.parametrize(
    ("flags", "env", "code", "reason"),
    [
        ({"argocd-token": ""}, {}, 2, "empty-secret"),
        ({"argocd-server": ""}, {}, 2, "empty-secret"),
        ({}, {"SHOP_PASSWORD": ""}, 2, "empty-secret"),
        ({}, {"SHOP_URL": ""}, 2, "empty-secret"),
        ({}, {"STAGEGATE_HOSTS": ""}, 2, "wrong-source"),
        ({}, {"STAGEGATE_HOSTS": "shop.example.com"}, 2, "wrong-source"),
        ({"version": "9.9.9"}, {}, 2, "bad-input"),
        ({"version": "v1"}, {}, 2, "bad-input"),
        ({"environment": "stagin"}, {}, 2, "bad-input"),
        ({"timeout": "10abc"}, {}, 2, "bad-input"),
        ({"timeout": "-5s"}, {}, 2, "bad-input"),
        ({"timeout": "999999999s"}, {}, 2, "bad-input"),
        ({"argocd-headers": "nonsense"}, {}, 2, "bad-input"),
        ({"token": "ghs_unknown"}, {}, 3, "token-expired"),
    ],
)
def test_a_refused_request_writes_nothing(
    bench: Bench, gate: Gate, flags: dict[str, str], env: dict[str, str], code: int, reason: str
) -> None:
    before = (bench.statuses, len(bench.deployments))
    done = gate(env=env, **flags)
    assert (done.code, done.outputs["reason"]) == (code, reason), done.log
    assert done.log.count("::error") == 1
    assert (bench.statuses, len(bench.deployments)) == before


def test_without_a_verdict_the_status_does_not_stay_pending(bench: Bench, gate: Gate) -> None:
    before = len(bench.deployments)
    other = bench.lab.argocd.add_token("other", ["somebody-else"])
    done = gate(argocd_token=other)
    assert (done.code, done.outputs["reason"]) == (2, "missing-permission")
    assert "applications, get" in done.log
    assert (bench.statuses[0].state, len(bench.deployments)) == ("error", before)
    assert "no verdict, missing-permission" in bench.statuses[0].description


def test_a_roll_out_that_never_starts_gives_no_verdict(bench: Bench, gate: Gate) -> None:
    with bench.lab.argocd.paused():
        fault = bench.lab.argocd.fault("shop-staging", "suspended")
    bench.lab.argocd.wait(lambda d: d["status"]["health"]["status"] == "Suspended", "shop-staging")
    try:
        done = gate(timeout="2s")
    finally:
        fault.release()
        bench.lab.argocd.clear()
    bench.lab.argocd.wait(lambda d: d["status"]["health"]["status"] == "Healthy", "shop-staging")
    assert (done.code, done.outputs["reason"]) == (5, "timeout")
    assert "suspended" in done.log
    assert bench.statuses[0].state == "error", "no workload of the release failed, so there is no verdict"


def test_a_gate_leaves_a_long_canary_to_the_next_run(bench: Bench, gate: Gate) -> None:
    assert gate().outputs["reason"] == "passed"
    before, good, hurried = len(bench.deployments), "settle: 0s", "settle: 0s, canary-in-job: 1s"
    bench.settings({good: hurried})  # the policy is another one, so the next run is no look
    fault = bench.lab.argocd.fault("shop-staging", "object-health", object="Rollout", status="Suspended")
    try:
        done, failing = gate(again="true"), gate(again="true", fail_on_waiting="true")
    finally:
        fault.release()
        bench.lab.argocd.clear()
    assert (done.code, done.outputs["outcome"], done.outputs["reason"]) == (0, "waiting", "canary-paused")
    assert (failing.code, failing.outputs["outcome"]) == (1, "waiting")
    assert "Rollout/more" in done.log
    assert (bench.statuses[0].state, len(bench.deployments)) == ("pending", before)
    assert bench.statuses[0].description == "1.0.0: canary-paused"
    assert evidence_verdict.of(records_of(bench), staging_release(bench)).state == "passed", (
        "nothing is revoked"
    )
    bench.lab.argocd.wait(lambda d: d["status"]["health"]["status"] == "Healthy", "shop-staging")
    assert gate(again="true").outputs["reason"] == "passed"
    bench.settings({hurried: good})


def next_event(bench: Bench, monkeypatch: pytest.MonkeyPatch, event: str = "workflow_dispatch") -> list[str]:
    """The environments that the verifying workflow gates after an event of a bot."""
    folder = bench.work()
    (folder / "event.json").write_text('{"sender": {"type": "Bot"}}')
    given = {
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["environments", f"--token={bench.token()}"]) == 0
    return [one["environment"] for one in json.loads(outputs((folder / "output").read_text())["matrix"])]


@pytest.mark.parametrize("end", ["resumed", "aborted"])
def test_the_next_event_continues_the_gate_of_a_paused_canary(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """After a change of values the release has passed already, so only the files show that a verdict is due."""
    assert gate().outputs["reason"] == "passed"
    assert "staging" not in next_event(bench, monkeypatch)
    good, hurried = "settle: 0s", "settle: 0s, canary-in-job: 1s, patience: 3s"
    bench.settings({good: hurried})
    values = {"deploy/values/staging.yaml": lambda text: f"{text}# {end}\n"}
    bench.lab.push("octo-lead", "chore: other values", values)
    fault = bench.lab.argocd.fault("shop-staging", "object-health", object="Rollout", status="Suspended")
    assert gate(again="false").outputs["reason"] == "canary-paused"
    assert "staging" in next_event(bench, monkeypatch)
    assert gate(again="false").outputs["reason"] == "canary-paused", "the canary is still paused"
    fault.release()
    if end == "aborted":
        fault = bench.lab.argocd.fault(
            "shop-staging",
            "object-health",
            object="Rollout",
            status="Degraded",
            message="RolloutAborted: by hand",
        )
    done = gate(again="false", timeout="60s")
    fault.release()
    bench.lab.argocd.clear()
    bench.lab.argocd.wait(lambda d: d["status"]["health"]["status"] == "Healthy", "shop-staging")
    assert done.outputs["reason"] == {"resumed": "passed", "aborted": "rollout-failed"}[end], done.log
    assert bench.statuses[0].state == {"resumed": "success", "aborted": "failure"}[end]
    assert "staging" not in next_event(bench, monkeypatch), "the verdict exists"
    bench.settings({hurried: good})
    assert gate().outputs["reason"] == "passed"


def test_a_roll_out_that_fails_is_evidence_too(bench: Bench, gate: Gate) -> None:
    with bench.lab.argocd.paused():
        fault = bench.lab.argocd.fault("shop-staging", "degraded")
    bench.lab.argocd.wait(lambda d: d["status"]["health"]["status"] == "Degraded", "shop-staging")
    try:
        done = gate(timeout="2s")
    finally:
        fault.release()
        bench.lab.argocd.clear()
    bench.lab.argocd.wait(lambda d: d["status"]["health"]["status"] == "Healthy", "shop-staging")
    assert (done.code, done.outputs["reason"], done.evidence.outcome) == (5, "timeout", "failed"), done.log
    assert "<details>" in done.summary
    assert bench.statuses[0].state == "failure"


def test_a_verdict_that_cannot_be_written_survives(bench: Bench, gate: Gate) -> None:
    number = next(runs)
    done = gate(run=number, token=bench.token(deployments="read"))
    assert (done.code, done.outputs["reason"]) == (2, "missing-permission")
    assert "deployments: write" in done.log
    assert (done.evidence.outcome, bench.of_run(number)) == ("passed", [])


def test_policy_comes_from_the_default_branch_and_not_from_the_work_tree(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bench.work

    def soft() -> Path:
        folder = real()
        file = folder / "stagegate.yaml"
        file.write_text(file.read_text().replace("scenarios: e2e/shop.yaml", "scenarios: e2e/none.yaml"))
        return folder

    monkeypatch.setattr(bench, "work", soft)
    done = gate()
    assert (done.code, len(done.evidence.checks)) == (0, 8)
    blob = bench.reader.files("main", ["stagegate.yaml"])["stagegate.yaml"]
    assert blob and done.evidence.policy == blob.oid


WITHOUT_ARGOCD = "argocd: {applications: [shop-staging], source: http}"


def test_without_argocd_the_service_reports_its_version(bench: Bench, gate: Gate) -> None:
    bench.settings({"argocd: {applications: [shop-staging]}": WITHOUT_ARGOCD})
    asked = len(bench.lab.argocd.calls)
    try:
        done = gate(argocd_server="", argocd_token="")
        with bench.lab.argocd.paused():
            late = gate(
                argocd_server="",
                argocd_token="",
                timeout="2s",
                env={"SHOP_URL": "http://127.0.0.1:9", "STAGEGATE_HOSTS": "127.0.0.1"},
            )
    finally:
        bench.settings({WITHOUT_ARGOCD: "argocd: {applications: [shop-staging]}"})
    assert (done.code, done.outputs["reason"], done.evidence.application) == (0, "passed", None), done.log
    assert (late.code, late.outputs["reason"]) == (1, "checks-failed")
    assert {c.name: (c.outcome, c.required) for c in done.evidence.checks}["images"] == ("unknown", False)
    assert not any("/api/v1/" in call for call in bench.lab.argocd.calls[asked:] if "shop-staging" in call)


def test_keep_checking_counts_errors_of_checks_and_roll_out(bench: Bench, gate: Gate) -> None:
    watched = "settle: 0s, keep-checking: {for: 2s, every: 1s, allowed-errors: 0}}"
    bench.settings({"settle: 0s}": watched})
    try:
        done = gate()
    finally:
        bench.settings({watched: "settle: 0s}"})
    (again,) = [c for c in done.evidence.checks if c.name == "keep-checking"]
    assert (done.code, again.outcome, again.detail) == (0, "passed", "2 rounds, 0 with errors (0 allowed)")


def test_an_overwritten_chart_is_reported_as_other_content(bench: Bench, gate: Gate) -> None:
    """Argo CD keeps the chart that it fetched first, and the registry now has another one under the same version."""
    from stagegate.chart import package, published
    from stagegate.clients.registry import Registry

    chart = staging_release(bench).chart
    registry = Registry(frozenset({bench.lab.registry.host}))
    whole = registry.manifest(f"{chart.reference}:1.0.0")
    found = published.fetch(registry, f"{chart.reference}:1.0.0")
    assert whole and found
    files = package.unpack(found.archive, "the chart")
    service = files["shop/templates/service.yaml"].replace(
        b"kind: Service", b"kind: Service\nimmutable: false"
    )
    archive = package._gzip(package._tar({**files, "shop/templates/service.yaml": service}))
    document = json.loads(whole.raw)
    document["layers"][0] |= {"digest": registry.push_blob(chart.reference, archive), "size": len(archive)}
    other = type(whole)(media_type=whole.media_type, raw=json.dumps(document).encode())
    registry.push_manifest(f"{chart.reference}:1.0.0", other)
    try:
        done = gate()
    finally:
        registry.push_manifest(f"{chart.reference}:1.0.0", whole)
    assert (done.code, done.outputs["reason"]) == (1, "content-differs"), done.log
    assert done.evidence.content == "not-comparable"
    (content,) = [c for c in done.evidence.checks if c.name == "content"]
    assert (content.outcome, "Service/shop-staging/shop differs" in content.detail) == ("failed", True)


def test_an_image_that_moves_is_noticed(bench: Bench, gate: Gate) -> None:
    from stagegate.clients.registry import Registry

    image = f"{bench.lab.registry.host}/acme/shop"
    registry = Registry(frozenset({bench.lab.registry.host}))
    whole = registry.manifest(f"{image}:v1.0.0")
    assert whole
    child = sorted(registry.children(f"{image}:v1.0.0"))[0] if whole.is_index else ""
    other = registry.manifest(f"{image}@{child}") if child else None
    moved = other or type(whole)(media_type=whole.media_type, raw=whole.raw + b" ")
    registry.push_manifest(f"{image}:v1.0.0", moved)
    try:
        done = gate()
    finally:
        registry.push_manifest(f"{image}:v1.0.0", whole)
    assert (done.code, done.outputs["reason"]) == (1, "image-moved"), done.log


def test_under_protected_trust_only_the_app_writes_evidence(bench: Bench, gate: Gate) -> None:
    app = bench.lab.forge.app("shop-gate", {"statuses": "write", "deployments": "write", "contents": "read"})
    bench.settings({"level: advisory": "level: protected, app: shop-gate"})
    try:
        without = gate()
        assert (without.code, without.outputs["reason"]) == (2, "empty-secret")
        number = next(runs)
        done = gate(run=number, app_id=str(app.id), app_key=app.private_key)
        assert (done.code, done.outputs["reason"]) == (0, "passed"), done.log
        (record,) = bench.of_run(number)
        being = bench.reader.account("shop-gate[bot]")
        assert being and being.same(record.creator) and being.same(bench.statuses[0].creator)
        found = evidence.records(bench.deployments, "shop", "staging", (being,))
        assert [r.id for r in found] == [record.id]  # everything the token wrote before counts for nothing
        assert "only records written by the App count" in done.summary
    finally:
        bench.settings({"level: protected, app: shop-gate": "level: advisory"})


@pytest.mark.parametrize("with_key", [True, False], ids=["App key given", "no key"])
def test_a_verdict_is_recorded_although_the_token_expired_during_the_wait(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch, with_key: bool
) -> None:
    forge = bench.lab.forge
    app = forge.app("long-gate", {**RIGHTS, "metadata": "read"})
    token = forge.token("long-gate", "app", repositories=[SHOP])
    look = trial.run

    def for_an_hour(trying: Any) -> Any:
        seen = look(trying)
        forge.world.tokens[token] = replace(forge.world.tokens[token], expires=0.0)
        return seen

    monkeypatch.setattr(trial, "run", for_an_hour)
    number = next(runs)
    key = {"app_id": str(app.id), "app_key": app.private_key} if with_key else {}
    done = gate(run=number, token=token, **key)
    assert done.evidence.outcome == "passed", done.log
    if with_key:
        assert (done.code, done.outputs["reason"]) == (0, "passed"), done.log
        assert [s.state for record in bench.of_run(number) for s in record.statuses] == ["success"]
    else:
        assert (done.code, done.outputs["reason"]) == (3, "token-expired"), done.log
        assert bench.of_run(number) == []


def test_a_passed_release_is_not_tested_again_until_something_changes(bench: Bench, gate: Gate) -> None:
    assert gate().outputs["reason"] == "passed"
    before = len(bench.deployments)
    assert gate(again="false").outputs["reason"] == "already-passed"
    bench.lab.push("octo-lead", "docs: elsewhere", {"README.md": lambda text: text + "\n"})
    assert gate(again="false").outputs["reason"] == "already-passed"
    assert len(bench.deployments) == before
    bench.lab.push(
        "octo-lead", "chore: two", {"deploy/values/staging.yaml": lambda text: text + "# looked at\n"}
    )
    assert gate(again="false").outputs["reason"] == "passed"
    assert len(bench.deployments) == before + 1


def test_the_run_that_moved_the_pin_gates_it_itself(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench.lab.forge.run_started(
        SHOP, "release.yml", "push", "refs/heads/main", bench.commit, "octo-dev"
    )
    message = f"chore: move\n\nStagegate-App: shop\nStagegate-Environment: staging\nStagegate-Run: {run}"
    writer, path = bench.hub(bench.token(contents="write")), "deploy/argocd/staging.yaml"
    head = writer.head("main")
    assert head is not None
    pin = writer.files(head, [path])[path]
    assert pin is not None
    headline, _, body = message.partition("\n\n")
    writer.create_commit(
        "main",
        head,
        headline,
        body,
        {path: pin.content.replace(b"spec:\n", b"spec:\n  info: [{name: moved, value: again}]\n", 1)},
    )
    waits: list[float] = []

    def pending(seconds: float) -> None:
        waits.append(seconds)
        writer = bench.hub(bench.token())
        writer.set_status(
            bench.commit,
            STATUS,
            "pending",
            "1.0.0: the gate looks",
            f"{bench.lab.forge.url}/{SHOP}/actions/runs/{run}",
        )

    monkeypatch.setattr(already_done, "looking", partial(already_done.looking, sleep=pending))
    token = bench.token(actions="read")
    done = gate(again="false", token=token)
    assert (done.code, done.outputs["reason"]) == (0, "already-running"), done.log
    assert waits == [10.0]
    bench.lab.forge.run_finished(run, "failure")
    monkeypatch.undo()
    assert gate(again="false", token=token).outputs["reason"] == "passed"


def test_adopting_a_passed_release_keeps_its_evidence(bench: Bench, gate: Gate) -> None:
    assert gate().outputs["reason"] == "passed"
    before = len(bench.deployments)
    assert gate(mode="adopt").outputs["reason"] == "already-passed"
    assert len(bench.deployments) == before


def test_an_environment_that_did_not_change_is_looked_at_and_not_judged(bench: Bench, gate: Gate) -> None:
    """The release was adopted, or passed under an older policy: a problem is shown and revokes nothing."""
    down = {"SHOP_PASSWORD": "quite-another-one"}
    assert gate().outputs["reason"] == "passed"
    bench.settings({"settle: 0s}": "settle: 0s, on-failure: rollback, patience: 4m}"})
    try:
        before, status = len(bench.deployments), bench.statuses[0]
        done = gate(again="false", env=down)
        assert (done.code, done.outputs["reason"], done.evidence.kind) == (1, "checks-failed", "look"), (
            done.log
        )
        assert "only checks the environment again" in done.log
        assert (len(bench.deployments), bench.statuses[0], done.outputs["rollback"]) == (before, status, "")
        assert evidence_verdict.of(records_of(bench), staging_release(bench)).state == "passed"
        good = gate(again="false")
        assert (good.code, good.evidence.kind, good.evidence.outcome) == (0, "look", "passed")
        bench.lab.push(
            "octo-lead", "chore: three", {"deploy/values/staging.yaml": lambda text: text + "# changed\n"}
        )
        gated = gate(again="false", env=down)
        assert (gated.evidence.kind, gated.evidence.outcome) == ("rollout", "failed"), "a value changed"
        assert gate(again="false").evidence.kind == "rollout", "after a failed verdict it is a gate"
    finally:
        bench.settings({"settle: 0s, on-failure: rollback, patience: 4m}": "settle: 0s}"})


def records_of(bench: Bench) -> Any:
    return evidence.records(bench.deployments, "shop", "staging", (ACTIONS_BOT,))


def test_a_running_gate_leaves_the_record_before_it_in_force(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gate().outputs["reason"] == "passed"
    look, during = trial.run, list[str]()

    def asked(trying: Any) -> Any:
        during.append(bench.statuses[0].state)
        during.append(evidence_verdict.of(records_of(bench), staging_release(bench)).state)
        return look(trying)

    monkeypatch.setattr(trial, "run", asked)
    assert gate().outputs["reason"] == "passed"
    assert during == ["pending", "passed"]


def test_the_api_server_of_the_cluster_shows_the_release(bench: Bench, gate: Gate, tmp_path: Path) -> None:
    """`source: kubernetes` sends no request to Argo CD and still proves the digests of the pods."""
    image = staging_release(bench).images[0]
    written = f"{image.reference}:v1.0.0"
    labels, spec = {"app": "shop"}, {"containers": [{"name": "shop", "image": written}]}
    status = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
    cluster = {"argocd: {applications: [shop-staging]}": "argocd: {source: kubernetes, namespace: shop}"}
    with ApiServer() as api:
        api.put(
            "/apis/apps/v1/namespaces/shop/deployments",
            {
                "metadata": {"name": "shop", "generation": 1},
                "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"spec": spec}},
                "status": status,
            },
        )
        ran = [{"name": "shop", "imageID": f"{image.reference}@{image.digest}"}]
        pod = {"metadata": {"name": "shop-1", "labels": labels}, "spec": spec}
        api.put(
            "/api/v1/namespaces/shop/pods", {**pod, "status": {"phase": "Running", "containerStatuses": ran}}
        )
        file = tmp_path / "kubeconfig"
        file.write_text(
            json.dumps(
                {
                    "current-context": "x",
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": {"server": api.url}}],
                    "users": [{"name": "u", "user": {"token": api.token}}],
                }
            )
        )
        asked = len(bench.lab.argocd.calls)
        bench.settings(cluster)
        try:
            done = gate(argocd_server="", argocd_token="", env={"KUBECONFIG": str(file)})
            adopted = gate(argocd_server="", argocd_token="", mode="adopt", env={"KUBECONFIG": str(file)})
        finally:
            bench.settings({new: old for old, new in cluster.items()})
    assert (done.code, done.outputs["reason"]) == (0, "passed"), done.log
    assert {c.name: c.outcome for c in done.evidence.checks}["images"] == "passed"
    assert done.evidence.application and done.evidence.application.source == "kubernetes"
    assert done.evidence.content == "not-comparable"
    assert adopted.outputs["reason"] == "already-passed"
    assert api.token not in done.log.replace(f"::add-mask::{api.token}", "")
    assert not any("shop-staging" in call for call in bench.lab.argocd.calls[asked:] if "/api/v1/" in call)


def test_without_argocd_a_running_release_can_be_adopted(bench: Bench, gate: Gate) -> None:
    """With `argocd: none`, adopting runs only the check of the version."""
    bench.settings({"argocd: {applications: [shop-staging]}": "argocd: none"})
    gate(
        env={"SHOP_PASSWORD": "quite-another-one"}, argocd_server="", argocd_token="", timeout="2s"
    )  # revokes the pass, so that adopting has something to record
    try:
        done = gate(mode="adopt", argocd_server="", argocd_token="", env={"SHOP_PASSWORD": "not-asked"})
    finally:
        bench.settings({"argocd: none": "argocd: {applications: [shop-staging]}"})
    assert (done.code, done.outputs["reason"], done.evidence.kind) == (0, "adopted", "adopt"), done.log
    assert [c.name for c in done.evidence.checks] == ["health", "images"]
    assert evidence_verdict.of(records_of(bench), staging_release(bench)).state == "adopted"
