"""A shop on the forge with charts and images in a real registry: releases 1.0.0 to 1.3.0-rc.1, pins at 1.0.0."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import requests

from lab.forge import Forge
from lab.forge.git_moves import Move
from lab.registry import Registry as LabRegistry
from stagegate.chart import package, source
from stagegate.clients import hub
from stagegate.clients.registry import Manifest, Registry
from stagegate.evidence import records
from stagegate.evidence.release_record import Record
from stagegate.model import Chart, Evidence, Image, WorkflowRun, digest_of, to_json
from tests import steps

REPOSITORY = "acme/shop"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0-rc.1")
RIGHTS = dict.fromkeys(("contents", "statuses", "deployments", "pull_requests", "issues", "actions"), "write")

SETTINGS = """\
app: shop
images: [{host}/acme/shop]
chart: {{path: charts/shop, repository: "oci://{host}/acme/charts", image-tag-value: global.imageTag}}
environments:
  - name: staging
    pins: [deploy/staging.yaml]
    promotion: {{strategy: direct}}
  - name: prod
    after: [staging]
    pins: [deploy/prod.yaml]
    promotion: {{reviewers: [octo-lead], labels: [stagegate]}}
{more}"""

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: shop-{name}}}
spec:
  destination: {{namespace: shop}}
  sources:
    - repoURL: {host}/acme/charts   # no scheme
      chart: shop
      targetRevision: "1.0.0"
      helm:
        releaseName: shop
        valueFiles: [$values/deploy/values/{name}.yaml]
        parameters:
          - {{name: global.imageTag, value: v1.0.0}}
    - {{repoURL: "{url}/acme/shop.git", targetRevision: main, ref: values}}
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - {name: shop, image: "{{ .Values.image }}:{{ .Values.global.imageTag }}"}
"""


