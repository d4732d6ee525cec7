"""The environments of a workflow: the first ones of a release, or those that moved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stagegate import settings
from stagegate.errors import Stop
from stagegate.evidence.records import Record
from stagegate.model import Evidence, WorkflowRun
from stagegate.promotion import moved
from stagegate.promotion.apps import App
from stagegate.promotion.moved import Push

PUSH = Push(before="a" * 40, after="b" * 40)
BY_BOT, BY_HAND = Push(), Push(by_hand=True)
TEXT = """\
app: {app}
{more}version: {{tag-prefix: {app}-v, files: [VERSION]}}
images: [ghcr.io/acme/{app}]
chart: none
"""
ENVIRONMENTS = """\
environments:
  - {name: dev-eu, pins: [a.yaml], promotion: {strategy: direct}}
  - {name: dev-us, pins: [b.yaml], promotion: {strategy: direct}, github-environment: "shared-{name}"}
  - {name: prod, after: [dev-eu, dev-us], pins: [c.yaml]}
"""


def app(name: str, more: str = "", environments: str = ENVIRONMENTS) -> App:
    text = TEXT.format(app=name, more=more) + environments
    return App(config=f"apps/{name}.yaml", settings=settings.parse(text.encode(), f"apps/{name}.yaml"))


def record(version: str, outcome: Any = "passed") -> Record:
    evidence = Evidence(
        kind="rollout",
        app="web",
        environment="prod",
        outcome=outcome,
        reason=outcome,
        version=version,
        tag=f"v{version}",
        commit="c" * 40,
        chart=None,
        images=(),
        configuration="",
        content="not-comparable",
        application=None,
        checks=(),
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:01:00Z",
        run=WorkflowRun(id="1", attempt=1, url=""),
        actor="octo",
        policy="",
    )
    return Record(
        id=1, sha="c" * 40, created="", creator=None, evidence=evidence, since="2026-01-01T00:01:00Z"
    )


@pytest.mark.parametrize(
    ("newest", "touched", "cause", "needed"),
    [
        (record("1.0.0"), False, PUSH, False),
        (record("1.0.0"), True, PUSH, True),
        (record("1.0.0"), False, BY_BOT, False),
        (record("1.0.0"), False, BY_HAND, False),
        (record("0.9.0"), False, PUSH, True),
        (record("1.1.0"), False, BY_BOT, True),
        (record("1.0.0", "adopted"), False, PUSH, False),
        (record("1.0.0", "failed"), False, PUSH, False),
        (record("1.0.0", "failed"), False, BY_BOT, False),
        (record("1.0.0", "failed"), False, BY_HAND, True),
        (record("1.0.0", "failed"), True, PUSH, True),
        (None, False, PUSH, False),
        (None, True, PUSH, True),
        (None, False, BY_BOT, True),
        (None, False, BY_HAND, True),
    ],
)
def test_only_an_environment_that_moved_or_has_no_verdict_needs_a_gate(
    newest: Record | None, touched: bool, cause: Push, needed: bool
) -> None:
    assert moved.needs_gate("1.0.0", newest, touched, cause) is needed


def test_an_unreadable_verdict_needs_a_gate() -> None:
    unread = Record(id=1, sha="", created="", creator=None, evidence=None, since="2026-01-01T00:01:00Z")
    assert moved.needs_gate("1.0.0", unread, False, PUSH)


def test_the_first_environments_of_each_new_release() -> None:
    apps = [app("web"), app("pay")]
    text = json.dumps(
        [
            {"app": "web", "version": "1.1.0", "tag": "web-v1.1.0", "commit": "d" * 40, "changed": True},
            {"app": "pay", "version": "2.0.0", "tag": "pay-v2.0.0", "commit": "e" * 40, "changed": False},
        ]
    )
    made = moved.releases(text, apps)
    places = moved.first(apps, made, several=True)
    assert [(p.app, p.environment, p.github_environment, p.version, p.commit, p.last) for p in places] == [
        ("web", "dev-eu", "web-dev-eu", "1.1.0", "d" * 40, False),
        ("web", "dev-us", "shared-dev-us", "1.1.0", "d" * 40, False),
    ]
    assert {place.config for place in places} == {"apps/web.yaml"}
    assert moved.first(apps, made, several=False)[0].github_environment == "dev-eu"


def test_an_announced_release_is_one_object() -> None:
    (made,) = moved.releases('{"app": "web", "version": "1.1.0", "commit": "x", "mode": ""}', [app("web")])
    assert (made.app, made.version, made.config) == ("web", "1.1.0", "apps/web.yaml")


def test_a_release_with_pins_in_another_repository_is_announced() -> None:
    away = app("web", "policy: acme/gitops//apps/web.yaml\n", "")
    made = moved.releases('[{"app": "web", "version": "1.1.0"}]', [away])
    road = json.loads(moved.road([away], made, moved.first([away], made, several=False)))
    assert [one["version"] for one in road["announce"]] == ["1.1.0"]
    assert road["environments"] == []


@pytest.mark.parametrize("text", ["[1]", "{}", "not json", '[{"app": "web"}]'])
def test_a_value_that_is_not_a_release_is_refused(text: str) -> None:
    with pytest.raises(Stop) as stop:
        moved.releases(text, [app("web")])
    assert stop.value.reason == "bad-input"


def test_the_event_names_the_commits_of_the_push() -> None:
    assert moved.push("push", {"before": "a" * 40, "after": "b" * 40}) == PUSH
    assert moved.push("push", {"before": "0" * 40, "after": "b" * 40}) == Push(everything=True)
    assert moved.push("workflow_dispatch", {"sender": {"type": "User"}}) == BY_HAND
    assert moved.push("workflow_dispatch", {"sender": {"type": "Bot"}}) == BY_BOT
