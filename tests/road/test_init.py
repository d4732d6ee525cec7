"""The workflows that `init` writes, under act: from a commit over staging to a verified production."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lab import act
from lab.lab import Lab
from lab.programs import git
from lab.servers import REF, TOOLKIT
from stagegate.actions import init
from stagegate.runner.boundary import entrypoint
from tests.road.test_layouts import sell_tea
from tests.setup.test_init import alone

pytestmark = pytest.mark.road

# Builds the image with the shop's own program in place of the Dockerfile, and writes the output of buildx.
DOCKER = """\
#!/bin/sh
set -eu
[ "$1" = buildx ] || exit 0
while [ $# -gt 0 ]; do
  case "$1" in --tag) tag="$2" ;; --metadata-file) out="$2" ;; esac
  shift
done
IMAGE="${tag%:sha-*}" GITHUB_SHA="${tag##*:sha-}" GITHUB_OUTPUT= python3 build/image.py > built.txt
printf '{"containerimage.digest": "%s"}' "$(grep -o 'sha256:[0-9a-f]*' built.txt | head -n 1)" > "$out"
"""


def adopt(lab: Lab) -> None:
    """Remove everything of stagegate from the shop, then let `init` write what it needs."""
    clone = lab.clone("newcomer", "octo-admin")
    git(clone, "pull", "--quiet", "origin", "main")
    for name in (".github", "e2e"):
        shutil.rmtree(clone / name)
    for name in ("stagegate.yaml", "CODEOWNERS"):
        (clone / name).unlink()
    (clone / "Dockerfile").write_text("FROM scratch\nCOPY app /app\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "chore: what was there before stagegate")
    with pytest.MonkeyPatch.context() as patch:
        alone(patch, clone)
        flags = ["--yes", "--stagegate", f"{TOOLKIT}@{REF}"]
        assert entrypoint("init", init.Init, init.main, argv=flags) == 0
    # chart-check would report that the Secret of the shop is created outside its chart. The gate settles sooner.
    settings = clone / "stagegate.yaml"
    chart = "  path: charts/shop\n"
    told = "  checks: {external: [Secret/shop-login]}\n"
    text = settings.read_text().replace(chart, chart + told)
    settings.write_text(text.replace("gate: {", "gate: {settle: 1s, "))
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "chore: adopt stagegate")
    git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    lab.forge.drain_events()


def settled(lab: Lab) -> list[tuple[str, str]]:
    """Run all workflows until none is left; (event, workflow) of every run, all of which must succeed."""
    runs = lab.settle()
    failed = [line for run in runs if run.code for line in act.failures(run.text.splitlines())]
    assert not failed and not any(run.code for run in runs), failed
    return [(run.event, run.workflow) for run in runs]


def test_workflows_by_init_take_a_commit_to_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
    with Lab(tmp_path / "lab") as lab:
        adopt(lab)
        lab.adopt()
        lab.push("octo-dev", "feat: sell tea", {"app/catalogue.py": sell_tea})
        assert ("push", "release.yml") in settled(lab)
        assert [lab.ask(name)["version"] for name in ("staging", "prod")] == ["1.1.0", "1.0.0"]
        (pull,) = lab.pulls()
        lab.merge(pull["number"])
        assert ("push", "stagegate.yml") in settled(lab)
        assert lab.ask("prod")["version"] == "1.1.0"
        assert lab.api("octo-lead", "GET", "/releases/tags/v1.1.0")["assets"]
