"""Every action keeps the contract: its inputs are the fields of its script, its variables and its README's table."""

from __future__ import annotations

import importlib
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from lab import github_yaml
from stagegate.actions import status_report
from stagegate.comment import result as comment_result
from stagegate.promotion import result as promotion_result
from stagegate.runner.inputs import option, variable

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in ROOT.glob("actions/*/action.yml"))
SHARED = ["config", "token", "dry-run", "report"]
ALL = [*FOLDERS, ROOT]


def definition(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = github_yaml.load((folder / "action.yml").read_bytes())
    return loaded


def script(folder: Path) -> str:
    return "front_door" if folder == ROOT else folder.name.replace("-", "_")


@pytest.fixture(params=ALL, ids=lambda folder: "front door" if folder == ROOT else folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


def test_every_folder_is_complete() -> None:
    for path in (ROOT / "actions").iterdir():
        assert {file.name for file in path.iterdir()} == {"action.yml", "README.md"}, path.name
        assert (ROOT / "scripts" / f"{script(path)}.py").is_file(), path.name


def test_inputs_are_the_fields_of_the_script(folder: Path) -> None:
    action = definition(folder)
    kind = typing.get_type_hints(importlib.import_module("stagegate.actions." + script(folder)).main)[
        "inputs"
    ]
    names = [option(field) for field in kind.__struct_fields__]
    assert list(action["inputs"]) == names
    assert names[:4] == SHARED
    required = {option(f.name) for f in __import__("msgspec").structs.fields(kind) if f.required}
    assert {name for name, field in action["inputs"].items() if field.get("required")} == required
    assert all(isinstance(field.get("default", ""), str) for field in action["inputs"].values())


def test_defaults_of_inputs_are_those_of_the_script(folder: Path) -> None:
    action = definition(folder)
    kind = typing.get_type_hints(importlib.import_module("stagegate.actions." + script(folder)).main)[
        "inputs"
    ]
    for field in __import__("msgspec").structs.fields(kind):
        given = action["inputs"][option(field.name)].get("default", "")
        if field.required or "${{" in given:
            continue
        ours = str(field.default).lower() if isinstance(field.default, bool) else field.default
        assert given == ("" if ours in (None, ()) else str(ours)), field.name


def test_one_step_maps_every_input_and_interpolates_nothing(folder: Path) -> None:
    action = definition(folder)
    (step,) = action["runs"]["steps"]
    kind = typing.get_type_hints(importlib.import_module("stagegate.actions." + script(folder)).main)[
        "inputs"
    ]
    assert step["env"] == {variable(f): f"${{{{ inputs.{option(f)} }}}}" for f in kind.__struct_fields__}
    up = "" if folder == ROOT else "/../.."
    assert step["run"] == f'"$GITHUB_ACTION_PATH{up}/scripts/run" {script(folder)}'
    assert (step["id"], step["shell"]) == ("run", "bash")


def test_outputs_come_from_that_step_and_are_written(folder: Path) -> None:
    outputs = definition(folder)["outputs"]
    assert list(outputs)[:3] == ["outcome", "reason", "report"]
    for name, output in outputs.items():
        assert output["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
    source = (ROOT / "scripts" / f"{script(folder)}.py").read_text()
    package = "".join(path.read_text() for path in (ROOT / "scripts" / "stagegate").rglob("*.py"))
    for name in list(outputs)[3:]:
        assert re.search(rf'"{name}":', source) or re.search(rf'"{name}":', package), name


@pytest.mark.parametrize(
    ("action", "module"),
    [("promote-pr", promotion_result), ("pr-command", comment_result), ("status-report", status_report)],
)
def test_every_output_that_the_code_lists_is_in_action_yml(action: str, module: Any) -> None:
    assert list(definition(ROOT / "actions" / action)["outputs"])[3:] == list(module.OUTPUTS)


def test_an_input_has_the_same_description_in_every_action() -> None:
    texts: dict[str, set[str]] = {}
    for path in FOLDERS:
        for name, field in definition(path)["inputs"].items():
            if name in (*SHARED, "pins-token", "app-id", "app-key", "registry-username", "registry-password"):
                texts.setdefault(name, set()).add(field["description"])
    assert {name: len(found) for name, found in texts.items() if len(found) > 1} == {}
