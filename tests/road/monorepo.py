"""One repository with two apps, released together: `web` has images only, `pay` runs in a chart that many share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from lab.argocd import ArgoCD
from lab.forge import Forge
from stagegate.actions import helm_publish, image_tags, pin_guard, promote_pr, staging_gate
from stagegate.model import Result
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from tests import steps
from tests.lab.argo_world import DEPLOYMENT, World, run

REPOSITORY = "acme/mono"
RIGHTS = dict.fromkeys(("contents", "statuses", "deployments", "pull_requests", "issues", "actions"), "write")
SHARED = "2.3.0"  # version of the shared chart, which no release of pay changes
APPS = ("web", "pay")
PLACES = ("staging", "prod")

STEPS: Mapping[str, tuple[type[Inputs], Callable[[Any, Context], Result]]] = {
    "image-tags": (image_tags.ImageTags, image_tags.main),
    "helm-publish": (helm_publish.HelmPublish, helm_publish.main),
    "promote-pr": (promote_pr.PromotePr, promote_pr.main),
    "staging-gate": (staging_gate.StagingGate, staging_gate.main),
    "pin-guard": (pin_guard.PinGuard, pin_guard.main),
}

SETTINGS = """\
app: {app}
version: {{tag-prefix: {app}-v, files: [apps/{app}/VERSION]}}
images: [{host}/acme/{app}]
chart: {chart}
environments:
  - name: staging
    argocd: {{applications: [{app}-staging]}}
    pins: [{staging}]
    promotion: {{strategy: direct}}
    gate: {{scenarios: apps/{app}/e2e.yaml, variables: [SERVICE_URL], timeout: 60s, settle: 1s}}
  - name: prod
    after: [staging]
    argocd: {{applications: [{app}-prod]}}
    pins: [{prod}]
    gate: {{scenarios: apps/{app}/e2e.yaml, variables: [SERVICE_URL], timeout: 60s, settle: 1s}}
"""

SCENARIOS = """\
base-url: ${SERVICE_URL}
checks:
  - {name: version, request: {path: /}, expect: {contains: "{version}"}, retry: {for: 10s}}
"""

WEB = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web-{place}}}
spec:
  project: default
  destination: {{server: "https://kubernetes.default.svc", namespace: web-{place}}}
  source:
    repoURL: {url}/acme/mono.git
    targetRevision: main
    path: apps/web/chart
    helm: {{releaseName: web, valueFiles: [../values/{place}.yaml]}}
  syncPolicy: {{automated: {{prune: true, selfHeal: true}}}}
"""

PAY = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: pay-{place}}}
spec:
  project: default
  destination: {{server: "https://kubernetes.default.svc", namespace: pay-{place}}}
  source:
    repoURL: {host}/acme/charts
    chart: shop # many services run in it
    targetRevision: {shared}
    helm:
      releaseName: pay
      valuesObject: {{image: {host}/acme/pay}}
      parameters:
        - {{name: tag, value: v1.0.0}} # this one moves
  syncPolicy: {{automated: {{prune: true, selfHeal: true}}}}
