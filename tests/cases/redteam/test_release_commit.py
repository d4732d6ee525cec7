"""A tag on a commit outside the default branch: nobody reviewed its scenarios, chart and images."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.evidence import releases
from stagegate.gate import facts as gate_facts
from tests.actions.test_pin_guard import PROD, guard, propose, status, to
from tests.promotion.shop_world import REPOSITORY, RIGHTS, Shop, shop
from tests.promotion.steps import promote_pr

MORE = "trust: {level: protected, app: gatekeeper}\n"


def run(world: Shop, **inputs: str):
    (world.folder / "stagegate.yaml").write_bytes(world.repo.read("main", "stagegate.yaml"))
    code = promote_pr(world.environ(**inputs))
    return (code, world.outputs())


def sidelined(world: Shop) -> str:
    """A writer's own commit, tag, image and chart; nothing of it on main."""
    person = world.hub(world.forge.token("octo-dev"))
    head = person.head("main")
    person.create_ref("refs/heads/side", head)
    sha = person.create_commit(
        "side",
        head,
        "feat: hollow",
        "",
        {
            "e2e/shop.yaml": b"base-url: https://shop.example\nchecks: [{name: nothing, request: {path: /}, expect: {status: [200, 404, 500]}}]\n"
        },
    )
    person.create_tag("v1.2.0", sha, "v1.2.0") if not person.tag("v1.2.0") else world.repo.store.git(
        "update-ref", "refs/tags/v1.2.0", sha
    )
    world.commits["1.2.0"] = sha
    world.publish("1.2.0")
    return sha


def test_a_release_outside_the_default_branch_enters_no_environment(tmp_path: Path, host: str) -> None:
    with shop(
        tmp_path,
        host,
        changes={
            "pins: [deploy/staging.yaml]": "pins: [deploy/staging.yaml]\n    gate: {scenarios: e2e/shop.yaml}"
        },
        more=MORE,
    ) as world:
        app = world.forge.app("gatekeeper", RIGHTS)
        key = {"app_id": str(app.id), "app_key": app.private_key}
        world.repo.seed(
            {
                "e2e/shop.yaml": "base-url: https://shop.example\nchecks: [{name: version, request: {path: /v}, expect: {json: {version: '{version}'}}}]\n"
            }
        )
        sha = sidelined(world)
        settings = settings_file.parse(world.repo.read("main", "stagegate.yaml"), "stagegate.yaml")
        release = releases.find(settings, "1.2.0", world.hub(), world.store)
        asked = gate_facts.scenarios_of(settings.environments[0], release, world.hub(), "e2e/shop.yaml")
        print("SCENARIOS", asked.checks[0].name, "from", release.commit == sha)
        code, told = run(world, environment="staging", version="1.2.0", **key)
        print("STAGING", code, told["reason"])
        world.passed("1.2.0", token=world.forge.token("gatekeeper", "app", repositories=[REPOSITORY]))
        code, told2 = run(world, environment="prod", version="1.2.0", **key)
        print("PROD", code, told2["reason"])
        pull = propose(world, {PROD: to("1.2.0")})
        guard(world, pull.number, **key)
        found = status(world, pull.head_sha)
        print("GUARD", found)
        assert told["outcome"] == "refused" and found[0] in ("failure", "error")


def test_a_tag_moved_after_the_gate_never_passes(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, versions=("1.0.0", "1.1.0")) as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        world.repo.store.git("update-ref", "refs/tags/v1.1.0", world.commits["1.0.0"])
        pull = propose(world, {PROD: to("1.1.0")})
        guard(world, pull.number)
        assert status(world, pull.head_sha)[0] in ("failure", "error")


def test_an_image_tag_moved_after_the_gate_never_passes(tmp_path: Path, host: str) -> None:
    from stagegate.clients.registry import Manifest

    with shop(tmp_path, host, versions=("1.0.0", "1.1.0")) as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        other = world.store.manifest(f"{world.host}/acme/shop:v1.0.0")
        world.store.push(
            f"{world.host}/acme/shop:v1.1.0",
            Manifest(media_type=other.media_type, raw=other.raw),
            (),
            replace=True,
        )
        pull = propose(world, {PROD: to("1.1.0")})
        guard(world, pull.number)
        assert status(world, pull.head_sha)[0] in ("failure", "error")


def test_a_chart_republished_after_the_gate_never_passes(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, versions=("1.0.0", "1.1.0")) as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        chart = world.folder / "build" / "1.1.0" / "shop" / "values.yaml"
        import stagegate.chart.package as package
        import stagegate.chart.source as source
        from stagegate.clients.registry import Manifest
        from stagegate.evidence.release_record import Record

        chart.write_text(chart.read_text() + "x: 1\n")
        packed = package.pack(
            source.read(chart.parent, "charts/shop"),
            Record(commit=world.commits["1.1.0"], images={f"{host}/acme/shop": world.digests["1.1.0"]}),
        )
        world.store.push(
            f"{host}/acme/charts/shop:1.1.0",
            Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=packed.manifest),
            (packed.config, packed.archive),
            replace=True,
        )
        pull = propose(world, {PROD: to("1.1.0")})
        guard(world, pull.number)
        assert status(world, pull.head_sha)[0] in ("failure", "error")


@pytest.mark.parametrize(
    "changes",
    [{"app": "pay"}, {"environment": "prod"}, {"outcome": "adopted", "kind": "adopt"}, {"kind": "schedule"}],
)
def test_evidence_of_another_app_environment_or_kind_does_not_count(
    tmp_path: Path, host: str, changes
) -> None:
    with shop(tmp_path, host, versions=("1.0.0", "1.1.0")) as world:
        world.seed_pin("staging", "1.1.0")
        try:
            world.passed("1.1.0", **changes)
        except Exception as error:
            print(error)
        pull = propose(world, {PROD: to("1.1.0")})
        guard(world, pull.number)
        assert status(world, pull.head_sha)[0] in ("failure", "error")
