"""Six repositories of newcomers, without any file of stagegate, each built here with git (and helm)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

AUTHOR = ("-c", "user.name=Octo", "-c", "user.email=octo@example.com")

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
spec:
  project: default
  destination: {{server: https://kubernetes.default.svc, namespace: {name}}}
  source:
{source}
"""
PROBED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: {name}
          image: ghcr.io/acme/{name}
          readinessProbe: {{httpGet: {{path: /healthz, port: 8080}}}}
"""


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    done = subprocess.run(["git", *AUTHOR, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def commit(folder: Path, repository: str, *tags: str) -> Path:
    """Make a repository of a folder, with an origin and tags."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", f"https://github.com/{repository}.git")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "What we have")
    for tag in tags:
        git(folder, "tag", tag)
    return folder


def helm_created(folder: Path) -> Path:
    """`helm create`, a Dockerfile, and plain image tags; Argo CD is not set up yet."""
    (folder / "charts").mkdir(parents=True)
    subprocess.run(["helm", "create", "shop"], cwd=folder / "charts", check=True, capture_output=True)
    values = folder / "charts/shop/values.yaml"
    values.write_text(values.read_text().replace("repository: nginx", "repository: ghcr.io/acme/shop"))
    chart = folder / "charts/shop/Chart.yaml"
    chart.write_text(
        chart.read_text().replace('appVersion: "1.16.0"', 'appVersion: "1.4.2"').replace("0.1.0", "1.4.2")
    )
    write(
        folder,
        {"Dockerfile": "FROM scratch\nCOPY shop /shop\n", "main.go": "package main\n", "VERSION": "1.4.2\n"},
    )
    return commit(folder, "acme/shop", "1.4.1", "1.4.2")


def gitops_folders(folder: Path) -> Path:
    """A gitops repository: an app of apps over folders of pinned Applications, beside charts of others."""
    source = """\
    repoURL: ghcr.io/acme/charts
    chart: shop
    targetRevision: "{version}"
    helm:
      releaseName: shop
      parameters:
        - {{name: global.imageTag, value: v{version}}}
"""
    root = "    repoURL: https://github.com/acme/gitops.git\n    targetRevision: main\n    path: apps/{place}"
    files = {
        "README.md": "# gitops\n",
        "apps/staging/ingress.yaml": APPLICATION.format(
            name="ingress-nginx-staging",
            source="    repoURL: https://kubernetes.github.io/ingress-nginx\n    chart: ingress-nginx\n    targetRevision: 4.11.2",
        ),
    }
    for place, version in (("staging", "1.5.0"), ("prod", "1.4.2")):
        files[f"bootstrap/{place}.yaml"] = APPLICATION.format(
            name=f"root-{place}", source=root.format(place=place)
        )
        files[f"apps/{place}/shop.yaml"] = APPLICATION.format(
            name=f"shop-{place}", source=source.format(place=place, version=version).rstrip()
        )
    write(folder, files)
    return commit(folder, "acme/gitops")


def kustomize_monorepo(folder: Path) -> Path:
    """Three services, each with a base and overlays for staging and two regions of production."""
    files = {}
    for name, versions in {
        "svc-a": ("1.3.0", "1.2.3"),
        "svc-b": ("2.0.1", "2.0.0"),
        "svc-c": ("0.9.0", "0.8.1"),
    }.items():
        files[f"services/{name}/main.go"] = "package main\n"
        files[f"services/{name}/Dockerfile"] = "FROM scratch\n"
        files[f"services/{name}/VERSION"] = f"{versions[0]}\n"
        files[f"deploy/{name}/base/deployment.yaml"] = PROBED.format(name=name)
        files[f"deploy/{name}/base/kustomization.yaml"] = "resources: [deployment.yaml]\n"
        for place, version in zip(
            ("staging", "prod-eu", "prod-us"), (versions[0], versions[1], versions[1]), strict=True
        ):
            files[f"deploy/{name}/overlays/{place}/kustomization.yaml"] = (
                f"resources: [../../base]\nnamespace: {name}-{place}\nimages:\n"
                f"  - name: ghcr.io/acme/{name}\n    newTag: v{version} # the release\n"
            )
    write(folder, files)
    return commit(folder, "acme/mono", "svc-a-v1.3.0", "svc-b-v2.0.1", "svc-c-v0.9.0")


def umbrella_chart(folder: Path) -> Path:
    """An umbrella chart for each environment, which depends on the app's chart in the registry."""
    files = {}
    for place, version in (("staging", "2.1.0"), ("production", "2.0.0")):
        files[f"environments/{place}/Chart.yaml"] = (
            f"apiVersion: v2\nname: shop-{place}\nversion: 0.0.1\ndependencies:\n"
            f"  - name: shop\n    repository: oci://registry.acme.example/charts\n    version: {version}\n"
        )
        files[f"environments/{place}/values.yaml"] = (
            f"shop:\n  replicas: 2\n  image:\n    repository: registry.acme.example/shop\n    tag: v{version}\n"
        )
        files[f"argocd/{place}.yaml"] = APPLICATION.format(
            name=f"shop-{place}",
            source=f"    repoURL: https://github.com/acme/deploy.git\n    targetRevision: main\n    path: environments/{place}",
        )
    write(folder, files)
    return commit(folder, "acme/deploy")


def image_only(folder: Path) -> Path:
    """An app without a chart: plain manifests in a folder for each environment."""
    files = {"app/server.py": "print('hello')\n", "Dockerfile": "FROM scratch\n"}
    for place, version in (("dev", "0.4.0"), ("prod", "0.3.1")):
        files[f"k8s/{place}/deployment.yaml"] = PROBED.format(name="mailer").replace(
            "ghcr.io/acme/mailer", f"ghcr.io/acme/mailer:v{version}"
        )
        files[f"k8s/{place}/service.yaml"] = (
            "apiVersion: v1\nkind: Service\nmetadata: {name: mailer}\nspec: {selector: {app: mailer}, ports: [{port: 80}]}\n"
        )
    write(folder, files)
    return commit(folder, "acme/mailer", "v0.3.1", "v0.4.0")


def application_set(folder: Path) -> Path:
    """One ApplicationSet over clusters, each list element with its own version."""
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop, namespace: argocd}
spec:
  goTemplate: true
  generators:
    - list:
        elements:
          - {cluster: staging, server: "https://10.0.0.1", version: 1.5.0}
          - {cluster: prod-eu, server: "https://10.0.0.2", version: 1.4.2} # Frankfurt
          - {cluster: prod-us, server: "https://10.0.0.3", version: 1.4.1}
  template:
    metadata: {name: 'shop-{{ .cluster }}'}
    spec:
      project: default
      destination: {server: '{{ .server }}', namespace: shop}
      source:
        repoURL: ghcr.io/acme/charts
        chart: shop
        targetRevision: '{{ .version }}'
        helm:
          parameters: [{name: image.tag, value: '{{ .version }}'}]
"""
    write(folder, {"appsets/shop.yaml": text})
    return commit(folder, "acme/fleet")


ALL: Mapping[str, Callable[[Path], Path]] = {
    "helm-created": helm_created,
    "gitops-folders": gitops_folders,
    "kustomize-monorepo": kustomize_monorepo,
    "umbrella-chart": umbrella_chart,
    "image-only": image_only,
    "application-set": application_set,
}
