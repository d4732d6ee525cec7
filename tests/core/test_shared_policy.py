"""Shared policy below the settings of an app: mappings merge, lists replace, and what is locked cannot be loosened."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate import settings
from stagegate.errors import Stop
from stagegate.settings import Settings, Shared, shared_policy

OWN = """\
app: web
extends: acme/platform//stagegate/policy.yaml
version: {files: [VERSION]}
images: [ghcr.io/acme/web]
chart: none
environments:
  - {name: staging, pins: [a.yaml], promotion: {strategy: direct}}
  - {name: prod, after: [staging], pins: [b.yaml], promotion: {reviewers: [octo-lead]}}
"""
FREEZE = "{from: 2026-12-20, to: 2027-01-02, timezone: Europe/Berlin, reason: winter}"
SHARED = f"""\
commands: {{override: admin, hold: maintain}}
release-branches: [release/*]
environments:
  "*": {{gate: {{settle: 30s}}}}
  prod:
    soak: 30m
    freeze: [{FREEZE}]
    promotion: {{approvals: 2, labels: [stagegate]}}
locked: [commands, environments.prod.freeze, environments.prod.promotion.approvals]
"""


def both(own: str = OWN, shared: str = SHARED) -> Settings:
    policy = Shared(place="acme/platform//stagegate/policy.yaml", content=shared.encode(), blob="b")
    return settings.extended(own.encode(), "apps/web.yaml", policy)


def refused(own: str = OWN, shared: str = SHARED) -> str:
    with pytest.raises(Stop) as stop:
        both(own, shared)
    assert stop.value.reason == "bad-settings"
    return f"{stop.value.what} {stop.value.why}"


def test_one_freeze_holds_for_every_app_that_extends_the_file() -> None:
    merged = both()
    staging, prod = merged.environments
    assert (prod.soak, [freeze.reason for freeze in prod.freeze]) == ("30m", ["winter"])
    assert (staging.soak, staging.freeze) == ("0s", ())
    assert (merged.commands.hold, merged.release_branches) == ("maintain", ("release/*",))


def test_mappings_merge_at_every_depth_and_lists_replace() -> None:
    merged = both(OWN.replace("chart: none", "chart: none\nrelease-branches: [next]"))
    prod = merged.environment("prod")
    assert (prod.promotion.approvals, prod.promotion.reviewers, prod.promotion.labels) == (
        2,
        ("octo-lead",),
        ("stagegate",),
    )
    assert merged.release_branches == ("next",)
    assert {one.gate.settle for one in merged.environments} == {"30s"}


def test_an_app_of_three_lines_gets_its_environments_with_its_name_in_them() -> None:
    shared = SHARED.replace("soak: 30m", 'soak: 30m\n    pins: ["services/{app}/{version}.yaml"]')
    merged = both("app: web\nextends: x\nimages: [ghcr.io/acme/web]\n", shared)
    assert [(one.name, one.pins) for one in merged.environments] == [
        ("prod", ("services/web/{version}.yaml",))
    ]


def test_the_work_tree_has_the_shared_file_too(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/web.yaml").write_text("app: web\nextends: shared.yaml\n")
    with pytest.raises(Stop) as stop:
        settings.load(tmp_path / "apps/web.yaml", "apps/web.yaml")
    assert stop.value.reason == "missing-file"
    (tmp_path / "shared.yaml").write_text("images: ['ghcr.io/acme/{app}']\n")
    assert settings.load(tmp_path / "apps/web.yaml", "apps/web.yaml").images == ("ghcr.io/acme/web",)


def test_the_apps_own_keys_win_where_nothing_is_locked() -> None:
    merged = both(OWN.replace("pins: [b.yaml]", "pins: [b.yaml], soak: 5m, gate: {settle: 1s}"))
    assert (merged.environment("prod").soak, merged.environment("prod").gate.settle) == ("5m", "1s")


@pytest.mark.parametrize(
    ("own", "key"),
    [
        (OWN + "commands: {override: write}\n", "commands.override"),
        (OWN.replace("pins: [b.yaml]", "pins: [b.yaml], freeze: []"), "environments.prod.freeze"),
        (OWN.replace("{reviewers: [octo-lead]}", "{approvals: 0}"), "environments.prod.promotion.approvals"),
    ],
)
def test_a_locked_key_cannot_be_loosened(own: str, key: str) -> None:
    said = refused(own)
    assert key in said
    assert "acme/platform//stagegate/policy.yaml" in said


def test_a_locked_list_may_grow_and_the_same_value_may_be_repeated() -> None:
    more = FREEZE.replace("winter", "audit")
    grown = OWN.replace("pins: [b.yaml]", f"pins: [b.yaml], freeze: [{FREEZE}, {more}]")
    assert [one.reason for one in both(grown).environment("prod").freeze] == ["winter", "audit"]
    assert both(OWN + "commands: {override: admin}\n").commands.override == "admin"


def test_a_key_that_every_environment_shares_can_be_locked() -> None:
    shared = SHARED.replace("locked: [", 'locked: ["environments.*.gate.settle", ')
    assert "environments.staging.gate.settle" in refused(
        OWN.replace("pins: [a.yaml]", "pins: [a.yaml], gate: {settle: 0s}"), shared
    )


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        ("app: web\n", "app is not allowed in a shared policy, only in the settings of an app"),
        ("comands: {}\n", "did you mean commands"),
        ("environments: {prod: {soke: 1m}}\n", "did you mean soak"),
        ("environments: [{name: prod}]\n", "must be a mapping"),
        ("locked: commands\n", "must be a list"),
        ("locked: [environments.prod]\n", "must contain a key of an environment"),
        ("locked: [comands]\n", "did you mean commands"),
        ("- 1\n", "must be a mapping"),
        ("environments: {prod: {soak: long}}\n", "soak"),
    ],
)
def test_a_mistake_in_the_shared_file_names_it(shared: str, said: str) -> None:
    found = refused(shared=shared)
    assert said in found
    assert "acme/platform//stagegate/policy.yaml" in found


def test_a_contradiction_between_both_files_is_found() -> None:
    assert "needs the key `app`" in refused(OWN, "trust: {level: protected}\n")
    assert both(OWN + "trust: {app: acme-gate}\n", "trust: {level: protected}\n").trust.app == "acme-gate"


def test_the_address_of_a_shared_file_names_a_repository_or_a_path() -> None:
    assert shared_policy.address("acme/platform//a/b.yaml") == ("acme/platform", "a/b.yaml")
    assert shared_policy.address("stagegate/policy.yaml") == ("", "stagegate/policy.yaml")
