"""image-tags as a whole, against the real docker-registry: by manifest, never over another's content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.forge import Forge
from lab.programs import outputs
from lab.registry import PASSWORD
from lab.registry import Registry as LabRegistry
from stagegate.actions import image_tags
from stagegate.clients import registry
from stagegate.clients.process import run
from stagegate.clients.registry import Manifest, Registry
from stagegate.model import digest_of
from stagegate.runner.boundary import entrypoint
from tests.clients.answering import Answer, answering

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
COMMIT = "c" * 40


def image(layer: str) -> tuple[Manifest, tuple[bytes, ...]]:
    """A small image: manifest and its blobs."""
    blobs = (b"{}", layer.encode())
    parts = [{"mediaType": "x/y", "digest": digest_of(blob), "size": len(blob)} for blob in blobs]
    document = {"schemaVersion": 2, "mediaType": IMAGE, "config": parts[0], "layers": parts[1:]}
    return Manifest(media_type=IMAGE, raw=json.dumps(document).encode()), blobs


class World:
    """A work tree with settings for two images, and a registry they were pushed to."""

    def __init__(self, root: Path, lab: LabRegistry, name: str, *, password: str = "") -> None:
        self.root, self.lab, self.runs = root, lab, 0
        self.shop, self.worker = f"{lab.host}/{name}/shop", f"{lab.host}/{name}/worker"
        self.work = root / "work"
        self.work.mkdir()
        self.settings(f"images: [{self.shop}, {self.worker}]")
        self.client = Registry(frozenset({lab.host}), username="octo" if password else "", password=password)
        self.digests = {self.shop: self.push_index(self.shop), self.worker: self.push(self.worker, "worker")}

    def settings(self, images: str) -> None:
        environments = "environments: [{name: prod, pins: [{file: a.yaml, path: a, value: '{version}'}]}]"
        (self.work / "stagegate.yaml").write_text(f"app: shop\n{images}\nchart: none\n{environments}\n")

    def push(self, repository: str, layer: str, tag: str = "built") -> str:
        manifest, blobs = image(layer)
        self.client.push(f"{repository}:{tag}", manifest, blobs, replace=True)
        return manifest.digest

    def push_index(self, repository: str) -> str:
        """An index of two platforms, spaced as no JSON library of ours would write it."""
        entries = []
        for platform in ("amd64", "arm64"):
            manifest, blobs = image(platform)
            self.client.push(f"{repository}:{platform}", manifest, blobs)
            entries.append(
                {"mediaType": IMAGE, "digest": manifest.digest, "size": len(manifest.raw),
                 "platform": {"os": "linux", "architecture": platform}}
            )  # fmt: skip
        document = {"manifests": entries, "schemaVersion": 2, "mediaType": INDEX}
        index = Manifest(media_type=INDEX, raw=json.dumps(document, indent=3).encode() + b"\n")
        self.client.push(f"{repository}:built", index, ())
        return index.digest

    def run(self, **inputs: Any) -> tuple[int, dict[str, str]]:
        """Exit code and outputs of one run."""
        self.runs += 1
        out = self.root / f"out-{self.runs}"
        github = inputs.pop("github", {})
        given = {"version": "1.1.0", "commit": COMMIT, "digests": json.dumps(self.digests), **inputs}
        environ = {
            "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_OUTPUT": str(out),
            "GITHUB_STEP_SUMMARY": str(self.root / "summary.md"),
            "RUNNER_TEMP": str(self.root),
            **github,
            **{f"SG_{name.upper()}": str(value) for name, value in given.items()},
        }
        code = entrypoint("image-tags", image_tags.ImageTags, image_tags.main, argv=[], environ=environ)
        return code, outputs(out.read_text())

    def tags(self, repository: str) -> set[str]:
        """Tags that this action put."""
        return set(self.lab.tags(repository.partition("/")[2])) - {"built", "amd64", "arm64"}

    def report(self, out: dict[str, str]) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(Path(out["report"]).read_text())
        return loaded


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with LabRegistry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, lab: LabRegistry, request: pytest.FixtureRequest) -> World:
    return World(tmp_path, lab, request.node.name.replace("_", "-").split("[")[0].lower())


def test_every_image_gets_its_tags_and_keeps_its_digest(world: World) -> None:
    code, out = world.run()
    assert (code, out["outcome"], out["reason"]) == (0, "done", "tagged")
    for repository, digest in world.digests.items():
        names = {"v1.1.0", f"sha-{COMMIT}", f"sha-{digest[7:19]}"}
        assert world.tags(repository) == names
        assert {world.lab.digest(repository.partition("/")[2], name) for name in names} == {digest}
    index = world.client.manifest(f"{world.shop}:v1.1.0")
    assert index is not None
    assert index.is_index
    assert set(json.loads(out["tags"])) == {
        f"{repository}:{tag}" for repository in world.digests for tag in world.tags(repository)
    }
    assert json.loads(out["digests"]) == world.digests
    assert "v1.1.0" in (world.root / "summary.md").read_text()

    code, again = world.run()
    assert (code, again["outcome"], again["reason"]) == (0, "nothing-to-do", "no-difference")
    assert world.report(again)["changes"] == []
    assert again["tags"] == out["tags"]


def test_verify_requires_the_digests_of_the_build_where_they_are_given(world: World) -> None:
    """Tags that agree with each other may all be on the image of another build."""
    assert world.run()[0] == 0
    assert world.run(mode="verify", digests="")[0] == 0
    assert world.run(mode="verify")[0] == 0
    world.digests[world.worker] = world.push(world.worker, "another build")
    code, out = world.run(mode="verify")
    findings = world.report(out)["findings"]
    assert (code, out["reason"]) == (1, "findings")
    wrong = [finding["message"] for finding in findings if "but the build" in finding["message"]]
    assert len(wrong) == 2, findings
    assert all(world.digests[world.worker] in message for message in wrong)


def test_a_run_that_was_killed_half_way_is_completed(world: World) -> None:
    manifest = world.client.manifest(f"{world.shop}@{world.digests[world.shop]}")
    assert manifest is not None
    world.client.push_manifest(f"{world.shop}:v1.1.0", manifest)
    code, out = world.run()
    assert (code, out["reason"], len(world.report(out)["changes"])) == (0, "tagged", 5)


def test_a_dry_run_writes_nothing(world: World) -> None:
    code, out = world.run(dry_run="true", floating="true")
    assert (code, out["reason"]) == (0, "planned")
    changes = world.report(out)["changes"]
    assert (len(changes), {change["done"] for change in changes}) == (12, {False})
    assert world.tags(world.shop) == world.tags(world.worker) == set()


def test_floating_tags_follow_only_the_highest_version(world: World) -> None:
    for version, layer in (("1.1.0", "old"), ("1.2.0", "new"), ("1.1.1", "fix"), ("2.0.0-rc.1", "next")):
        world.digests[world.worker] = world.push(world.worker, layer)
        assert world.run(version=version, commit=digest_of(layer.encode())[7:47], floating="true")[0] == 0
    there = world.worker.partition("/")[2]
    named = {tag: world.lab.digest(there, tag) for tag in ("latest", "1", "1.1", "1.2", "v2.0.0-rc.1")}
    new, fix = (image(layer)[0].digest for layer in ("new", "fix"))
    assert named == {"latest": new, "1": new, "1.2": new, "1.1": fix, "v2.0.0-rc.1": image("next")[0].digest}


def test_a_taken_tag_stays_and_is_named_with_both_digests(world: World) -> None:
    other = world.push(world.worker, "other", tag="v1.1.0")
    code, out = world.run()
    assert (code, out["outcome"], out["reason"]) == (4, "failed", "tag-taken")
    why = world.report(out)["message"]["why"]
    assert other in why
    assert world.digests[world.worker] in why
    assert world.lab.digest(world.worker.partition("/")[2], "v1.1.0") == other
    assert world.tags(world.shop) == set(), "every tag is read before the first write"


def test_a_tag_that_another_build_writes_meanwhile_is_not_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another build tags its own image after our facts were read."""
    taken: list[str] = []
    manifest = Registry.manifest

    def late(self: Registry, reference: str | registry.Reference) -> Manifest | None:
        found = manifest(self, reference)
        if not taken and str(reference).startswith(world.worker):
            taken.append("")  # the push below reads as well
            taken[0] = world.push(world.worker, "rival", tag="v1.1.0")
        return found

    monkeypatch.setattr(Registry, "manifest", late)
    code, out = world.run()
    assert (code, out["reason"]) == (4, "tag-taken")
    assert world.lab.digest(world.worker.partition("/")[2], "v1.1.0") == taken[0]