class Shop:
    """The forge and the registry, with the steps of people and gates."""

    def __init__(self, forge: Forge, host: str, folder: Path, more: str = "") -> None:
        self.forge, self.host, self.folder = forge, host, folder
        self.store = Registry(frozenset({host}))
        self.templates: dict[str, str] = {}  # further files of the chart that is published next
        self.repo = forge.repository(REPOSITORY)
        for login, role in (("octo-dev", "write"), ("octo-lead", "admin"), ("octo-guest", "read")):
            forge.collaborator(REPOSITORY, login, role)
        self.token = forge.token("", "actions", repositories=[REPOSITORY], permissions=RIGHTS)
        files = {
            "stagegate.yaml": SETTINGS.format(host=host, more=more),
            "deploy/staging.yaml": APPLICATION.format(host=host, name="staging", url=forge.url),
            "deploy/prod.yaml": APPLICATION.format(host=host, name="prod", url=forge.url),
            "deploy/values/staging.yaml": "replicas: 1\n",
            "deploy/values/prod.yaml": "replicas: 2\n",
            ".github/workflows/production.yml": "on: {workflow_dispatch: }\n",
        }
        self.repo.seed(dict(files))
        self.commits: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        for version in VERSIONS:
            self.commits[version] = self.repo.seed(
                {"VERSION": f"{version}\n"}, f"feat: what {version} brings"
            )
            self.repo.store.move([Move(f"refs/tags/v{version}", self.commits[version])])

    def hub(self, token: str = "") -> hub.Hub:
        """A hub that does not sleep."""
        url = self.forge.url
        new = hub.connect(
            REPOSITORY, token or self.token, api_url=url, graphql_url=f"{url}/graphql", server_url=url, pace=0
        )
        new._c.sleep = lambda _: None
        return new

    def environ(self, **inputs: str) -> dict[str, str]:
        """The environment of one step of promote-pr."""
        inputs = {"token": self.token, "report": "report.json", **inputs}
        environment = steps.environ(self.forge.url, REPOSITORY, self.folder, self.folder / "output", **inputs)
        return environment | {"GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}

    def publish(self, version: str, commit: str = "") -> None:
        """Image and chart of a version, the chart with the release record."""
        image = f"{self.host}/acme/shop"
        layer = f"layer of {version}".encode()
        config = to_json({"version": version})
        document = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest_of(config),
                "size": len(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": digest_of(layer),
                    "size": len(layer),
                }
            ],
        }
        manifest = Manifest(media_type=str(document["mediaType"]), raw=to_json(document))
        self.store.push(f"{image}:v{version}", manifest, (config, layer), replace=True)
        self.digests[version] = manifest.digest
        chart = self.folder / "build" / version / "shop"
        (chart / "templates").mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text(
            f"apiVersion: v2\nname: shop\nversion: {version}\nappVersion: {version}\n"
        )
        (chart / "values.yaml").write_text(f"image: {image}\nreplicas: 1\nglobal: {{imageTag: v{version}}}\n")
        (chart / "templates" / "deployment.yaml").write_text(DEPLOYMENT)
        for name, text in self.templates.items():
            (chart / "templates" / name).write_text(text)
        record = Record(commit=commit or self.commits[version], images={image: manifest.digest})
        packed = package.pack(source.read(chart, "charts/shop"), record)
        pushed = Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=packed.manifest)
        self.store.push(
            f"{self.host}/acme/charts/shop:{version}", pushed, (packed.config, packed.archive), replace=True
        )
        self.digests[f"chart {version}"] = pushed.digest

    def passed(self, version: str, environment: str = "staging", *, token: str = "", **changes: Any) -> None:
        """Write what a gate writes: a deployment with evidence, then its status."""
        github = self.hub(token)
        if version not in self.digests:
            self.publish(version)
        evidence = Evidence(
            kind="rollout",
            app="shop",
            environment=environment,
            outcome="passed",
            reason="passed",
            version=version,
            tag=f"v{version}",
            commit=self.commits[version],
            chart=Chart(
                reference=f"oci://{self.host}/acme/charts/shop",
                version=version,
                digest=self.digests[f"chart {version}"],
            ),
            images=(Image(reference=f"{self.host}/acme/shop", digest=self.digests[version]),),
            started="2026-01-01T00:00:00Z",
            finished="2026-01-01T00:01:00Z",
            run=WorkflowRun(id="70"),
            actor="octo-dev",
        )
        evidence = msgspec.structs.replace(evidence, **changes)
        state, text = steps.record(github, evidence)
        if evidence.kind != "look":
            context = records.context(evidence.app, environment)
            github.set_status(evidence.commit, context, "pending", f"{version}: the gate runs", "")
            github.set_status(evidence.commit, context, state, text, "")

    def seed_pin(self, environment: str, version: str) -> None:
        """Move a pin by hand to this version."""
        path = f"deploy/{environment}.yaml"
        lines = self.pins(environment).splitlines(keepends=True)
        for index, line in enumerate(lines):
            if 'targetRevision: "' in line:
                lines[index] = f'      targetRevision: "{version}"\n'
            elif "global.imageTag" in line:
                lines[index] = f"          - {{name: global.imageTag, value: v{version}}}\n"
        self.repo.seed({path: "".join(lines)})

    def review(self, number: int, login: str, event: str) -> None:
        """A person reviews a pull request."""
        self.ask("POST", f"pulls/{number}/reviews", self.forge.token(login), {"event": event})

    def merge(self, number: int, login: str = "octo-lead") -> None:
        """A person merges a pull request."""
        self.ask("PUT", f"pulls/{number}/merge", self.forge.token(login), {"merge_method": "squash"})

    def ask(self, method: str, path: str, token: str, body: Mapping[str, Any]) -> None:
        """One REST call with a token."""
        response = requests.request(
            method,
            f"{self.forge.url}/repos/{REPOSITORY}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        response.raise_for_status()

    def split(self) -> None:
        """Move pins and policy to a separate repository, `acme/gitops`; this one keeps code, tags and evidence."""
        gitops = self.forge.repository("acme/gitops")
        for login, role in (("octo-dev", "write"), ("octo-lead", "admin")):
            self.forge.collaborator("acme/gitops", login, role)
        text = self.repo.read("main", "stagegate.yaml").decode()
        chart = next(line for line in text.splitlines() if line.startswith("chart:"))
        policy = text.replace(chart, "source: acme/shop")
        files = {path: self.repo.read("main", path) for path in ("deploy/staging.yaml", "deploy/prod.yaml")}
        values = {
            f"deploy/values/{name}.yaml": f"replicas: {n}\n" for name, n in (("staging", 1), ("prod", 2))
        }
        moved = {path: raw.replace(b"acme/shop.git", b"acme/gitops.git") for path, raw in files.items()}
        gitops.seed({"apps/shop/stagegate.yaml": policy, **moved, **values})
        own = f"app: shop\n{chart}\npolicy: acme/gitops//apps/shop/stagegate.yaml\n"
        self.repo.seed({"stagegate.yaml": own})
        (self.folder / "stagegate.yaml").write_text(own)
        (self.folder / "apps/shop").mkdir(parents=True)
        (self.folder / "apps/shop/stagegate.yaml").write_text(policy)
        self.pins_token = self.forge.token("", "actions", repositories=["acme/gitops"], permissions=RIGHTS)
        self.gitops = gitops

    def pins(self, environment: str, ref: str = "main") -> str:
        """The pin file of an environment."""
        return self.repo.read(ref, f"deploy/{environment}.yaml").decode()

    def outputs(self) -> dict[str, str]:
        """The outputs of the last step, which are then removed."""
        path = self.folder / "output"
        written = steps.outputs(path) if path.exists() else {}
        path.unlink(missing_ok=True)
        return written

    def report(self) -> dict[str, Any]:
        """The JSON report of the last step."""
        return dict(json.loads((self.folder / "report.json").read_bytes()))


@contextmanager
def shop(
    folder: Path,
    host: str,
    *,
    versions: Sequence[str] = VERSIONS[:2],
    more: str = "",
    changes: Mapping[str, str] | None = None,
) -> Iterator[Shop]:
    """The world while the block runs; `more` is appended to the settings, `changes` replaces text in them."""
    with Forge(folder / "forge") as forge:
        world = Shop(forge, host, folder, more)
        for version in versions:
            world.publish(version)
        text = world.repo.read("main", "stagegate.yaml").decode()
        for old, new in (changes or {}).items():
            assert old in text
            text = text.replace(old, new)
        (folder / "stagegate.yaml").write_text(text)
        world.repo.seed({"stagegate.yaml": text})
        yield world


__all__ = ["LabRegistry", "Shop", "shop"]
