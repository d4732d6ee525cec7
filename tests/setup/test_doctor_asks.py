"""doctor checks GitHub, the registry and Argo CD of the lab, and reports what each of them would refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lab.lab import Lab
from lab.servers import SHOP
from stagegate.actions import doctor
from stagegate.runner.boundary import entrypoint
from tests.setup.bare_repositories import git
from tests.setup.test_init import alone

ENVIRONMENTS = ("staging", "prod")


class Done(NamedTuple):
    """One run of doctor."""

    code: int
    findings: list[dict[str, str]]
    said: str

    def told(self, check: str, part: str = "") -> dict[str, str]:
        """The one finding of a check that contains a text."""
        found = [one for one in self.findings if one["rule"] == check and part in one["message"]]
        assert len(found) == 1, self.findings
        return found[0]

    @property
    def errors(self) -> list[str]:
        return [f"{one['rule']}: {one['message']}" for one in self.findings if one["severity"] == "error"]


class Clinic:
    """The lab with everything that the shop needs set on GitHub, and a clone of the shop."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.forge = lab, lab.forge
        self.admin = self.forge.token("octo-admin")
        self.forge.collaborator(SHOP, "octo-admin", "admin")
        self.clone = lab.desk("octo-lead")
        git(self.clone, "pull", "--quiet", "--tags", "origin", "main")
        self.well()

    def well(self) -> None:
        """Everything as it should be."""
        repository = self.forge.world.find(SHOP)
        assert repository is not None
        repository.rules.clear()
        repository.secrets.clear()
        self.forge.settings(
            SHOP, actions_may_write_pull_requests=True, allow_squash_merge=True, disabled_workflows=()
        )
        for name in (*ENVIRONMENTS, "stagegate"):
            self.forge.environment(SHOP, name, branches=["main"])
        variables, secrets = self.lab.variables(), self.lab.secrets()
        for name in ENVIRONMENTS:
            for key, value in variables[name].items():
                self.forge.variable(SHOP, key, value, environment=name)
            for key in secrets[name]:
                self.forge.secret(SHOP, key, environment=name)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with Lab(tmp_path_factory.mktemp("doctor") / "lab") as lab:
        yield Clinic(lab)


Diagnose = Callable[..., Done]


@pytest.fixture
def diagnose(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Diagnose:
    """Run doctor in the clone of the shop. `files` changes files of the work tree for this run."""
    clinic.well()
    alone(monkeypatch, clinic.clone)
    url = clinic.forge.url
    for name, value in {"API_URL": url, "GRAPHQL_URL": f"{url}/graphql", "SERVER_URL": url}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    monkeypatch.setenv("GITHUB_REPOSITORY", SHOP)
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0.01")

    def run(files: Mapping[str, tuple[str, str]] | None = None, **flags: str) -> Done:
        for path, (before, after) in (files or {}).items():
            file = clinic.clone / path
            text = file.read_text()
            assert before in text, path
            file.write_text(text.replace(before, after))
        given = {
            "token": clinic.admin,
            "argocd_server": clinic.lab.argocd.url,
            "argocd_token": clinic.lab.argocd.token,
            **flags,
        }
        argv = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value]
        try:
            code = entrypoint("doctor", doctor.Doctor, doctor.main, argv=argv)
        finally:
            git(clinic.clone, "checkout", "--quiet", ".")
        said = capsys.readouterr().out
        (line,) = [one for one in said.splitlines() if one.startswith("findings=")]
        return Done(code, json.loads(line.removeprefix("findings=")), said)

    return run


def test_a_shop_with_everything_set_has_nothing_that_breaks(clinic: Clinic, diagnose: Diagnose) -> None:
    done = diagnose({"stagegate.yaml": ("strategy: latest", "strategy: latest, approvals: 1")})
    assert (done.code, done.errors) == (0, [])
    assert "not checked" not in done.said
    assert clinic.forge.unknown_routes == []


