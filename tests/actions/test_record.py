"""record: a version that others tagged, built and published becomes a release, once and by exact digests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.forge.values import App
from stagegate.actions import record
from stagegate.clients.registry import Manifest
from stagegate.model import digest_of, to_json
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import RIGHTS, Shop, shop
from tests.promotion.steps import promote_pr

BESIDE = Path(__file__).parents[2] / "examples/beside"
VERSION = "1.1.0"


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """1.1.0 has a lightweight tag, an image and a chart that nobody wrote a record into."""
    with shop(tmp_path, host) as made:
        by_helm(made, VERSION)
        made.seed_pin("staging", "1.0.0")
        yield made


def by_helm(world: Shop, version: str, note: str = "") -> str:
    """Pack and publish a chart as helm does, without a record; its digest."""
    chart = world.folder / "build" / version / "shop"
    (chart / "templates" / "note.yaml").write_text(f"# {note}\n")
    words = ["helm", "package", str(chart), "--destination", str(world.folder / "build")]
    subprocess.run(words, check=True, capture_output=True)
    archive = (world.folder / "build" / f"shop-{version}.tgz").read_bytes()
    config = to_json({"apiVersion": "v2", "name": "shop", "version": version, "appVersion": version})
    document = {
        "schemaVersion": 2,
        "config": described("application/vnd.cncf.helm.config.v1+json", config),
        "layers": [described("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)],
    }
    pushed = Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=to_json(document))
    world.store.push(f"{world.host}/acme/charts/shop:{version}", pushed, (config, archive), replace=True)
    world.digests[f"chart {version}"] = pushed.digest
    return str(pushed.digest)


def described(kind: str, content: bytes) -> dict[str, str | int]:
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


def step(world: Shop, ref: str = "", **inputs: str) -> tuple[int, dict[str, str]]:
    """One step of record; its exit code and outputs."""
    environ = world.environ(**inputs) | {"GITHUB_REF": ref}
    code = entrypoint("record", record.RecordInputs, record.main, argv=[], environ=environ)
    return code, world.outputs()


def promoted(world: Shop) -> tuple[int, str]:
    """promote-pr for staging."""
    return promote_pr(world.environ(environment="staging", version=VERSION)), world.outputs()["reason"]


def image(world: Shop) -> dict[str, str]:
    return {f"{world.host}/acme/shop": world.digests[VERSION]}


def given(world: Shop) -> str:
    (name, digest), *_ = image(world).items()
    return f'{{"{name}": "{digest}"}}'


def test_a_release_of_another_tool_is_promoted_after_one_step(world: Shop) -> None:
    assert promoted(world) == (1, "image-untested")
    code, outputs = step(world, version=f"v{VERSION}", digests=given(world))
    assert (code, outputs["reason"], outputs["version"], outputs["digests"]) == (
        0,
        "published",
        VERSION,
        given(world).replace(" ", ""),
    )
    assert "given to this step" in world.report()["message"]["why"]
    assert promoted(world) == (0, "committed")


def test_missing_digests_are_looked_up_once_and_reported(world: Shop) -> None:
    code, outputs = step(world, ref=f"refs/tags/v{VERSION}")
    assert (code, outputs["reason"]) == (0, "published")
    assert "looked up by tag" in world.report()["message"]["why"]
    world.seed_pin("staging", VERSION)
    world.passed(VERSION)
    promote_pr(world.environ(environment="prod"))
    assert world.outputs()["reason"] == "proposed"
    assert "looked up by tag when the release was recorded" in world.hub().pulls()[0].body


def test_a_record_is_written_once_and_completed_after_a_crash(world: Shop) -> None:
    world.forge.fail("POST", "/deployments/[0-9]+/statuses", None, 500)
    assert step(world, version=VERSION)[0] == 3
    world.forge.heal()
    assert step(world, version=VERSION)[1]["reason"] == "published"
    writes = len([call for call in world.forge.calls if call.write])
    assert step(world, version=VERSION)[1]["reason"] == "already-published"
    assert len([call for call in world.forge.calls if call.write]) == writes
    assert len(world.hub().deployments("stagegate:shop:release", environment="release")) == 1


def test_every_action_refuses_other_content_under_the_same_version(world: Shop) -> None:
    step(world, version=VERSION)
    before = world.digests[f"chart {VERSION}"]
    after = by_helm(world, VERSION, note="published again")
    code, outputs = step(world, version=VERSION)
    assert (code, outputs["reason"]) == (4, "version-taken")
    assert before in world.report()["message"]["why"]
    assert after in world.report()["message"]["why"]
    assert promoted(world)[1] == "content-differs"


@pytest.mark.parametrize("words", [["update-ref"], ["tag", "--force", "--annotate", "--message", "again"]])
def test_a_moved_tag_gets_no_second_record(world: Shop, words: list[str]) -> None:
    """The images and the chart are the same, but the tests and the settings of a release come from its commit."""
    assert step(world, version=VERSION)[0] == 0
    recorded, moved = world.commits[VERSION], world.commits["1.2.0"]
    name = f"refs/tags/v{VERSION}" if words == ["update-ref"] else f"v{VERSION}"
    who = ("-c", "user.name=octo", "-c", "user.email=octo@example.com")
    world.repo.store.git(*who, *words, name, moved)
    code, outputs = step(world, version=VERSION)
    assert (code, outputs["reason"]) == (4, "version-taken")
    assert (
        f"the record contains commit {recorded}, but the tag is commit {moved}"
        in world.report()["message"]["why"]
    )
    assert promoted(world)[0] == 1
    assert len(world.hub().deployments("stagegate:shop:release", environment="release")) == 1


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"version": "9.9.9"}, "bad-input"),
        ({"version": ""}, "bad-input"),
        ({"version": "1.2.0"}, "missing-file"),
        ({"version": VERSION, "digests": "{}"}, "bad-input"),
    ],
)
def test_an_unpublished_artifact_is_not_recorded(world: Shop, inputs: dict[str, str], reason: str) -> None:
    assert step(world, **inputs)[1]["reason"] == reason
    assert world.hub().deployments("stagegate:shop:release", environment="release") == []


def test_an_image_that_was_never_pushed_is_not_recorded(world: Shop) -> None:
    absent = f'{{"{world.host}/acme/shop": "sha256:{"0" * 64}"}}'
    assert step(world, version=VERSION, digests=absent)[1]["reason"] == "bad-input"


def test_an_unreviewed_commit_is_no_release(world: Shop) -> None:
    person = world.hub(world.forge.token("octo-dev"))
    head = person.head("main") or ""
    person.create_ref("refs/heads/mine", head)
    sha = person.create_commit("mine", head, "feat: mine", "", {"x": b"x"})
    world.repo.store.git("update-ref", f"refs/tags/v{VERSION}", sha)
    assert step(world, version=VERSION)[1]["reason"] == "not-authorised"


def test_a_chart_with_a_record_inside_needs_no_other(world: Shop) -> None:
    code, outputs = step(world, version="1.0.0")
    assert (code, outputs["reason"]) == (0, "already-published")
    assert "by its chart" in world.report()["message"]["what"]


def test_the_app_writes_the_record_where_one_is_given(world: Shop) -> None:
    app: App = world.forge.app("stagegate", {**RIGHTS, "metadata": "read"})
    assert step(world, version=VERSION, app_id=str(app.id), app_key=app.private_key)[0] == 0
    (found,) = world.hub().deployments("stagegate:shop:release", environment="release")
    assert found.creator is not None
    assert found.creator.login == "stagegate[bot]"


@pytest.mark.parametrize("name", ["release-please", "semantic-release", "plain-tag"])
def test_the_examples_use_inputs_that_exist(name: str) -> None:
    text = (BESIDE / f"{name}.md").read_text()
    job = YAML(typ="safe", pure=True).load(text.partition("```yaml\n")[2].partition("```")[0])["promote"]
    for used in job["steps"][1:]:
        folder = used["uses"].partition("/actions/")[2].partition("@")[0]
        action = YAML(typ="safe", pure=True).load(BESIDE.parents[1] / "actions" / folder / "action.yml")
        assert used["with"].keys() <= action["inputs"].keys()
    assert job["permissions"]["deployments"] == "write"
