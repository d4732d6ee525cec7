"""version-bump for several apps, by labels, and with a release pull request: on the forge, from a shallow checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.forge import Forge
from lab.registry import Registry
from stagegate.clients.registry import Manifest
from stagegate.clients.registry import Registry as Client
from stagegate.model import digest_of, to_json
from tests.release.version_world import VersionWorld

SERVICES = ("svc-a", "svc-b", "svc-c")
GLOB = ("--config", "services/*/stagegate.yaml")


def service(name: str, more: str = "") -> dict[str, str]:
    settings = f"app: {name}\nversion: {{tag-prefix: {name}-v, files: [services/{name}/VERSION]{more}}}\n"
    return {
        f"services/{name}/stagegate.yaml": settings,
        f"services/{name}/VERSION": "1.2.3\n",
        f"services/{name}/main.py": "0\n",
    }


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")


@contextmanager
def monorepo(root: Path, more: str = "") -> Iterator[VersionWorld]:
    files = {path: text for name in SERVICES for path, text in service(name, more).items()}
    with Forge(root / "forge") as forge:
        yield VersionWorld(forge, root, files, [f"{name}-v1.2.3" for name in SERVICES])


@contextmanager
def single(
    root: Path, version: str = "files: [VERSION], changelog: CHANGELOG.md", *, private: bool = False
) -> Iterator[VersionWorld]:
    files = {"stagegate.yaml": f"app: shop\nversion: {{{version}}}\n", "VERSION": "1.0.0\n", "a": "1\n"}
    with Forge(root / "forge") as forge:
        yield VersionWorld(forge, root, files, ["v1.0.0"], private=private)


def versions(out: dict[str, str]) -> dict[str, tuple[str, bool]]:
    return {entry["app"]: (entry["version"], entry["changed"]) for entry in json.loads(out["matrix"])}


# --- several apps ------------------------------------------------------------------------------------------


def test_one_run_releases_each_app_by_its_own_commits(tmp_path: Path) -> None:
    with monorepo(tmp_path) as world:
        for name, title in zip(SERVICES, ("fix: cup", "feat: tea", "feat!: new API"), strict=True):
            world.repo.seed({f"services/{name}/main.py": title}, title)
        before = world.repo.head("main")
        expected = {"svc-a": "1.2.4", "svc-b": "1.3.0", "svc-c": "2.0.0"}
        planned = world.bump(*GLOB, "--mode", "plan")[1]
        assert versions(planned) == {name: (version, True) for name, version in expected.items()}
        assert (planned["changed"], world.repo.head("main")) == ("false", before)
        code, out = world.bump(*GLOB)
        assert (code, out["reason"]) == (0, "released")
        assert versions(out) == {name: (version, True) for name, version in expected.items()}
        for name, version in expected.items():
            tagged = world.tags[f"{name}-v{version}"]
            assert world.git("show", f"{tagged}:services/{name}/VERSION") == version
            assert world.git("log", "-1", "--format=%s", tagged) == f"chore(release): {name} {version}"
        assert out["sha"] == world.repo.head("main")
        assert world.git("rev-list", "--count", f"{before}..main") == "3"
        assert world.git("branch", "--list", "stagegate/*") == ""
        again = world.bump(*GLOB)[1]
        assert versions(again) == {name: (version, False) for name, version in expected.items()}


def test_a_lost_race_releases_none_of_several_apps(tmp_path: Path) -> None:
    with monorepo(tmp_path) as world:
        world.repo.seed({"services/svc-a/main.py": "1", "services/svc-b/main.py": "1"}, "feat: tea")
        head = world.repo.head("main")
        world.forge.fail("POST", "/graphql", None, 500)
        assert world.bump(*GLOB)[0] == 3
        world.forge.heal()
        assert (world.repo.head("main"), len(world.tags)) == (head, 3)


def test_a_group_moves_together(tmp_path: Path) -> None:
    with monorepo(tmp_path, ", group: platform") as world:
        world.repo.seed({"services/svc-b/main.py": "1"}, "feat: tea")
        code, out = world.bump("--config", "services/svc-b/stagegate.yaml")
        assert (code, out["reason"]) == (2, "bad-input")
        code, out = world.bump(*GLOB)
        assert versions(out) == dict.fromkeys(SERVICES, ("1.3.0", True))
        assert set(world.tags) >= {f"{name}-v1.3.0" for name in SERVICES}


def test_scopes_choose_the_commits_of_an_app(tmp_path: Path) -> None:
    with single(tmp_path, "files: [VERSION], scopes: [pay, 'pay-*']") as world:
        world.repo.seed({"a": "2"}, "feat(web): tea")
        world.repo.seed({"a": "3"}, "feat: no scope")
        assert world.bump()[1]["reason"] == "no-release-needed"
        world.repo.seed({"a": "4"}, "fix(pay-cards, web): cup")
        out = world.bump()[1]
        assert (out["version"], out["notes"].count("- ")) == ("1.0.1", 1)


# --- labels, authors and links -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "labels", "version"),
    [
        ("docs: tea", ("release:minor",), "1.1.0"),
        ("feat!: tea", ("release:patch",), "1.0.1"),
        ("Tea for all", ("release:major",), "2.0.0"),
        ("fix: tea", ("release:none",), ""),
        ("fix: tea", ("release:none", "release:minor"), "1.1.0"),
        ("fix: tea", ("other",), "1.0.1"),
    ],
)
def test_a_label_of_the_pull_request_decides(
    tmp_path: Path, title: str, labels: tuple[str, ...], version: str
) -> None:
    with single(tmp_path) as world:
        number = world.pull_request(title, {"a": "2"}, *labels)
        out = world.bump()[1]
        assert (out["reason"], out["version"]) == (
            ("released", version) if version else ("no-release-needed", "1.0.0")
        )
        if version:
            link = f"[#{number}]({world.forge.url}/acme/mono/pull/{number})"
            assert out["notes"].count(link) == 1
            assert "octo-dev" in out["notes"]
            assert f"#{number} " not in out["notes"].replace(link, "")


def test_a_label_counts_once_for_all_commits_of_a_merge(tmp_path: Path) -> None:
    with single(tmp_path) as world:
        world.pull_request("feat: tea", {"a": "2"}, "release:patch", method="merge")
        out = world.bump()[1]
        assert (out["version"], out["notes"].count("tea")) == ("1.0.1", 1)


def test_titles_decide_where_the_permission_to_read_labels_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with single(tmp_path, private=True) as world:
        world.pull_request("fix: tea", {"a": "2"}, "release:major")
        out = world.bump(rights={"contents": "write"})[1]
        assert (out["reason"], out["version"]) == ("released", "1.0.1")
    assert "pull-requests: read" in capsys.readouterr().out


# --- modes -------------------------------------------------------------------------------------------------


def pulls(world: VersionWorld, state: str = "open") -> list[dict[str, object]]:
    found: list[dict[str, object]] = world.ask("GET", f"pulls?state={state}&base=main")
    return [pull for pull in found if pull["head"]["ref"].startswith("stagegate/")]  # type: ignore[index]


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_a_release_pull_request_is_kept_up_to_date_and_its_merge_is_tagged(
    tmp_path: Path, method: str
) -> None:
    with single(tmp_path) as world:
        world.repo.seed({"a": "2"}, "fix: cup")
        code, out = world.bump("--mode", "pull-request")
        assert (code, out["reason"], out["changed"], set(world.tags)) == (0, "proposed", "false", {"v1.0.0"})
        number = int(out["pr-number"])
        assert world.bump("--mode", "pull-request")[1]["reason"] == "already-proposed"
        world.repo.seed({"a": "3"}, "feat: tea")
        out = world.bump("--mode", "pull-request")[1]
        assert (out["reason"], out["pr-number"], out["version"]) == ("updated", str(number), "1.1.0")
        (pull,) = pulls(world)
        assert pull["title"] == "chore(release): shop 1.1.0"
        assert "tea" in str(pull["body"])
        world.merge(number, method)
        code, out = world.bump("--mode", "pull-request")
        assert (code, out["reason"], out["version"]) == (0, "released", "1.1.0")
        assert world.tags["v1.1.0"] == out["sha"] == world.repo.head("main")
        assert "tea" in out["notes"]
        assert world.git("show", "v1.1.0:VERSION") == "1.1.0"
        again = world.bump("--mode", "pull-request")[1]
        assert (again["reason"], pulls(world)) == ("already-released", [])


def test_an_empty_release_pull_request_is_closed_unless_others_committed_to_it(tmp_path: Path) -> None:
    with single(tmp_path) as world:
        sha = world.repo.seed({"a": "2"}, "feat: tea")
        number = world.bump("--mode", "pull-request")[1]["pr-number"]
        branch = "stagegate/version/shop/main"
        world.repo.seed({"b": "mine"}, "docs: mine", branch=branch)
        world.repo.seed({"a": "3"}, "fix: more")
        code, out = world.bump("--mode", "pull-request")
        assert (code, out["reason"]) == (4, "foreign-commits")
        world.git("update-ref", f"refs/heads/{branch}", f"{branch}^")
        world.repo.seed({"a": "1\n"}, f'Revert "feat: tea"\n\nThis reverts commit {sha}.')
        world.repo.seed({"a": "1\n", "c": "1"}, 'Revert "fix: more"')
        out = world.bump("--mode", "pull-request")[1]
        assert (out["reason"], pulls(world)) == ("no-release-needed", [])
        assert str(pulls(world, "closed")[0]["number"]) == number


def test_the_mode_auto_opens_a_pull_request_where_the_rules_require_one(tmp_path: Path) -> None:
    with single(tmp_path) as world:
        world.repo.seed({"a": "2"}, "fix: cup")
        world.forge.protect("acme/mono", "main", require_pull_request=True)
        assert world.bump()[1]["reason"] == "proposed"


def test_without_version_files_a_tag_is_enough_where_the_rules_require_a_pull_request(tmp_path: Path) -> None:
    with single(tmp_path, "files: []") as world:
        head = world.repo.seed({"a": "2"}, "fix: cup")
        world.forge.protect("acme/mono", "main", require_pull_request=True)
        code, out = world.bump()
        assert (code, out["reason"], out["changed"], out["sha"]) == (0, "released", "true", head)
        assert (world.tags["v1.0.1"], pulls(world)) == (head, [])


def test_only_released_apps_of_a_run_with_a_release_pull_request_continue(tmp_path: Path) -> None:
    with monorepo(tmp_path) as world:
        settings = world.git("show", "main:services/svc-b/stagegate.yaml")
        tagged = {"services/svc-b/stagegate.yaml": settings.replace("[services/svc-b/VERSION]", "[]")}
        changed = {f"services/{name}/main.py": "1" for name in ("svc-a", "svc-b")}
        world.repo.seed({**tagged, **changed}, "fix: cup")
        code, out = world.bump(*GLOB, "--mode", "pull-request")
        assert (code, out["reason"], out["changed"]) == (0, "released", "true")
        assert versions(out)["svc-a"] == ("1.2.4", False) and versions(out)["svc-b"] == ("1.2.4", True)
        assert "svc-b-v1.2.4" in world.tags and "svc-a-v1.2.4" not in world.tags
        (pull,) = pulls(world)
        assert pull["title"] == "chore(release): svc-a 1.2.4"

        world.merge(int(str(pull["number"])))
        world.repo.seed({"services/svc-c/main.py": "1"}, "feat: tea")
        code, out = world.bump(*GLOB, "--mode", "pull-request")
        assert (code, out["reason"], "svc-a-v1.2.4" in world.tags) == (0, "released", True)
        assert versions(out)["svc-c"] == ("1.3.0", False)  # a later run proposes it
        assert world.bump(*GLOB, "--mode", "pull-request")[1]["reason"] == "proposed"


def test_a_tag_alone_needs_no_files(tmp_path: Path) -> None:
    with single(tmp_path, "files: []") as world:
        head = world.repo.seed({"a": "2"}, "feat: tea")
        code, out = world.bump("--mode", "tag")
        assert (code, out["version"], world.tags["v1.1.0"], world.repo.head("main")) == (
            0,
            "1.1.0",
            head,
            head,
        )


def test_a_tag_takes_the_version_of_the_files(tmp_path: Path) -> None:
    with single(tmp_path) as world:
        world.repo.seed({"a": "2"}, "feat: tea")
        assert world.bump("--mode", "tag")[1]["reason"] == "bad-settings"
        head = world.repo.seed({"VERSION": "1.4.0\n"}, "chore: 1.4.0")
        out = world.bump("--mode", "tag")[1]
        assert (out["version"], world.tags["v1.4.0"]) == ("1.4.0", head)


def test_a_skipped_gate_is_named_in_the_tag_and_handed_on(tmp_path: Path) -> None:
    with single(tmp_path) as world:
        world.repo.seed({"a": "2"}, "fix: cup")
        out = world.bump("--skip-staging", "staging is down")[1]
        assert out["skip-staging"] == "staging is down"
        assert "skipped by octo-dev: staging is down" in world.git("cat-file", "-p", "v1.0.1")
        assert world.bump()[1]["skip-staging"] == ""


# --- the registry ------------------------------------------------------------------------------------------


def published(store: Client, chart: str, version: str) -> None:
    """A chart of that version in the registry."""
    config = b"{}"
    document = {
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.cncf.helm.config.v1+json",
            "digest": digest_of(config),
            "size": 2,
        },
        "layers": [],
    }
    kind = "application/vnd.oci.image.manifest.v1+json"
    store.push(f"{chart}:{version}", Manifest(media_type=kind, raw=to_json(document)), (config,))


def test_a_version_whose_chart_is_published_is_never_used_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Registry(tmp_path / "registry") as registry, Forge(tmp_path / "forge") as forge:
        chart = f"{registry.host}/acme/charts/shop"
        store = Client(frozenset({registry.host}))
        files = {
            "stagegate.yaml": "app: shop\nversion: {files: [VERSION]}\n"
            f"chart: {{path: charts/shop, repository: 'oci://{registry.host}/acme/charts'}}\n",
            "VERSION": "1.0.0\n",
            "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        }
        world = VersionWorld(forge, tmp_path, files, ["v1.0.0"])
        world.repo.seed({"a": "2"}, "fix: cup")
        published(store, chart, "1.0.1")  # of another line whose tag was never made
        assert world.bump("--mode", "plan")[1]["version"] == "1.0.2"
        published(store, chart, "2.0.0")
        code, out = world.bump()
        assert (code, out["reason"], set(world.tags)) == (1, "older-version", {"v1.0.0"})
        assert "The registry has the chart 2.0.0" in capsys.readouterr().out
        code, out = world.bump("--bump", "2.0.0")
        assert (code, out["reason"]) == (4, "version-taken")
        code, out = world.bump("--bump", "2.0.1")
        assert (code, out["reason"], "v2.0.1" in world.tags) == (0, "released", True)
