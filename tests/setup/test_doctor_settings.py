"""doctor about settings whose other half is in another file: a trigger, a scenario, an Application, a variable."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from stagegate.setup.doctor.check import DoctorCheck
from stagegate.setup.doctor.checks import (
    applications_namespace,
    notifications,
    production_reviewed,
    scenarios,
    variables,
    wake_ups,
    workflow_triggers,
)
from tests.setup import doctor_facts

SETTINGS = """\
app: shop
images: [ghcr.io/acme/shop]
environments:
  - {name: staging, pins: [deploy/staging.yaml], argocd: {applications: [shop-staging], parent: root}, GATE}
  - {name: prod, after: [staging], pins: [deploy/prod.yaml], argocd: {applications: [shop-prod], parent: root}, GATE}
""".replace("GATE", "gate: {scenarios: e2e/shop.yaml, variables: [SHOP_URL]}")
SCENARIOS = """\
base-url: ${SHOP_URL}
checks: [{name: home, request: {path: /}}]
"""
EVENTS = """\
on: {push: {branches: main}, workflow_dispatch: {}, pull_request_target: {}, issue_comment: {}}
jobs:
  stagegate: {uses: acme/stagegate/.github/workflows/events.yml@v0.1.0}
"""
RELEASE = """\
on: {push: {branches: main}}
jobs:
  version: {uses: acme/stagegate/.github/workflows/version.yml@v0.1.0}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: NAME}
