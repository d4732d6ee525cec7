"""The lab: a GitHub, a registry, an Argo CD and the shop at release 1.0.0 in both environments.

`with Lab(folder) as lab:` starts it; people push and review through the forge, `lab.settle()` runs every
workflow that GitHub would have started, under act, until nothing is left to start.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from lab import running, triggers
from lab.act import ActRun
from lab.programs import git, outputs, script, step
from lab.servers import ENVIRONMENTS, ROOT, Servers


class Lab(Servers):
    """The servers, the steps that people take, and the workflows that GitHub would start."""

    # --- steps of people ------------------------------------------------------------------------------------

    def adopt(self) -> None:
        """Record the running release of every environment, as a person does on the first day."""
        clone = self.clone("first-day", "octo-lead", self.layout.pins)
        git(clone, "pull", "--quiet", "origin", "main")
        rights = {"contents": "read", "statuses": "write", "deployments": "write"}
        token = self.forge.token("", "actions", repositories=[self.layout.pins], permissions=rights)

        def one(environment: str) -> None:
            secrets = self.secrets()[self.layout.holder(environment)]
            inputs = {
                "GITHUB_WORKSPACE": str(clone),
                "GITHUB_ACTOR": "octo-lead",
                "SG_CONFIG": self.layout.policy,
                "SG_ENVIRONMENT": environment,
                "SG_MODE": "adopt",
                "SG_TOKEN": secrets.get("SOURCE_TOKEN", token),
                "SG_PINS_TOKEN": token,
                "SG_ARGOCD_SERVER": self.argocd.url,
                **self.login("SG_"),
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
        clone = self.clone(f"{login}-{time.monotonic_ns()}", login, repository)
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
            headers={"Authorization": f"Bearer {self.tokens[login]}"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def pulls(self) -> list[Any]:
        """Open pull requests of the pins repository."""
        pulls: list[Any] = self.api("octo-lead", "GET", "/pulls?state=open", self.layout.pins)
        return pulls

    def merge(self, number: int, login: str = "octo-lead") -> str:
        """A person approves and merges a pull request at its current head; the merge commit."""
        pull, pins = f"/pulls/{number}", self.layout.pins
        head = self.api(login, "GET", pull, pins)["head"]["sha"]
        self.api(login, "POST", f"{pull}/reviews", pins, event="APPROVE", commit_id=head)
        merged = self.api(login, "PUT", f"{pull}/merge", pins, sha=head, merge_method="squash")
        return str(merged["sha"])

    def ask(self, environment: str, path: str = "/health") -> Any:
        """A request to the running app of an environment; the JSON response."""
        url = self.argocd.front(ENVIRONMENTS[environment]) + path
        return requests.get(url, timeout=10).json()

    @property
    def _summary(self) -> Path:
        return self.root / "summary.md"

    def summary(self) -> str:
        """The summary of the last action that a person ran by hand."""
        return self._summary.read_text(encoding="utf-8")

    def desk(self, login: str) -> Path:
        """A person's own checkout, which is kept."""
        folder = self.root / "people" / login
        return folder if folder.is_dir() else self.clone(login, login)

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
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "SG_TOKEN": self.tokens[login],
        }
        self._summary.write_text("")
        script(clone, str(ROOT / "scripts" / f"{action}.py"), *arguments, environ=environ)
        return outputs(output.read_text())

    # --- workflows -----------------------------------------------------------------------------------------

    def settle(self) -> list[ActRun]:
        """Run every workflow that events since the last call start, and those that these start; all runs."""
        finished: list[ActRun] = []
        while events := self.forge.drain_events():
            for event in (happening for recorded in events for happening in triggers.happenings(recorded)):
                if event.repository in self.repositories and not event.swallowed:
                    for workflow in running.started(self, event):
                        finished.append(running.run(self, event, workflow))
                        self.runs.append(finished[-1])
        return finished

    def dispatch(self, workflow: str, login: str = "octo-dev", **inputs: str) -> list[ActRun]:
        """A person starts a workflow of the pins repository by hand; all runs that follow."""
        path = f"/actions/workflows/{workflow}/dispatches"
        self.api(login, "POST", path, self.layout.pins, ref="main", inputs=inputs)
        return self.settle()
