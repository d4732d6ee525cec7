"""The registry of chart rules is its folder, every rule is complete, and its twins show what it finds."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import msgspec
import pytest

from stagegate import settings as settings_file
from stagegate.chart import rules
from stagegate.chart.check import facts, plan
from stagegate.chart.check.plan import Checked
from stagegate.chart.check.request import CheckRequest
from stagegate.chart.rule import ChartRule, Twin
from stagegate.release import version_files

ROOT = Path(__file__).resolve().parents[2]
RULES = rules.all_rules()
SETTINGS = """\
app: kiosk
version: {{tag-prefix: v, files: [VERSION, {{file: charts/kiosk/Chart.yaml, path: appVersion}}]}}
images: [ghcr.io/acme/kiosk]
chart:
  path: charts/kiosk
  repository: oci://ghcr.io/acme/charts
  image-tag-value: global.imageTag
  checks: {checks}
{environments}
"""
PINNED = "environments: [{name: prod, pins: [pins.yaml]}]"
CHART = {
    "Chart.yaml": 'apiVersion: v2\nname: kiosk\nversion: 1.4.0\nappVersion: "1.4.0"\n',
    "values.yaml": "global: {imageTag: v1.4.0}\nreplicas: 2\nhost: kiosk.example.org\n",
    "templates/workload.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: kiosk}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: kiosk}}
  template:
    metadata: {labels: {app: kiosk}}
    spec:
      containers:
        - name: main
          image: "ghcr.io/acme/kiosk:{{ (.Values.global).imageTag | default "v1.4.0" }}"
          ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Secret
metadata: {name: kiosk-login}
stringData: {password: only-for-tests}
""",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in {**CHART, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def checked(twin: Twin, root: Path) -> Checked:
    """What chart-check finds in the small chart with the changes of a twin."""
    write(root / "charts/kiosk", dict(twin.files))
    (root / "VERSION").write_text("1.4.0\n")
    if twin.base is not None:
        write(root / "base/kiosk", dict(twin.base))
    if twin.pins:
        (root / "pins.yaml").write_text(twin.pins)
    text = SETTINGS.format(checks=twin.checks, environments=PINNED if twin.pins else "")
    settings = settings_file.parse(text.encode(), "stagegate.yaml")
    own = settings.own_chart
    assert own is not None
    places = settings.version.places
    held = version_files.read_all(places, {p.file: (root / p.file).read_bytes() for p in places})
    wishes = CheckRequest(
        base="base/kiosk" if twin.base is not None else "",
        version_files=version_files.disagreements(held, held[0].version),
    )
    return plan.plan(facts.read(settings, own, facts.Checkout(root, "acme/kiosk"), {}, wishes))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_bad_twin_is_found_and_the_good_one_passes(rule: ChartRule, tmp_path: Path) -> None:
    bad = [one for one in checked(rule.bad, tmp_path / "bad").findings if one.rule == rule.id]
    assert rule.severity in {one.severity for one in bad}
    assert all(one.message and one.why and one.fix and one.file for one in bad)
    good = checked(rule.good, tmp_path / "good")
    assert [one for one in good.findings if one.rule == rule.id] == []


def test_every_rule_is_complete() -> None:
    assert len(RULES) == len({rule.id for rule in RULES})
    page = (ROOT / "docs/chart-check.md").read_text()
    for rule in RULES:
        assert rule.check or rule.check_chart
        assert rule.about
        assert rule.why.endswith(".")
        assert rule.fix.endswith(".")
        assert f"### {rule.id}\n" in page


def test_a_module_without_a_rule_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "not_a_rule.py").write_text("RULE = None\n")
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(tmp_path)])
    rules.all_rules.cache_clear()
    with pytest.raises(TypeError, match=r"not_a_rule\.py must define RULE"):
        rules.all_rules()
    other = msgspec.structs.replace(RULES[0], id="other")
    (tmp_path / "not_a_rule.py").unlink()
    (tmp_path / "another_rule.py").write_text("")
    importlib.invalidate_caches()
    module = importlib.import_module("stagegate.chart.rules.another_rule")
    monkeypatch.setattr(module, "RULE", other, raising=False)
    with pytest.raises(TypeError, match="with the id another-rule"):
        rules.all_rules()
    for name in ("not_a_rule", "another_rule"):
        sys.modules.pop(f"stagegate.chart.rules.{name}", None)
    rules.all_rules.cache_clear()