spec:
  source: {repoURL: https://github.com/acme/shop.git, path: deploy, targetRevision: main}
  destination: {server: https://kubernetes.default.svc, namespace: SPACE}
"""


def files(**changes: str) -> dict[str, str]:
    """The repository: the settings, their scenarios and workflows, with some contents replaced."""
    return {
        "stagegate.yaml": changes.get("settings", SETTINGS),
        "e2e/shop.yaml": changes.get("scenarios", SCENARIOS),
        ".github/workflows/stagegate.yml": changes.get("events", EVENTS),
        ".github/workflows/release.yml": changes.get("release", RELEASE),
    }


def found(check: DoctorCheck, content: dict[str, str], hub: Any = None) -> list[tuple[str, str, str]]:
    """Severity, message and cure of each finding. `hub` stands for GitHub's responses."""
    facts = msgspec.structs.replace(doctor_facts.of(content), hub=hub)
    return [(one.severity, one.message, one.fix) for one in check.run(facts)]


def test_a_release_branch_that_starts_nothing_is_reported() -> None:
    settings = SETTINGS + "release-branches: [release/*, hotfix-*]\n"
    ((severity, message, cure),) = found(workflow_triggers.CHECK, files(settings=settings))
    assert (severity, message) == (
        "warning",
        ".github/workflows/release.yml is not started by a push to release/*, hotfix-*.",
    )
    assert "branches: [main, release/*, hotfix-*]" in cure
    started = RELEASE.replace("branches: main", "branches: [main, 'release/**', '!release/old', hotfix-*]")
    assert found(workflow_triggers.CHECK, files(settings=settings, release=started)) == []
    everywhere = RELEASE.replace("{branches: main}", "{branches-ignore: [docs/*]}")
    assert found(workflow_triggers.CHECK, files(settings=settings, release=everywhere)) == []


@pytest.mark.parametrize(
    ("channel", "severity"),
    [("", "note"), (", events: [waiting]", "warning"), (", events: [failure]", "")],
)
def test_a_message_about_waiting_needs_a_schedule(channel: str, severity: str) -> None:
    settings = f"{SETTINGS}notify: {{channels: [{{kind: slack, url: SLACK_URL{channel}}}]}}\n"
    told = found(wake_ups.CHECK, files(settings=settings))
    assert [one[0] for one in told] == ([severity] if severity else [])
    scheduled = EVENTS.replace("on: {", 'on: {schedule: [{cron: "7 * * * *"}], ')
    assert found(wake_ups.CHECK, files(settings=settings, events=scheduled)) == []


def test_a_template_with_a_mistake_is_reported_by_line() -> None:
    channel = "{kind: webhook, url: HOOK, template: '{titel}'}"
    settings = f"{SETTINGS}notify:\n  channels:\n    - {channel}\n"
    line = 1 + settings[: settings.index("{titel}")].count("\n")
    facts = doctor_facts.of(files(settings=settings))
    (one,) = notifications.CHECK.run(facts)
    assert (one.severity, one.file, one.line) == ("error", "stagegate.yaml", line)
    assert "{titel} is not a placeholder" in one.why


def test_a_scenario_file_of_two_gates_is_reported_once() -> None:
    missing = files()
    del missing["e2e/shop.yaml"]
    assert [one[:2] for one in found(scenarios.CHECK, missing)] == [("error", "There is no e2e/shop.yaml.")]
    unlisted = SCENARIOS.replace("SHOP_URL", "OTHER_URL")
    told = found(scenarios.CHECK, files(scenarios=unlisted))
    assert [one[:2] for one in told] == [
        ("error", "e2e/shop.yaml uses OTHER_URL, which gate.variables of staging and prod does not list."),
        ("note", "gate.variables of staging and prod lists SHOP_URL, but e2e/shop.yaml does not use it."),
    ]


def test_variables_of_their_own_do_not_reach_called_workflows() -> None:
    hub = SimpleNamespace(repository="acme/shop", variables={}, secrets={})
    hub.variables = {
        name: {"SHOP_URL": 1, "STAGEGATE_HOSTS": 1, "ARGOCD_SERVER": 1} for name in ("", "staging", "prod")
    }
    hub.secrets = {name: {"ARGOCD_TOKEN": 1} for name in ("", "staging", "prod")}
    told = found(variables.CHECK, files(), hub)
    assert [one[:2] for one in told] == [
        ("error", f"{name} has SHOP_URL, but not as lines of the secret STAGEGATE_VARIABLES.")
        for name in ("staging", "prod")
    ]
    own = "on: push\njobs: {a: {steps: [{uses: acme/stagegate/actions/staging-gate@v0.1.0}]}}\n"
    assert found(variables.CHECK, files(events=own), hub) == []


@pytest.mark.parametrize(
    ("promotion", "message"),
    [
        ("promotion: {strategy: direct}", "Nobody reviews a promotion to prod."),
        (
            "promotion: {merge: stagegate, approvals: 0}",
            "stagegate merges promotions to prod without an approval.",
        ),
        ("promotion: {merge: stagegate}", ""),
    ],
)
def test_production_without_a_review_is_reported(promotion: str, message: str) -> None:
    settings = SETTINGS.replace("after: [staging],", f"after: [staging], {promotion},")
    told = found(production_reviewed.CHECK, files(settings=settings))
    assert [one[:2] for one in told] == ([("warning", message)] if message else [])


@pytest.mark.parametrize(
    ("parent", "own", "reported"),
    [
        ("argocd", "", []),  # the Application that applies it writes to Argo CD's namespace
        ("shop", "", ["shop-staging"]),
        ("shop", "argocd", []),
    ],
)
def test_an_application_that_is_created_elsewhere_is_reported(
    parent: str, own: str, reported: list[str]
) -> None:
    root = APPLICATION.replace("{name: NAME}", "{name: root, namespace: argocd}").replace("SPACE", parent)
    child = APPLICATION.replace("NAME", f"shop-staging{f', namespace: {own}' if own else ''}")
    content = files() | {"root.yaml": root, "deploy/staging.yaml": child.replace("SPACE", "shop")}
    told = found(applications_namespace.CHECK, content)
    assert [one[1] for one in told] == [
        f"The Application {one} has no namespace in its `metadata`." for one in reported
    ]
    assert all("`namespace: argocd`" in one[2] for one in told)


def test_an_application_that_people_apply_needs_its_namespace() -> None:
    content = files() | {"deploy/staging.yaml": APPLICATION.replace("NAME", "shop-staging")}
    ((severity, message, _),) = found(applications_namespace.CHECK, content)
    assert (severity, message) == (
        "warning",
        "The Application shop-staging has no namespace in its `metadata`.",
    )
