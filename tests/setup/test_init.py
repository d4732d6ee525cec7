"""init reads six newcomers' repositories correctly, changes none of their files, and its files pass our checks."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from stagegate import pins
from stagegate import settings as settings_file
from stagegate.actions import chart_check, init, promote_pr
from stagegate.clients.git import repository_of
from stagegate.runner.boundary import entrypoint
from stagegate.setup import work_tree
from tests.setup import bare_repositories
from tests.setup.bare_repositories import ALL, APPLICATION, commit, git, write

# For each repository and app: environments in order with the files that pin them.
EXPECTED: Mapping[str, Mapping[str, Mapping[str, list[str]]]] = {
    "helm-created": {
        "shop": {"staging": ["deploy/argocd/staging.yaml"], "prod": ["deploy/argocd/prod.yaml"]},
    },
    "gitops-folders": {
        "shop": {"staging": ["apps/staging/shop.yaml"], "prod": ["apps/prod/shop.yaml"]},
    },
    "kustomize-monorepo": {
        name: {
            place: [f"deploy/{name}/overlays/{place}/kustomization.yaml"]
            for place in ("staging", "prod-eu", "prod-us")
        }
        for name in ("svc-a", "svc-b", "svc-c")
    },
    "umbrella-chart": {
        "shop": {
            place: [f"environments/{place}/Chart.yaml", f"environments/{place}/values.yaml"]
            for place in ("staging", "production")
        }
    },
    "image-only": {
        "mailer": {"dev": ["k8s/dev/deployment.yaml"], "prod": ["k8s/prod/deployment.yaml"]},
    },
    "application-set": {
        "shop": {place: ["appsets/shop.yaml"] for place in ("staging", "prod-eu", "prod-us")}
    },
}


@pytest.fixture(params=ALL)
def repository(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Path]:
    folder = tmp_path / "repository"
    folder.mkdir()
    ALL[request.param](folder)
    alone(monkeypatch, folder)
    return request.param, folder


def alone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No runner around the command."""
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "SG_", "RUNNER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)


def run(*flags: str) -> int:
    return entrypoint("init", init.Init, init.main, argv=[*flags, "--stagegate", "acme/stagegate@v0.1.0"])


def configs(folder: Path) -> dict[str, settings_file.Settings]:
    found = (path for path in folder.rglob("stagegate.yaml"))
    return {(loaded := settings_file.load(path, path.name)).app: loaded for path in sorted(found)}


def test_the_environments_and_pins_are_found(repository: tuple[str, Path]) -> None:
    name, folder = repository
    assert run("--yes") == 0
    found = {
        app: {place.name: list(place.pins) for place in settings.environments}
        for app, settings in configs(folder).items()
    }
    assert found == EXPECTED[name]
    for settings in configs(folder).values():
        first, *later = settings.environments
        assert first.after == () and first.promotion.strategy == "direct"
        assert all(place.after == (first.name,) and place.promotion.strategy == "latest" for place in later)


def test_every_environment_is_promoted_in_its_own_pins_only(
    repository: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = repository
    assert run("--yes") == 0
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "chore: adopt stagegate")
    for config in sorted(folder.rglob("stagegate.yaml")):
        settings = settings_file.load(config, config.name)
        for place in settings.environments:
            flags = ["--local", "--config", config.relative_to(folder).as_posix()]
            flags += ["--environment", place.name, "--version", "7.8.9"]
            assert entrypoint("promote-pr", promote_pr.PromotePr, promote_pr.main, argv=flags) == 0, (
                place.name
            )
            capsys.readouterr()
            assert git(folder, "diff", "--name-only").split() == sorted(map(str, place.pins))
            changed = [
                line for line in git(folder, "diff", "-U0").splitlines() if line.startswith(("+ ", "+-"))
            ]
            assert changed and all("7.8.9" in line for line in changed)
            git(folder, "checkout", "-q", ".")