def test_an_image_that_was_never_pushed_is_reported(world: World) -> None:
    world.digests[world.worker] = "sha256:" + "0" * 64
    code, out = world.run()
    assert (code, out["reason"]) == (2, "missing-file")
    assert world.tags(world.shop) == set()


@pytest.mark.parametrize(
    "digests",
    [
        "",
        "[]",
        "{",
        '{"a": 1}',
        '{"HOST/shop": "latest"}',
        '{"HOST/shop": "sha256:abc"}',
        '{"HOST/shop": "DIGEST"}',
    ],
)
def test_digests_that_are_no_valid_output_of_the_build_are_refused(world: World, digests: str) -> None:
    text = digests.replace("HOST/shop", world.shop).replace("DIGEST", world.digests[world.shop])
    code, out = world.run(digests=text)
    assert (code, out["reason"]) == (2, "bad-input")
    assert world.tags(world.shop) == set()


def test_no_other_registry_gets_a_request(world: World) -> None:
    with answering(lambda _: Answer(status=404)) as stranger:
        world.digests[f"{stranger.host}/acme/shop"] = world.digests.pop(world.shop)
        code, out = world.run(registry_username="octo", registry_password=PASSWORD)
        assert (code, out["reason"]) == (2, "bad-input")
        assert stranger.asked == []


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[World]:
    with LabRegistry(tmp_path / "registry", htpasswd=("octo", PASSWORD)) as running:
        yield World(tmp_path, running, "acme", password=PASSWORD)


