"""chart-check as a whole: the example passes, and a defect appears in every report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from lab.programs import outputs
from stagegate.actions import chart_check
from stagegate.runner.boundary import entrypoint

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = "charts/shop/templates/deployment.yaml"
CHECKS = "    external: [Secret/shop-login]"


class World:
    """The shop in a work tree, and a way to run the action there."""

    def __init__(self, root: Path) -> None:
        self.root, self.runs, self.summary = root, 0, root / "summary.md"
        self.work = root / "work"
        shutil.copytree(ROOT / "examples/shop", self.work, ignore=shutil.ignore_patterns(".*_cache", "tests"))

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.work / file
        text = path.read_text()
        assert before in text, f"{file} has no {before}"
        path.write_text(text.replace(before, after))

    def check(self, **inputs: str) -> tuple[int, dict[str, str], list[dict[str, Any]]]:
        """Exit code, outputs and findings of one run."""
        self.runs += 1
        out = self.root / f"out-{self.runs}"
        environment = {
            "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_OUTPUT": str(out),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.root),
            **{f"SG_{name.upper()}": value for name, value in inputs.items()},
        }
        code = entrypoint(
            "chart-check", chart_check.ChartCheck, chart_check.main, argv=[], environ=environment
        )
        told = outputs(out.read_text())
        return code, told, json.loads(told.get("findings", "[]"))


def junit(path: Path) -> ET.Element:
    return ET.parse(path).getroot()  # noqa: S314  written a moment ago, by us


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_example_passes_without_a_finding(world: World) -> None:
    code, out, findings = world.check(strict="true")
    assert (code, out["outcome"], out["reason"], findings) == (0, "done", "verified", [])
    assert "staging, prod" in world.summary.read_text()
    assert json.loads(Path(out["report"]).read_text())["findings"] == []


def test_a_defect_is_an_annotation_a_row_a_failure_and_a_result(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.edit(DEPLOYMENT, '{{ include "shop.image" . | quote }}', "ghcr.io/acme/shop:v1.0.0")
    code, out, findings = world.check(junit="out/junit.xml", sarif="out/check.sarif")
    assert (code, out["outcome"], out["reason"]) == (1, "failed", "findings")
    assert [(f["rule"], f["environment"], f["object"], f["file"]) for f in findings] == [
        ("image-follows-tag", "staging, prod", "Deployment/shop", DEPLOYMENT)
    ]
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::error")]
    assert len(said) == 2  # the finding, once for both environments, and the verdict
    assert f"file={DEPLOYMENT}" in said[0]
    assert "(staging, prod)" in said[0]
    assert "#### 1 error" in world.summary.read_text()

    suites = junit(world.work / "out/junit.xml").findall("testsuite")
    assert [(s.get("name"), s.get("failures"), s.get("errors")) for s in suites] == [
        ("staging", "1", "0"),
        ("prod", "1", "0"),
        ("chart", "0", "0"),
    ]
    failed = [case.get("name") for case in suites[0] if case.find("failure") is not None]
    assert failed == ["image-follows-tag"]
    document = json.loads((world.work / "out/check.sarif").read_text())
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert len(run["results"]) == 1
    for one in run["results"]:
        assert one["ruleId"] in known
        assert one["level"] == "error"
        assert one["message"]["text"]
        assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == DEPLOYMENT


def test_a_silenced_finding_shows_its_reason_everywhere(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.edit(
        "stagegate.yaml", CHECKS, "    silence: [{rule: dangling-reference, reason: made by the platform}]"
    )
    code, out, findings = world.check(junit="junit.xml", sarif="check.sarif")
    assert (code, out["reason"]) == (0, "verified")
    assert {f["silenced"] for f in findings} == {"made by the platform"}
    assert "::error" not in capsys.readouterr().out
    assert "Silenced: made by the platform" in world.summary.read_text()
    (run,) = json.loads((world.work / "check.sarif").read_text())["runs"]
    assert run["results"]
    assert all(r["suppressions"][0]["justification"] == "made by the platform" for r in run["results"])
    cases = junit(world.work / "junit.xml").iter("testcase")
    assert [c.get("name") for c in cases if c.find("skipped") is not None] == ["dangling-reference"] * 2


def test_an_environment_that_does_not_render_hides_no_finding_of_the_others(world: World) -> None:
    world.edit(
        DEPLOYMENT,
        "  replicas:",
        '  {{ if gt (int .Values.replicas) 1 }}{{ fail "one" }}{{ end }}\n  replicas:',
    )
    world.edit("stagegate.yaml", CHECKS, "    external: []")
    code, out, findings = world.check(junit="junit.xml")
    assert (code, out["reason"]) == (1, "findings")
    assert {(f["environment"], f["rule"]) for f in findings} == {
        ("staging", "dangling-reference"),
        ("prod", "chart-lint"),
    }
    unknown = junit(world.work / "junit.xml").findall("testsuite[@name='prod']/testcase/error")
    assert len(unknown) > 6  # every rule over rendered objects


def test_without_a_tag_value_our_images_have_the_tag_of_the_version(world: World) -> None:
    world.edit("stagegate.yaml", "  image-tag-value: global.imageTag\n", "")
    assert world.check()[0] == 0
    world.edit(DEPLOYMENT, '{{ include "shop.image" . | quote }}', "ghcr.io/acme/shop:v0.9.0")
    code, _, findings = world.check()
    assert code == 1
    assert {f["rule"] for f in findings} == {"image-follows-tag"}


def test_a_values_file_that_is_missing_is_a_finding(world: World) -> None:
    (world.work / "deploy/values/prod.yaml").unlink()
    code, out, findings = world.check()
    assert (code, out["reason"]) == (1, "findings")
    assert [(f["environment"], f["rule"]) for f in findings] == [("prod", "values-file-packaged")]


def test_annotations_stay_within_the_limit(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    volumes = ", ".join(f"{{name: v{n}, secret: {{secretName: s{n}}}}}" for n in range(30))
    world.edit(DEPLOYMENT, "      containers:", f"      volumes: [{volumes}]\n      containers:")
    _, _, findings = world.check()
    assert len(findings) == 30
    assert capsys.readouterr().out.count("::error") == 10


def test_an_output_stays_within_what_a_job_can_hold(world: World) -> None:
    names = [f"s{n}-{'x' * 200}" for n in range(400)]
    volumes = ", ".join(f"{{name: v{n}, secret: {{secretName: {name}}}}}" for n, name in enumerate(names))
    world.edit(DEPLOYMENT, "      containers:", f"      volumes: [{volumes}]\n      containers:")
    _, out, findings = world.check()
    assert 0 < len(findings) <= 400
    assert len(out["findings"]) <= 400_000
    assert len(json.loads(Path(out["report"]).read_text())["findings"]) == 400


def test_a_dry_run_writes_no_file(world: World) -> None:
    _, out, _ = world.check(dry_run="true", sarif="check.sarif")
    assert not (world.work / "check.sarif").exists()
    report = json.loads(Path(out["report"]).read_text())
    assert [(c["target"], c["done"]) for c in report["changes"]] == [("check.sarif", False)]


def test_without_a_chart_of_ours_the_settings_are_named(world: World) -> None:
    path = world.work / "stagegate.yaml"
    text = path.read_text()
    start, end = text.index("chart:\n"), text.index("environments:")
    path.write_text(
        f"{text[:start]}chart: none\n\n{text[end:]}".replace("{file: charts/shop/Chart.yaml", "{file: x.yaml")
    )
    code, out, _ = world.check()
    assert (code, out["reason"]) == (2, "bad-settings")
    code, out, _ = world.check(sarif="../x")
    assert (code, out["reason"]) == (2, "bad-settings")


def test_a_chart_alone_is_enough(world: World) -> None:
    (world.work / "stagegate.yaml").unlink()
    code, _, findings = world.check(chart="charts/shop", image_tag_value="global.imageTag")
    assert {f["rule"] for f in findings if f["severity"] == "error"} <= {"dangling-reference"}
    code, _, findings = world.check(chart="charts/shop", image_tag_value="global.tag", fail_on="note")
    assert code == 1
    assert any("changes no image" in f["message"] for f in findings)


@pytest.mark.parametrize(
    ("inputs", "reason", "says"),
    [
        ({"kube_version": "newest"}, "bad-input", "kube-version is 'newest'"),
        ({"junit": "charts"}, "bad-input", "It is a folder"),
        ({"sarif": "VERSION/check.sarif"}, "bad-input", "A part of the path is a file"),
        ({"chart": "charts/other"}, "missing-file", "The input `chart` names this folder"),
        ({"chart": "charts/shop", "values": "n" * 300}, "missing-file", "The input `values` names this file"),
        ({"base": "oci://"}, "bad-input", "is not a reference"),
    ],
)
def test_wrong_inputs_are_refused(
    world: World, inputs: dict[str, str], reason: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = world.check(**inputs)
    assert (code, out["reason"]) == (2, reason)
    assert says in capsys.readouterr().out


def test_the_input_explain_describes_a_rule(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = world.check(explain="immutable-job")
    assert (code, out["reason"]) == (0, "reported")
    code, out, _ = world.check(explain="imutable-job")
    assert (code, out["reason"]) == (2, "bad-input")
    assert "Did you mean immutable-job?" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["SG_APP_KEY", "NOT_IN_POLICY"])
def test_a_scenario_that_the_gate_would_refuse_is_refused_here(
    world: World, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = world.work / "e2e/shop.yaml"
    path.write_text(
        path.read_text()
        + f"# see\n  - {{name: leak, request: {{path: '/${{{name}}}'}}, expect: {{status: 200}}}}\n"
    )
    code, out, _ = world.check()
    assert (code, out["reason"]) == (2, "bad-settings")
    assert name in capsys.readouterr().out


def test_a_chart_check_loads_no_library_that_only_other_actions_need() -> None:
    """An HTTP library alone takes as long as a rendering."""
    slow = {"requests", "jmespath", "jinja2", "ruamel.yaml", "inspect", "stagegate.clients.registry"}
    loaded = f"print(sorted({slow} & set(sys.modules)))"
    code = f"import sys; sys.path = {sys.path!r}; import stagegate.actions.chart_check; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
