"""helm-publish as a whole: the example's chart, real helm, a real registry, and a forge where there is no chart."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from lab.forge import Forge
from lab.programs import outputs
from lab.registry import PASSWORD, Registry
from stagegate.actions import chart_check, helm_publish, image_tags
from stagegate.chart import package, published
from stagegate.chart.publish import committed
from stagegate.clients import registry
from stagegate.clients.registry import Manifest, agreement
from stagegate.clients.registry.transport import Transport
from stagegate.errors import Stop
from stagegate.model import digest_of
from stagegate.runner.boundary import entrypoint

ROOT = Path(__file__).resolve().parents[2]


class World:
    """The shop at 1.1.0 in a work tree, its image pushed, and a way to run the action there."""

    def __init__(self, root: Path, host: str) -> None:
        self.root, self.host, self.runs = root, host, 0
        self.work = root / "work"
        shutil.copytree(ROOT / "examples/shop", self.work, ignore=shutil.ignore_patterns(".*_cache", "tests"))
        self.image = f"{host}/acme/shop"
        self.edit("stagegate.yaml", "ghcr.io", host)
        self.edit("charts/shop/values.yaml", "ghcr.io", host)
        for file in ("deploy/argocd/staging.yaml", "deploy/argocd/prod.yaml"):
            self.edit(file, "ghcr.io", host)
        self.move("1.0.0", "1.1.0")
        (root / "outside.yaml").write_text("replicas: 1\n")
        self.client = registry.Registry(frozenset({host}))
        self.digests = {self.image: self.push_image(b"the image")}
        self.where = f"{host}/acme/charts/shop:1.1.0"

    def edit(self, file: str, before: str, after: str) -> None:
        path = self.work / file
        text = path.read_text()
        assert before in text, f"{file} has no {before}"
        path.write_text(text.replace(before, after))

    def move(self, before: str, after: str) -> None:
        """Write the version into the files, as version-bump does."""
        for file in ("VERSION", "README.md", "charts/shop/Chart.yaml"):
            self.edit(file, before, after)

    def push_image(self, layer: bytes) -> str:
        parts = [
            {"mediaType": "x/y", "digest": digest_of(data), "size": len(data)} for data in (b"{}", layer)
        ]
        kind = "application/vnd.oci.image.manifest.v1+json"
        document = {"schemaVersion": 2, "mediaType": kind, "config": parts[0], "layers": parts[1:]}
        manifest = Manifest(media_type=kind, raw=json.dumps(document).encode())
        self.client.push(f"{self.image}:v1.1.0", manifest, (b"{}", layer), replace=True)
        return manifest.digest

    def publish(self, environ: dict[str, str] | None = None, **inputs: Any) -> tuple[int, dict[str, str]]:
        """Exit code and outputs of one run."""
        self.runs += 1
        out = self.root / f"out-{self.runs}"
        given = {"digests": json.dumps(self.digests), "commit": self.commit(), **inputs}
        environment = {
            "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_OUTPUT": str(out),
            "GITHUB_STEP_SUMMARY": str(self.root / "summary.md"),
            "RUNNER_TEMP": str(self.root),
            **{f"SG_{name.upper()}": str(value) for name, value in given.items()},
            **(environ or {}),
        }
        code = entrypoint(
            "helm-publish", helm_publish.HelmPublish, helm_publish.main, argv=[], environ=environment
        )
        return code, outputs(out.read_text())

    def git(self, *argv: str) -> str:
        """Run git in the work tree with a fixed author and time."""
        who = {"NAME": "octo", "EMAIL": "octo@example.org", "DATE": "2026-01-01T00:00:00Z"}
        env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
        done = subprocess.run(
            ["git", *argv],
            cwd=self.work,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **env},
        )
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit the work tree."""
        if not (self.work / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A")
        if self.git("status", "--porcelain"):
            self.git("commit", "-q", "-m", "state")
        return self.git("rev-parse", "HEAD")

    def report(self, out: dict[str, str]) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(Path(out["report"]).read_text())
        return loaded


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The registry of this file: with one address in all charts, most of them render once."""
    with Registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, running: Registry) -> World:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    running.clear()
    return World(tmp_path, running.host)


def test_a_chart_is_published_once_and_helm_pulls_it(world: World, tmp_path: Path) -> None:
    code, out = world.publish()
    assert (code, out["outcome"], out["reason"], out["pushed"]) == (0, "done", "published", "true")
    assert out["chart"] == f"oci://{world.host}/acme/charts/shop"
    assert out["reference"] == f"{world.where}@{out['digest']}"
    assert world.client.digest(world.where) == out["digest"]
    helm = ["helm", "pull", f"oci://{world.host}/acme/charts/shop", "--version", "1.1.0", "--untar"]
    subprocess.run([*helm, "-d", str(tmp_path)], check=True, capture_output=True)
    pulled = (tmp_path / "shop/Chart.yaml").read_text()
    assert pulled.startswith((world.work / "charts/shop/Chart.yaml").read_text())
    there = published.fetch(world.client, world.where)
    assert there is not None
    assert there.record is not None
    assert (there.record.commit, dict(there.record.images)) == (world.commit(), world.digests)
    assert "staging" in (tmp_path / "summary.md").read_text()

    code, again = world.publish()
    assert (code, again["outcome"], again["reason"]) == (0, "nothing-to-do", "already-published")
    assert (again["digest"], again["pushed"]) == (out["digest"], "false")


def test_the_digest_does_not_depend_on_time_folder_or_time_zone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = world.publish(dry_run="true")
    assert first["reason"] == "planned"
    assert world.client.tags(world.where) == ()
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    for path in (world.work / "charts").rglob("*"):
        os.utime(path, (10**9, 10**9))
    world.work = Path(shutil.move(world.work, tmp_path / "elsewhere"))
    _, second = world.publish()
    monkeypatch.delenv("TZ")
    time.tzset()
    assert first["digest"] == second["digest"] == world.client.digest(world.where)


def test_other_content_under_the_same_version_is_refused(world: World) -> None:
    _, first = world.publish()
    world.edit("charts/shop/values.yaml", "SHOP_CURRENCY: EUR", "SHOP_CURRENCY: CHF")
    code, out = world.publish()
    assert (code, out["reason"]) == (4, "version-taken")
    report = world.report(out)
    assert first["digest"] in report["message"]["why"]
    assert "published from commit" in report["message"]["why"]
    assert world.client.digest(world.where) == first["digest"]


def test_another_commit_under_the_same_version_is_named(world: World) -> None:
    world.publish()
    first = world.commit()
    world.git("commit", "-q", "--allow-empty", "-m", "another")
    second = world.commit()
    code, out = world.publish()
    assert (code, out["reason"]) == (4, "version-taken")
    assert f"from commit {first[:12]}, this run releases {second[:12]}" in world.report(out)["message"]["why"]


def test_a_missing_commit_is_refused(world: World) -> None:
    world.commit()
    code, out = world.publish(commit="b" * 40)
    assert (code, out["reason"]) == (2, "bad-input")
    assert world.client.tags(world.where) == ()


def test_chart_check_compares_a_chart_without_settings_with_a_published_one(world: World) -> None:
    world.publish()
    (world.work / "stagegate.yaml").unlink()
    world.edit("charts/shop/values.yaml", "replicas: 1", "replicas: 3")
    report = world.root / "check.json"
    environ = {
        "GITHUB_WORKSPACE": str(world.work),
        "RUNNER_TEMP": str(world.root),
        "GITHUB_OUTPUT": str(report),
        "SG_CHART": "charts/shop",
        "SG_BASE": f"oci://{world.where}",
    }
    entrypoint("chart-check", chart_check.ChartCheck, chart_check.main, argv=[], environ=environ)
    (finding,) = [
        one
        for one in json.loads(outputs(report.read_text())["findings"])
        if one["rule"] in ("version-increases", "destructive-change")
    ]
    assert finding["rule"] == "version-increases"


def test_only_files_of_the_commit_are_packed(world: World) -> None:
    (world.work / ".gitignore").write_text("*.key\n")
    (world.work / ".gitattributes").write_text("* text eol=crlf\n")
    commit = world.commit()
    (world.work / "charts/shop/secret.key").write_text("planted")
    (world.work / "charts/shop/notes.txt").write_text("planted")
    world.edit("charts/shop/values.yaml", "SHOP_CURRENCY: EUR", "SHOP_CURRENCY: CHF")
    code, _ = world.publish(commit=commit)
    assert code == 0
    chart = published.fetch(world.client, world.where)
    assert chart is not None
    files = package.unpack(chart.archive, world.where)
    assert not [name for name in files if name.endswith(("secret.key", "notes.txt"))]
    assert b"SHOP_CURRENCY: EUR" in files["shop/values.yaml"]
    assert b"\r\n" not in files["shop/values.yaml"]


def test_other_images_under_the_same_version_are_refused(world: World) -> None:
    world.publish()
    world.digests[world.image] = world.push_image(b"built again, not the same")
    assert world.publish()[0] == 4


def test_content_packed_by_another_zlib_counts_as_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        compress = zlib.compressobj
        patched.setattr(zlib, "compressobj", lambda _, *rest: compress(1, *rest))
        _, first = world.publish()
    code, out = world.publish()
    assert (code, out["reason"]) == (0, "already-published")
    assert out["digest"] == first["digest"] == world.client.digest(world.where)


def test_a_run_that_died_after_the_push_is_completed(world: World, mocker: MockerFixture) -> None:
    real = registry.Registry.push

    def push(ours: registry.Registry, *parts: Any, **more: Any) -> bool:
        real(ours, *parts, **more)
        raise KeyboardInterrupt

    dying = mocker.patch.object(registry.Registry, "push", push)
    with pytest.raises(FileNotFoundError):
        world.publish()
    mocker.stop(dying)
    assert world.client.digest(world.where)
    assert world.publish()[1]["reason"] == "already-published"


def test_a_lost_race_is_noticed_although_its_write_is_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run publishes as a whole while this one is about to write."""
    monkeypatch.setattr(agreement, "pause", lambda: None)
    other: dict[str, str] = {}
    real = registry.Registry.push_manifest
    begun: list[bool] = []

    def push_manifest(ours: registry.Registry, target: Any, manifest: Manifest) -> None:
        if not begun:
            begun.append(True)
            document = json.loads(manifest.raw) | {"annotations": {"from": "the other run"}}
            rival = Manifest(media_type=manifest.media_type, raw=json.dumps(document).encode())
            world.client.push(world.where, rival, (), absent=True)
            other["digest"] = rival.digest
        real(ours, target, manifest)

    monkeypatch.setattr(registry.Registry, "push_manifest", push_manifest)
    code, out = world.publish()
    assert (code, out["reason"]) == (4, "version-taken")
    assert other["digest"] in json.dumps(world.report(out)["message"])
    assert world.client.digest(world.where) == other["digest"]


def test_a_published_chart_needs_one_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Transport.send
    sent: list[str] = []

    def send(ours: Transport, method: str, url: str, *parts: Any, **more: Any) -> Any:
        if "/charts/shop/" in url:
            sent.append(f"{method} {url.split('/charts/shop/')[1].partition('/')[0]}")
        return real(ours, method, url, *parts, **more)

    monkeypatch.setattr(Transport, "send", send)
    assert world.publish()[1]["reason"] == "published"
    upload = ["POST blobs", "PUT blobs"]
    claimed = ["PUT manifests", "GET tags"]
    assert sent == ["GET manifests", *upload, *upload, *claimed, "PUT manifests"]
    sent.clear()
    assert world.publish()[1]["reason"] == "already-published"
    assert sent == ["GET manifests"]


@pytest.mark.parametrize(
    ("break_it", "reason", "says"),
    [
        (lambda w: shutil.rmtree(w.work / "charts"), "missing-file", "Chart.yaml"),
        (
            lambda w: w.edit("charts/shop/Chart.yaml", "version: 1.1.0", "version: 1.1"),
            "bad-input",
            "version",
        ),
        (
            lambda w: w.edit("charts/shop/Chart.yaml", 'appVersion: "1.1.0"', 'appVersion: "1.0.0"'),
            "findings",
            "1.0.0",
        ),
        (lambda w: w.edit("VERSION", "1.1.0", "1.2.0"), "findings", "1.1.0"),
        (lambda w: w.edit("charts/shop/templates/service.yaml", "kind: Service", ""), "findings", "kind"),
        (
            lambda w: w.edit("charts/shop/templates/service.yaml", "{{ .Values", "{{ .Valyes"),
            "findings",
            "Valyes",
        ),
        (lambda w: w.edit("deploy/values/prod.yaml", "replicas: 2", "replicas: two"), "findings", "replicas"),
        (
            lambda w: (w.work / "deploy/values/prod.yaml").write_text("- a list\n"),
            "findings",
            "failed to parse prod.yaml",
        ),
        (
            lambda w: w.edit("deploy/argocd/prod.yaml", "values/prod.yaml", "values/prd.yaml"),
            "findings",
            "prd",
        ),
        (
            lambda w: w.edit("deploy/argocd/prod.yaml", "deploy/values/prod.yaml", "../outside.yaml"),
            "findings",
            "outside",
        ),
        (lambda w: w.edit("deploy/argocd/prod.yaml", "spec:", "spec: ["), "findings", "prod.yaml"),
        (lambda w: (w.work / "deploy/argocd/prod.yaml").unlink(), "findings", "prod.yaml"),
        (lambda w: w.digests.update({w.image: "sha256:" + "0" * 64}), "bad-input", "not in the registry"),
        (lambda w: w.digests.clear(), "bad-input", "digests"),
        (lambda w: w.digests.update({"ghcr.io/acme/other": "sha256:" + "0" * 64}), "bad-input", "digests"),
        (lambda w: (w.work / "charts/shop/leak").symlink_to("/etc/hostname"), "findings", "leak"),
        (lambda w: w.edit("stagegate.yaml", "chart:", "chard:"), "bad-settings", "chard"),
    ],
)
def test_bad_input_changes_nothing(world: World, break_it: Any, reason: str, says: str) -> None:
    break_it(world)
    code, out = world.publish()
    assert out["reason"] == reason, world.report(out)["message"]
    assert code in (1, 2)
    assert says in json.dumps(world.report(out)["message"])
    assert world.client.tags(world.where) == ()


@pytest.mark.parametrize(
    "version", ["v1.1.0", "1.1", "01.1.0", "latest", "1.1.0 ", "1.1.0\n::error::x", "😀"]
)
def test_a_text_that_is_not_a_version_is_refused(world: World, version: str) -> None:
    code, out = world.publish(version=version)
    if version.strip() == "1.1.0":  # inputs are trimmed
        assert code == 0
        return
    assert (code, out["reason"]) == (2, "bad-input")
    assert world.client.tags(world.where) == ()


def test_build_metadata_becomes_part_of_the_tag(world: World) -> None:
    world.move("1.1.0", "1.1.0+b.7")
    code, out = world.publish()
    assert (code, out["version"]) == (0, "1.1.0+b.7")
    versions = [tag for tag in world.client.tags(world.where) if not tag.startswith("claim-")]
    assert versions == ["1.1.0_b.7"]


def test_findings_of_helm_name_paths_of_the_repository(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.edit("charts/shop/templates/service.yaml", "kind: Service", "")
    world.publish()
    printed = capsys.readouterr().out
    assert printed.count("::error") == 1
    assert "charts/shop/templates/service.yaml" in printed


def test_values_in_another_repository_are_reported_as_not_checked(world: World) -> None:
    for file in ("deploy/argocd/staging.yaml", "deploy/argocd/prod.yaml"):
        world.edit(file, "https://github.com/acme/shop.git", "https://github.com/acme/gitops.git")
    code, out = world.publish()
    assert code == 0
    notes = [f for f in world.report(out)["findings"] if f["rule"] == "chart-lint"]
    assert {note["environment"] for note in notes} == {"staging", "prod"}


def test_a_registry_with_a_login_needs_user_and_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with Registry(tmp_path / "data") as running:
        World(tmp_path / "filled", running.host)
    with Registry(
        tmp_path / "data", htpasswd=("octo-dev", PASSWORD), port=int(running.host.split(":")[1])
    ) as locked:
        world = World.__new__(World)
        world.root, world.work, world.host, world.runs = tmp_path, tmp_path / "filled/work", locked.host, 0
        world.image = f"{locked.host}/acme/shop"
        hosts = frozenset({locked.host})
        world.client = registry.Registry(hosts, username="octo-dev", password=PASSWORD)
        digest = world.client.digest(f"{world.image}:v1.1.0")
        world.digests = {world.image: str(digest)}
        assert world.publish()[1]["reason"] == "missing-permission"
        wrong = world.publish(registry_username="octo-dev", registry_password="not-the-password")
        assert wrong[1]["reason"] == "missing-permission"
        assert world.publish(registry_username="octo-dev")[1]["reason"] == "empty-secret"
        code, out = world.publish(registry_username="octo-dev", registry_password=PASSWORD)
        assert (code, out["reason"]) == (0, "published")
        assert PASSWORD not in capsys.readouterr().out.replace(f"::add-mask::{PASSWORD}", "")
        assert PASSWORD not in (tmp_path / "summary.md").read_text()


def test_an_unreachable_registry_is_reported(world: World) -> None:
    for file in ("stagegate.yaml", "deploy/argocd/staging.yaml"):
        world.edit(file, world.host, "127.0.0.1:9")
    world.digests = {"127.0.0.1:9/acme/shop": "sha256:" + "0" * 64}
    code, out = world.publish()
    assert (code, out["reason"]) == (3, "unreachable")


def test_without_a_chart_the_record_is_a_deployment(world: World) -> None:
    text = (world.work / "stagegate.yaml").read_text()
    start, end = text.index("chart:\n"), text.index("environments:")
    (world.work / "stagegate.yaml").write_text(text[:start] + "chart: none\n\n" + text[end:])
    world.edit("stagegate.yaml", "    - {file: charts/shop/Chart.yaml, path: version}\n", "")
    world.edit("stagegate.yaml", "    - {file: charts/shop/Chart.yaml, path: appVersion}\n", "")
    with Forge(world.root / "forge") as forge:
        repo = forge.repository("acme/shop")
        commit = repo.seed({"VERSION": "1.1.0\n"}, "feat: open")
        rights = {"contents": "read", "deployments": "write"}
        token = forge.token("", "actions", repositories=["acme/shop"], permissions=rights)
        environ = {
            "GITHUB_API_URL": forge.url,
            "GITHUB_GRAPHQL_URL": f"{forge.url}/graphql",
            "GITHUB_SERVER_URL": forge.url,
            "GITHUB_RUN_ID": "7",
            "SG_TOKEN": token,
        }
        assert world.publish(environ, commit=commit, dry_run="true")[1]["reason"] == "planned"
        forge.fail("POST", "/deployments/[0-9]+/statuses", 1, 403)
        assert world.publish(environ, commit=commit)[1]["outcome"] == "failed"
        code, out = world.publish(environ, commit=commit)
        assert (code, out["reason"], out["chart"], out["reference"]) == (0, "already-published", "", "")
        code, out = world.publish(environ, commit=commit)
        assert (code, out["reason"]) == (0, "already-published")
        world.digests[world.image] = world.push_image(b"another")
        code, out = world.publish(environ, commit=commit)
        assert (code, out["reason"]) == (4, "version-taken")
        made = [call for call in forge.calls if call.method == "POST" and call.path.endswith("/deployments")]
        assert len(made) == 1
        finished = [
            call
            for call in forge.calls
            if call.method == "POST" and re.search("/deployments/.*/statuses$", call.path)
        ]
        assert [call.status for call in finished] == [403, 201], "completed once, then unchanged"


def test_under_protected_trust_only_the_app_records_a_release_without_a_chart(world: World) -> None:
    text = (world.work / "stagegate.yaml").read_text()
    start, end = text.index("chart:\n"), text.index("environments:")
    (world.work / "stagegate.yaml").write_text(text[:start] + "chart: none\n\n" + text[end:])
    world.edit("stagegate.yaml", "trust: {level: advisory}", "trust: {level: protected, app: stagegate}")
    world.edit("stagegate.yaml", "    - {file: charts/shop/Chart.yaml, path: version}\n", "")
    world.edit("stagegate.yaml", "    - {file: charts/shop/Chart.yaml, path: appVersion}\n", "")
    with Forge(world.root / "forge") as forge:
        repo = forge.repository("acme/shop")
        commit = repo.seed({"VERSION": "1.1.0\n"}, "feat: open")
        rights = {"contents": "read", "deployments": "write", "statuses": "write"}
        app = forge.app("stagegate", {**rights, "metadata": "read"})
        environ = {
            "GITHUB_API_URL": forge.url,
            "GITHUB_GRAPHQL_URL": f"{forge.url}/graphql",
            "GITHUB_SERVER_URL": forge.url,
            "GITHUB_RUN_ID": "7",
            "SG_TOKEN": forge.token("", "actions", repositories=["acme/shop"], permissions=rights),
        }
        code, out = world.publish(environ, commit=commit)
        assert (code, out["reason"]) == (2, "missing-permission")
        assert "app-id" in world.report(out)["message"]["next"]
        assert not [call for call in forge.calls if call.write]
        code, out = world.publish(environ, commit=commit, app_id=app.id, app_key=app.private_key)
        assert (code, out["reason"]) == (0, "published")
        (record,) = repo.deployments
        assert record.creator.login == "stagegate[bot]"
        assert world.publish(environ, commit=commit, app_id=app.id, app_key=app.private_key)[1]["reason"] == (
            "already-published"
        )


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12\n"


def submodule(world: World) -> None:
    world.commit()
    world.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},charts/shop/charts/other")
    world.git("commit", "-q", "-m", "a submodule")


def chart_is_a_link(world: World) -> None:
    (world.work / "charts/shop").rename(world.work / "charts/real")
    (world.work / "charts/shop").symlink_to("real")


@pytest.mark.parametrize(
    ("break_it", "file", "says"),
    [
        (submodule, "charts/shop/charts/other", "submodule"),
        (lambda w: (w.work / "charts/shop/logo.png").write_text(LFS), "charts/shop/logo.png", "Git LFS"),
        (
            lambda w: (w.work / "charts/shop/out.txt").symlink_to("../../../outside.txt"),
            "charts/shop/out.txt",
            "outside the repository",
        ),
        (
            lambda w: (w.work / "charts/shop/odd").symlink_to(os.fsdecode(b"\xff")),
            "charts/shop/odd",
            "neither",
        ),
        (lambda w: (w.work / "charts/shop/loop").symlink_to("loop"), "charts/shop/loop", "circle"),
        (chart_is_a_link, "charts/shop", "the target of a symbolic link"),
    ],
    ids=["submodule", "Git LFS", "link", "link to no text", "link in a circle", "the chart is a link"],
)
def test_a_file_that_the_commit_lacks_is_refused_by_name(
    world: World, break_it: Any, file: str, says: str
) -> None:
    break_it(world)
    sha = world.git("rev-parse", "HEAD") if break_it is submodule else world.commit()
    code, out = world.publish(commit=sha)
    message = world.report(out)["message"]
    assert (code, out["reason"]) == (1, "findings")
    assert message["what"].startswith(file)
    assert says in message["why"]
    assert world.client.tags(world.where) == ()


def test_a_login_that_may_not_push_fails_before_any_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> str:
        raise Stop("missing-permission", "The login may not push.", "denied", "Give packages: write.")

    monkeypatch.setattr(registry.Registry, "begin_upload", denied)
    monkeypatch.setattr(committed, "tree", pytest.fail)
    code, out = world.publish()
    assert (code, out["reason"]) == (2, "missing-permission")


def test_an_upload_that_a_busy_registry_refuses_is_retried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = registry.Registry.begin_upload
    tried: list[object] = []

    def begin(ours: registry.Registry, place: Any) -> str:
        tried.append(place)
        if len(tried) < 3:
            raise registry.Transient(
                "rate-limited", "Too many requests.", "The registry returned 429.", "Run the job again later."
            )
        return real(ours, place)

    monkeypatch.setattr(registry.Registry, "begin_upload", begin)
    assert world.publish()[1]["reason"] == "published"
    assert len(tried) > 3  # the last ones are those of the two blobs


@pytest.mark.parametrize("vendored", ["1.2.0", "1.3.0"])
def test_a_vendored_dependency_must_be_the_one_that_the_chart_names(world: World, vendored: str) -> None:
    part = world.work / "charts/shop/charts/part"
    part.mkdir(parents=True)
    (part / "Chart.yaml").write_text(f"apiVersion: v2\nname: part\nversion: {vendored}\n")
    schema = world.work / "charts/shop/values.schema.json"
    schema.write_text(json.dumps({**json.loads(schema.read_text()), "additionalProperties": True}))
    chart = world.work / "charts/shop/Chart.yaml"
    another = "  - {name: part, version: 1.x.x, repository: https://example.org}\n"
    chart.write_text(chart.read_text() + another)  # after the library that the shop's chart names
    lock = "- {name: stagegate-lib, version: 0.1.0, repository: ''}\n" + another.lstrip().replace(
        "x.x", "2.0"
    )
    (world.work / "charts/shop/Chart.lock").write_text(f"dependencies:\n{lock}")
    code, out = world.publish()
    if vendored == "1.2.0":
        assert (code, out["reason"]) == (0, "published")
        return
    assert (code, out["reason"]) == (1, "findings")
    assert "charts/ has part 1.3.0, but Chart.lock requires 1.2.0." in json.dumps(world.report(out))


@pytest.mark.parametrize(
    ("where", "written", "reason", "says"),
    [
        ("file://../part", "1.2.0", "published", ""),
        ("file://../part", "1.3.0", "findings", "valid version for dependency part"),
        ("file://../missing", "1.2.0", "findings", "which is not a folder"),
        ("file://../" + "n" * 300, "1.2.0", "findings", "which is not a folder"),
        ("http://127.0.0.1:9/charts", "1.2.0", "findings", "Chart.lock does not match"),
    ],
    ids=["beside", "another version", "missing folder", "impossible name", "a lock without its digest"],
)
def test_a_dependency_beside_the_chart_is_built_as_locked_or_refused(
    world: World, where: str, written: str, reason: str, says: str
) -> None:
    part, chart = world.work / "charts/part", world.work / "charts/shop"
    (chart / ".helmignore").unlink()  # it excludes archives, from helm too
    part.mkdir()
    (part / "Chart.yaml").write_text("apiVersion: v2\nname: part\nversion: 1.2.0\n")
    schema = chart / "values.schema.json"
    schema.write_text(json.dumps({**json.loads(schema.read_text()), "additionalProperties": True}))
    entry = f"- {{name: part, version: 1.2.0, repository: '{where}'}}\n"
    with (chart / "Chart.yaml").open("a") as file:
        file.write(f"  {entry}")
    if where == "file://../part":
        subprocess.run(["helm", "dependency", "update", str(chart)], check=True, capture_output=True)
        (chart / "charts/part-1.2.0.tgz").unlink()
        (part / "Chart.yaml").write_text(f"apiVersion: v2\nname: part\nversion: {written}\n")
    else:
        lock = f"dependencies:\n- {{name: stagegate-lib, version: 0.1.0, repository: ''}}\n{entry}"
        (chart / "Chart.lock").write_text(lock)
    _, out = world.publish()
    assert out["reason"] == reason, world.report(out)["message"]
    assert says in json.dumps(world.report(out))


@pytest.mark.parametrize("archive", ["nonsense", "unlisted"])
def test_an_archive_that_the_chart_does_not_list_is_a_finding(world: World, archive: str) -> None:
    (world.work / ".gitignore").unlink()
    (world.work / "charts/shop/.helmignore").unlink()
    (world.work / "charts/shop/charts").mkdir(exist_ok=True)
    path = world.work / "charts/shop/charts/extra-1.0.0.tgz"
    if archive == "nonsense":
        path.write_bytes(b"nonsense")
    else:
        with tarfile.open(path, "w:gz") as files:
            entry = tarfile.TarInfo("extra/Chart.yaml")
            content = b"apiVersion: v2\nname: extra\nversion: 1.0.0\n"
            entry.size = len(content)
            files.addfile(entry, io.BytesIO(content))
    code, out = world.publish()
    assert (code, out["reason"]) == (1, "findings")
    errors = [one for one in world.report(out)["findings"] if one["severity"] == "error"]
    assert {one["file"].partition("/")[0] for one in errors} == {"charts"}
    assert not any("//" in one["file"] for one in errors)
    assert world.client.tags(world.where) == ()


def test_image_tags_verifies_every_image_that_the_chart_renders(world: World) -> None:
    sha = world.commit()

    def verified() -> tuple[int, dict[str, str]]:
        out = world.root / "verified"
        out.unlink(missing_ok=True)
        environ = {
            "GITHUB_WORKSPACE": str(world.work),
            "GITHUB_OUTPUT": str(out),
            "RUNNER_TEMP": str(world.root),
            "SG_VERSION": "1.1.0",
            "SG_COMMIT": sha,
            "SG_MODE": "verify",
        }
        code = entrypoint("image-tags", image_tags.ImageTags, image_tags.main, argv=[], environ=environ)
        return code, outputs(out.read_text())

    world.edit("stagegate.yaml", f"images: [{world.image}]", "images: []")
    code, out = verified()
    assert (code, out["reason"]) == (1, "findings")
    missing = {finding["object"] for finding in world.report(out)["findings"]}
    digest = world.digests[world.image]
    assert missing == {f"{world.image}:sha-{sha}", f"{world.image}:sha-{digest[7:19]}"}
    manifest = world.client.manifest(f"{world.image}:v1.1.0")
    assert manifest is not None
    for reference in missing:
        world.client.push_manifest(reference, manifest)
    code, out = verified()
    assert (code, out["reason"], json.loads(out["digests"])) == (0, "verified", {world.image: digest})
