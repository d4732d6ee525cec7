"""After `init` alone a bare repository releases and promotes: real git, helm and registry, the lab's GitHub."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from lab.forge import Forge
from lab.registry import Registry
from stagegate import settings as settings_file
from stagegate.actions import helm_publish, image_tags, init, promote_pr
from stagegate.clients import hub
from stagegate.evidence import records
from stagegate.model import Chart, Evidence, Image, Result, WorkflowRun
from stagegate.pins import pinned_version
from stagegate.release import version_files
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.settings import Settings
from tests import steps
from tests.lab.argo_world import World
from tests.setup.bare_repositories import ALL, git, helm_created
from tests.setup.test_init import alone

VERSION = "7.8.9"
# Versions of the chart that were published before stagegate was adopted.
OLD = {
    "gitops-folders": ("1.5.0", "1.4.2"),
    "umbrella-chart": ("2.1.0", "2.0.0"),
    "application-set": ("1.5.0", "1.4.2", "1.4.1"),
}
RIGHTS = dict.fromkeys(("contents", "statuses", "deployments", "pull_requests", "issues", "actions"), "write")
STEPS: dict[str, tuple[type[Inputs], Callable[[Any, Context], Result]]] = {
    "init": (init.Init, init.main),
    "image-tags": (image_tags.ImageTags, image_tags.main),
    "helm-publish": (helm_publish.HelmPublish, helm_publish.main),
    "promote-pr": (promote_pr.PromotePr, promote_pr.main),
}


@dataclass
class Company:
    """A forge with the repositories of acme, their clones, and a registry with all artifacts."""

    forge: Forge
    host: str
    folder: Path
    clones: dict[str, Path] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    releases: dict[str, Evidence] = field(default_factory=dict)

    def adopt(self, builder: Callable[[Path], Path], *flags: str) -> str:
        """A repository of somebody, pushed to the forge and adopted with init; its name."""
        clone = self.folder / f"clone-{len(self.clones)}"
        clone.mkdir()
        builder(clone)
        name = (
            git(clone, "remote", "get-url", "origin").strip().removesuffix(".git").partition("github.com/")[2]
        )
        for path in git(clone, "ls-files").split():
            text = (clone / path).read_text()
            moved = text.replace("ghcr.io/acme", f"{self.host}/acme")
            (clone / path).write_text(moved.replace("registry.acme.example", f"{self.host}/acme"))
        git(clone, "commit", "-q", "--amend", "-a", "--no-edit")
        for tag in git(clone, "tag").split():
            git(clone, "tag", "-f", tag)
        repository = self.forge.repository(name)
        self.forge.collaborator(name, "octo-lead", "admin")
        self.clones[name] = clone
        self.tokens[name] = self.forge.token("", "actions", repositories=[name], permissions=RIGHTS)
        git(clone, "remote", "set-url", "origin", str(repository.path))
        assert (
            self.step("init", name, "--yes", "--stagegate", "acme/stagegate@v0.1.0", *flags)["reason"]
            == "updated"
        )
        self.commit(name, "chore: adopt stagegate")
        return name

    def commit(self, name: str, message: str) -> str:
        """Everything of a clone, on the default branch of the forge; its commit."""
        clone = self.clones[name]
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "--allow-empty", "-m", message)
        git(clone, "push", "-q", "--tags", "origin", "main")
        return git(clone, "rev-parse", "HEAD").strip()

    def step(self, action: str, name: str, *flags: str, **more: str) -> dict[str, str]:
        """One action in a clone, as a job would run it; its outputs."""
        output = self.folder / "output"
        output.unlink(missing_ok=True)
        kind, main = STEPS[action]
        inputs = {"token": self.tokens[name], **more}
        environ = steps.environ(self.forge.url, name, self.clones[name], output, **inputs)
        entrypoint(action, kind, main, argv=list(flags), environ=environ)
        return steps.outputs(output)

    def published_before(self, name: str, version: str) -> None:
        """The chart of an earlier version, by helm itself."""
        chart, folder = self.clones[name] / "charts/shop", self.folder
        words = ["--version", version, "--app-version", version, "-d", str(folder)]
        subprocess.run(["helm", "package", str(chart), *words], check=True, capture_output=True)
        push = ["helm", "push", str(folder / f"shop-{version}.tgz"), f"oci://{self.host}/acme/charts"]
        subprocess.run([*push, "--plain-http"], check=True, capture_output=True)

    def release(self, name: str, config: str) -> None:
        """Release a version of an app: files, commit and tag, images by digest, then what the road publishes."""
        clone = self.clones[name]
        settings = settings_file.load(clone / config, config)
        for place in settings.version.places:
            path = clone / place.file
            path.write_bytes(version_files.write(place, path.read_bytes(), VERSION))
        commit = self.commit(name, f"chore: release {settings.app} {VERSION}")
        tag = f"{settings.version.tag_prefix}{VERSION}"
        git(clone, "tag", "-a", tag, "-m", tag)
        git(clone, "push", "-q", "origin", tag)
        images = World(self.folder / "images", self.host)
        digests = {
            image: images.image(f"sha-{commit}", VERSION, image.partition("/")[2])
            for image in settings.images
        }
        given = {"config": config, "version": VERSION, "commit": commit, "digests": json.dumps(digests)}
        assert self.step("image-tags", name, **given)["reason"] == "tagged"
        published = self.step("helm-publish", name, **given)
        assert published["reason"] == "published"
        self.releases[settings.app] = Evidence(
            kind="rollout",
            app=settings.app,
            environment="",
            outcome="passed",
            reason="passed",
            version=VERSION,
            tag=tag,
            commit=commit,
            chart=Chart(
                reference=published["chart"], version=published["version"], digest=published["digest"]
            )
            if published["chart"]
            else None,
            images=tuple(Image(reference=image, digest=digest) for image, digest in digests.items()),
            started="2026-01-01T00:00:00Z",
            finished="2026-01-01T00:01:00Z",
            run=WorkflowRun(id="70"),
            actor="octo-lead",
        )

    def pass_gate(self, name: str, app: str, environment: str) -> None:
        """What a gate that passed writes in the app's repository: a deployment with the evidence, and a status."""
        url = self.forge.url
        github = hub.connect(
            name, self.tokens[name], api_url=url, graphql_url=f"{url}/graphql", server_url=url, pace=0
        )
        found = msgspec.structs.replace(self.releases[app], environment=environment)
        state, text = steps.record(github, found)
        github.set_status(found.commit, records.context(app, environment), state, text, "")

    def merge(self, name: str, number: str) -> None:
        """A person merges a proposal, whose status must be green."""
        url = f"{self.forge.url}/repos/{name}"
        headers = {"Authorization": f"Bearer {self.forge.token('octo-lead')}"}
        pull = requests.get(f"{url}/pulls/{number}", headers=headers, timeout=10).json()
        status = requests.get(
            f"{url}/commits/{pull['head']['sha']}/statuses", headers=headers, timeout=10
        ).json()[0]
        assert (status["context"], status["state"]) == ("stagegate/pins", "success"), status
        requests.put(
            f"{url}/pulls/{number}/merge", json={"merge_method": "squash"}, headers=headers, timeout=10
        ).raise_for_status()

    def pinned(self, name: str, config: str, environment: str) -> str:
        """The version that the default branch of the forge pins."""
        repository = self.forge.world.find(name)
        assert repository is not None
        settings: Settings = settings_file.parse(repository.read("main", config), config)
        files: dict[str, bytes | None] = {}
        for path in pinned_version.files_of(settings.environment(environment)):
            try:
                files[path] = repository.read("main", path)
            except KeyError:
                files[path] = None  # such as the Chart.lock that an umbrella chart may have
        return pinned_version.standing(settings.environment(environment), files, settings).version


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    alone(monkeypatch, tmp_path)
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    (tmp_path / "images").mkdir()
    with Forge(tmp_path / "forge") as forge, Registry(tmp_path / "registry") as registry:
        yield Company(forge, registry.host, tmp_path)


