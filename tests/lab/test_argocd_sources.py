"""Sources as Argo CD resolves them: charts with values from Git, ranges, OCI by digest, folders in Git."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from ruamel.yaml import YAML

from lab.argocd import ArgoCD
from lab.argocd.images import unpack_layer
from lab.argocd.oci import parse_reference
from lab.argocd.resolve import helm_options
from lab.registry import Registry
from tests.lab.argo_world import DEPLOYMENT, World

Json = dict[str, Any]
APP = "shop-staging"
GIT = "https://github.com/acme/shop"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("registry")
    with Registry(root / "data") as registry:
        world = World(root, registry.host)
        for version in ("1.0.0", "1.1.0", "1.2.0-rc.1"):
            world.release(version)
        yield registry.host


@pytest.fixture
def world(host: str, tmp_path: Path) -> World:
    return World(tmp_path, host).begin()


def follow(world: World, **options: Any) -> ArgoCD:
    return ArgoCD(
        world.root / "argo", world.bare, registry_rewrite={"ghcr.io": world.host},
        git_rewrite={f"{GIT}.git": world.bare}, interval=0.1, **options,
    )  # fmt: skip


def application(*sources: Json, **more: Any) -> str:
    """An Application manifest; one source stands as `source`."""
    where: Json = {"source": sources[0]} if len(sources) == 1 else {"sources": list(sources)}
    spec = {
        "project": "default",
        "destination": {"namespace": "shop"},
        "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        **where,
    }
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
    return json.dumps({**head, "metadata": {"name": APP, **more}, "spec": spec})


def healthy(document: Json) -> bool:
    status = document["status"]
    fresh = status.get("reconciledAt", "") >= status.get("operationState", {}).get("finishedAt", "~")
    return fresh and (status["sync"]["status"], status["health"].get("status")) == ("Synced", "Healthy")


def at(*revisions: str) -> Any:
    def good(document: Json) -> bool:
        sync = document["status"]["sync"]
        return healthy(document) and tuple(sync.get("revisions") or [sync.get("revision")]) == revisions

    return good


CHART = {"repoURL": "ghcr.io/acme/charts", "chart": "shop"}
PIN = "deploy/argocd/shop.yaml"


def test_a_chart_with_values_from_git_in_any_order(world: World) -> None:
    ref = {"repoURL": GIT, "targetRevision": "main", "ref": "values"}
    helm = {
        "valueFiles": ["$values/deploy/values.yaml"],
        "parameters": [{"name": "tag", "value": "v1.1.0", "forceString": True}],
    }
    chart = {**CHART, "targetRevision": "1.0.0", "helm": helm}
    head = world.push({PIN: application(ref, chart), "deploy/values.yaml": "greeting: from git\n"})
    with follow(world) as argo:
        document = argo.wait(at(head, "1.0.0"), APP)
        status = document["status"]
        assert "revision" not in status["sync"]
        assert status["sync"]["comparedTo"]["sources"] == document["spec"]["sources"]
        assert status["sync"]["comparedTo"]["source"] == {"repoURL": ""}
        assert (status["sourceTypes"], "sourceType" in status) == (["Directory", "Helm"], False)
        result = status["operationState"]["syncResult"]
        assert (result["revision"], result["revisions"]) == ("", [head, "1.0.0"])
        assert requests.get(argo.front(APP), timeout=5).text == "1.1.0"
        assert requests.get(f"{argo.front(APP)}/greeting", timeout=5).text == "from git"

        unrelated = world.push({"README.md": "Nothing that is rendered\n"})
        document = argo.wait(at(unrelated, "1.0.0"), APP)
        assert len(document["status"]["history"]) == 1, (
            "other revisions with the same content are no roll-out"
        )

        changed = world.push({"deploy/values.yaml": "greeting: changed\n"})
        document = argo.wait(at(changed, "1.0.0"), APP)
        assert len(document["status"]["history"]) == 2
        assert requests.get(f"{argo.front(APP)}/greeting", timeout=5).text == "changed"


@pytest.mark.parametrize(
    ("wanted", "found"), [("*", "1.1.0"), (">=1.0.0-0", "1.2.0-rc.1"), ("~1.0", "1.0.0"), ("1.x", "1.1.0")]
)
def test_ranges_follow_helms_rules(world: World, wanted: str, found: str) -> None:
    world.push({PIN: application({**CHART, "targetRevision": wanted})})
    with follow(world) as argo:
        assert argo.wait(at(found), APP)["spec"]["source"]["targetRevision"] == wanted


def test_a_range_moves_by_itself(tmp_path: Path) -> None:
    with Registry(tmp_path / "data") as registry:
        world = World(tmp_path, registry.host).begin()
        world.release("1.0.0")
        world.push({PIN: application({**CHART, "targetRevision": "^1.0.0"})})
        with follow(world) as argo:
            argo.wait(at("1.0.0"), APP)
            world.release("1.0.1")
            argo.wait(at("1.0.1"), APP)
            assert requests.get(argo.front(APP), timeout=5).text == "1.0.1"


def test_an_overwritten_version_shows_only_after_a_hard_refresh(tmp_path: Path) -> None:
    with Registry(tmp_path / "data") as registry:
        world = World(tmp_path, registry.host).begin()
        world.release("1.0.0")
        world.push({PIN: application({**CHART, "targetRevision": "1.0.0"})})
        with follow(world) as argo:
            argo.wait(at("1.0.0"), APP)
            world.chart("1.0.0", "greeting: overwritten")
            url, headers = f"{argo.url}/api/v1/applications/{APP}", {"Authorization": f"Bearer {argo.token}"}
            requests.get(url, params={"refresh": "normal"}, headers=headers, timeout=5)
            assert requests.get(f"{argo.front(APP)}/greeting", timeout=5).text == "hi"
            requests.get(url, params={"refresh": "hard"}, headers=headers, timeout=5)
            argo.wait(lambda d: healthy(d) and len(d["status"]["history"]) == 2, APP)
            assert requests.get(f"{argo.front(APP)}/greeting", timeout=5).text == "overwritten"


@pytest.mark.parametrize("by", ["digest", "tag"])
def test_a_native_oci_source_shows_its_digest(world: World, by: str) -> None:
    url = f"http://{world.host}/v2/acme/charts/shop/manifests/1.1.0"
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    digest = requests.head(url, headers=accept, timeout=5).headers["Docker-Content-Digest"]
    revision = digest if by == "digest" else "1.1.0"
    world.push(
        {
            PIN: application(
                {"repoURL": "oci://ghcr.io/acme/charts/shop", "targetRevision": revision, "path": "."}
            )
        }
    )
    with follow(world) as argo:
        assert argo.wait(at(digest), APP)["status"]["sourceType"] == "Helm"


def test_a_folder_in_git_is_read_as_a_chart_or_as_plain_manifests(world: World) -> None:
    chart = {
        "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\nappVersion: 1.0.0\n",
        "charts/shop/values.yaml": "image: ghcr.io/acme/shop\ngreeting: folder\nown: hush\n",
        "charts/shop/templates/all.yaml": DEPLOYMENT,
    }
    source = {"repoURL": GIT, "targetRevision": "main", "path": "charts/shop"}
    head = world.push({PIN: application(source), **chart})
    with follow(world) as argo:
        assert argo.wait(at(head), APP)["status"]["sourceType"] == "Helm"
        plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "only"}, "data": {"a": "b"}}
        head = world.push(
            {PIN: application({**source, "path": "plain"}), "plain/only.json": json.dumps(plain)}
        )
        document = argo.wait(lambda d: at(head)(d) and d["status"]["sourceType"] == "Directory", APP)
        assert [each["name"] for each in document["status"]["resources"]] == ["only"]
        world.push({PIN: application({**source, "path": "nowhere"})})
        while (document := argo.application(APP))["status"]["sync"]["status"] != "Unknown":
            argo.poke()  # only a refresh brings the error out, and one under way may be of the spec before
            time.sleep(0.2)
        assert "nowhere: app path does not exist" in document["status"]["conditions"][0]["message"]


def test_hooks_run_before_and_a_failing_one_stops_the_sync(world: World) -> None:
    job = {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "annotations": {"argocd.argoproj.io/hook": "PreSync"}},
        "spec": {"template": {"spec": {"containers": [{"name": "x", "image": "ghcr.io/acme/shop:v1.0.0", "command": ["true"]}]}}},
    }  # fmt: skip
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    source = {"repoURL": GIT, "targetRevision": "main", "path": "plain"}
    world.push(
        {PIN: application(source), "plain/a.json": json.dumps(settings), "plain/b.json": json.dumps(job)}
    )
    with follow(world) as argo:
        document = argo.wait(healthy, APP)
        assert [each["name"] for each in document["status"]["resources"]] == ["settings"]
        text = json.dumps(job).replace('"true"', '"false"')
        world.push({"plain/a.json": json.dumps({**settings, "data": {"a": "b"}}), "plain/b.json": text})
        document = argo.wait(lambda d: d["status"]["operationState"]["phase"] == "Failed", APP)
        assert (
            "synchronization tasks completed unsuccessfully"
            in document["status"]["operationState"]["message"]
        )


def test_an_application_set_with_a_list_is_expanded(world: World) -> None:
    template = {
        "metadata": {"name": "shop-{{.stage}}"},
        "spec": {
            "project": "default", "destination": {"namespace": "shop-{{.stage}}"}, "syncPolicy": {"automated": {}},
            "source": {**CHART, "targetRevision": "{{ .version }}"},
        },
    }  # fmt: skip
    elements = [{"stage": "staging", "version": "1.1.0"}, {"stage": "prod", "version": "1.0.0"}]
    spec = {"goTemplate": True, "generators": [{"list": {"elements": elements}}], "template": template}
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "shop"}}
    world.push({PIN: json.dumps({**head, "spec": spec})})
    with follow(world) as argo:
        argo.wait(at("1.1.0"), "shop-staging")
        argo.wait(at("1.0.0"), "shop-prod")


def test_sets_over_clusters_and_files_are_expanded_and_a_repeated_name_is_refused(world: World) -> None:
    """Labels of registered clusters, and a version from a file of Git; Argo CD's own cluster has no labels."""
    template = {
        "metadata": {"name": "shop-{{.name}}"},
        "spec": {
            "project": "default",
            "source": {**CHART, "targetRevision": "{{.version}}"},
            "destination": {"server": "{{.server}}", "namespace": "shop"},
            "syncPolicy": {"automated": {}},
        },
    }  # fmt: skip
    production = {"clusters": {"selector": {"matchLabels": {"env": "prod"}}}}
    files = {"git": {"repoURL": f"{GIT}.git", "revision": "main", "files": [{"path": "versions/*.json"}]}}
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "shop"}}
    spec = {
        "goTemplate": True,
        "generators": [{"matrix": {"generators": [production, files]}}],
        "template": template,
    }
    world.push({PIN: json.dumps({**head, "spec": spec}), "versions/shop.json": '{"version": "1.0.0"}'})
    clusters = [
        {"name": "eu", "server": "https://10.0.0.2", "labels": {"env": "prod"}},
        {"name": "dev", "server": "https://10.0.0.3", "labels": {"env": "dev"}},
    ]
    with follow(world, clusters=clusters) as argo:
        argo.wait(at("1.0.0"), "shop-eu")
        assert argo.application("shop-eu")["metadata"]["ownerReferences"][0]["kind"] == "ApplicationSet"
        with pytest.raises(LookupError):
            argo.application("shop-dev")
        world.push({"versions/again.json": '{"version": "1.1.0"}'})
        argo.poke()
        assert argo.application("shop-eu")["spec"]["source"]["targetRevision"] == "1.0.0"
        assert "contains applications with duplicate name: shop-eu" in argo.problems[0]


