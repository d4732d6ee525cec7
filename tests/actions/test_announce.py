"""announce starts the workflow of the pins repository with one release, or says what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.forge import Forge
from stagegate.actions import announce
from stagegate.runner.boundary import entrypoint
from tests.runner.reading import outputs

SETTINGS = "app: shop\n{policy}version: {{files: [VERSION]}}\nimages: [ghcr.io/acme/shop]\nchart: none\n"
POLICY = "policy: acme/gitops//apps/shop/stagegate.yaml\n"
WORKFLOW = "on: {workflow_dispatch: {inputs: {release: {}}}}\n"
COMMIT = "a" * 40


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with Forge(tmp_path / "forge") as made:
        made.repository("acme/shop", private=True).seed({"README.md": "shop\n"})
        made.repository("acme/gitops", private=True).seed({".github/workflows/stagegate.yml": WORKFLOW})
        made.collaborator("acme/gitops", "octo-robot", "write")
        yield made


def run(forge: Forge, folder: Path, permissions: dict[str, str], **more: str) -> tuple[int, dict[str, str]]:
    (folder / "stagegate.yaml").write_text(SETTINGS.format(policy=more.pop("policy", POLICY)))
    output = folder / "output"
    output.unlink(missing_ok=True)
    environ = {
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_API_URL": forge.url,
        "GITHUB_GRAPHQL_URL": f"{forge.url}/graphql",
        "GITHUB_SERVER_URL": forge.url,
        "GITHUB_OUTPUT": str(output),
        "STAGEGATE_WRITE_PACE": "0",
        "SG_TOKEN": forge.token("", "actions", repositories=["acme/shop"], permissions={"contents": "read"}),
        "SG_PINS_TOKEN": forge.token("octo-robot", repositories=["acme/gitops"], permissions=permissions),
        "SG_VERSION": "1.1.0",
        "SG_COMMIT": COMMIT,
        **more,
    }
    code = entrypoint("announce", announce.Announce, announce.main, argv=[], environ=environ)
    return code, outputs(output.read_text())


def test_the_workflow_gets_app_version_and_commit(forge: Forge, tmp_path: Path) -> None:
    code, outputs = run(forge, tmp_path, {"metadata": "read", "actions": "write"})
    assert (code, outputs["reason"]) == (0, "reported")
    (sent,) = [event for event in forge.events if event.name == "workflow_dispatch"]
    given = sent.payload["inputs"]
    assert isinstance(given, dict)
    assert list(given) == ["release"]
    assert json.loads(given["release"]) == {"app": "shop", "version": "1.1.0", "commit": COMMIT}
    assert not sent.swallowed


def test_a_dry_run_starts_nothing(forge: Forge, tmp_path: Path) -> None:
    code, outputs = run(forge, tmp_path, {"metadata": "read", "actions": "write"}, SG_DRY_RUN="true")
    assert (code, outputs["reason"]) == (0, "planned")
    assert not [event for event in forge.events if event.name == "workflow_dispatch"]


@pytest.mark.parametrize(
    ("permissions", "more", "reason"),
    [
        ({"metadata": "read"}, {}, "missing-permission"),
        ({"metadata": "read", "actions": "write"}, {"SG_PINS_TOKEN": ""}, "missing-permission"),
        ({"metadata": "read", "actions": "write"}, {"SG_WORKFLOW": "other.yml"}, "missing-file"),
        ({"metadata": "read", "actions": "write"}, {"SG_VERSION": "v1"}, "bad-input"),
        ({"metadata": "read", "actions": "write"}, {"policy": ""}, "bad-settings"),
    ],
)
def test_a_missing_permission_workflow_or_setting_is_reported(
    forge: Forge, tmp_path: Path, permissions: dict[str, str], more: dict[str, str], reason: str
) -> None:
    code, outputs = run(forge, tmp_path, permissions, **more)
    assert (code, outputs["reason"]) == (2, reason)
    assert not [event for event in forge.events if event.name == "workflow_dispatch"]
