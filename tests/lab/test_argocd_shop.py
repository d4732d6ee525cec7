"""The example shop as it is, from its own build to two environments, by a registry that asks for a login."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from lab.argocd import ArgoCD
from lab.registry import MANIFESTS, PASSWORD, Registry
from tests.lab.argo_world import World, run

SHOP = Path(__file__).parents[2] / "examples" / "shop"
LOGIN = ("octo-bot", PASSWORD)
STAGES = ("shop-staging", "shop-prod")


def publish(world: World, folder: Path, version: str) -> None:
    """What the shop's release does: build, tag, package, push."""
    commit = world.push(_at_version(folder, version))
    image = f"{world.host}/acme/shop"
    env = {**os.environ, "REGISTRY_USERNAME": LOGIN[0], "REGISTRY_PASSWORD": LOGIN[1]}
    argv = [sys.executable, "build/image.py", "--image", image, "--commit", commit]
    subprocess.run(argv, cwd=folder, env=env, check=True, capture_output=True)
    manifests = f"http://{world.host}/v2/acme/shop/manifests"
    built = requests.get(f"{manifests}/sha-{commit}", headers={"Accept": MANIFESTS}, auth=LOGIN, timeout=5)
    kind = {"Content-Type": built.headers["Content-Type"]}
    requests.put(
        f"{manifests}/v{version}", data=built.content, headers=kind, auth=LOGIN, timeout=5
    ).raise_for_status()
    run("helm", "package", "charts/shop", "-d", str(world.root), cwd=folder)
    secret = base64.b64encode(":".join(LOGIN).encode()).decode()
    config = world.root / "helm.json"
    config.write_text(json.dumps({"auths": {world.host: {"auth": secret}}}))
    archive = str(world.root / f"shop-{version}.tgz")
    run(
        "helm",
        "push",
        archive,
        f"oci://{world.host}/acme/charts",
        "--registry-config",
        str(config),
        cwd=folder,
    )


def _at_version(folder: Path, version: str) -> dict[str, str | None]:
    chart = folder / "charts/shop/Chart.yaml"
    old = (folder / "VERSION").read_text().strip()
    return {"VERSION": f"{version}\n", "charts/shop/Chart.yaml": chart.read_text().replace(old, version)}


def runs(version: str) -> Any:
    def good(document: dict[str, Any]) -> bool:
        status = document["status"]
        fresh = status.get("reconciledAt", "") >= status.get("operationState", {}).get("finishedAt", "~")
        return (
            fresh
            and version in (status["sync"].get("revisions") or ())
            and (status["sync"]["status"], status["health"].get("status")) == ("Synced", "Healthy")
        )

    return good


def test_the_shop_runs_in_two_environments_and_moves_in_one(tmp_path: Path) -> None:
    with Registry(tmp_path / "registry", htpasswd=LOGIN) as registry:
        world = World(tmp_path, registry.host).begin()
        ignore = shutil.ignore_patterns("__pycache__", ".git")
        shutil.copytree(SHOP, world.work, dirs_exist_ok=True, ignore=ignore)
        publish(world, world.work, "1.0.0")
        secrets = {f"{stage}/shop-login": {"user": "octo", "password": f"hush-{stage}"} for stage in STAGES}
        with ArgoCD(
            tmp_path / "argo", world.bare, registry_rewrite={"ghcr.io": registry.host}, registry_auth=LOGIN,
            git_rewrite={"https://github.com/acme/shop.git": world.bare}, interval=0.1, secrets=secrets,
        ) as argo:  # fmt: skip
            for stage in STAGES:
                document = argo.wait(runs("1.0.0"), stage)
                assert document["status"]["summary"]["images"] == ["ghcr.io/acme/shop:v1.0.0"]
                answer = requests.get(f"{argo.front(stage)}/health", timeout=5)
                assert answer.json()["version"] == "1.0.0"
            assert document["status"]["summary"]["externalURLs"] == ["https://shop.example.com"]

            publish(world, world.work, "1.1.0")
            pin = (world.work / "deploy/argocd/staging.yaml").read_text()
            world.push(
                {"deploy/argocd/staging.yaml": pin.replace('"1.0.0"', '"1.1.0"').replace("v1.0.0", "v1.1.0")}
            )
            argo.wait(runs("1.1.0"), "shop-staging")
            fronts = {stage: argo.front(stage) for stage in STAGES}
            found = {
                stage: requests.get(f"{url}/health", timeout=5).json()["version"]
                for stage, url in fronts.items()
            }
            assert found == {"shop-staging": "1.1.0", "shop-prod": "1.0.0"}

            login = {"user": "octo", "password": "hush-shop-staging"}
            token = requests.post(f"{fronts['shop-staging']}/auth/login", json=login, timeout=5).json()[
                "access_token"
            ]
            headers = {"Authorization": f"Bearer {token}"}
            assert requests.get(f"{fronts['shop-staging']}/api/products", headers=headers, timeout=5).ok
            assert (
                requests.post(f"{fronts['shop-prod']}/auth/login", json=login, timeout=5).status_code == 401
            )
