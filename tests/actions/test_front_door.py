"""The front door runs any one action by name, takes its inputs as YAML, and passes on its whole result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.programs import outputs
from stagegate.actions import front_door, promote_pr, version_bump
from stagegate.errors import Stop
from stagegate.model import Message, Result
from stagegate.runner import yaml_inputs
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.parent.name for path in ROOT.glob("actions/*/action.yml"))


class Opened:
    """The result of a run of the front door."""

    def __init__(self, root: Path) -> None:
        self.root, self.runs = root, 0

    def __call__(self, command: str, given: str = "", **environ: str) -> tuple[int, dict[str, str]]:
        self.runs += 1
        out = self.root / f"out-{self.runs}"
        variables = {
            "GITHUB_WORKSPACE": str(self.root), "GITHUB_OUTPUT": str(out), "RUNNER_TEMP": str(self.root),
            "SG_COMMAND": command, "SG_WITH": given, **environ,
        }  # fmt: skip
        code = entrypoint("front", front_door.FrontDoor, front_door.main, argv=[], environ=variables)
        return code, outputs(out.read_text())


@pytest.fixture
def door(tmp_path: Path) -> Opened:
    return Opened(tmp_path)


@pytest.fixture
def bump(monkeypatch: pytest.MonkeyPatch) -> list[version_bump.VersionBump]:
    """The inputs of every run of a version-bump that does nothing else."""
    seen: list[version_bump.VersionBump] = []

    def main(inputs: version_bump.VersionBump, _: Context) -> Result:
        seen.append(inputs)
        return Result(
            reason="released",
            message=Message(what="Done."),
            outputs={"version": "1.1.0", "notes": "a\nb"},
            version="1.1.0",
        )

    monkeypatch.setattr(version_bump, "main", main)
    return seen


@pytest.mark.parametrize("command", NAMES)
def test_the_front_door_runs_every_action(command: str) -> None:
    kind, main = front_door.find(command)
    assert issubclass(kind, Inputs)
    assert callable(main)


def test_an_action_runs_as_if_it_were_called_directly(door: Opened, bump: list[Any]) -> None:
    code, out = door(
        "version-bump",
        "bump: minor\nbranch: main\n",
        SG_CONFIG="b.yaml",
        SG_DRY_RUN="true",
        SG_TOKEN="t0ken-one",
    )
    assert (code, out["outcome"], out["reason"]) == (0, "done", "released")
    assert json.loads(out["outputs"]) == {"version": "1.1.0", "notes": "a\nb"}
    (given,) = bump
    assert (given.bump, given.branch) == ("minor", "main")
    assert (given.config, given.dry_run, given.token) == ("b.yaml", True, "t0ken-one")
    report = json.loads(Path(out["report"]).read_text())
    assert (report["reason"], report["version"]) == ("released", "1.1.0")


def test_inputs_in_with_win_over_inputs_of_the_front_door(door: Opened, bump: list[Any]) -> None:
    door("version-bump", "config: own.yaml\ndry-run: true", SG_CONFIG="door.yaml")
    assert (bump[0].config, bump[0].dry_run) == ("own.yaml", True)


@pytest.mark.parametrize(
    "text", ["1.10", "007", "12e34", "1e5", "0x1f", "2026-01-05", "yes", "~x", "1_000", "null"]
)
def test_a_text_that_looks_like_another_type_stays_text(text: str) -> None:
    assert yaml_inputs.fields(f"version: {text}", promote_pr.PromotePr, "promote-pr") == {"version": text}


def test_lines_and_empty_values_are_kept() -> None:
    text = "reason: |\n  two\n  lines\nversion:\nenvironment: ''\n# nothing else\n"
    found = yaml_inputs.fields(text, promote_pr.PromotePr, "promote-pr")
    assert (found["reason"], found["version"], found["environment"]) == ("two\nlines\n", "", "")
    for nothing in ("", " \n", "# only a comment", "---", "{}"):
        assert yaml_inputs.fields(nothing, promote_pr.PromotePr, "promote-pr") == {}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("version-bunp", "version-bump"),
        ("../scripts/docs", "actions are"),
        ("docs", "actions are"),
        ("front_door", "actions are"),
    ],
)
def test_an_unknown_command_is_never_imported(door: Opened, command: str, words: str) -> None:
    code, out = door(command)
    message = json.loads(Path(out["report"]).read_text())["message"]
    assert (code, out["reason"]) == (2, "bad-input")
    assert words in message["why"] + message["next"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("bmp: minor", "no input 'bmp'"),
        ("- bump", "without nested lists or mappings"),
        ("bump: [minor]", "without nested lists or mappings"),
        ("bump: {a: 1}", "without nested lists or mappings"),
        ("minor", "without nested lists or mappings"),
        ("bump: minor\n  token: hush-hush", "Line 2"),
        ("bump: &a *a", "not YAML"),
        ("bump: minor\nbump: major", "not YAML"),
        ("mode: perhaps", "one of"),
        ("token_: x", "no input"),
    ],
)
def test_a_value_that_is_not_a_mapping_of_inputs_is_refused(
    door: Opened, given: str, words: str, bump: list[Any]
) -> None:
    code, out = door("version-bump", given)
    message = json.loads(Path(out["report"]).read_text())["message"]
    assert (code, out["reason"], bump) == (2, "bad-input", [])
    assert words in " ".join(message.values())
    assert "hush" not in json.dumps(message)


def test_a_yaml_tag_creates_no_python_object() -> None:
    text = "version: !!python/object/apply:os.system [exit 1]"
    with pytest.raises(Stop):
        yaml_inputs.fields(text, promote_pr.PromotePr, "promote-pr")


def test_the_front_door_reports_the_refusal_of_its_action(door: Opened) -> None:
    code, out = door("version-bump", "", SG_CONFIG="missing.yaml", SG_TOKEN="t0ken-one")
    assert (code, out["reason"]) == (2, "missing-file")
    assert "outputs" not in out


def test_the_script_of_the_front_door_runs(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "SG_COMMAND": "nothing", "GITHUB_WORKSPACE": str(tmp_path)}
    script = [sys.executable, str(ROOT / "scripts/front_door.py")]
    done = subprocess.run(script, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    assert "::error title=nothing%3A bad-input::There is no action 'nothing'." in done.stdout
