"""The servers of the lab: a GitHub, registries, an Argo CD, and the shop's repositories at release 1.0.0."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from lab import rewrite, toolbox
from lab.act import ActRun
from lab.argocd import ArgoCD
from lab.forge import Forge, Repo
from lab.layouts import ONE, ROBOT, Layout
from lab.programs import git, step
from lab.registry import PASSWORD, Registry

ROOT = Path(__file__).resolve().parent.parent
TOOLKIT = "acme/stagegate"
REF = "v0.1.0"
SHOP = "acme/shop"
FIRST = "1.0.0"
CACHE = str(toolbox.cache(os.environ))
CHARTS_LOGIN = ("lab", PASSWORD)
LOGIN = {"user": "demo", "password": "lab-shop-password"}
ENVIRONMENTS = {"staging": "shop-staging", "prod": "shop-prod"}
PEOPLE = {"octo-dev": "write", "octo-lead": "maintain", "octo-admin": "admin", "octo-reader": "read"}

S = TypeVar("S", bound="Servers")


class Servers:
    """All running servers, and the values that a job of the workflows gets. `say` gets lines of progress."""

    def __init__(self, root: Path, say: Callable[[str], None] = lambda _: None, layout: Layout = ONE) -> None:
        self.root = root.resolve()
        self.say = say
        self.layout = layout
        self.runs: list[ActRun] = []
        self._stack = ExitStack()
        self.tokens: dict[str, str] = {}

    def __enter__(self: S) -> S:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.registry = self._stack.enter_context(Registry(self.root / "registry"))
        self.charts = self.registry
        if self.layout.charts_apart:
            self.charts = self._stack.enter_context(Registry(self.root / "charts", htpasswd=CHARTS_LOGIN))
        self.forge = self._stack.enter_context(Forge(self.root / "forge"))
        self.repositories: dict[str, Repo] = {
            name: self.forge.repository(name, private=True) for name in self.layout.trees
        }
        self.shop, self.pins = self.repositories[self.layout.app], self.repositories[self.layout.pins]
        for login, role in {**PEOPLE, ROBOT: "write"}.items():
            for name in self.repositories:
                self.forge.collaborator(name, login, role)
            self.tokens[login] = self.forge.token(login)
        for environment in (*map(self.layout.holder, ENVIRONMENTS), "stagegate"):
            self.forge.environment(self.layout.pins, environment)
        for name, tokens in self.layout.tokens.items():
            for environment in {place for token in tokens for place in token.environments}:
                self.forge.environment(name, environment)
        self.toolkit = toolkit(self.root)
        self.say("the forge and the registry are up; seeding the shop at 1.0.0")
        self._seed()
        self.argocd = self._stack.enter_context(
            ArgoCD(
                self.root / "argocd",
                self.pins.path,
                manifests=self.layout.manifests,
                registry_auth=CHARTS_LOGIN if self.layout.charts_apart else None,
                registry_rewrite={self.charts.host: self.charts.host} if self.layout.charts_apart else None,
                git_rewrite={
                    f"{self.forge.url}/{name}.git": repo.path for name, repo in self.repositories.items()
                },
                secrets={f"{namespace}/shop-login": LOGIN for namespace in ENVIRONMENTS.values()},
            )
        )
        for application in ENVIRONMENTS.values():
            self.argocd.wait(_healthy, application, 30)
        self.forge.drain_events()

    # --- the shop at 1.0.0 ---------------------------------------------------------------------------------

    def _seed(self) -> None:
        clones = {name: self._filled(name) for name in self.repositories}
        clone = clones[self.layout.app]
        git(clone, "tag", "--annotate", "--message", f"shop {FIRST}", f"v{FIRST}")
        git(clone, "push", "--quiet", "origin", f"v{FIRST}")
        sha = git(clone, "rev-parse", "HEAD")
        image = f"{self.registry.host}/acme/shop"
        step(clone, "build/image.py", {"IMAGE": image, "GITHUB_SHA": sha})
        digest = self.registry.digest("acme/shop", f"sha-{sha}")
        common = {
            **self.login("SG_"),
            "SG_VERSION": FIRST,
            "SG_COMMIT": sha,
            "SG_DIGESTS": f'{{"{image}":"{digest}"}}',
        }
        for action in ("image_tags", "helm_publish"):
            step(clone, str(ROOT / "scripts" / f"{action}.py"), {**common, "GITHUB_WORKSPACE": str(clone)})

    def _filled(self, repository: str) -> Path:
        """A clone in which a repository's first commit is pushed."""
        clone = self.clone(f"seed-{repository.rpartition('/')[2]}", "octo-lead", repository)
        for tree in self.layout.trees[repository]:
            rewrite.snapshot(ROOT, clone / tree.below, lambda text, _: text, tree.folder)
            for name in tree.leave_out:
                left_out = clone / tree.below / name
                shutil.rmtree(left_out) if left_out.is_dir() else left_out.unlink()
        for file in clone.rglob("*"):
            if file.is_file() and ".git" not in file.relative_to(clone).parts[:1]:
                file.write_bytes(self.layout.worded(self._moved(file.read_bytes())))
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "feat: open the shop")
        git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
        return clone

    def _moved(self, content: bytes) -> bytes:
        """A file of the shop with the addresses of this machine."""
        content = content.replace(b"ghcr.io/acme/charts", f"{self.charts.host}/acme/charts".encode())
        content = content.replace(b"ghcr.io", self.registry.host.encode())
        for name in self.repositories:
            content = content.replace(
                f"https://github.com/{name}".encode(), f"{self.forge.url}/{name}".encode()
            )
        return content

    # --- the values of a job -------------------------------------------------------------------------------

    def variables(self) -> dict[str, dict[str, str]]:
        """The variables of the GitHub Environments, by environment."""
        values = {}
        for environment, application in ENVIRONMENTS.items():
            url = self.argocd.front(application)
            values[self.layout.holder(environment)] = {
                "ARGOCD_SERVER": self.argocd.url,
                "STAGEGATE_HOSTS": url.removeprefix("http://"),
            }
        return values

    def scenario_variables(self, environment: str) -> dict[str, str]:
        """The variables of the scenarios of an environment, and Argo CD's token."""
        return {
            "SHOP_URL": self.argocd.front(ENVIRONMENTS[environment]),
            "SHOP_USER": LOGIN["user"],
            "SHOP_PASSWORD": LOGIN["password"],
            "ARGOCD_TOKEN": self.argocd.token,
        }

    def secrets(self, repository: str = "") -> dict[str, dict[str, str]]:
        """The secrets of the GitHub Environments of a repository (default: the pins repository), by environment."""
        repository = repository or self.layout.pins
        values = {
            self.layout.holder(name): {
                "STAGEGATE_VARIABLES": lines(self.scenario_variables(name)),
                **self.login(),
            }
            for name in ENVIRONMENTS
            if repository == self.layout.pins
        }
        values["stagegate"] = self.login()
        for token in self.layout.tokens.get(repository, ()):
            value = self.forge.token(ROBOT, repositories=[token.repository], permissions=token.rights)
            for environment in token.environments:
                values.setdefault(environment, {})[token.name] = value
        return values

    def login(self, prefix: str = "") -> dict[str, str]:
        """User and password of the charts' own registry, where it has one."""
        if not self.layout.charts_apart:
            return {}
        return dict(
            zip((f"{prefix}REGISTRY_USERNAME", f"{prefix}REGISTRY_PASSWORD"), CHARTS_LOGIN, strict=True)
        )

    def environ(self, run_id: int, repository: str) -> dict[str, str]:
        """The environment of every step of a run."""
        return {
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_SERVER_URL": self.forge.url,
            "GITHUB_GRAPHQL_URL": f"{self.forge.url}/graphql",
            "GITHUB_REPOSITORY": repository,
            "GITHUB_RUN_ID": str(run_id),
            "STAGEGATE_WRITE_PACE": "0",
            "STAGEGATE_RETRY_PACE": "0.05",
            "STAGEGATE_CACHE": CACHE,
        }

    def clone(self, name: str, login: str, repository: str = "") -> Path:
        """An empty clone of a repository (the app's) whose remote carries a person's token."""
        clone = self.root / "people" / name
        clone.mkdir(parents=True)
        address = self.forge.url.replace("http://", f"http://{login}:{self.tokens[login]}@")
        git(clone, "init", "--quiet", "--initial-branch=main")
        git(clone, "config", "user.name", login)
        git(clone, "config", "user.email", f"{login}@users.noreply.github.com")
        git(clone, "remote", "add", "origin", f"{address}/{repository or self.layout.app}.git")
        return clone


