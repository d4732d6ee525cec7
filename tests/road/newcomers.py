"""Repositories of newcomers in the lab: earlier releases, adoption by `init` alone, and their workflows under act."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from lab import act
from lab.act import ActRun
from lab.argocd import ArgoCD
from lab.forge import Forge
from lab.lab import Lab
from lab.layouts import ROBOT, Layout
from lab.registry import Registry
from lab.servers import PEOPLE, REF, ROOT, TOOLKIT, lines, toolkit
from stagegate import settings as settings_file
from stagegate.actions import init
from stagegate.runner.boundary import entrypoint
from stagegate.settings import Environment, Settings
from tests.lab.argo_world import World
from tests.setup.bare_repositories import git
from tests.setup.test_init import alone

# `docker login` and `docker buildx build --push --tag X --metadata-file Y`, with an image that answers its tag.
DOCKER = """\
#!{python}
import json, sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from tests.lab.argo_world import World
words = sys.argv[1:]
if words[0] == "buildx":
    options = dict(zip(words, words[1:]))
    assert Path(words[-1]).is_dir(), words
    assert Path(options.get("--file", words[-1] + "/Dockerfile")).is_file(), words
    image, _, tag = options["--tag"].rpartition(":")
    host, _, repository = image.partition("/")
    digest = World(Path(), host).image(tag, tag, repository)
    Path(options["--metadata-file"]).write_text(json.dumps({{"containerimage.digest": digest}}))
"""
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


@dataclass
class Ground:
    """The servers that all newcomers share: a GitHub, a registry, and the toolkit as act reads it."""

    root: Path
    forge: Forge
    registry: Registry
    toolkit: Path


@contextmanager
def ground(root: Path) -> Iterator[Ground]:
    """Start it, with a `docker` on PATH that pushes to the registry without building."""
    docker = root / "bin" / "docker"
    docker.parent.mkdir(parents=True)
    docker.write_text(DOCKER.format(python=sys.executable, root=str(ROOT)))
    docker.chmod(0o755)
    with (
        pytest.MonkeyPatch.context() as patch,
        Registry(root / "registry") as registry,
        Forge(root / "forge") as forge,
    ):
        patch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
        yield Ground(root, forge, registry, toolkit(root))


class Newcomer(Lab):
    """One newcomer's repositories (of the app and of the pins) with their own Argo CD."""

    def __init__(self, ground: Ground, pins: str, app: str = "") -> None:
        name = pins.replace("/", "-")
        super().__init__(ground.root / name, layout=Layout(app or pins, pins, "", ".", {}, {}))
        self.ground, self.clones = ground, dict[str, Path]()
        self.forge, self.registry, self.charts = ground.forge, ground.registry, ground.registry
        self.toolkit = ground.toolkit
        self.notes: dict[str, str] = {}

    def _start(self) -> None:
        self.root.mkdir(parents=True)
        self.repositories = {}

    # --- before ----------------------------------------------------------------------------------------------

    def have(self, builder: Callable[[Path], Path], edits: Mapping[str, tuple[str, str]] = {}) -> str:
        """Push a repository without stagegate to the forge; its name."""
        clone = self.root / f"clone-{len(self.clones)}"
        clone.mkdir()
        builder(clone)
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

    def init(self, repository: str, *flags: str) -> None:
        """Run init in a clone, and push exactly what it wrote."""
        clone = self.clones[repository]
        with pytest.MonkeyPatch.context() as patch:
            alone(patch, clone)
            given = ["--yes", "--stagegate", f"{TOOLKIT}@{REF}", *flags]
            assert entrypoint("init", init.Init, init.main, argv=given) == 0
        git(clone, "add", "--all")
        git(clone, "commit", "-q", "-m", "chore: adopt stagegate")
        git(clone, "push", "-q", f"{self.pushing(repository)}", "main")

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
        urls = {
            holder: self.argocd.front(place.argo.application_names[0]) for _, place, holder in self.places
        }
        return {
            holder: {"ARGOCD_SERVER": self.argocd.url, "STAGEGATE_HOSTS": url.removeprefix("http://")}
            for holder, url in urls.items()
        }

    def secrets(self, repository: str = "") -> dict[str, dict[str, str]]:
        here, two = repository or self.layout.pins, self.layout.app != self.layout.pins
        found: dict[str, dict[str, str]] = {"stagegate": {}}
        for _, place, holder in self.places if here == self.layout.pins else ():
            url = self.argocd.front(place.argo.application_names[0])
            values = dict.fromkeys(place.gate.variables, url) | {"ARGOCD_TOKEN": self.argocd.token}
            found[holder] = {"STAGEGATE_VARIABLES": lines(values)}
        if two:
            name, other = (
                ("SOURCE_TOKEN", self.layout.app)
                if here == self.layout.pins
                else ("PINS_TOKEN", self.layout.pins)
            )
            token = self.forge.token(ROBOT, repositories=[other], permissions=TOKENS[name])
            for holder in found:
                found[holder][name] = token
        return found

    def settled(self) -> list[tuple[str, str]]:
        """Run all workflows until none is left; (event, workflow) of every run, all of which must succeed."""
        runs = self.settle()
        assert not any(run.code for run in runs), failures(runs)
        return [(run.event, run.workflow) for run in runs]

    def runs_in(self, application: str) -> str:
        """The version that the running service reports."""
        return requests.get(self.argocd.front(application), timeout=10).text


def failures(runs: Sequence[ActRun]) -> list[str]:
    """The failures, for people."""
    return [line for run in runs if run.code for line in act.failures(run.text.splitlines())]