def test_a_login_is_needed_and_never_shown(guarded: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = guarded.run()
    assert (code, out["reason"]) == (2, "missing-permission"), "401 is never absent"
    code, out = guarded.run(registry_username="octo", registry_password="not-the-password")
    assert (code, out["reason"]) == (2, "missing-permission")
    said = capsys.readouterr()
    assert "not-the-password" not in said.out + said.err + json.dumps(guarded.report(out))
    assert guarded.tags(guarded.shop) == set()
    assert guarded.run(registry_username="octo", registry_password=PASSWORD)[0] == 0
    assert len(guarded.tags(guarded.shop)) == 3


def test_a_read_only_registry_is_a_failure(tmp_path: Path) -> None:
    with LabRegistry(tmp_path / "registry") as writable:
        world = World(tmp_path, writable, "acme")
    with LabRegistry(tmp_path / "registry", readonly=True, port=int(writable.host.rpartition(":")[2])):
        code, out = world.run()
    assert (code, out["outcome"], out["reason"]) == (3, "failed", "server-error")


def test_a_stopped_registry_is_unreachable(world: World) -> None:
    with answering(lambda _: Answer()) as gone:
        pass
    world.settings(f"images: [{gone.host}/acme/shop]")
    code, out = world.run(digests=json.dumps({f"{gone.host}/acme/shop": "sha256:" + "a" * 64}))
    assert (code, out["reason"]) == (3, "unreachable")


def test_a_version_without_its_git_tag_gets_no_image_tag(world: World, tmp_path: Path) -> None:
    given: dict[str, Any]
    with Forge(tmp_path / "forge") as forge:
        repository = forge.repository("acme/shop")
        forge.collaborator("acme/shop", "octo-dev", "admin")
        commit = repository.seed({"a": "1"}, "feat: open")
        token = forge.token("", "actions", repositories=["acme/shop"], permissions={"contents": "read"})
        github = {
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_API_URL": forge.url,
            "GITHUB_GRAPHQL_URL": f"{forge.url}/graphql",
        }
        given = {"token": token, "commit": commit, "github": github}
        code, out = world.run(**given)
        assert (code, out["reason"], world.tags(world.shop)) == (2, "missing-file", set())
        run("git", "tag", "v1.1.0", commit, cwd=repository.path)
        code, out = world.run(**given)
        assert (code, out["reason"]) == (0, "tagged"), (
            "a job without permission to write statuses still writes tags"
        )
        code, out = world.run(**{**given, "commit": COMMIT})
        assert (code, out["reason"]) == (4, "tag-taken")
        rights = {"contents": "read", "statuses": "write"}
        given["token"] = forge.token("", "actions", repositories=["acme/shop"], permissions=rights)
        for run_id in ("7", "8"):
            assert world.run(**{**given, "github": {**github, "GITHUB_RUN_ID": run_id}})[0] == 0
        (built,) = [status for status in repository.statuses if status.sha == commit]
        assert (built.context, built.state) == ("stagegate/shop/release/built", "success")
        assert (built.target_url or "").endswith("/actions/runs/7"), (
            "the run that built the release writes it once"
        )