def toolkit(root: Path) -> Path:
    """This repository as act calls it, in a folder below `root`, with the launcher's environment ready."""
    folder = rewrite.snapshot(
        ROOT,
        root / "toolkit",
        lambda text, name: rewrite.for_act(text, f"{TOOLKIT}@{REF}", name),
        only=("action.yml", "actions", "scripts", ".github"),
    )
    scripts = folder / "scripts"  # act copies the toolkit for every `uses:`: of these, only a link
    scripts.replace(root / "toolkit-scripts")
    scripts.symlink_to(root / "toolkit-scripts")
    # act's steps run without this machine's index settings, so their libraries are fetched before.
    launcher = [str(scripts / "run"), "image_tags"]
    environ = {**os.environ, "STAGEGATE_CACHE": CACHE}
    completed = subprocess.run(launcher, cwd=root, env=environ, capture_output=True, text=True, check=False)
    if "Input missing" not in completed.stdout:
        raise RuntimeError(f"the launcher cannot start an action:\n{completed.stdout}{completed.stderr}")
    return folder


def lines(values: Mapping[str, str]) -> str:
    """Values as the secret STAGEGATE_VARIABLES holds them."""
    return "\n".join(f"{name}={value}" for name, value in values.items())


def _healthy(document: Mapping[str, Any]) -> bool:
    status = document.get("status", {})
    return bool(
        status.get("health", {}).get("status") == "Healthy"
        and status.get("sync", {}).get("status") == "Synced"
    )