@pytest.mark.parametrize("bare", ALL)
def test_a_repository_promotes_after_init_alone(bare: str, company: Company) -> None:
    pins = company.adopt(ALL[bare])
    configs = sorted(
        path.relative_to(company.clones[pins]).as_posix()
        for path in company.clones[pins].rglob("stagegate.yaml")
    )
    for config in configs:
        settings = settings_file.load(company.clones[pins] / config, config)
        app = pins
        if settings.source:
            flags = ["--policy", f"{pins}//{config}", "--image-tag", settings.image_tag]
            app = company.adopt(helm_created, *flags)
            for version in OLD[bare]:
                company.published_before(app, version)
            company.release(app, "stagegate.yaml")
        else:
            company.release(app, config)
        first, second, *more = settings.environments
        before = company.pinned(pins, config, second.name)
        tokens = {"token": company.tokens[app], "pins_token": company.tokens[pins]}
        place = {"config": config, "version": VERSION, "verify_workflow": "none"}
        done = company.step("promote-pr", pins, environment=first.name, **place, **tokens)
        assert (done["reason"], company.pinned(pins, config, first.name)) == ("committed", VERSION), done
        planned = company.step("promote-pr", pins, environment=second.name, dry_run="true", **place, **tokens)
        # A release without evidence of the first environment is not promoted.
        assert planned["reason"] == "no-evidence"
        assert company.pinned(pins, config, second.name) == before
        company.pass_gate(app, settings.app, first.name)
        for later in (second, *more):
            proposed = company.step("promote-pr", pins, environment=later.name, **place, **tokens)
            assert proposed["reason"] == "proposed", proposed
            company.merge(pins, proposed["pr-number"])
            assert company.pinned(pins, config, later.name) == VERSION
            company.pass_gate(app, settings.app, later.name)
        subprocess.run(["git", "pull", "-q", "origin", "main"], cwd=company.clones[pins], check=True)
