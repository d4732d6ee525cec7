"""Tokens of a GitHub App: made for one repository, with the permissions of the job and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stagegate import settings as settings_file
from stagegate.clients import job_permissions
from stagegate.clients.connections import Connections, open_connections
from stagegate.clients.hub import installation, installation_token
from stagegate.clients.job_permissions import JobPermissions
from stagegate.errors import Stop
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from tests.clients.hub_world import REPOSITORY, RIGHTS, World
from tests.clients.hub_world import world as hub_world

GITOPS = "acme/gitops"
OWN = b"app: shop\nimages: [ghcr.io/acme/shop]\nchart: none\npolicy: acme/gitops//apps/shop/stagegate.yaml\n"
POLICY = b"app: shop\nimages: [ghcr.io/acme/shop]\nchart: none\nsource: acme/shop\nenvironments: [{name: prod, pins: [p.yaml]}]\n"
ONE = b"app: shop\nimages: [ghcr.io/acme/shop]\nchart: none\nenvironments: [{name: prod, pins: [p.yaml]}]\n"
JOBS = {"promote": job_permissions.PROMOTE, "guard": job_permissions.GUARD, "gate": job_permissions.GATE,
        "publish": job_permissions.PUBLISH}  # fmt: skip


class Apps:
    """A forge with an App that may do everything in two repositories, and every token that was requested from it."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        world.forge.repository(GITOPS).seed({"README.md": "pins\n"})
        self.app = world.forge.app(
            "gatekeeper",
            {**RIGHTS, "administration": "write", "packages": "write", "members": "read", "checks": "read"},
        )
        self.bodies: list[Mapping[str, Any]] = []
        from github.Requester import Requester

        original = Requester.requestJsonAndCheck

        def seen(requester: Any, verb: str, url: str, *args: Any, **given: Any) -> Any:
            if url.endswith("/access_tokens"):
                self.bodies.append(given["input"])
            return original(requester, verb, url, *args, **given)

        monkeypatch.setattr(Requester, "requestJsonAndCheck", seen)

    def open(
        self, text: bytes, repository: str, job: JobPermissions, *, as_app: bool, **inputs: str
    ) -> Connections:
        url = self.world.forge.url
        context = Context(
            workspace=Path(), repository=repository, api_url=url, graphql_url=f"{url}/graphql", server_url=url
        )
        settings = settings_file.parse(text, "stagegate.yaml")
        token = inputs.get("token", "")
        given = PinsInputs(app_id=str(self.app.id), app_key=self.app.private_key, token=token)
        return open_connections(settings, context, given, job, as_app=as_app)


@pytest.fixture
def apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apps]:
    with hub_world(tmp_path) as world:
        yield Apps(world, monkeypatch)


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize(("text", "repository"), [(ONE, REPOSITORY), (OWN, REPOSITORY), (POLICY, GITOPS)])
def test_every_token_is_for_one_repository_with_the_permissions_of_the_job(
    apps: Apps, job: str, text: bytes, repository: str
) -> None:
    table = JOBS[job]
    as_app = job not in ("gate",)
    connections = apps.open(text, repository, table, as_app=as_app, token=apps.world.actions(contents="read"))
    wanted = {"shop": table.pins} if text == ONE else {"gitops": table.pins, "shop": table.app}
    if text == ONE and not as_app:
        wanted = {}
    assert {body["repositories"][0]: body["permissions"] for body in apps.bodies} == wanted
    assert all(len(body["repositories"]) == 1 and body["permissions"] for body in apps.bodies)
    if wanted:
        assert connections.pins.viewer().login == "gatekeeper[bot]"
    if text != ONE:
        assert connections.app.viewer().login == "gatekeeper[bot]", "no other secret is needed"


def test_a_token_reaches_no_other_repository_and_writes_nothing_else(apps: Apps) -> None:
    token = installation_token(
        apps.world.forge.url, REPOSITORY, str(apps.app.id), apps.app.private_key, job_permissions.VERDICT
    )
    apps.world.hub(token).statuses(apps.world.sha)
    gitops = apps.world.hub(token, GITOPS).head("main")
    assert gitops is not None, "anybody may read a public repository"
    refusals: tuple[Callable[[], object], ...] = (
        lambda: apps.world.hub(token, GITOPS).set_status(gitops, "x", "success", "x"),
        lambda: apps.world.hub(token).create_ref("refs/heads/mine", apps.world.sha),
    )
    for refused in refusals:
        with pytest.raises(Stop):
            refused()


def test_a_permission_that_the_app_lacks_is_not_requested() -> None:
    granted = {"contents": "read", "statuses": "write", "metadata": "read"}
    wanted = {"contents": "write", "statuses": "write", "actions": "write"}
    assert installation._least(wanted, granted) == {"contents": "read", "statuses": "write"}
    assert installation._least(wanted, {"issues": "write"}) == {"metadata": "read"}, (
        "never all permissions of the App"
    )


def test_the_given_token_is_used_where_the_app_is_not_installed(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stagegate.clients.connections._made", _only_for_gitops)
    own = apps.world.actions(contents="read")
    connections = apps.open(POLICY, GITOPS, job_permissions.PROMOTE, as_app=True, token=own)
    assert connections.app.viewer().login == "github-actions[bot]"
    with pytest.raises(Stop) as stopped:
        apps.open(POLICY, GITOPS, job_permissions.PROMOTE, as_app=True)
    assert stopped.value.reason == "missing-permission"


def _only_for_gitops(
    context: Context, inputs: PinsInputs, repository: str, permissions: Mapping[str, str]
) -> str:
    if repository != GITOPS:
        raise Stop("missing-permission", "The GitHub App is not installed.", "x", "x")
    return installation_token(context.api_url, repository, inputs.app_id, inputs.app_key, permissions)


def test_the_permissions_in_the_code_are_those_of_the_docs() -> None:
    rows = (Path(__file__).parents[2] / "docs/permissions.md").read_text().splitlines()

    def row(start: str) -> dict[str, str]:
        line = next(line for line in rows if line.startswith(start))
        cells = [cell.strip(" `").split(": ") for cell in line.split(" | ")[-1].strip("| ").split(", ")]
        found = {name.replace("-", "_"): level for name, level in cells}
        return {name: level for name, level in found.items() if name != "packages"}  # an App cannot use GHCR

    assert row("| promote-pr | any mode") == _of_a_job(job_permissions.PROMOTE.pins)
    assert row("| pin-guard | any") == _of_a_job(job_permissions.GUARD.pins)
    verdict = row("| staging-gate | gate without rollback")
    assert {name: verdict[name] for name in job_permissions.VERDICT} == job_permissions.VERDICT
    assert row("| publish-release | any") == job_permissions.PUBLISH.app


def _of_a_job(permissions: Mapping[str, str]) -> dict[str, str]:
    """Without what GITHUB_TOKEN cannot have."""
    return {name: level for name, level in permissions.items() if name not in ("members", "checks")}