def test_a_missing_setting_on_github_is_reported_with_its_gh_command(
    clinic: Clinic, diagnose: Diagnose
) -> None:
    repo = clinic.forge.world.find(SHOP)
    assert repo is not None
    del repo.environments["prod"]
    staging = repo.environments["staging"]
    staging.variables.clear()
    staging.secrets.clear()
    clinic.forge.settings(SHOP, actions_may_write_pull_requests=False, disabled_workflows=("stagegate.yml",))
    channels = "notify: {channels: [{kind: slack, url: SLACK_URL}]}\nenvironments:"
    done = diagnose({"stagegate.yaml": ("environments:", channels)})
    missing = done.told("environments", "The GitHub Environment prod does not exist")
    assert "gh api --method PUT repos/acme/shop/environments/prod" in missing["fix"]
    assert "gh secret set STAGEGATE_VARIABLES --env staging" in done.told("variables", "SHOP_URL")["fix"]
    assert "gh secret set STAGEGATE_VARIABLES --env staging" in done.told("variables", "SLACK_URL")["fix"]
    assert "gh variable set STAGEGATE_HOSTS --env staging" in done.told("variables", "STAGEGATE_HOSTS")["fix"]
    token = done.told("variables", "ARGOCD_TOKEN")  # the workflows pass the one secret on, and no other
    assert "\\nARGOCD_TOKEN=...' | gh secret set STAGEGATE_VARIABLES --env staging" in token["fix"]
    staging.secrets["ARGOCD_TOKEN"] = clinic.forge.world.now()
    assert "ARGOCD_TOKEN" in diagnose().told("variables", "nor the secret STAGEGATE_VARIABLES")["message"]
    own = ("secrets.STAGEGATE_VARIABLES }}", "secrets.STAGEGATE_VARIABLES }}\n      ARGOCD_TOKEN: x")
    passed = diagnose({f".github/workflows/{name}.yml": own for name in ("release", "stagegate")})
    assert "ARGOCD_TOKEN" not in passed.told("variables", "STAGEGATE_VARIABLES")["message"]
    del staging.secrets["ARGOCD_TOKEN"]
    alone_ = diagnose({f".github/workflows/{name}.yml": own for name in ("release", "stagegate")})
    assert "gh secret set ARGOCD_TOKEN --env staging" in alone_.told("variables", "no secret ARGOCD")["fix"]
    assert "can_approve_pull_request_reviews=true" in done.told("workflow-token")["fix"]
    disabled = done.told("workflows", ".github/workflows/stagegate.yml is disabled")
    assert disabled["fix"] == "gh workflow enable stagegate.yml --repo acme/shop"
    assert done.code == 2


def test_policy_of_another_repository_is_read_and_must_be_readable_for_jobs(
    clinic: Clinic, diagnose: Diagnose
) -> None:
    policy = "environments: {prod: {promotion: {approvals: 1}, gate: {scenarios: e2e/nowhere.yaml}}}\n"
    platform = clinic.forge.world.find("acme/platform") or clinic.forge.repository("acme/platform")
    platform.seed({"policy.yaml": policy})
    own = (clinic.clone / "stagegate.yaml").read_text()
    extending = {"stagegate.yaml": ("app: shop\n", "app: shop\nextends: acme/platform//policy.yaml\n")}
    assert "  - name: prod\n" in own and "approvals" not in own
    done = diagnose(extending)
    assert "No rule protects" not in str(done.findings), "the approvals of the shared policy count"
    unread = diagnose(extending, token="", argocd_server="")
    told = unread.told("settings-valid", "shared policy acme/platform//policy.yaml of this file was not read")
    assert (told["severity"], told["fix"]) == ("warning", 'stagegate doctor --token "$(gh auth token)"')
    platform.private = True
    clinic.forge.collaborator("acme/platform", "octo-admin", "read")
    assert diagnose(extending).told("shared-policy", "The jobs cannot read")["severity"] == "error"
    absent = {"stagegate.yaml": ("app: shop\n", "app: shop\nextends: acme/platform//polcy.yaml\n")}
    missing = diagnose(absent).told("settings-valid", "acme/platform//polcy.yaml cannot be read")
    assert missing["severity"] == "error"


def test_an_environment_that_every_branch_may_use_is_reported(clinic: Clinic, diagnose: Diagnose) -> None:
    clinic.forge.environment(SHOP, "prod")
    clinic.forge.secret(SHOP, "ARGOCD_TOKEN", environment="prod")
    told = diagnose().told("environments", "Every branch may use the GitHub Environment prod")
    assert (told["severity"], "deployment-branch-policies" in told["fix"]) == ("warning", True)


def test_releases_more_frequent_than_the_soak_are_reported(
    clinic: Clinic, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (clinic.clone / "stagegate.yaml").read_text()
    soaks = text.replace("soak: 0s", "soak: 1d")
    always = soaks.replace("strategy: latest", "strategy: latest, replace: always")

    def told(settings: str) -> list[dict[str, str]]:
        return [
            one
            for one in diagnose({"stagegate.yaml": (text, settings)}).findings
            if one["rule"] == "soak-length"
        ]

    assert not told(soaks), "one release gives no frequency"
    versions = ("1.0.1", "1.0.2", "1.1.0-rc.1", "1.1.0")
    for hours, version in enumerate(versions, start=1):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"2026-01-01T0{hours}:00:00Z")
        git(clinic.lab.shop.path, "tag", "--annotate", "--message", version, f"v{version}", "main")
    (found,) = told(soaks)
    assert (found["severity"], found["environment"]) == ("note", "prod")
    assert "released every 2 h, but releases soak for 1 d before prod" in found["message"], (
        "a pre-release does not count"
    )
    assert [one["severity"] for one in told(always)] == ["error"]
    assert not told(text), "no environment has a soak"
    for version in versions:
        git(clinic.lab.shop.path, "tag", "--delete", f"v{version}")


