"""The registry client against the real docker-registry."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.registry import PASSWORD
from lab.registry import Registry as LabRegistry
from stagegate.clients import registry
from stagegate.clients.registry import Manifest, Reference, credentials
from stagegate.errors import Stop
from stagegate.model import digest_of

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with LabRegistry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def artifact(layer: bytes) -> tuple[Manifest, tuple[bytes, ...]]:
    """A small image: manifest and its blobs."""
    config = b"{}"
    described = [{"mediaType": "x/y", "digest": digest_of(b), "size": len(b)} for b in (config, layer)]
    document = {"schemaVersion": 2, "mediaType": IMAGE, "config": described[0], "layers": described[1:]}
    return Manifest(media_type=IMAGE, raw=json.dumps(document).encode()), (config, layer)


def client(lab: LabRegistry, username: str = "", password: str = "") -> registry.Registry:
    hosts = frozenset({lab.host})
    return registry.Registry(hosts, timeout=(2.0, 5.0), username=username, password=password)


def test_an_artifact_is_pushed_and_read_back(lab: LabRegistry) -> None:
    manifest, blobs = artifact(b"layer one")
    where = f"{lab.host}/road/app:v1.0.0"
    ours = client(lab)
    assert ours.digest(where) is None
    assert ours.manifest(where) is None
    assert ours.push(where, manifest, blobs) is True
    assert ours.digest(where) == manifest.digest == lab.digest("road/app", "v1.0.0")
    assert ours.manifest(f"{lab.host}/road/app@{manifest.digest}") == manifest
    assert ours.blob(where, digest_of(b"layer one")) == b"layer one"
    assert ours.push(where, manifest, blobs) is False


def test_a_published_tag_is_never_overwritten(lab: LabRegistry) -> None:
    first, blobs = artifact(b"first")
    second, others = artifact(b"second")
    where = f"{lab.host}/kept/app:v1.0.0"
    ours = client(lab)
    ours.push(where, first, blobs)
    with pytest.raises(Stop) as stop:
        ours.push(where, second, others)
    assert stop.value.reason == "version-taken"
    assert first.digest in str(stop.value)
    assert second.digest in str(stop.value)
    assert lab.digest("kept/app", "v1.0.0") == first.digest
    assert ours.push(where, second, others, replace=True) is True
    assert lab.digest("kept/app", "v1.0.0") == second.digest


def test_the_platforms_of_an_index_are_read(lab: LabRegistry) -> None:
    child, blobs = artifact(b"amd64")
    entry = {"mediaType": IMAGE, "digest": child.digest, "size": len(child.raw)}
    index = Manifest(
        media_type=INDEX,
        raw=json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode(),
    )
    ours = client(lab)
    repository = registry.parse(f"{lab.host}/multi/app")
    ours.push(repository.tagged("child"), child, blobs)
    ours.push(repository.tagged("v1"), index, ())
    assert ours.children(repository.at(index.digest)) == {child.digest}
    assert ours.children(repository.at(child.digest)) == frozenset()
    with pytest.raises(Stop):
        ours.children(repository.tagged("nowhere"))


def test_the_tags_of_a_repository_are_read(lab: LabRegistry) -> None:
    manifest, blobs = artifact(b"tags")
    ours = client(lab)
    for tag in ("v1", "v2"):
        ours.push(f"{lab.host}/tags/app:{tag}", manifest, blobs)
    assert sorted(ours.tags(f"{lab.host}/tags/app")) == ["v1", "v2"]
    assert ours.tags(f"{lab.host}/tags/none") == ()


def test_a_blob_larger_than_the_limit_is_not_read(lab: LabRegistry) -> None:
    manifest, blobs = artifact(b"x" * 200_000)
    ours = client(lab)
    ours.push(f"{lab.host}/big/app:v1", manifest, blobs)
    with pytest.raises(Stop, match="larger"):
        ours.blob(f"{lab.host}/big/app", digest_of(blobs[1]), limit=100_000)


def test_an_artifact_behind_a_login_is_not_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, blobs = artifact(b"secret")
    with LabRegistry(tmp_path / "locked", htpasswd=("octo-dev", PASSWORD)) as lab:
        where = f"{lab.host}/locked/app:v1"
        wrong = {"username": "octo-dev", "password": "wrong-password"}
        works: tuple[Callable[[registry.Registry], object], ...] = (
            lambda ours: ours.digest(where),
            lambda ours: ours.tags(where),
            lambda ours: ours.push(where, manifest, blobs),
        )
        for login, work in itertools.product(({}, wrong), works):
            with pytest.raises(Stop) as stop:
                work(client(lab, **login))
            assert stop.value.reason == "missing-permission"
            assert "wrong-password" not in str(stop.value)
        assert client(lab, username="octo-dev", password=PASSWORD).push(where, manifest, blobs)

        auth = base64.b64encode(f"octo-dev:{PASSWORD}".encode()).decode()
        (tmp_path / "docker").mkdir()
        (tmp_path / "docker/config.json").write_text(json.dumps({"auths": {lab.host: {"auth": auth}}}))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        assert client(lab).digest(where) == manifest.digest
        # a job's own token, which workflows pass by default, is not for this registry
        assert client(lab, username="octo-dev", password="ghs_" + "t" * 36).digest(where) == manifest.digest

        helper = tmp_path / "bin" / "docker-credential-lab"
        helper.parent.mkdir()
        helper.write_text("#!/bin/sh\necho credentials not found in native keychain\nexit 1\n")
        helper.chmod(0o755)
        monkeypatch.setenv("PATH", str(helper.parent), prepend=":")
        (tmp_path / "docker/config.json").write_text(
            json.dumps({"credsStore": "lab", "auths": {f"https://{lab.host}/v2/": {"auth": auth}}})
        )
        assert client(lab).digest(where) == manifest.digest

        helper.write_text(
            f'#!/bin/sh\ncat >/dev/null\necho \'{{"Username":"octo-dev","Secret":"{PASSWORD}"}}\'\n'
        )
        (tmp_path / "docker/config.json").write_text(json.dumps({"credHelpers": {lab.host: "lab"}}))
        assert client(lab).digest(where) == manifest.digest


def test_a_read_only_registry_is_reported(tmp_path: Path) -> None:
    manifest, blobs = artifact(b"nothing is written")
    with LabRegistry(tmp_path / "readonly", readonly=True) as lab:
        with pytest.raises(Stop) as stop:
            client(lab).push(f"{lab.host}/app:v1", manifest, blobs)
        assert stop.value.reason == "server-error"
        assert "405" in str(stop.value)
        assert lab.tags("app") == []


@pytest.mark.parametrize(
    ("host", "gets_it"),
    [("ghcr.io", True), ("containers.git.example", True), ("registry.example", False), ("docker.io", False)],
)
def test_a_job_s_token_goes_to_registries_of_github_only(host: str, gets_it: bool) -> None:
    token = "ghs_" + "t" * 36
    assert (host in credentials.for_hosts([host], "octo-dev", token)) == gets_it
    assert (credentials.lookup("octo-dev", token)(host).password == token) == gets_it
    assert credentials.lookup("octo-dev", "of this registry")(host).password == "of this registry"


def test_no_other_host_gets_a_request(lab: LabRegistry) -> None:
    with pytest.raises(Stop) as stop:
        registry.Registry(frozenset({"ghcr.io"})).digest(f"{lab.host}/road/app:v1.0.0")
    assert stop.value.reason == "wrong-source"


@pytest.mark.parametrize(
    ("text", "host", "path", "tag"),
    [
        ("oci://ghcr.io/acme/charts/shop:1.2.3", "ghcr.io", "acme/charts/shop", "1.2.3"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b", ""),
        ("localhost/app:v1", "localhost", "app", "v1"),
        ("[::1]:5000/app:v1", "[::1]:5000", "app", "v1"),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27"),
        ("acme/shop", "docker.io", "acme/shop", ""),
        ("GHCR.io/acme/shop", "ghcr.io", "acme/shop", ""),
    ],
)
def test_references_are_parsed(text: str, host: str, path: str, tag: str) -> None:
    assert registry.parse(text) == Reference(host=host, path=path, tag=tag)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ghcr.io/Acme/shop:v1",
        "https://ghcr.io/acme/shop",
        "ghcr.io/acme/shop:v1+b",
        "ghcr.io/acme/shop:" + "x" * 129,
        "ghcr.io/acme/shop@sha256:1234",
        "ghcr.io/acme/../shop",
        "gh cr.io/acme/shop",
        "ghcr.io//shop",
        "ghcr.io/acme/shop:v1/../../x",
    ],
)
def test_a_text_that_is_not_a_reference_is_refused(text: str) -> None:
    with pytest.raises(Stop) as stop:
        registry.parse(text)
    assert stop.value.reason == "bad-input"


def test_a_digest_wins_over_a_tag() -> None:
    digest = "sha256:" + "a" * 64
    both = registry.parse(f"ghcr.io/acme/shop:v1@{digest}")
    assert both.wanted == digest
    assert str(both) == f"ghcr.io/acme/shop:v1@{digest}"
    assert registry.chart_tag("1.0.0+b.7") == "1.0.0_b.7"
