"""stagegate.yaml: defaults, and every mistake named at once with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from stagegate import settings
from stagegate.errors import Stop

ROOT = Path(__file__).resolve().parents[2]
BASE = "app: shop\nenvironments:\n  - name: staging\n  - {name: prod, after: [staging]}\n"


def test_the_example_is_valid_by_code_and_by_the_published_schema() -> None:
    loaded = settings.load(ROOT / "examples/shop/stagegate.yaml", "stagegate.yaml")
    assert [environment.name for environment in loaded.last_environments] == ["prod"]
    Draft202012Validator.check_schema(json.loads((ROOT / "stagegate.schema.json").read_text()))


def test_defaults_follow_from_the_order() -> None:
    staging, prod = settings.parse(BASE.encode(), "f").environments
    assert (staging.is_production, staging.admits_prereleases) == (False, True)
    assert (prod.is_production, prod.admits_prereleases) == (True, False)
    assert settings.seconds(prod.gate.timeout) == 1200


def test_every_mistake_is_reported_with_its_line_and_the_nearest_name() -> None:
    text = "app: Shop\nvesion: {}\nenvironments:\n  - name: a\n    soak: 5x\n    promotion: {strategie: direct}\n"
    with pytest.raises(Stop) as stop:
        settings.parse(text.encode(), "f.yaml")
    why = stop.value.why
    assert (stop.value.reason, stop.value.file, stop.value.line) == ("bad-settings", "f.yaml", 1)
    for part in (
        "line 1: app",
        "line 2: unknown key 'vesion', did you mean version",
        "line 5: environments.0.soak",
        "line 6: unknown key 'strategie', did you mean strategy",
    ):
        assert part in why


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (BASE.replace("[staging]", "[stagin]"), "line 4: `after` names 'stagin'"),
        (BASE.replace("prod", "staging"), "declared twice"),
        ("app: a\nenvironments: [{name: x, after: [y]}, {name: y, after: [x]}]\n", "x -> y -> x"),
        (
            BASE.replace("}", ", gate: {command: [pytest], required: [test_login]}}"),
            "line 4: `gate.required` names",
        ),
        (BASE + "trust: {level: protected}\n", "needs the key `app`"),
        (BASE + "image-tag: latest\n", "line 5: image-tag must contain {version} exactly once"),
        (BASE.replace("app: shop", "app: all"), "line 1: `all` means every app"),
        (BASE.replace("prod", "all"), "`all` means every app"),
        (BASE.replace("}", ", promotion: {merge: stagegate, draft: true}}"), "a draft cannot be merged"),
        (
            BASE.replace("}", ", promotion: {merge: merge-queue}}") + "trust: {level: protected, app: x}\n",
            "does not work with `trust: protected`",
        ),
        (BASE + "images: ['ghcr.io/acme/shop:v1']\n", "without tag"),
        (BASE + "chart: {path: charts/shop}\n", "chart.repository"),
        (BASE + "chart: {}\n", "either `path`"),
        ("app: shop\napp: shop\n", "duplicate key"),
        ("- a\n", "one mistake"),
        ("", "one mistake"),
        ("a: [", "f has"),
        ("\xff\xfe", "f has"),
    ],
)
def test_contradictions_are_reported(text: str, part: str) -> None:
    with pytest.raises(Stop) as stop:
        settings.parse(text.encode("latin-1"), "f")
    assert stop.value.reason == "bad-settings"
    assert part in f"{stop.value.what} {stop.value.why}"


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"app: shop\n# f\xfcr alle\n", 2, "UTF-8"),  # as an editor with another encoding saves it
        (b"\xff\xfe\x00 not a text at all", 1, "UTF-8"),
        (b"", 1, "the file is empty"),
        (b"app: shop\n\tx: 1\n", 2, "cannot start any token"),
    ],
)
def test_a_file_that_is_not_yaml_is_reported_as_a_mistake(content: bytes, line: int, words: str) -> None:
    with pytest.raises(Stop, match=words) as stop:
        settings.parse(content, "f.yaml")
    assert (stop.value.reason, stop.value.line) == ("bad-settings", line)


def test_an_unknown_environment_is_reported_with_the_nearest_name() -> None:
    with pytest.raises(Stop, match="Did you mean prod"):
        settings.parse(BASE.encode(), "f").environment("prd")


@pytest.mark.parametrize(("name", "reference"), [("", "chart"), (", name: pay", "pay")])
def test_a_chart_is_published_under_its_own_name(name: str, reference: str) -> None:
    chart = f"chart: {{path: deploy/chart, repository: 'oci://ghcr.io/acme/charts'{name}}}\n"
    assert (
        settings.parse((BASE + chart).encode(), "f").chart_reference
        == f"oci://ghcr.io/acme/charts/{reference}"
    )