def test_rules_that_block_direct_commits_are_reported_and_protecting_rules_required(
    clinic: Clinic, diagnose: Diagnose
) -> None:
    before = diagnose()
    assert before.told("production-protected", "No rule protects prod")["severity"] == "error"
    unread = diagnose(token=clinic.forge.token("octo-dev"))  # who may not read classic protection
    assert unread.told("production-protected", "No rule protects prod")["severity"] == "warning"
    nobody = diagnose({"stagegate.yaml": ("strategy: latest", "strategy: latest, approvals: 0")})
    assert nobody.told("production-protected", "No rule protects prod")["severity"] == "error"
    # A ruleset would refuse the commits of version-bump and to staging.
    cure = before.told("production-protected", "No rule protects prod")["fix"]
    assert cure.startswith("Write `promotion: {approvals: 1}` for prod in stagegate.yaml.")
    assert "the commits of version-bump and promotions to staging" in cure and "bypass_actors" in cure
    someone = diagnose({"stagegate.yaml": ("strategy: latest", "strategy: latest, approvals: 1")})
    assert "No rule protects" not in str(someone.findings)
    clinic.forge.protect(SHOP, required_statuses=[("stagegate/pins", None)])
    done = diagnose()
    assert not [one for one in done.findings if "No rule protects" in one["message"]]
    assert "merge: stagegate" in done.told("rules-block", "Promotions to staging")["fix"]
    releases = done.told("rules-block", "version-bump makes releases by a pull request")
    assert releases["severity"] == "note" and "version: {files: []}" in releases["fix"]
    direct = diagnose(
        {
            ".github/workflows/release.yml": (
                "version.yml@v0.1.0",
                "version.yml@v0.1.0\n    with: {mode: commit}",
            )
        }
    )
    assert direct.told("rules-block", "version-bump must push its release commits")["severity"] == "error"
    assert done.code == 2


@pytest.mark.parametrize(
    ("rules", "protects"),
    [
        ({"require_pull_request": True, "approvals": 1}, True),
        ({"require_pull_request": True, "approvals": 0}, False),
        ({"require_pull_request": True, "approvals": 1, "branch": "release/*"}, False),
        ({"require_pull_request": True, "approvals": 1, "bypass_roles": [4]}, False),
        ({"require_pull_request": True, "approvals": 1, "bypass_roles": [5]}, True),
        ({"require_pull_request": True, "approvals": 1, "classic": True, "branch": "main"}, True),
        ({"require_pull_request": True, "approvals": 0, "classic": True, "branch": "main"}, False),
        ({"required_statuses": [("stagegate/pins", None)], "classic": True, "branch": "main"}, True),
        ({"required_statuses": [("build", None)]}, False),
    ],
)
def test_only_rules_that_bind_everybody_protect_production(
    clinic: Clinic, diagnose: Diagnose, rules: dict[str, Any], protects: bool
) -> None:
    clinic.forge.protect(SHOP, **rules)
    done = diagnose({"stagegate.yaml": ("strategy: latest", "strategy: latest, approvals: 0")})
    found = [one for one in done.findings if "No rule protects prod" in one["message"]]
    assert [one["severity"] for one in found] == ([] if protects else ["error"])


def test_protected_trust_needs_the_app_its_key_and_its_status(clinic: Clinic, diagnose: Diagnose) -> None:
    files = {"stagegate.yaml": ("trust: {level: advisory}", "trust: {level: protected, app: shop-gate}")}
    clinic.forge.protect(SHOP, required_statuses=[("stagegate/pins", None)])
    clinic.forge.secret(SHOP, "APP_KEY")
    clinic.forge.secret(SHOP, "APP_KEY", environment="prod")
    done = diagnose(files)
    assert "last part of the App's address" in done.told("trust-app", "no GitHub App shop-gate")["fix"]
    assert "gh secret delete APP_KEY" in done.told("trust-app", "secret of the whole repository")["fix"]
    assert "gh secret set APP_KEY --env staging" in done.told("trust-app", "staging has no secret")["fix"]
    assert "was set 0 days ago" in done.told("trust-app", "APP_KEY in prod")["message"]
    assert "integration_id" in done.told("production-protected", "Any account can write")["fix"]
    repo = clinic.forge.world.find(SHOP)
    assert repo is not None
    repo.secrets.clear()
    clinic.forge.app("shop-gate", {"contents": "write"})
    assert not [one for one in diagnose(files).findings if "no GitHub App" in one["message"]]


