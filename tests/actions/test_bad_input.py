"""Every action reports bad input with one annotation and the documented exit code, and sends no request."""

from __future__ import annotations

import importlib
import typing
from pathlib import Path

import msgspec
import pytest

from lab.programs import outputs
from stagegate.runner.boundary import entrypoint
from stagegate.runner.inputs import variable

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = sorted(path.parent.name for path in ROOT.glob("actions/*/action.yml"))
# These read the policy from the default branch by API and never look into a checkout.
WITHOUT_CHECKOUT = ("environments", "pin-guard", "pr-command", "status-report")
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens, so a call would end as unreachable, exit 3
REQUIRED = {
    "version": "1.0.0",
    "digests": "{}",
    "environment": "staging",
    "command": "version-bump",
    "commit": "0" * 40,
}


def run(action: str, workspace: Path, **given: str) -> tuple[int, str]:
    """Exit code and reason of an action in a workspace from which no server can be reached."""
    module = importlib.import_module("stagegate.actions." + action.replace("-", "_"))
    kind = typing.get_type_hints(module.main)["inputs"]
    required = [field.name for field in msgspec.structs.fields(kind) if field.required]
    environ = {
        "GITHUB_WORKSPACE": str(workspace), "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF": "refs/heads/main",
        "GITHUB_API_URL": NOBODY, "GITHUB_GRAPHQL_URL": f"{NOBODY}/graphql", "GITHUB_SERVER_URL": NOBODY,
        "GITHUB_OUTPUT": str(workspace / "out"), "SG_TOKEN": "a-token",
        **{variable(name): REQUIRED[name] for name in required},
        **{variable(name): value for name, value in given.items()},
    }  # fmt: skip
    code = entrypoint(action, kind, module.main, argv=(), environ=environ)
    return code, outputs((workspace / "out").read_text())["reason"]


@pytest.fixture(params=ACTIONS)
def action(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[name for name in ACTIONS if name not in WITHOUT_CHECKOUT])
def local_action(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def one_annotation(capsys: pytest.CaptureFixture[str]) -> typing.Iterator[None]:
    yield
    errors = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::error")]
    assert len(errors) == 1


def test_missing_settings_are_reported(local_action: str, tmp_path: Path) -> None:
    assert run(local_action, tmp_path) == (2, "missing-file")


def test_unknown_keys_and_broken_yaml_are_reported(local_action: str, tmp_path: Path) -> None:
    (tmp_path / "stagegate.yaml").write_text("app: shop\nenvironmentz: []\n")
    wanted = (
        "missing-file" if local_action == "doctor" else "bad-settings"
    )  # doctor names all it finds at once
    assert run(local_action, tmp_path) == (2, wanted)


def test_settings_outside_the_workspace_are_refused(local_action: str, tmp_path: Path) -> None:
    assert run(local_action, tmp_path, config="../stagegate.yaml") == (2, "bad-input")


def test_an_input_that_is_not_a_boolean_is_refused(action: str, tmp_path: Path) -> None:
    assert run(action, tmp_path, dry_run="maybe") == (2, "bad-input")