def test_a_manifest_that_cannot_be_read_changes_no_application(world: World) -> None:
    world.push({PIN: application({**CHART, "targetRevision": "1.0.0"})})
    with follow(world) as argo:
        argo.wait(at("1.0.0"), APP)
        world.push({"deploy/argocd/broken.yaml": "a: [\n"})
        argo.poke()
        assert argo.application(APP)
        assert "broken.yaml" in argo.problems[0]


def test_values_of_helm_have_argo_cds_precedence(tmp_path: Path) -> None:
    (tmp_path / "values-prod.yaml").write_text("a: 1\n")
    helm = {
        "valueFiles": ["values-prod.yaml", "missing.yaml"], "ignoreMissingValueFiles": True,
        "values": "a: 2\n", "valuesObject": {"a": 3},
        "parameters": [{"name": "a", "value": "x,y"}, {"name": "b", "value": "1", "forceString": True}],
    }  # fmt: skip
    options = helm_options(helm, tmp_path, {}, tmp_path)
    assert options[0::2] == ["--values", "--values", "--set", "--set-string"]
    assert options[1] == str(tmp_path / "values-prod.yaml")
    assert YAML(typ="safe").load(Path(options[3])) == {"a": 3}, "valuesObject wins over values"
    assert options[5::2] == [r"a=x\,y", "b=1"]


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("ghcr.io/acme/shop:v1", "ghcr.io/acme/shop", "v1", None),
        ("ghcr.io/acme/shop:v1@sha256:ab", "ghcr.io/acme/shop", "v1", "sha256:ab"),
        ("127.0.0.1:5000/shop", "127.0.0.1:5000/shop", None, None),
        ("postgres:16", "docker.io/library/postgres", "16", None),
        ("acme/shop", "docker.io/acme/shop", None, None),
    ],
)
def test_references_are_parsed_as_docker_parses_them(
    text: str, repository: str, tag: str | None, digest: str | None
) -> None:
    found = parse_reference(text)
    assert (found.repository, found.tag, found.digest) == (repository, tag, digest)


@pytest.mark.parametrize("python", ["with tarfile's filter", "3.10 or 3.11 without it"])
def test_layers_stay_inside_their_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    if "without" in python:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (root / "old").write_text("old")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind, link in (
            ("../escaped", tarfile.REGTYPE, ""),
            (f"{tmp_path}/absolute", tarfile.REGTYPE, ""),
            ("link", tarfile.SYMTYPE, str(outside)),
            ("link/through", tarfile.REGTYPE, ""),
            ("../outside/.wh.kept", tarfile.REGTYPE, ""),
            (".wh.old", tarfile.REGTYPE, ""),
            ("app/fine", tarfile.REGTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            archive.addfile(info, io.BytesIO(b""))
    (tmp_path / "layer").write_bytes(stream.getvalue())
    unpack_layer(tmp_path / "layer", root)
    assert (root / "app" / "fine").is_file()
    assert not (root / "old").exists()
    assert sorted(path.name for path in outside.iterdir()) == ["kept"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layer", "outside", "root"]