def test_existing_files_stay_and_a_second_run_writes_nothing(
    repository: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = repository
    assert run("--yes") == 0
    shown = capsys.readouterr().out
    assert git(folder, "diff", "--name-only") == ""
    for name in git(folder, "ls-files", "--others", "--exclude-standard").split():
        assert f"+++ b/{name}\n" in shown
    before = git(folder, "status", "--porcelain", "-uall")
    assert run("--yes") == 0
    assert "reason=no-difference" in capsys.readouterr().out
    assert git(folder, "status", "--porcelain", "-uall") == before


def test_every_written_yaml_file_is_valid(repository: tuple[str, Path]) -> None:
    _, folder = repository
    assert run("--yes") == 0
    written = git(folder, "ls-files", "--others", "--exclude-standard").split()
    for name in written:
        if name.endswith((".yaml", ".yml")):
            assert all(isinstance(one, dict) for one in yaml.safe_load_all((folder / name).read_text())), name
    applications = [name for name in written if "/argocd/" in name and name.endswith((".yaml", ".yml"))]
    for name in applications:
        (one,) = yaml.safe_load_all((folder / name).read_text())
        if one["kind"] == "Application":
            assert one["metadata"]["finalizers"] and one["spec"]["ignoreDifferences"]
            assert one["spec"]["syncPolicy"]["retry"]["limit"] == 5
            assert one["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}


def test_without_yes_and_without_a_terminal_nothing_is_written(
    repository: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = repository
    assert run() == 0
    assert "reason=planned" in capsys.readouterr().out
    assert git(folder, "status", "--porcelain", "-uall") == ""


def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    ALL[name](folder)
    alone(monkeypatch, folder)
    return folder


def test_a_chart_of_helm_create_passes_chart_check_for_every_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bare(tmp_path, monkeypatch, "helm-created")
    assert run("--yes") == 0
    capsys.readouterr()
    assert entrypoint("chart-check", chart_check.ChartCheck, chart_check.main, argv=[]) == 0
    said = capsys.readouterr().out
    assert "The chart was rendered for staging, prod" in said and "passes every check" in said
    assert configs(folder)["shop"].image_tags("1.5.0") == ("1.5.0",)


def test_the_secret_of_the_registry_fails_without_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bare(tmp_path, monkeypatch, "helm-created")
    assert run("--yes") == 0
    script = ["sh", "deploy/argocd/repository-secret.sh"]
    given = {"REGISTRY_USERNAME": "octo", "REGISTRY_PASSWORD": 'a"b: $c\n'}
    without = subprocess.run(script, cwd=folder, capture_output=True, text=True, check=False)
    assert (without.returncode != 0, without.stdout) == (True, "")
    done = subprocess.run(
        script, cwd=folder, capture_output=True, text=True, check=True, env={**os.environ, **given}
    )
    secret = yaml.safe_load(done.stdout)
    assert secret["stringData"]["url"] == "ghcr.io/acme/charts"
    assert base64.b64decode(secret["data"]["password"]).decode() == given["REGISTRY_PASSWORD"]


def test_flags_override_what_init_detects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    bare_repositories.write(folder, {"Dockerfile": "FROM scratch\n", "main.go": "package main\n"})
    bare_repositories.commit(folder, "acme/shop")
    alone(monkeypatch, folder)
    assert run("--yes") == 2
    assert "--policy" in capsys.readouterr().out
    assert run("--yes", "--policy", "acme/gitops//apps/shop/stagegate.yaml") == 0
    settings = configs(folder)["shop"]
    assert (settings.policy, settings.images) == (
        "acme/gitops//apps/shop/stagegate.yaml",
        ("ghcr.io/acme/shop",),
    )


def test_several_clusters_of_one_rank_get_an_application_set_with_a_version_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bare(tmp_path, monkeypatch, "helm-created")
    flags = [word for name in ("staging", "prod-eu", "prod-us") for word in ("--environment", name)]
    assert run("--yes", *flags) == 0
    settings = configs(folder)["shop"]
    shared = "deploy/argocd/clusters.yaml"
    assert {place.name: place.pins for place in settings.environments} == {
        "staging": ("deploy/argocd/staging.yaml",),
        "prod-eu": (shared,),
        "prod-us": (shared,),
    }
    for place in settings.environments[1:]:
        read = pins.read(shared, (folder / shared).read_bytes(), settings, place)
        assert {found.value for found in read.places} == {"1.4.2"}


def test_a_release_workflow_that_exists_stays_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bare(tmp_path, monkeypatch, "image-only")
    theirs = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{uses: docker/build-push-action@v6}]\n"
    bare_repositories.write(folder, {".github/workflows/release.yml": theirs, "CODEOWNERS": "* @octo"})
    assert run("--yes") == 0
    said = capsys.readouterr().out
    assert (folder / ".github/workflows/release.yml").read_text() == theirs
    assert (folder / ".github/workflows/stagegate-release.yml").is_file()
    assert ".github/workflows/release.yml also does this work: image build" in said
    assert (folder / "CODEOWNERS").read_text().startswith("* @octo\n# Owners of")
    assert "/k8s/prod/ @acme" in (folder / "CODEOWNERS").read_text()


def test_a_second_app_is_added_beside_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bare(tmp_path, monkeypatch, "kustomize-monorepo")
    assert run("--yes") == 0
    mine = folder / "services/svc-a/stagegate.yaml"
    mine.write_text(mine.read_text() + "# mine\n")
    (folder / "services/svc-b/stagegate.yaml").unlink()
    assert run("--yes") == 0
    assert mine.read_text().endswith("# mine\n")
    assert set(configs(folder)) == {"svc-a", "svc-b", "svc-c"}


@pytest.mark.parametrize(
    ("name", "file", "begun", "app"),
    [
        ("image-only", "stagegate.yaml", "app: mine # a word", "mine"),
        ("helm-created", "stagegate.yaml", "# ours\napp: mine\ntrust: {level: advisory}\n", "mine"),
        ("kustomize-monorepo", "services/svc-b/stagegate.yaml", "app: pay\n", "pay"),
        (
            "kustomize-monorepo",
            "teams/pay.d/stagegate.yaml",
            "app: pay\nimages: [ghcr.io/acme/svc-b]\n",
            "pay",
        ),
    ],
)
def test_settings_that_a_person_began_keep_their_name_and_get_the_rest(
    name: str, file: str, begun: str, app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bare(tmp_path, monkeypatch, name)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(begun)
    assert run("--yes") == 0
    assert path.read_text().startswith(begun)
    found = configs(folder)
    assert set(found) == ({app, "svc-a", "svc-c"} if "mono" in name else {app})
    assert len(found[app].environments) > 1
    assert not list(folder.rglob("svc-b/stagegate.yaml")) or file.startswith("services")
    before = git(folder, "status", "--porcelain", "-uall"), path.read_text()
    assert run("--yes") == 0
    assert (git(folder, "status", "--porcelain", "-uall"), path.read_text()) == before


def test_in_a_clone_without_a_remote_guesses_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bare(tmp_path, monkeypatch, "image-only")
    assert run("--dry-run") == 0
    assert "no remote" not in capsys.readouterr().out
    git(folder, "remote", "remove", "origin")
    assert run("--dry-run", "--image", "ghcr.io/acme/mailer") == 0
    assert "git remote add origin" in capsys.readouterr().out


def test_outside_a_repository_init_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone(monkeypatch, tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert run() == 2
    assert "git init" in capsys.readouterr().out


def test_the_written_files_are_an_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bare(tmp_path, monkeypatch, "application-set")
    assert run("--dry-run", "--yes") == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("files=")]
    assert "stagegate.yaml" in json.loads(line.removeprefix("files="))
    assert work_tree.read(folder).repository == "acme/fleet"


def test_protected_trust_writes_the_manifest_of_its_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bare(tmp_path, monkeypatch, "image-only")
    assert run("--yes", "--app", "mailer-gate") == 0
    said = capsys.readouterr().out
    trust = configs(folder)["mailer"].trust
    assert (trust.level, trust.app) == ("protected", "mailer-gate")
    start = said.index("{\n")
    manifest = json.loads(said[start : said.index("\n}", start) + 2])
    assert (manifest["name"], manifest["public"], manifest["default_events"]) == ("mailer-gate", False, [])
    assert manifest["default_permissions"]["deployments"] == "write"
    for name in ("stagegate", "dev", "prod"):
        assert f"gh secret set APP_KEY --env {name} --repo acme/mailer < mailer-gate.pem" in said
    for file in ("release.yml", "stagegate.yml"):
        text = (folder / ".github/workflows" / file).read_text()
        assert "app-id: ${{ vars.STAGEGATE_APP_ID }}" in text
        assert "APP_KEY: ${{ secrets.APP_KEY }}" in text


def test_the_build_runs_and_ends_in_the_digests_of_what_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script of the build job, with a `docker` that only writes what buildx writes."""
    folder = bare(tmp_path, monkeypatch, "kustomize-monorepo")
    assert run("--yes") == 0
    workflow = yaml.safe_load((folder / ".github/workflows/release.yml").read_text())
    (step,) = [one for one in workflow["jobs"]["build"]["steps"] if one.get("id") == "build"]
    programs = tmp_path / "bin"
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text(
        '#!/bin/sh\n[ "$1" = login ] && { cat > /dev/null; exit 0; }\n'
        'while [ $# -gt 0 ]; do [ "$1" = --metadata-file ] && out="$2"; [ "$1" = --tag ] && tag="$2"; shift; done\n'
        'printf \'{"containerimage.digest": "sha256:%s"}\' "$(printf %s "$tag" | sha256sum | cut -c1-64)" > "$out"\n'
    )
    docker.chmod(0o755)
    output = tmp_path / "output"
    environ = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(output),
        "COMMIT": "c" * 40,
        "RELEASES": json.dumps({"apps": [{"app": "svc-a"}, {"app": "svc-c"}]}),
        "REGISTRY_USERNAME": "octo",
        "REGISTRY_PASSWORD": "secret",
    }
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=folder, env=environ, check=True)
    digests = json.loads(output.read_text().removeprefix("digests="))
    assert {app: list(images) for app, images in digests.items()} == {
        "svc-a": ["ghcr.io/acme/svc-a"],
        "svc-c": ["ghcr.io/acme/svc-c"],
    }
    assert digests["svc-a"] != digests["svc-c"] and digests["svc-a"]["ghcr.io/acme/svc-a"].startswith(
        "sha256:"
    )


def lines(document: object) -> int:
    """Lines of a workflow after a dump in block style, without comments."""
    return len(yaml.safe_dump(document, default_flow_style=False, width=10_000).splitlines())


def beside_the_build(folder: Path) -> int:
    """Lines of the workflows without the job that builds."""
    documents = [
        yaml.safe_load(path.read_text()) for path in sorted((folder / ".github/workflows").iterdir())
    ]
    for document in documents:
        document["jobs"].pop("build", None)
    return sum(map(lines, documents))


def kept_for_a_further_app(settings: Path) -> int:
    """Lines of settings that are an app's own: environments can come from a shared policy."""
    document = yaml.safe_load(settings.read_text())
    return lines({key: value for key, value in document.items() if key not in ("environments", "version")})


def five_apps(folder: Path) -> None:
    """A repository with the Applications of five apps, whose charts and code are elsewhere."""
    files = {}
    for name in ("cart", "mail", "pay", "shop", "web"):
        for place, version in (("staging", "1.5.0"), ("prod", "1.4.2")):
            helm = f"{{parameters: [{{name: image.tag, value: v{version}}}]}}"
            source = f"    repoURL: ghcr.io/acme/charts\n    chart: {name}\n    targetRevision: {version}\n    helm: {helm}"
            files[f"apps/{name}/{place}.yaml"] = APPLICATION.format(name=f"{name}-{place}", source=source)
    write(folder, files)
    commit(folder, "acme/gitops")


def elsewhere(builder: Callable[[Path], object]) -> Callable[[Path], None]:
    """The same repository with images and charts in a registry that wants a login of its own."""

    def built(folder: Path) -> None:
        builder(folder)
        for path in git(folder, "ls-files").split():
            text = (folder / path).read_text()
            (folder / path).write_text(text.replace("ghcr.io/acme", "registry.acme.example"))
        git(folder, "commit", "--quiet", "--all", "--message", "chore: move")

    return built


APPS_POLICY = ("--policy", "acme/gitops//apps/shop/stagegate.yaml")
HELM = ALL["helm-created"]
# Repositories that belong together, each with the flags of init.
LAYOUTS: dict[str, tuple[tuple[Callable[[Path], object], tuple[str, ...]], ...]] = {
    "one app": ((HELM, ()),),
    "images only": ((ALL["image-only"], ()),),
    "many apps": ((ALL["kustomize-monorepo"], ()),),
    "many apps and another registry": ((elsewhere(ALL["kustomize-monorepo"]), ()),),
    "charts in another registry": ((HELM, ("--registry", "registry.acme.example/x")),),
    "five apps in a gitops repository": ((five_apps, ()), (HELM, APPS_POLICY)),
    "five apps and another registry": ((elsewhere(five_apps), ()), (elsewhere(HELM), APPS_POLICY)),
    "chart elsewhere": (
        (ALL["umbrella-chart"], ()),
        (elsewhere(HELM), ("--policy", "acme/deploy//stagegate.yaml")),
    ),
    "clusters": ((ALL["application-set"], ()), (HELM, ("--policy", "acme/fleet//stagegate.yaml"))),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_app_costs_sixty_lines_beside_the_build(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total, logins = 0, set()
    for number, (builder, flags) in enumerate(LAYOUTS[layout]):
        folder = tmp_path / str(number)
        folder.mkdir()
        builder(folder)
        alone(monkeypatch, folder)
        assert run("--yes", *flags) == 0
        total += beside_the_build(folder)
        texts = [path.read_text() for path in (folder / ".github/workflows").iterdir()]
        logins |= {"REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}" in text for text in texts}
        further = [kept_for_a_further_app(path) for path in folder.rglob("*/stagegate.yaml")]
        assert max(further, default=0) <= 15
    assert total <= 60
    assert logins == {"registry" in layout or layout == "chart elsewhere"}, (
        "which jobs get the registry's login"
    )


def test_two_charts_with_one_image_are_two_apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bare(tmp_path, monkeypatch, "helm-created")
    (first,) = (path.parent for path in folder.rglob("Chart.yaml"))
    second = first.parent / "worker"
    shutil.copytree(first, second)
    chart = second / "Chart.yaml"
    chart.write_text(chart.read_text().replace(f"name: {first.name}", "name: worker"))
    for old in (folder / "deploy", folder / "stagegate.yaml"):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "feat: a worker")
    assert run("--yes") == 0
    written = {path.parent.name for path in folder.rglob("stagegate.yaml")}
    assert len(written) == 2 and "worker" in written, written


def test_a_folder_that_leads_out_of_the_repository_stops_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bare(tmp_path, monkeypatch, "helm-created")
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / ".github").symlink_to(outside, target_is_directory=True)
    before = sorted(folder.iterdir())
    assert run("--yes") == 2
    assert (sorted(folder.iterdir()), list(outside.iterdir())) == (before, [])


def test_an_impossible_file_name_stops_init_with_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bare(tmp_path, monkeypatch, "helm-created")
    blob = git(folder, "rev-parse", "HEAD:VERSION")
    git(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob.strip()},{'x' * 300}.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / ".github").symlink_to(".github")
    assert run("--yes") == 2
    assert ".github/workflows/" in (said := capsys.readouterr().out) and "cannot be written" in said
    (folder / ".github").unlink()
    assert run("--yes") == 0


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("https://octo:secret@github.example.com/acme/shop/", "acme/shop"),
        ("ssh://git@github.com:22/acme/shop", "acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("github.com:acme/shop", "acme/shop"),
        ("/srv/git/acme/shop.git", ""),
        ("../acme/shop", ""),
        ("file:///srv/git/acme/shop.git", ""),
        ("", ""),
    ],
)
def test_only_an_address_with_a_host_names_an_owner(address: str, repository: str) -> None:
    assert repository_of(address) == repository


@pytest.mark.parametrize(
    ("existing", "named"), [("", False), ("stagegate.yaml", True), ("docs/stagegate.yaml", True)]
)
def test_workflows_name_the_settings_only_in_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: str, named: bool
) -> None:
    folder = bare(tmp_path, monkeypatch, "kustomize-monorepo")
    if existing:
        (folder / existing).parent.mkdir(exist_ok=True)
        (folder / existing).write_text("app: other\nchart: none\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "docs")
    assert run("--yes") == 0
    for name, job in (("release", "version"), ("stagegate", "stagegate")):
        workflow = yaml.safe_load((folder / f".github/workflows/{name}.yml").read_text())
        given = workflow["jobs"][job].get("with", {}).get("config")
        assert given == ("services/*/stagegate.yaml" if named else None)
    # A file in the root would replace all others, so its owners decide about it too.
    assert "/stagegate.yaml " in (folder / "CODEOWNERS").read_text()


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/acme/shop.git"),
        ("https://octo:secret@ghe.acme.example/acme/shop", "https://ghe.acme.example/acme/shop.git"),
        ("git@ghe.acme.example:acme/shop.git", "https://ghe.acme.example/acme/shop.git"),
        ("ssh://git@ghe.acme.example:2222/acme/shop.git", "https://ghe.acme.example/acme/shop.git"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "https://github.com/acme/shop.git"),
        ("http://ghe.acme.example:8080/acme/shop", "http://ghe.acme.example:8080/acme/shop.git"),
        ("git@work:acme/shop.git", "https://github.com/acme/shop.git"),
        ("../shop.git", "https://github.com/acme/shop.git"),
    ],
)
def test_argocd_reads_the_repository_from_the_host_of_origin(origin: str, address: str) -> None:
    assert work_tree.address_of(origin, "acme/shop") == address


def test_applications_that_init_writes_are_applied_by_one_that_follows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bare(tmp_path, monkeypatch, "helm-created")
    assert run("--yes") == 0
    root = yaml.safe_load((folder / "deploy/root.yaml").read_text())
    assert root["spec"]["source"]["path"] == "deploy/argocd"
    assert "kubectl apply --filename deploy/root.yaml" in capsys.readouterr().out
    for place in configs(folder)["shop"].environments:
        assert place.argo.parent == root["metadata"]["name"]
        assert str(place.pins[0]).startswith("deploy/argocd/")
    assert "/deploy/root.yaml @acme" in (folder / "CODEOWNERS").read_text()


def test_folders_that_applications_deploy_are_applied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare(tmp_path, monkeypatch, "image-only")
    assert run("--yes") == 0
    assert "kubectl apply --filename k8s/argocd" in capsys.readouterr().out
