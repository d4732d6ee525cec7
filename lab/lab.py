"""The lab: a GitHub, a registry, an Argo CD and the shop at release 1.0.0 in both environments.

`with Lab(folder) as lab:` starts it; people push and review through the forge, `lab.settle()` runs every
workflow that GitHub would have started, under act, until nothing is left to start.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from lab import rewrite, running, toolbox, triggers
from lab.act import ActRun
from lab.argocd import ArgoCD
from lab.forge import Forge, Repo
from lab.layouts import ONE, ROBOT, Layout
from lab.programs import git, outputs, script, step
from lab.registry import PASSWORD, Registry
from lab.running import REF, TOOLKIT

ROOT = Path(__file__).resolve().parent.parent
SHOP = "acme/shop"
CACHE = str(toolbox.cache(os.environ))
FIRST = "1.0.0"
CHARTS_LOGIN = ("lab", PASSWORD)
LOGIN = {"user": "demo", "password": "lab-shop-password"}
ENVIRONMENTS = {"staging": "shop-staging", "prod": "shop-prod"}
PEOPLE = {"octo-dev": "write", "octo-lead": "maintain", "octo-admin": "admin", "octo-reader": "read"}


class Lab:
    """Everything that runs, and the hands of the people who use it. `say` gets lines of progress."""

    def __init__(self, root: Path, say: Callable[[str], None] = lambda _: None, layout: Layout = ONE) -> None:
        self.root = root.resolve()
        self.say = say
        self.layout = layout
        self.runs: list[ActRun] = []
        self._stack = ExitStack()
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> Lab:
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
            self._tokens[login] = self.forge.token(login)
        for environment in (*map(self.layout.holder, ENVIRONMENTS), "stagegate"):
            self.forge.environment(self.layout.pins, environment)
        for name, tokens in self.layout.tokens.items():
            for environment in {place for token in tokens for place in token.environments}:
                self.forge.environment(name, environment)
        self.toolkit = rewrite.snapshot(
            ROOT,
            self.root / "toolkit",
            lambda text, name: rewrite.for_act(text, f"{TOOLKIT}@{REF}", name),
            only=("action.yml", "actions", "scripts", ".github"),  # act copies it for every `uses:`
        )
        self.say("the forge and the registry are up; seeding the shop at 1.0.0")
        self._warm()
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

    def _warm(self) -> None:
        """Have the launcher's environment ready: act's steps run without this machine's index settings."""
        launcher = [str(self.toolkit / "scripts" / "run"), "image_tags"]
        environ = {**os.environ, "STAGEGATE_CACHE": CACHE}
        done = subprocess.run(
            launcher, cwd=self.root, env=environ, capture_output=True, text=True, check=False
        )
        if "Input missing" not in done.stdout:
            raise RuntimeError(f"the launcher cannot start an action:\n{done.stdout}{done.stderr}")

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
            **self._login("SG_"),
            "SG_VERSION": FIRST,
            "SG_COMMIT": sha,
            "SG_DIGESTS": f'{{"{image}":"{digest}"}}',
        }
        for action in ("image_tags", "helm_publish"):
            step(clone, str(ROOT / "scripts" / f"{action}.py"), {**common, "GITHUB_WORKSPACE": str(clone)})

    def _filled(self, repository: str) -> Path:
        """A clone in which a repository's first commit is pushed."""
        clone = self._clone(f"seed-{repository.rpartition('/')[2]}", "octo-lead", repository)
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

    # --- what people do ------------------------------------------------------------------------------------

    def adopt(self) -> None:
        """The first day: somebody records what runs in every environment, so that it counts as known."""
        clone = self._clone("first-day", "octo-lead", self.layout.pins)
        git(clone, "pull", "--quiet", "origin", "main")
        rights = {"contents": "read", "statuses": "write", "deployments": "write"}
        own = self.forge.token("", "actions", repositories=[self.layout.pins], permissions=rights)

        def one(environment: str) -> None:
            secrets = self.secrets()[self.layout.holder(environment)]
            inputs = {
                "GITHUB_WORKSPACE": str(clone),
                "GITHUB_ACTOR": "octo-lead",
                "SG_CONFIG": self.layout.policy,
                "SG_ENVIRONMENT": environment,
                "SG_MODE": "adopt",
                "SG_TOKEN": secrets.get("SOURCE_TOKEN", own),
                "SG_PINS_TOKEN": own,
                "SG_ARGOCD_SERVER": self.argocd.url,
                **self._login("SG_"),
                "STAGEGATE_VARIABLES": secrets["STAGEGATE_VARIABLES"],
            }
            environ = {**self.environ(0, self.layout.pins), **inputs}
            step(clone, str(ROOT / "scripts" / "staging_gate.py"), environ)

        with ThreadPoolExecutor() as pool:
            list(pool.map(one, ENVIRONMENTS))
        self.forge.drain_events()

    def push(
        self,
        login: str,
        message: str,
        edits: Mapping[str, Callable[[str], str]],
        branch: str = "main",
        repository: str = "",
    ) -> str:
        """A person commits edits (path -> old text to new text) to a repository (the app's); the commit."""
        clone = self._clone(f"{login}-{time.monotonic_ns()}", login, repository)
        git(clone, "fetch", "--quiet", "origin", branch)
        git(clone, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        for name, edit in edits.items():
            file = clone / name
            file.write_bytes(edit(file.read_bytes().decode() if file.exists() else "").encode())
        git(clone, "commit", "--quiet", "--all", "--message", message)
        git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        sha = git(clone, "rev-parse", "HEAD")
        shutil.rmtree(clone)
        return sha

    def api(self, login: str, method: str, path: str, repository: str = "", **fields: object) -> Any:
        """A REST call by a person on a repository (the app's); the JSON answer. HTTPError when refused."""
        answer = requests.request(
            method,
            f"{self.forge.url}/repos/{repository or self.layout.app}{path}",
            json=fields or None,
            headers={"Authorization": f"Bearer {self._tokens[login]}"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def pulls(self) -> list[Any]:
        """Open pull requests where the pins are."""
        found: list[Any] = self.api("octo-lead", "GET", "/pulls?state=open", self.layout.pins)
        return found

    def merge(self, number: int, login: str = "octo-lead") -> str:
        """A person approves and merges a pull request at its present head; the merge commit."""
        pull, pins = f"/pulls/{number}", self.layout.pins
        head = self.api(login, "GET", pull, pins)["head"]["sha"]
        self.api(login, "POST", f"{pull}/reviews", pins, event="APPROVE", commit_id=head)
        merged = self.api(login, "PUT", f"{pull}/merge", pins, sha=head, merge_method="squash")
        return str(merged["sha"])

    def ask(self, environment: str, path: str = "/health") -> Any:
        """Ask the running app of an environment; the JSON answer."""
        url = self.argocd.front(ENVIRONMENTS[environment]) + path
        return requests.get(url, timeout=10).json()

    def desk(self, login: str) -> Path:
        """A person's own checkout, which stays."""
        folder = self.root / "people" / login
        return folder if folder.is_dir() else self._clone(login, login)

    def local(self, login: str, action: str, *arguments: str) -> dict[str, str]:
        """A person runs an action by hand in their checkout of main; its outputs, whatever the exit code."""
        clone = self.desk(login)
        git(clone, "pull", "--quiet", "origin", "main")
        output = self.root / f"outputs-{time.monotonic_ns()}"
        environ = {
            **self.environ(0, self.layout.app),
            "GITHUB_RUN_ID": "",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_WORKSPACE": str(clone),
            "GITHUB_OUTPUT": str(output),
            "SG_TOKEN": self._tokens[login],
        }
        script(clone, str(ROOT / "scripts" / f"{action}.py"), *arguments, environ=environ)
        return outputs(output.read_text())

    # --- workflows -----------------------------------------------------------------------------------------

    def settle(self) -> list[ActRun]:
        """Run every workflow that events since the last call start, and those that these start; all runs."""
        done: list[ActRun] = []
        while events := self.forge.drain_events():
            for event in (seen for one in events for seen in triggers.happenings(one)):
                if event.repository in self.repositories and not event.swallowed:
                    for workflow in running.started(self, event):
                        done.append(running.run(self, event, workflow))
                        self.runs.append(done[-1])
        return done

    def dispatch(self, workflow: str, login: str = "octo-dev", **inputs: str) -> list[ActRun]:
        """A person starts a workflow of the pins repository by hand; all runs that follow."""
        path = f"/actions/workflows/{workflow}/dispatches"
        self.api(login, "POST", path, self.layout.pins, ref="main", inputs=inputs)
        return self.settle()

    def variables(self) -> dict[str, dict[str, str]]:
        """What the GitHub Environments hold as variables, by environment."""
        found = {}
        for environment, application in ENVIRONMENTS.items():
            url = self.argocd.front(application)
            found[self.layout.holder(environment)] = {
                "ARGOCD_SERVER": self.argocd.url,
                "STAGEGATE_HOSTS": url.removeprefix("http://"),
            }
        return found

    def scenario_variables(self, environment: str) -> dict[str, str]:
        """What the scenarios of an environment use, and Argo CD's token."""
        return {
            "SHOP_URL": self.argocd.front(ENVIRONMENTS[environment]),
            "SHOP_USER": LOGIN["user"],
            "SHOP_PASSWORD": LOGIN["password"],
            "ARGOCD_TOKEN": self.argocd.token,
        }

    def secrets(self, repository: str = "") -> dict[str, dict[str, str]]:
        """What the GitHub Environments of a repository (that of the pins) hold as secrets, by environment."""
        repository = repository or self.layout.pins
        found = {
            self.layout.holder(name): {
                "STAGEGATE_VARIABLES": lines(self.scenario_variables(name)),
                **self._login(),
            }
            for name in ENVIRONMENTS
            if repository == self.layout.pins
        }
        found["stagegate"] = self._login()
        for token in self.layout.tokens.get(repository, ()):
            value = self.forge.token(ROBOT, repositories=[token.repository], permissions=token.rights)
            for environment in token.environments:
                found.setdefault(environment, {})[token.name] = value
        return found

    def _login(self, prefix: str = "") -> dict[str, str]:
        """User and password of the charts' own registry, where it has one."""
        if not self.layout.charts_apart:
            return {}
        return dict(
            zip((f"{prefix}REGISTRY_USERNAME", f"{prefix}REGISTRY_PASSWORD"), CHARTS_LOGIN, strict=True)
        )

    def environ(self, run_id: int, repository: str) -> dict[str, str]:
        """What every step of a run sees."""
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

    def _clone(self, name: str, login: str, repository: str = "") -> Path:
        """An empty clone of a repository (the app's) whose remote carries a person's token."""
        clone = self.root / "people" / name
        clone.mkdir(parents=True)
        address = self.forge.url.replace("http://", f"http://{login}:{self._tokens[login]}@")
        git(clone, "init", "--quiet", "--initial-branch=main")
        git(clone, "config", "user.name", login)
        git(clone, "config", "user.email", f"{login}@users.noreply.github.com")
        git(clone, "remote", "add", "origin", f"{address}/{repository or self.layout.app}.git")
        return clone


def lines(values: Mapping[str, str]) -> str:
    """Values as the secret STAGEGATE_VARIABLES holds them."""
    return "\n".join(f"{name}={value}" for name, value in values.items())


def _healthy(document: Mapping[str, Any]) -> bool:
    status = document.get("status", {})
    return bool(
        status.get("health", {}).get("status") == "Healthy"
        and status.get("sync", {}).get("status") == "Synced"
    )
