"""Repositories of newcomers in the lab: earlier releases, adoption by `init` alone, and their workflows under act."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import requests

from lab import act
from lab.act import ActRun
from lab.argocd import ArgoCD
from lab.lab import Lab
from lab.layouts import ROBOT, Layout
from lab.servers import PEOPLE, REF, TOOLKIT
from stagegate import settings as settings_file
from stagegate.actions import init
from stagegate.runner.boundary import entrypoint
from stagegate.settings import Environment, Settings
from tests.lab.argo_world import World
from tests.road.advice import Adviser, Finding, Held
from tests.road.ground import Ground
from tests.setup.bare_repositories import git
from tests.setup.test_init import alone

TOKENS = {
    "PINS_TOKEN": {"metadata": "read", "actions": "write"},
    "SOURCE_TOKEN": {
        "metadata": "read",
        "contents": "write",
        "statuses": "write",
        "deployments": "write",
        "pull_requests": "read",
    },
}


ADOPT_CODE = re.compile(r"`stagegate init ([^`]+)`")  # for the repository with the code
PUBLISH = re.compile(r"`(helm package [^`]+)`")


class Newcomer(Lab):
    """One newcomer's repositories (of the app and of the pins) with their own Argo CD."""

    def __init__(self, ground: Ground, pins: str, app: str = "") -> None:
        name = pins.replace("/", "-")
        super().__init__(ground.root / name, layout=Layout(app or pins, pins, "", ".", {}, {}))
        self.ground, self.clones = ground, dict[str, Path]()
        self.forge, self.registry, self.charts = ground.forge, ground.registry, ground.registry
        self.toolkit = ground.toolkit
        self.given_variables: dict[str, Held] = defaultdict(Held)
        self.given_secrets: dict[str, Held] = defaultdict(Held)
        self.notes: list[str] = []
        self.left: dict[str, list[Finding]] = {}

    def _start(self) -> None:
        self.root.mkdir(parents=True)
        self.repositories = {}

    # --- before ----------------------------------------------------------------------------------------------

    def have(
        self, builder: Callable[[Path], Path], *tags: str, edits: Mapping[str, tuple[str, str]] = {}
    ) -> str:
        """Push a repository without stagegate, with further tags, to the forge; its name."""
        clone = self.root / f"clone-{len(self.clones)}"
        clone.mkdir()
        builder(clone)
        for tag in tags:
            git(clone, "tag", "-f", tag)
        address = git(clone, "remote", "get-url", "origin").strip()
        name = address.removesuffix(".git").partition("github.com/")[2]
        host = self.registry.host
        for path in git(clone, "ls-files").split():
            text = (clone / path).read_text()
            for old, new in {
                "ghcr.io/acme": f"{host}/acme",
                "registry.acme.example": f"{host}/acme",
                "https://github.com": self.forge.url,
                **({edits[path][0]: edits[path][1]} if path in edits else {}),
            }.items():
                text = text.replace(old, new)
            (clone / path).write_text(text)
        git(clone, "commit", "-q", "--amend", "-a", "--no-edit")
        for tag in git(clone, "tag").split():
            git(clone, "tag", "-f", tag)
        repository = self.forge.repository(name, private=True)
        self.repositories[name] = repository
        for login, role in {**PEOPLE, ROBOT: "write"}.items():
            self.forge.collaborator(name, login, role)
            self.tokens.setdefault(login, self.forge.token(login))
        self.clones[name] = clone
        git(clone, "remote", "set-url", "origin", f"{self.forge.url}/{name}.git")
        git(clone, "push", "-q", "--tags", str(repository.path), "main")
        return name

    def image(self, name: str, *tags: str) -> None:
        """Images of earlier releases."""
        for tag in tags:
            World(self.root, self.registry.host).image(tag, tag, f"acme/{name}")

    def chart(self, repository: str, *versions: str) -> None:
        """Publish the chart of earlier versions by helm itself."""
        chart = self.clones[repository] / "charts/shop"
        for version in versions:
            words = ["--version", version, "--app-version", version, "-d", str(self.root)]
            subprocess.run(["helm", "package", str(chart), *words], check=True, capture_output=True)
            push = [
                "helm",
                "push",
                str(self.root / f"shop-{version}.tgz"),
                f"oci://{self.registry.host}/acme/charts",
            ]
            subprocess.run([*push, "--plain-http"], check=True, capture_output=True)

    # --- adoption --------------------------------------------------------------------------------------------

    def init(self, repository: str, *flags: str) -> list[str]:
        """Run init in a clone; the steps that it leaves to a person."""
        printed = StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
            alone(patch, self.clones[repository])
            arguments = ["--yes", "--stagegate", f"{TOOLKIT}@{REF}", *flags]
            assert entrypoint("init", init.Init, init.main, argv=arguments) == 0
        return [line for line in printed.getvalue().splitlines() if line.startswith("- ")]

    def adopt_all(self) -> None:
        """Run init, also in a second repository where init requires it, apply doctor's advice, and push both."""
        self.notes = self.init(self.layout.pins)
        if self.layout.app != self.layout.pins:
            (command,) = [found[1] for note in self.notes if (found := ADOPT_CODE.search(note))]
            self.notes += self.init(self.layout.app, *shlex.split(command))
        for command in [found[1] for note in self.notes if (found := PUBLISH.search(note))]:
            for words in map(shlex.split, command.split(" && ")):
                plain = ["--plain-http"] if words[1] == "push" else []
                folder = self.clones[self.layout.pins]
                subprocess.run([*words, *plain], cwd=folder, check=True, capture_output=True)
            (folder / words[2]).unlink()  # the archive
        self.deploy()
        for repository in self.repositories:
            self.cure(repository)
            self.commit(repository)

    def cure(self, repository: str) -> None:
        """Apply doctor's advice, after which no error is left; `left` are the findings without a command."""
        adviser = Adviser(
            self.forge,
            repository,
            self.clones[repository],
            self._value,
            self.given_variables,
            self.given_secrets,
        )
        for _ in range(
            2
        ):  # doctor reports a missing Environment first, then its missing variables and secrets
            self.left[repository] = [one for one in adviser.findings() if not adviser.obeyed(one)]
        assert not [one for one in self.left[repository] if one["severity"] == "error"], self.left

    def commit(self, repository: str) -> None:
        """Push exactly the files of init and the changes for doctor."""
        clone = self.clones[repository]
        git(clone, "add", "--all")
        git(clone, "commit", "-q", "-m", "chore: adopt stagegate")
        git(clone, "push", "-q", f"{self.pushing(repository)}", "main")

    def _value(self, repository: str, environment: str, name: str) -> str:
        """What a person knows: addresses, and the tokens that they make."""
        if name in TOKENS:
            other = self.layout.pins if repository == self.layout.app else self.layout.app
            return self.forge.token(ROBOT, repositories=[other], permissions=TOKENS[name])
        if name == "ARGOCD_SERVER":
            return self.argocd.url
        if name == "ARGOCD_TOKEN":
            return self.argocd.token
        if name.startswith("REGISTRY_"):
            return "unused"
        (url,) = {
            self.argocd.front(place.argo.application_names[0])
            for _, place, holder in self.places
            if holder == environment
        }
        return url.removeprefix("http://") if name == "STAGEGATE_HOSTS" else url

    def pushing(self, repository: str, login: str = "octo-admin") -> str:
        """The address of a repository with a person's token, where a push is an event."""
        return (
            self.forge.url.replace("http://", f"http://{login}:{self.tokens[login]}@") + f"/{repository}.git"
        )

    def settings(self, repository: str) -> dict[str, Settings]:
        """The settings that init wrote, by path."""
        clone = self.clones[repository]
        paths = sorted(path.relative_to(clone).as_posix() for path in clone.rglob("stagegate.yaml"))
        return {path: settings_file.load(clone / path, path) for path in paths}

    def deploy(self) -> None:
        """Argo CD follows the pins repository."""
        self.argocd = self._stack.enter_context(
            ArgoCD(
                self.root / "argocd",
                self.repositories[self.layout.pins].path,
                manifests=self.layout.manifests,
                git_rewrite={
                    f"{self.forge.url}/{name}.git": repo.path for name, repo in self.repositories.items()
                },
                interval=0.2,
            )
        )

    @property
    def places(self) -> list[tuple[Settings, Environment, str]]:
        """Every environment with its app and its GitHub Environment."""
        found = self.settings(self.layout.pins).values()
        several = len(found) > 1
        return [
            (one, place, place.github_environment_of(one.app, several=several))
            for one in found
            for place in one.environments
        ]

    def variables(self) -> dict[str, dict[str, str]]:
        return self.given_variables[self.layout.pins].seen()

    def secrets(self, repository: str = "") -> dict[str, dict[str, str]]:
        return self.given_secrets[repository or self.layout.pins].seen()

    def settled(self) -> list[tuple[str, str]]:
        """Run all workflows until none is left; (event, workflow) of every run, all of which must succeed."""
        return well(self.settle())

    def first_day(self) -> None:
        """Start the workflow by hand, as init advises, to record what runs."""
        assert not self.notes or [note for note in self.notes if "`gh workflow run stagegate.yml`" in note]
        well(self.dispatch("stagegate.yml"))

    def released(self, tag: str) -> bool:
        """Whether the app repository has a tag; HTTPError where it has none."""
        return bool(self.api("octo-lead", "GET", f"/git/ref/tags/{tag}"))

    def merge_only(self) -> None:
        """Merge the one open proposal, whose status must be green or wait for the approval."""
        (pull,) = self.pulls()
        self.merge(pull["number"])

    def runs_in(self, application: str) -> str:
        """The version that the running service reports."""
        return requests.get(self.argocd.front(application), timeout=10).text


def well(runs: Sequence[ActRun]) -> list[tuple[str, str]]:
    """(event, workflow) of runs, all of which must succeed."""
    failed = [line for run in runs if run.code for line in act.failures(run.text.splitlines())]
    assert not failed and not any(run.code for run in runs), "\n".join(failed)
    return [(run.event, run.workflow) for run in runs]