"""


def pin(app: str, place: str) -> str:
    """The file that names the version of an app in an environment."""
    return f"apps/web/values/{place}.yaml" if app == "web" else f"deploy/argocd/pay-{place}.yaml"


@dataclass
class Monorepo:
    """The lab's parts, and each app's steps as its workflow would run them."""

    forge: Forge
    host: str
    folder: Path
    argocd: ArgoCD = field(init=False)
    commit: str = ""

    def begin(self) -> None:
        """Version 1.0.0 of both apps, never released by stagegate, runs in both environments."""
        self.repo = self.forge.repository(REPOSITORY)
        self.forge.collaborator(REPOSITORY, "octo-lead", "admin")
        self.token = self.forge.token("", "actions", repositories=[REPOSITORY], permissions=RIGHTS)
        self.images = World(self.folder, self.host)
        self.images.chart(SHARED)
        for app in APPS:
            self.images.image("v1.0.0", "1.0.0", f"acme/{app}")
        self.repo.seed({**self._files()})
        run("git", "clone", "-q", str(self.repo.path), str(self.work), cwd=self.folder)

    def _files(self) -> dict[str, str]:
        custom = '{{file: apps/web/values/{}.yaml, path: tag, value: "v{{version}}"}}'
        web = SETTINGS.format(
            app="web", host=self.host, chart="none", **{p: custom.format(p) for p in PLACES}
        )
        chart = f'{{reference: "oci://{self.host}/acme/charts/shop", image-tag-value: tag}}'
        pay = SETTINGS.format(
            app="pay", host=self.host, chart=chart, **{p: f"deploy/argocd/pay-{p}.yaml" for p in PLACES}
        )
        files = {"apps/web/stagegate.yaml": web, "apps/pay/stagegate.yaml": pay}
        for app in APPS:
            files |= {f"apps/{app}/VERSION": "1.0.0\n", f"apps/{app}/e2e.yaml": SCENARIOS}
        for place in PLACES:
            files |= {
                f"deploy/argocd/web-{place}.yaml": WEB.format(place=place, url=self.forge.url),
                f"deploy/argocd/pay-{place}.yaml": PAY.format(place=place, host=self.host, shared=SHARED),
                f"apps/web/values/{place}.yaml": f"# {place}\ntag: v1.0.0\n",
            }
        return {
            **files,
            "apps/web/chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.0.0\nappVersion: 0.0.0\n",
            "apps/web/chart/values.yaml": f"image: {self.host}/acme/web\ngreeting: hi\nown: hush\n",
            "apps/web/chart/templates/all.yaml": DEPLOYMENT,
            ".github/workflows/production.yml": "on: {workflow_dispatch: }\n",
        }

    @property
    def work(self) -> Path:
        """The checkout that steps run in."""
        return self.folder / "checkout"

    def release(self, versions: Mapping[str, str]) -> None:
        """One commit and a tag for each app that it releases, then the build and what records it."""
        self.commit = self.repo.seed({f"apps/{a}/VERSION": f"{v}\n" for a, v in versions.items()}, "release")
        for app, version in versions.items():
            self.repo.store.git("update-ref", f"refs/tags/{app}-v{version}", self.commit)
            digest = self.images.image(f"sha-{self.commit}", version, f"acme/{app}")
            inputs = {
                "version": version,
                "commit": self.commit,
                "digests": json.dumps({f"{self.host}/acme/{app}": digest}),
            }
            assert self.step("image-tags", app, **inputs)["reason"] == "tagged"
            assert self.step("helm-publish", app, **inputs)["reason"] == "published"

    def step(self, action: str, app: str, **inputs: str) -> dict[str, str]:
        """One action in a fresh checkout of main; its outputs and exit code."""
        run("git", "pull", "-q", cwd=self.work)
        output = self.folder / "output"
        output.unlink(missing_ok=True)
        kind, main = STEPS[action]
        inputs = {"token": self.token, "config": f"apps/{app}/stagegate.yaml", **inputs}
        environ = steps.environ(self.forge.url, REPOSITORY, self.work, output, **inputs)
        code = entrypoint(action, kind, main, argv=[], environ=environ)
        return {"code": str(code), **steps.outputs(output)}

    def gate(self, app: str, place: str) -> dict[str, str]:
        """The gate of an environment, with what its GitHub Environment holds."""
        url = self.argocd.front(f"{app}-{place}")
        os.environ |= {"SERVICE_URL": url, "STAGEGATE_HOSTS": url.removeprefix("http://")}
        return self.step(
            "staging-gate",
            app,
            environment=place,
            argocd_server=self.argocd.url,
            argocd_token=self.argocd.token,
        )

    def runs(self, app: str, place: str) -> str:
        """The version that the running service reports."""
        return requests.get(self.argocd.front(f"{app}-{place}"), timeout=10).text

    def ask(self, method: str, path: str, **fields: object) -> Any:
        """One REST call by the lead."""
        answer = requests.request(
            method,
            f"{self.forge.url}/repos/{REPOSITORY}{path}",
            json=fields or None,
            headers={"Authorization": f"Bearer {self.forge.token('octo-lead')}"},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def statuses(self, sha: str) -> dict[str, tuple[str, str]]:
        """Newest state and text of every context on a commit."""
        found: dict[str, tuple[str, str]] = {}
        for status in self.ask("GET", f"/commits/{sha}/statuses?per_page=100"):
            found.setdefault(status["context"], (status["state"], status["description"]))
        return found


@contextmanager
def monorepo(folder: Path, host: str) -> Iterator[Monorepo]:
    """The world while the block runs."""
    with Forge(folder / "forge") as forge:
        world = Monorepo(forge, host, folder)
        world.begin()
        address = f"{forge.url}/{REPOSITORY}.git"
        repository = world.repo.path
        with ArgoCD(folder / "argocd", repository, git_rewrite={address: repository}, interval=0.1) as argocd:
            world.argocd = argocd
            yield world