def test_a_token_without_permission_is_reported_and_no_check_passes(
    clinic: Clinic, diagnose: Diagnose
) -> None:
    rights = {"contents": "read", "actions": "read"}
    done = diagnose(token=clinic.forge.token("", "actions", repositories=[SHOP], permissions=rights))
    token = done.told("token")
    assert token["message"].startswith("The token is GITHUB_TOKEN of github-actions[bot]. It may not read:")
    assert "secrets" in token["message"]
    assert "could not be listed" in done.told("variables", "staging")["message"]
    assert done.told("workflow-token")["severity"] == "note"


def test_a_merge_method_that_the_repository_forbids_is_reported(clinic: Clinic, diagnose: Diagnose) -> None:
    clinic.forge.settings(SHOP, allow_squash_merge=False)
    files = {"stagegate.yaml": ("merge: person", "merge: stagegate")}
    assert "allow_squash_merge=true" in diagnose(files).told("repository-settings")["fix"]


def test_a_stray_tag_and_a_pin_of_a_missing_image_are_reported(clinic: Clinic, diagnose: Diagnose) -> None:
    from stagegate.clients.registry import Registry, parse

    host = clinic.lab.registry.host
    registry = Registry(frozenset({host}))
    image = registry.manifest(f"{host}/acme/shop:v1.0.0")
    assert image is not None
    registry.push_manifest(parse(f"{host}/acme/shop:v9.9.9"), image)
    done = diagnose({"deploy/argocd/prod.yaml": ("value: v1.0.0", "value: v1.1.0")})
    stray = done.told("published-tags", "v9.9.9 is higher than every release")
    assert "crane delete" in stray["fix"]
    assert "but the registry does not have this tag" in done.told("published-tags", "v1.1.0")["message"]
    chart = diagnose({"deploy/argocd/prod.yaml": ('"1.0.0"', '"1.1.0"')})
    told = chart.told("published-tags", "charts/shop:1.1.0, but the registry does not have this version")
    publish = (
        "helm package charts/shop --version 1.1.0 --app-version 1.1.0 && helm push shop-1.1.0.tgz oci://"
    )
    assert publish in told["fix"]


def test_an_unreachable_registry_is_not_checked_rather_than_wrong(diagnose: Diagnose, clinic: Clinic) -> None:
    host = clinic.lab.registry.host
    done = diagnose({"stagegate.yaml": (f"images: [{host}/acme/shop]", "images: [127.0.0.1:9/acme/shop]")})
    told = done.told("registry-access", "127.0.0.1:9/acme/shop could not be reached")
    assert told["severity"] == "note"


def test_a_registry_login_that_may_not_push_is_reported(
    clinic: Clinic, diagnose: Diagnose, tmp_path: Path
) -> None:
    from lab.registry import Registry as LabRegistry

    with LabRegistry(tmp_path / "read-only", readonly=True) as other:
        host = clinic.lab.registry.host
        done = diagnose(
            {"stagegate.yaml": (f"images: [{host}/acme/shop]", f"images: [{other.host}/acme/shop]")}
        )
        assert done.told("registry-access", "cannot be pushed to")["severity"] == "error"


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        ({"argocd_server": "http://127.0.0.1:9"}, "127.0.0.1:9"),
        ({"argocd_token": "wrong"}, "Argo CD"),
    ],
)
def test_an_unreachable_argo_cd_is_not_checked(flags: dict[str, str], part: str, diagnose: Diagnose) -> None:
    done = diagnose(**flags)
    told = [one for one in done.findings if one["rule"] == "argocd-access"]
    assert len(told) == 1 and part in told[0]["message"] + told[0]["fix"], told
    assert done.code == 2


def test_a_token_that_may_see_one_application_only_is_accepted(clinic: Clinic, diagnose: Diagnose) -> None:
    token = clinic.lab.argocd.add_token("narrow", ["shop-staging"])
    told = diagnose(argocd_token=token).told("argocd-access")
    assert (told["environment"], "shop-prod" in told["message"]) == ("prod", True)


def test_an_application_that_is_not_applied_is_reported(diagnose: Diagnose) -> None:
    done = diagnose({"deploy/argocd/prod.yaml": ('targetRevision: "1.0.0"', 'targetRevision: "1.0.1"')})
    told = done.told("argocd-follows", "has 1.0.1")
    assert "kubectl apply -n argocd -f deploy/argocd/prod.yaml" in told["fix"]


def test_without_a_token_the_message_names_the_one_to_pass(diagnose: Diagnose) -> None:
    done = diagnose(token="", argocd_server="", argocd_token="")
    assert 'stagegate doctor --token "$(gh auth token)"' in done.said
    assert "doctor needs argocd-server and argocd-token" in done.said
