"""publish-release as a step: against the forge and a real registry, cut off anywhere and run again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagegate.actions import publish_release
from stagegate.clients import hub
from stagegate.release.publication import checksums
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import REPOSITORY, RIGHTS, Shop, shop

CONTEXT = "stagegate/shop/prod"


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    with shop(tmp_path, host, versions=("1.1.0", "1.2.0", "1.3.0-rc.1")) as made:
        yield made


def run(world: Shop, **inputs: str) -> int:
    """One step; its exit code."""
    environ = world.environ(**inputs)
    return entrypoint(
        "publish-release", publish_release.PublishRelease, publish_release.main, argv=[], environ=environ
    )


def good(world: Shop, version: str) -> None:
    """Record a pass of both gates, as staging-gate does."""
    world.passed(version, "staging")
    world.passed(version, "prod")
    world.hub().set_status(world.commits[version], CONTEXT, "success", "passed")


def release(world: Shop, version: str) -> hub.ReleaseInfo:
    found = world.hub().release(f"v{version}")
    assert found is not None
    return found


def test_the_tested_chart_and_the_evidence_are_published_once(world: Shop) -> None:
    good(world, "1.1.0")
    assert run(world, version="1.1.0") == 0
    outputs = world.outputs()
    found = release(world, "1.1.0")
    assert (outputs["reason"], outputs["release-url"], outputs["tag"]) == ("published", found.url, "v1.1.0")
    assert not found.draft and not found.prerelease
    names = ["shop-1.1.0.tgz", "evidence-prod.json", "evidence-staging.json"]
    assert [a.name for a in found.assets] == [*names, "SHA256SUMS"]
    sums = checksums.read(world.hub().download_asset(found.assets[3].id))
    assert sums == {a.name: a.digest for a in found.assets[:3]}
    manifest = world.store.manifest(f"{world.host}/acme/charts/shop:1.1.0")
    assert manifest is not None
    assert found.assets[0].digest == manifest.document["layers"][0]["digest"]
    evidence = json.loads(world.hub().download_asset(found.assets[1].id))
    assert (evidence["outcome"], evidence["environment"]) == ("passed", "prod")
    assert world.digests["1.1.0"] in found.body
    assert [(c["kind"], c["done"]) for c in world.report()["changes"]] == [
        ("draft", True),
        *[("asset", True)] * 4,
        ("release", True),
    ]

    writes = len([c for c in world.forge.calls if c.write])
    assert run(world, version="1.1.0") == 0
    assert world.outputs()["reason"] == "already-published"
    assert len([c for c in world.forge.calls if c.write]) == writes
    assert [r.tag for r in world.hub().releases()] == ["v1.1.0"]


STEPS: dict[str, tuple[str, str, int, int | str]] = {
    "before the draft": ("POST", "/releases$", 1, "reset"),
    "after the draft": ("POST", "/releases$", 1, "after"),
    "in the first file": ("POST", "/assets", 1, 503),
    "after the second file": ("POST", "/assets", 2, "after"),
    "in the third file": ("POST", "/assets", 3, "reset"),
    "before publishing": ("PATCH", "/releases/", 1, 502),
    "after publishing": ("PATCH", "/releases/", 1, "after"),
}


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_cut_off_anywhere_is_completed_to_one_release(
    world: Shop, step: str, lasting: bool
) -> None:
    good(world, "1.1.0")
    method, path, nth, how = STEPS[step]
    if lasting:  # from here on every request fails
        for later in range(nth, nth + 12):
            world.forge.fail(method, path, later, how)
    else:
        world.forge.fail(method, path, nth, how)
    first = run(world, version="1.1.0")
    assert first in ((0, 3) if lasting else (0,))  # a write whose response was lost is found
    world.outputs()
    world.forge.heal()
    assert run(world, version="1.1.0") == 0
    assert len(world.hub().releases()) == 1
    found = release(world, "1.1.0")
    assert not found.draft
    assert len(found.assets) == 4


@pytest.mark.parametrize("other_files", [False, True])
def test_two_gates_that_end_at_once_leave_one_release(
    world: Shop, monkeypatch: pytest.MonkeyPatch, other_files: bool
) -> None:
    """The second run publishes between the draft of the first and its publication."""
    good(world, "1.1.0")
    publish, began = hub.Hub.publish_release, list[str]()

    def second_run_first(github: hub.Hub, draft: hub.ReleaseInfo, **options: bool) -> hub.ReleaseInfo:
        if not began:
            began.append(draft.tag)
            other = world.hub().create_release(draft.tag, "shop 1.1.0", "", draft=True)
            for asset in draft.assets if other_files else github.assets(draft.id):
                world.hub().upload_asset(other, asset.name, github.download_asset(asset.id), "text/plain")
            publish(world.hub(), other, make_latest=True)
        return publish(github, draft, **options)

    monkeypatch.setattr(hub.Hub, "publish_release", second_run_first)
    assert run(world, version="1.1.0") == (4 if other_files else 0)
    assert world.outputs()["reason"] == ("version-taken" if other_files else "published")
    assert [(r.tag, r.draft) for r in world.hub().releases()] == [("v1.1.0", False)]
    assert began == ["v1.1.0"]


@pytest.mark.parametrize("same", [True, False])
def test_two_gates_that_upload_at_once_share_the_files(
    world: Shop, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    """The other run uploads each file of the shared draft between the look of this one and its upload."""
    good(world, "1.1.0")
    upload = hub.Hub.upload_asset

    def second(github: hub.Hub, release: hub.ReleaseInfo, name: str, data: bytes, kind: str) -> object:
        upload(world.hub(), release, name, data if same else data[::-1], kind)
        return upload(github, release, name, data, kind)

    monkeypatch.setattr(hub.Hub, "upload_asset", second)
    assert run(world, version="1.1.0") == (0 if same else 4)
    assert world.outputs()["reason"] == ("published" if same else "version-taken")


def refused(world: Shop, version: str, reason: str, code: int, words: str) -> None:
    assert run(world, version=version) == code
    assert world.outputs()["reason"] == reason
    message = world.report()["message"]
    assert words in f"{message['what']} {message['why']}"
    assert [c for c in world.forge.calls if c.path.endswith("/releases") and c.method == "POST"] == []


def test_the_gate_that_passes_first_leaves_the_release_to_the_last_one(world: Shop) -> None:
    """Two last environments, of which the one that the settings name second passes first."""
    settings = world.repo.read("main", "stagegate.yaml").decode()
    second = "  - name: prod-us\n    after: [staging]\n    argocd: none\n    pins: [deploy/argocd/us.yaml]\n"
    world.repo.seed({"stagegate.yaml": f"{settings}{second}", "deploy/argocd/us.yaml": "a: 1\n"})
    world.passed("1.1.0", "prod-us")
    world.hub().set_status(world.commits["1.1.0"], "stagegate/shop/prod-us", "success", "passed")
    assert run(world, version="1.1.0", wait_for_others="true") == 0
    assert world.outputs()["reason"] == "queued"
    assert world.hub().releases() == []


def test_without_evidence_nothing_is_written(world: Shop) -> None:
    refused(world, "1.1.0", "no-evidence", 1, "No gate has written a status")
    world.passed("1.1.0", "staging")
    world.hub().set_status(world.commits["1.1.0"], "stagegate/shop/staging", "success", "passed")
    refused(world, "1.1.0", "no-evidence", 1, "1.1.0 in prod")
    world.hub().set_status(world.commits["1.1.0"], CONTEXT, "success", "passed")
    refused(world, "1.1.0", "no-evidence", 1, "no record")
    world.passed("1.1.0", "prod", outcome="failed", reason="checks-failed")
    world.hub().set_status(world.commits["1.1.0"], CONTEXT, "success", "passed")
    refused(world, "1.1.0", "no-evidence", 1, "checks-failed")
    world.hub().set_status(world.commits["1.1.0"], CONTEXT, "failure", "checks-failed")
    refused(world, "1.1.0", "no-evidence", 1, "failure")
    refused(world, "7.7.7", "missing-file", 2, "v7.7.7")
    refused(world, "v1.1.0", "bad-input", 2, "SemVer")


def test_a_forged_status_or_record_does_not_count(world: Shop) -> None:
    forger = world.forge.token("octo-dev")
    world.passed("1.1.0", "prod", token=forger)
    world.hub(forger).set_status(world.commits["1.1.0"], CONTEXT, "success", "passed")
    refused(world, "1.1.0", "no-evidence", 1, "octo-dev")
    world.hub().set_status(world.commits["1.1.0"], CONTEXT, "success", "passed")
    refused(world, "1.1.0", "no-evidence", 1, "no record")


def test_the_default_branch_names_the_gates_that_must_have_passed(world: Shop) -> None:
    world.passed("1.1.0")
    world.hub().set_status(world.commits["1.1.0"], CONTEXT.replace("prod", "staging"), "success", "passed")
    own = world.folder / "stagegate.yaml"
    text = own.read_text()
    own.write_text(text[: text.index("  - name: prod")])  # a branch for which staging is the last
    refused(world, "1.1.0", "no-evidence", 1, "prod")


def test_only_the_app_counts_where_trust_is_protected(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    with shop(
        tmp_path, host, versions=("1.1.0",), more="trust: {level: protected, app: gatekeeper}\n"
    ) as world:
        refused(world, "1.1.0", "bad-settings", 2, "gatekeeper")
        world.forge.app("gatekeeper", RIGHTS)
        app = world.forge.token("gatekeeper", "app", repositories=[REPOSITORY])
        good(world, "1.1.0")
        refused(world, "1.1.0", "no-evidence", 1, "github-actions[bot]")
        world.passed("1.1.0", "prod", token=app)
        world.hub(app).set_status(world.commits["1.1.0"], CONTEXT, "success", "passed")
        assert run(world, version="1.1.0") == 0


def test_other_content_is_never_published_over_a_file(world: Shop) -> None:
    good(world, "1.1.0")
    github = world.hub()
    draft = github.create_release("v1.1.0", "shop 1.1.0", "by hand")
    github.upload_asset(draft, "shop-1.1.0.tgz", b"something else", "application/gzip")
    assert run(world, version="1.1.0") == 4
    assert world.outputs()["reason"] == "version-taken"
    assert release(world, "1.1.0").draft


def test_newer_evidence_for_the_same_software_changes_nothing(world: Shop) -> None:
    good(world, "1.1.0")
    assert run(world, version="1.1.0") == 0
    world.passed("1.1.0", "prod", finished="2026-02-02T00:00:00Z")
    assert run(world, version="1.1.0") == 0
    world.outputs()
    assert len(release(world, "1.1.0").assets) == 4


def test_the_given_package_must_be_the_tested_one(world: Shop) -> None:
    good(world, "1.1.0")
    (world.folder / "other.tgz").write_bytes(b"not it")
    assert run(world, version="1.1.0", chart="other.tgz") == 1
    assert world.outputs()["reason"] == "evidence-mismatch"
    assert run(world, version="1.1.0", chart="absent.tgz") == 2
    assert run(world, version="1.1.0", chart="../outside.tgz") == 2


def test_latest_is_the_highest_stable_and_prereleases_are_marked(world: Shop) -> None:
    for version in ("1.2.0", "1.1.0", "1.3.0-rc.1"):
        good(world, version)
        assert run(world, version=version) == 0
    github = world.hub()
    path = github._c.path("releases/latest")
    assert github._c.get(path, dict, "read the latest release")["tag_name"] == "v1.2.0"
    assert release(world, "1.3.0-rc.1").prerelease


def test_without_a_version_the_newest_that_passed_is_taken(world: Shop) -> None:
    assert run(world) == 1
    assert world.outputs()["reason"] == "no-evidence"
    good(world, "1.1.0")
    assert run(world, dry_run="true") == 0
    outputs = world.outputs()
    assert (outputs["reason"], outputs["version"]) == ("planned", "1.1.0")
    assert world.hub().releases() == []
    assert all(not change["done"] for change in world.report()["changes"])


def test_publish_release_never_creates_a_tag(world: Shop) -> None:
    good(world, "1.1.0")
    world.hub().update_refs(
        [
            hub.RefUpdate(
                name="refs/tags/v1.1.0", before=world.repo.store.ref("refs/tags/v1.1.0") or "", after=hub.ZERO
            )
        ]
    )
    assert run(world, version="1.1.0") == 2
    assert world.outputs()["reason"] == "missing-file"
    assert world.hub().tag("v1.1.0") is None


def test_a_tag_of_a_deleted_immutable_release_is_reported_as_used(world: Shop) -> None:
    good(world, "1.1.0")
    world.repo.burned_tags.add("v1.1.0")
    assert run(world, version="1.1.0") == 4
    assert world.outputs()["reason"] == "version-taken"


def test_an_unreadable_newest_record_is_not_skipped(world: Shop) -> None:
    good(world, "1.1.0")
    github = world.hub()
    task, sha = "stagegate:shop", world.commits["1.1.0"]
    number = github.create_deployment(sha, task, "prod", {"schema": "stagegate/evidence/9"}, "later", True)
    github.create_deployment_status(number, "failure", "failed", "")
    refused(world, "1.1.0", "unknown-state", 3, "cannot be read")


def test_the_record_of_another_environment_is_no_evidence(world: Shop) -> None:
    world.passed("1.1.0", "staging")
    github = world.hub()
    (record,) = github.deployments("stagegate:shop", "staging")
    number = github.create_deployment(record.sha, record.task, "prod", dict(record.payload), "copied", True)
    github.create_deployment_status(number, "success", "passed", "")
    github.set_status(world.commits["1.1.0"], CONTEXT, "success", "passed")
    refused(world, "1.1.0", "no-evidence", 1, "no record")


def sbom(world: Shop, text: str) -> None:
    place = Path(world.environ()["GITHUB_WORKSPACE"]) / "out"
    place.mkdir(exist_ok=True)
    (place / "shop.spdx.json").write_text(text)


def test_an_sbom_is_published_with_its_checksum_and_never_changes(world: Shop) -> None:
    good(world, "1.1.0")
    sbom(world, "{}")
    assert run(world, version="1.1.0", sbom="out/*.spdx.json") == 0
    found = release(world, "1.1.0")
    by_name = {a.name: a for a in found.assets}
    sums = checksums.read(world.hub().download_asset(by_name["SHA256SUMS"].id))
    assert sums["shop.spdx.json"] == by_name["shop.spdx.json"].digest
    assert run(world, version="1.1.0") == 0, "a run without the file changes nothing"
    assert world.outputs()["reason"] == "already-published"
    sbom(world, '{"other": 1}')
    assert run(world, version="1.1.0", sbom="out/*.spdx.json") == 4
    assert run(world, version="1.1.0", sbom="out/missing.json") == 2


def test_a_file_added_after_publishing_is_refused_with_the_reason(world: Shop) -> None:
    good(world, "1.1.0")
    world.forge.settings(REPOSITORY, immutable_releases=True)
    assert run(world, version="1.1.0") == 0
    world.outputs()
    sbom(world, "{}")
    assert run(world, version="1.1.0", sbom="out/shop.spdx.json") == 4
    assert world.outputs()["reason"] == "version-taken"
    assert "shop.spdx.json" in world.report()["message"]["what"]


def test_checksums_of_a_draft_follow_its_files(world: Shop) -> None:
    good(world, "1.1.0")
    world.forge.fail("PATCH", "/releases/", None, 502)
    assert run(world, version="1.1.0") == 3
    world.forge.heal()
    sbom(world, "{}")
    assert run(world, version="1.1.0", sbom="out/shop.spdx.json") == 0
    found = release(world, "1.1.0")
    sums = next(a for a in found.assets if a.name == "SHA256SUMS")
    assert len(found.assets) == 5
    assert set(checksums.read(world.hub().download_asset(sums.id))) == {a.name for a in found.assets} - {
        sums.name
    }


def test_floating_tags_move_after_the_gates_and_a_moved_tag_stops(world: Shop) -> None:
    image = f"{world.host}/acme/shop"
    good(world, "1.2.0")
    assert run(world, version="1.2.0", floating="latest") == 0
    assert world.store.digest(f"{image}:latest") == world.digests["1.2.0"]
    world.outputs()
    good(world, "1.1.0")
    assert run(world, version="1.1.0", floating="latest, X.Y") == 0
    assert world.store.digest(f"{image}:latest") == world.digests["1.2.0"]
    assert world.store.digest(f"{image}:1.1") == world.digests["1.1.0"]
    world.outputs()
    good(world, "1.3.0-rc.1")
    other = world.store.manifest(f"{image}@{world.digests['1.2.0']}")
    assert other is not None
    world.store.push_manifest(f"{image}:v1.3.0-rc.1", other)
    assert run(world, version="1.3.0-rc.1") == 1
    assert world.outputs()["reason"] == "image-moved"
