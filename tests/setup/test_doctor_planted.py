"""doctor in a repository that init has just set up: mistakes of workflows, settings, scenarios and Applications."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from stagegate.actions import init
from stagegate.runner.boundary import entrypoint
from stagegate.setup.doctor import registry
from tests.setup import doctor_facts
from tests.setup.bare_repositories import ALL
from tests.setup.test_init import alone

SETTINGS, EVENTS, RELEASE = (
    "stagegate.yaml",
    ".github/workflows/stagegate.yml",
    ".github/workflows/release.yml",
)
SCENARIOS, APPLICATION, PROJECT = "e2e/shop.yaml", "deploy/argocd/prod.yaml", "deploy/argocd/project.yaml"
TYPES = "types: [opened, reopened, synchronize, edited, labeled, unlabeled]"
PASSED = "STAGEGATE_VARIABLES: ${{ secrets.STAGEGATE_VARIABLES }}"
CALL = "    uses: o/stagegate/.github/workflows/events.yml"
Files = dict[str, str]


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MappingProxyType[str, str]]:
    """The files of a repository after `init --yes`."""
    folder = tmp_path_factory.mktemp("adopted")
    ALL["helm-created"](folder)
    with pytest.MonkeyPatch.context() as patch:
        alone(patch, folder)
        assert (
            entrypoint("init", init.Init, init.main, argv=["--yes", "--stagegate", "o/stagegate@v1.0.0"]) == 0
        )
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=folder, check=True, capture_output=True, text=True).stdout.split()
    yield MappingProxyType({name: Path(folder, name).read_text() for name in names})


def findings(files: Files) -> list[tuple[str, str, str]]:
    """Check, severity and message of every finding that needs no request."""
    facts = doctor_facts.of(files)
    checks = [check for check in registry.all_checks() if not check.needs and check.name != "tools"]
    return [(check.name, one.severity, one.message) for check in checks for one in check.run(facts)]


def test_what_init_writes_has_no_findings(adopted: MappingProxyType[str, str]) -> None:
    assert [one for one in findings(dict(adopted)) if one[0] != "adopted"] == []


def change(path: str, *texts: str) -> Callable[[Files], None]:
    """Pairs of texts of a file: the existing text, and the text with a mistake."""

    def changed(files: Files) -> None:
        for before, after in zip(texts[::2], texts[1::2], strict=True):
            assert before in files[path], before
            files[path] = files[path].replace(before, after)

    return changed


def copy(path: str, name: str) -> Callable[[Files], None]:
    """A second file like a first one."""
    return lambda files: files.update({name: files[path]})


class Planted(NamedTuple):
    """A mistake, and what doctor reports about it."""

    plant: Callable[[Files], None]
    check: str
    severity: str
    message: str


# fmt: off
PLANTED = {
    "a key that a calling job may not have": Planted(change(EVENTS, CALL, f"    environment: prod\n    timeout-minutes: 5\n{CALL}"), "called-jobs", "error", "such a job may not have `environment`, `timeout-minutes`"),
    "a condition for one event": Planted(change(EVENTS, CALL, f"    if: github.event_name == 'push'\n{CALL}"), "called-jobs", "error", "does not run for issue_comment, pull_request_target, workflow_dispatch"),
    "a road after a failure": Planted(change(RELEASE, "    needs: build\n", "    needs: build\n    if: always()\n"), "called-jobs", "warning", "also runs after a job before it has failed"),
    "a runner without quotes": Planted(change(EVENTS, "    secrets:\n", "    with: {runs-on: self-hosted}\n    secrets:\n"), "called-jobs", "error", "is self-hosted, which is no JSON text"),
    "a secret of another name": Planted(change(EVENTS, PASSED, "STAGEGATE_VARIABLES: ${{ secrets.SHOP_VARIABLES }}"), "called-jobs", "warning", "passes the secret SHOP_VARIABLES as STAGEGATE_VARIABLES"),
    "a secret of a variable": Planted(change(EVENTS, PASSED, "STAGEGATE_VARIABLES: ${{ vars.STAGEGATE_VARIABLES }}"), "called-jobs", "error", "comes from a variable"),
    "a secret in the file": Planted(change(EVENTS, PASSED, "STAGEGATE_VARIABLES: SHOP_TOKEN=x"), "called-jobs", "error", "is written out in"),
    "releases of pull requests": Planted(change(RELEASE, "on:\n", "on:\n  pull_request:\n"), "release-starts", "error", "is started by `pull_request`"),
    "releases of tags": Planted(change(RELEASE, "    branches: main\n", "    branches: main\n    tags: v*\n"), "release-starts", "warning", "by tags as well as by branches"),
    "a chart that releases nothing": Planted(change(RELEASE, "    paths-ignore: ", "    paths-ignore: [charts/**] # "), "release-starts", "warning", "A change of only the chart of shop starts no release"),
    "no start by hand": Planted(change(RELEASE, "  workflow_dispatch:\n    inputs:\n      bump: {}\n", ""), "release-starts", "note", "cannot be started by hand"),
    "no exact version": Planted(change(RELEASE, "    inputs:\n      bump: {}\n", ""), "release-starts", "note", "has no input `bump`"),
    "a guard of another branch": Planted(change(EVENTS, TYPES, f"{TYPES}\n    branches: [develop]"), "guard-starts", "error", "does not guard pull requests to main"),
    "a guard of some paths": Planted(change(EVENTS, TYPES, f"{TYPES}\n    paths: [src/**]"), "guard-starts", "error", "does not guard pull requests that change deploy/argocd/prod.yaml"),
    "a guard without labels": Planted(change(EVENTS, ", labeled, unlabeled", ""), "guard-starts", "warning", "does not notice labels"),
    "two workflows for one event": Planted(copy(EVENTS, ".github/workflows/two.yml"), "guard-starts", "warning", "both call events.yml for the same apps"),
    "a verifying workflow that verifies nothing": Planted(change(RELEASE, "      digests: ", "      verify-workflow: release.yml\n      digests: "), "workflows", "error", "release.yml, which runs no gate"),
    "an error that passes": Planted(change(SCENARIOS, "status: 200", "status: [200, 404, 500]"), "scenario-strength", "warning", "also accepts the status 404, 500"),
    "only an error passes": Planted(change(SCENARIOS, "status: 200", "status: 404"), "scenario-strength", "warning", "No check of e2e/shop.yaml expects that a request succeeds"),
    "nothing has to pass": Planted(change(SCENARIOS, "    expect:", "    required: false\n    expect:"), "scenario-strength", "error", "has no check that has to pass"),
    "a time zone": Planted(change(SETTINGS, "after: [staging]", "after: [staging]\n    freeze: [{from: 2026-01-02, to: 2026-01-03, timezone: Europe/Berln, reason: x}]"), "times", "error", "the time zone Europe/Berln, which does not exist"),
    "a rule of a window": Planted(change(SETTINGS, "after: [staging]", "after: [staging]\n    window: [{rrule: FREQ=WEEKLY;BYDAY=XX, duration: 8h, timezone: UTC}]"), "times", "error", "The window FREQ=WEEKLY;BYDAY=XX of prod is not a rule"),
    "an image with capitals": Planted(change(SETTINGS, "[ghcr.io/acme/shop]", "[ghcr.io/Acme/shop]"), "registry-hosts", "error", "ghcr.io/Acme/shop cannot be the name"),
    "an image with a scheme": Planted(change(SETTINGS, "[ghcr.io/acme/shop]", '["https://ghcr.io/acme/shop"]'), "registry-hosts", "error", "https://ghcr.io/acme/shop cannot be the name"),
    "a forgotten version file": Planted(change(SETTINGS, "    - VERSION\n", ""), "version-files", "warning", "VERSION holds 1.4.2 too, and version-bump does not move it"),
    "a project that is not there": Planted(change(APPLICATION, "project: shop", "project: shopp"), "applications-allowed", "warning", "belongs to the project shopp"),
    "a source that is not allowed": Planted(change(PROJECT, "ghcr.io/acme/charts", "ghcr.io/acme/chart"), "applications-allowed", "error", "does not allow ghcr.io/acme/charts, a source of the Application shop-prod"),
    "a namespace that is not allowed": Planted(change(PROJECT, "namespace: shop-prod", "namespace: prod"), "applications-allowed", "error", "does not allow the namespace shop-prod"),
    "one namespace for two environments": Planted(change(APPLICATION, "namespace: shop-prod", "namespace: shop-staging"), "applications-distinct", "error", "deploy to one namespace, shop-staging"),
    "values of another environment": Planted(change(APPLICATION, "values/prod.yaml", "values/staging.yaml"), "applications-distinct", "warning", "reads $values/deploy/values/staging.yaml, which is named after staging"),
    "values of a source that is not there": Planted(change(APPLICATION, "ref: values", "ref: vals"), "applications-distinct", "error", "none of its sources has `ref: values`"),
    "an Application that is declared twice": Planted(copy(APPLICATION, "deploy/other.yaml"), "applications-distinct", "warning", "is declared twice: in deploy/argocd/prod.yaml and deploy/other.yaml"),
    "a second tool that moves the image": Planted(change(APPLICATION, "  finalizers:", "  annotations: {argocd-image-updater.argoproj.io/image-list: shop=ghcr.io/acme/shop}\n  finalizers:"), "applications-distinct", "warning", "Argo CD Image Updater moves the images"),
    "paths that match nothing": Planted(change(SETTINGS, "  tag-prefix:", "  paths: [service/shop/**]\n  tag-prefix:"), "app-paths", "error", "No file belongs to shop: `paths` under `version` match nothing"),
    "paths of something else": Planted(change(SETTINGS, "  tag-prefix:", "  paths: [deploy/**]\n  tag-prefix:"), "app-paths", "warning", "Commits in charts/shop do not count for shop"),
    "pins that Renovate moves": Planted(lambda files: files.update({"renovate.json": '{"extends": ["config:recommended"]}'}), "other-bots", "warning", "renovate.json lets Renovate move the pins"),
    "pins that Dependabot moves": Planted(lambda files: files.update({".github/dependabot.yml": "updates: [{package-ecosystem: docker, directories: [/, /deploy/argocd/]}]\n"}), "other-bots", "warning", "lets Dependabot move deploy/argocd/prod.yaml"),
    "an image that is not applied": Planted(change(APPLICATION, "/spec/replicas", "/spec/template"), "applications-distinct", "warning", "ignores differences at /spec/template, where the image is"),
}
# fmt: on


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_is_reported(mistake: str, adopted: MappingProxyType[str, str]) -> None:
    files, planted = dict(adopted), PLANTED[mistake]
    planted.plant(files)
    reported = [one for one in findings(files) if planted.message in one[2]]
    assert [one[:2] for one in dict.fromkeys(reported)] == [(planted.check, planted.severity)], findings(
        files
    )


def test_bots_that_leave_the_pins_alone_are_fine(adopted: MappingProxyType[str, str]) -> None:
    preset = '{"extends": ["github>acme/stagegate//presets/pins(deploy/**)"]}'
    actions = "updates: [{package-ecosystem: github-actions, directory: /}, {package-ecosystem: docker, directory: /}]\n"
    files = {**adopted, "renovate.json": preset, ".github/dependabot.yml": actions}
    assert [one for one in findings(files) if one[0] == "other-bots"] == []


def test_what_a_project_allows_by_patterns_is_allowed(adopted: MappingProxyType[str, str]) -> None:
    files = dict(adopted)
    change(
        PROJECT,
        "https://github.com/acme/shop.git",
        "https://github.com/acme/*",
        "ghcr.io/acme/charts",
        "ghcr.io/**",
    )(files)
    change(
        PROJECT,
        "server: https://kubernetes.default.svc, namespace: shop-prod",
        "server: '*', namespace: shop-*",
    )(files)
    assert [one for one in findings(files) if one[0] == "applications-allowed"] == []
    change(
        PROJECT,
        "https://github.com/acme/*",
        "https://github.com/acme/*\n    - '!https://github.com/acme/shop.git'",
    )(files)
    assert [one[0] for one in findings(files) if one[0] == "applications-allowed"]


def test_a_dockerfile_that_is_not_there_is_reported() -> None:
    from tests.setup.test_doctor_build import RELEASE as workflow
    from tests.setup.test_doctor_build import findings as of_build

    found = of_build(workflow.replace("{context: ., ", "{context: ., file: build/Dockerfile, "))
    assert [(one.rule, one.severity, one.message) for one in found] == [
        ("build-job", "error", "There is no build/Dockerfile, from which the job build builds.")
    ]
