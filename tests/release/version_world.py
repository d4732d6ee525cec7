"""A monorepo or a single app on the forge, with people's pull requests, and version-bump in a fresh checkout."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from lab.forge import Forge
from lab.programs import outputs
from stagegate.actions import version_bump
from stagegate.runner.boundary import entrypoint

REPOSITORY = "acme/mono"
ALL = {"contents": "write", "pull_requests": "write"}
WHO = {f"GIT_{who}_{what}": "octo-dev" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class VersionWorld:
    """One repository, its people, and a way to run the action in a depth-1 checkout of main."""

    def __init__(
        self,
        forge: Forge,
        root: Path,
        files: Mapping[str, str],
        tags: Sequence[str],
        *,
        private: bool = False,
    ) -> None:
        self.forge, self.root, self.runs = forge, root, 0
        self.repo = forge.repository(REPOSITORY, private=private)
        forge.collaborator(REPOSITORY, "octo-dev", "admin")
        self._person = forge.token("octo-dev")
        self.repo.seed(dict(files), "feat: open")
        for tag in tags:
            self.git("tag", "--annotate", "-m", tag, tag, "main")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """A git command in the repository itself."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.repo.path,
            env={**os.environ, **WHO},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    @property
    def tags(self) -> dict[str, str]:
        """Tags and their commits."""
        names = self.git("tag", "--list").split()
        return {name: self.git("rev-parse", f"{name}^{{commit}}") for name in names}

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """A request to the repository's API as octo-dev."""
        url = f"{self.forge.url}/repos/{REPOSITORY}/{path}"
        answer = requests.request(
            method, url, json=body or None, headers={"Authorization": f"Bearer {self._person}"}, timeout=30
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def pull_request(self, title: str, files: Mapping[str, str], *labels: str, method: str = "squash") -> int:
        """A pull request of octo-dev with one commit, labelled and merged; its number."""
        branch = f"topic-{len(self.ask('GET', 'pulls?state=all')) + 1}"
        self.git("branch", branch, "main")
        self.repo.seed(dict(files), title, branch=branch)
        pull: int = self.ask("POST", "pulls", title=title, head=branch, base="main", body="")["number"]
        if labels:
            self.ask("POST", f"issues/{pull}/labels", labels=list(labels))
        self.merge(pull, method)
        return pull

    def merge(self, pull: int, method: str = "squash") -> None:
        """Merge a pull request as a person does."""
        self.ask("PUT", f"pulls/{pull}/merge", merge_method=method)

    def bump(
        self, *flags: str, rights: Mapping[str, str] = ALL, run: str = "", depth: int = 1
    ) -> tuple[int, dict[str, str]]:
        """Exit code and outputs of the action, in a checkout of so many commits (0: all)."""
        self.runs += 1
        limit = [f"--depth={depth}"] if depth else []
        work, out = self.root / f"work-{self.runs}", self.root / f"out-{self.runs}"
        self.git(
            "clone", "--quiet", *limit, "--no-tags", f"file://{self.repo.path}", str(work), cwd=self.root
        )
        self.git("remote", "set-url", "origin", f"{self.forge.url}/{REPOSITORY}.git", cwd=work)
        token = self.forge.token("", "actions", repositories=[REPOSITORY], permissions=dict(rights))
        environ = {
            "GITHUB_WORKSPACE": str(work), "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_REF": "refs/heads/main",
            "GITHUB_RUN_ID": run or str(100 + self.runs), "GITHUB_API_URL": self.forge.url,
            "GITHUB_GRAPHQL_URL": f"{self.forge.url}/graphql", "GITHUB_SERVER_URL": self.forge.url,
            "GITHUB_OUTPUT": str(out), "SG_TOKEN": token, "RUNNER_TEMP": str(self.root), "GITHUB_ACTOR": "octo-dev",
        }  # fmt: skip
        kind, main = version_bump.VersionBump, version_bump.main
        code = entrypoint("version-bump", kind, main, argv=flags, environ=environ)
        return code, outputs(out.read_text())
