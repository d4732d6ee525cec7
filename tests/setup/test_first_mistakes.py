"""The mistakes of somebody's first hour: doctor or the first command reports each, before a version exists.

Mistakes of one setting or file are in test_doctor_offline.py, those that only GitHub, a registry or Argo CD reveal
in test_doctor_asks.py. Here are those that people made who tried stagegate on repositories of their own.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from stagegate import cli
from tests.setup.bare_repositories import git
from tests.setup.test_doctor_offline import APP, GITOPS, HELM, IMAGE, MONO, PINS, add, adopted, change, remove
from tests.setup.test_init import alone

Spoil = Callable[[Path], None]
DOCTOR = ("doctor", "--offline")
EVENTS = ".github/workflows/stagegate.yml"
RELEASE = ".github/workflows/release.yml"
ROOT = "bootstrap/prod.yaml"
CALLED = "acme/stagegate/.github/workflows/events.yml@v0.1.0"
PUSH = "  push:\n    branches: main\n"
TAG_PARAMETER = """\
        parameters:
          # The same release as targetRevision; the two move together.
          - {name: image.tag, value: "1.4.2", forceString: true}
"""
COMMIT = "a" * 40
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: worker, namespace: "{{ .Release.Namespace }}"}
spec:
  containers:
    - name: worker
      image: "ghcr.io/acme/NAME:{{ .Values.image.tag }}"
      resources: {}
      env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: database, key: password}}}]
"""


def every(*spoils: Spoil) -> Spoil:
    """Several changes, one after the other."""

    def done(folder: Path) -> None:
        for spoil in spoils:
            spoil(folder)

    return done


def copied_for_each_service(folder: Path) -> None:
    """The workflows of the first service, copied for the others as they are."""
    first = folder / EVENTS
    text = first.read_text().replace(CALLED, f"{CALLED}\n    with: {{config: services/*/stagegate.yaml}}")
    for name in ("svc-a", "svc-b", "svc-c"):
        own = text.replace("services/*/", f"services/{name}/")
        (first if name == "svc-a" else first.with_name(f"{name}.yml")).write_text(own)


def dependency(repository: str) -> tuple[str, str]:
    """A change of Chart.yaml that makes it depend on a chart."""
    line = f'  - {{name: common, version: 1.0.0, repository: "{repository}"}}'
    return "type: application", f"type: application\ndependencies:\n{line}"


class Case(NamedTuple):
    """A repository, the mistake in it, and the expected texts of the report: the mistake and its fix.

    `severity` and `rule` are those of doctor's finding; a `command` has neither.
    """

    repository: str
    spoil: Spoil
    message: str
    cure: str
    rule: str = ""
    severity: str = "error"
    command: tuple[str, ...] = DOCTOR


CASES: Mapping[str, Case] = {
    # The chart: mistakes that otherwise only a release would find.
    "a Secret that nobody renders": Case(
        HELM,
        add("charts/shop/templates/worker.yaml", POD.replace("NAME", "shop")),
        "Secret/database is not rendered",
        "- Secret/database` under chart.checks.external",
        "chart-rules",
    ),
    "an image of the release that is not listed": Case(
        HELM,
        add("charts/shop/templates/worker.yaml", POD.replace("NAME", "agent")),
        "The tag of ghcr.io/acme/agent comes from image.tag, but `images` does not list this image",
        "- ghcr.io/acme/agent` under images",
        "chart-rules",
    ),
    "a listed image that the chart does not have": Case(
        HELM,
        change("stagegate.yaml", "images: [ghcr.io/acme/shop]", "images: [ghcr.io/acme/shopp]"),
        "no rendered object contains the image ghcr.io/acme/shopp",
        "Correct `images`",
        "chart-rules",
    ),
    "a mistyped value for the tag": Case(
        HELM,
        change("stagegate.yaml", "image-tag-value: image.tag", "image-tag-value: image.tagg"),
        "The tag of ghcr.io/acme/shop:1.4.2 does not come from image.tagg",
        "`stagegate explain image-follows-tag`",
        "chart-rules",
    ),
    "a default tag of another form": Case(
        HELM,
        every(
            change("stagegate.yaml", "  image-tag-value: image.tag\n", ""),
            change("charts/shop/values.yaml", 'tag: ""', 'tag: "v1.4.2"'),
            change(APP, TAG_PARAMETER, ""),
        ),
        "ghcr.io/acme/shop:v1.4.2",
        "chart.image-tag-value",
        "chart-rules",
    ),
    "a template that does not render": Case(
        HELM,
        add("charts/shop/templates/worker.yaml", "{{ include .Values.nothing . }}\n"),
        "Chart shop does not render",
        "helm template",
        "chart-rules",
    ),
    "a dependency without a lock": Case(
        HELM,
        change("charts/shop/Chart.yaml", *dependency("oci://ghcr.io/acme/charts")),
        "There is no charts/shop/Chart.lock",
        "helm dependency update charts/shop",
        "chart-dependencies",
    ),
    # Pins.
    "any version in production": Case(
        HELM,
        change(APP, 'targetRevision: "1.4.2"', 'targetRevision: "*"'),
        "has '*', which is not an exact version",
        "exact version",
        "pins-readable",
    ),
    "latest where releases arrive first": Case(
        IMAGE,
        change("k8s/dev/deployment.yaml", ":v0.4.0", ":latest"),
        "has 'ghcr.io/acme/mailer:latest', which is not an exact version",
        "exact version",
        "pins-readable",
        "warning",
    ),
    "a short commit": Case(
        MONO,
        change(PINS, "newTag: v1.2.3", "newTag: 1a2b3c4"),
        "has '1a2b3c4', which is not an exact version",
        "exact",
        "pins-readable",
    ),
    "a commit of a version that is not tagged": Case(
        MONO,
        change(PINS, "newTag: v1.2.3", f"newTag: sha-{COMMIT}"),
        "this clone has no tag svc-a-v9.9.9",
        "git fetch --tags",
        command=(
            *("promote", "--local", "--config", "services/svc-a/stagegate.yaml"),
            *("--environment", "prod-eu", "--version", "9.9.9"),
        ),
    ),
    "a commit field with something else in it": Case(
        IMAGE,
        every(
            add("ops.json", '{"ref": "main"}\n'),
            change(
                "stagegate.yaml", "k8s/prod/deployment.yaml", '{file: ops.json, path: ref, value: "{commit}"}'
            ),
        ),
        "ops.json has 'main' at ref",
        "Write the version that runs now, as {commit}",
        command=("promote", "--local", "prod", "9.9.9"),
    ),
    "an environment of another name": Case(
        GITOPS,
        every(),
        "The settings contain no environment 'production'",
        "staging, prod",
        command=("promote", "--local", "production", "1.5.0"),
    ),
    # Version files.
    "a version with a v": Case(
        HELM,
        every(
            add("ops.yaml", "tag: v1.4.2\n"),
            change("stagegate.yaml", "    - VERSION\n", "    - {file: ops.yaml, path: tag}\n    - VERSION\n"),
        ),
        "ops.yaml, line 1, has v1.4.2, with a `v`",
        "`pattern`",
        "version-files",
    ),
    "a version with a v, by the first command": Case(
        HELM,
        every(
            add("ops.yaml", "tag: v1.4.2\n"),
            change("stagegate.yaml", "    - VERSION\n", "    - VERSION\n    - {file: ops.yaml, path: tag}\n"),
        ),
        "ops.yaml",
        "`pattern`",
        command=("check",),
    ),
    "a lock file that was forgotten": Case(
        HELM,
        every(
            add(
                "package-lock.json",
                '{"version": "1.4.2", "lockfileVersion": 3, "packages": {"": {"version": "1.4.1"}}}\n',
            ),
            change("stagegate.yaml", "    - VERSION\n", "    - VERSION\n    - package-lock.json\n"),
        ),
        "package-lock.json contains 1.4.1, not 1.4.2",
        "Write 1.4.2",
        "version-files",
    ),
    "a table that pyproject.toml does not have": Case(
        HELM,
        every(
            add("pyproject.toml", '[project]\nversion = "1.4.2"\n'),
            change(
                "stagegate.yaml", "    - VERSION\n", "    - {file: pyproject.toml, path: tool.x.version}\n"
            ),
        ),
        "pyproject.toml contains no text version in the table [tool.x]",
        "`pattern`",
        "version-files",
    ),
    "a version file that is missing, by the first command": Case(
        HELM,
        remove("VERSION"),
        "The file VERSION does not exist",
        "Add the file",
        command=("version-bump", "--mode", "verify"),
    ),
    # Settings and flags.
    "a mistyped key where a word is allowed too": Case(
        HELM,
        change("stagegate.yaml", "{applications: [shop-prod],", "{aplications: [shop-prod],"),
        "unknown key 'aplications', did you mean applications",
        "Correct",
        "settings-valid",
    ),
    "an environment after one that is not there": Case(
        HELM,
        change("stagegate.yaml", "after: [staging]", "after: [stagin]"),
        "`after` names 'stagin'",
        "Correct",
        "settings-valid",
    ),
    "a pattern where one file is read": Case(
        MONO,
        every(),
        "services/*/stagegate.yaml is a pattern",
        "Set the input `config` to one file",
        command=("staging-gate", "--config", "services/*/stagegate.yaml", "--environment", "staging"),
    ),
    "a mistyped command": Case(
        HELM, every(), "no command 'promte'", "Did you mean promote", command=("promte",)
    ),
    # Workflows.
    "a placeholder of the README": Case(
        HELM,
        change(EVENTS, CALLED, "OWNER/stagegate/.github/workflows/events.yml@<40 hex>"),
        "OWNER/stagegate@<40 hex> is the address in the examples",
        "owner/stagegate@<40 hex>",
        "revisions",
    ),
    "the address of the examples": Case(
        HELM,
        every(),
        "acme/stagegate@v0.1.0 is the address in the examples",
        "owner/stagegate@<40 hex>",
        "revisions",
        "warning",
    ),
    "two revisions": Case(
        HELM,
        change(EVENTS, "@v0.1.0", "@v0.2.0"),
        "at 2 revisions",
        "in every workflow",
        "revisions",
        "warning",
    ),
    "no start by a merge": Case(
        HELM, change(EVENTS, PUSH, ""), "A push does not start", "branches: [main]", "workflows"
    ),
    "a start by merges to another branch": Case(
        HELM,
        change(EVENTS, "branches: main", "branches: [master, release/*]"),
        "is not started by a push to main",
        "branches: [main]",
        "workflows",
        "warning",
    ),
    "a start by tags only": Case(
        HELM,
        change(EVENTS, PUSH, "  push:\n    tags: v*\n"),
        "is not started by a push to main",
        "branches: [main]",
        "workflows",
        "warning",
    ),
    "no start by stagegate": Case(
        HELM,
        change(EVENTS, "  workflow_dispatch:\n", ""),
        "cannot be started by a dispatch",
        "workflow_dispatch:",
        "workflows",
    ),
    "a guard that runs the pull request's own file": Case(
        HELM,
        change(EVENTS, "pull_request_target:", "pull_request:"),
        "No workflow runs pin-guard on pull requests",
        "`pull_request_target`",
        "workflows",
        "warning",
    ),
    "no answers to comments": Case(
        HELM,
        change(EVENTS, "issue_comment:", "issues:"),
        "No workflow reads comments",
        "`issue_comment`",
        "workflows",
        "note",
    ),
    "a caller that grants too little": Case(
        HELM,
        change(EVENTS, "      deployments: write # the evidence\n", ""),
        "The job stagegate does not grant `deployments: write` to events.yml",
        "Add `deployments: write` below `permissions:` of the job stagegate",
        "job-permissions",
    ),
    "a caller without permissions": Case(
        HELM,
        every(
            change(RELEASE, "permissions: {}\n", ""),
            change(RELEASE, "    permissions:\n      contents: write # the release commit and its tag\n", ""),
            change(
                RELEASE,
                "      pull-requests: write # labels, links in the notes, and the release pull request where "
                "rules ask for one\n",
                "",
            ),
        ),
        "The job version lists no permissions",
        "`contents: write`, `pull-requests: write`",
        "job-permissions",
        "warning",
    ),
    "a step that may not write": Case(
        HELM,
        add(
            ".github/workflows/night.yml",
            "on: push\njobs:\n  a:\n    permissions: read-all\n    steps:\n"
            "      - uses: acme/stagegate/actions/staging-gate@v0.1.0\n        with: {environment: staging}\n",
        ),
        "does not grant `deployments: write` to staging-gate",
        "`permissions:` of the job a",
        "job-permissions",
    ),
    "a secret that is not handed over": Case(
        GITOPS,
        change(EVENTS, "      STAGEGATE_VARIABLES: ${{ secrets.STAGEGATE_VARIABLES }}\n", ""),
        "does not pass the secret STAGEGATE_VARIABLES to events.yml",
        "`secrets: inherit`",
        "secrets-passed",
    ),
    "a token for the app's repository that is not handed over": Case(
        GITOPS,
        change(EVENTS, "      SOURCE_TOKEN: ${{ secrets.SOURCE_TOKEN }}\n", ""),
        "does not pass the secret SOURCE_TOKEN to events.yml",
        "SOURCE_TOKEN: ${{ secrets.SOURCE_TOKEN }}",
        "secrets-passed",
    ),
    "a secret of another name": Case(
        HELM,
        change(EVENTS, "      STAGEGATE_VARIABLES:", "      GATE_VARIABLES: x\n      STAGEGATE_VARIABLES:"),
        "passes the secret GATE_VARIABLES to events.yml, which does not accept this secret",
        "below `secrets:`",
        "secrets-passed",
    ),
    "a mistyped input": Case(
        HELM,
        change(RELEASE, "      releases: ${{", "      release: ${{"),
        "road.yml has no input `release`",
        "Write `releases`",
        "workflow-inputs",
    ),
    "an output that nobody writes": Case(
        HELM,
        change(RELEASE, "      digests: ${{ steps.build", "      images: ${{ steps.build"),
        "The input `digests` of road.yml is always empty, because the output build.digests does not exist",
        "Add `digests` below `outputs:` of the job build",
        "workflow-inputs",
    ),
    "an output of a job that is not awaited": Case(
        HELM,
        change(RELEASE, "releases: ${{ needs.build.outputs", "releases: ${{ needs.version.outputs"),
        "the output version.releases does not exist",
        "Add version to `needs:`",
        "workflow-inputs",
    ),
    # Order and Applications.
    "production without anything before it": Case(
        HELM,
        change("stagegate.yaml", "    after: [staging]\n", ""),
        "prod of shop has no `after`",
        "Write `after: [staging]` for prod",
        "environment-order",
    ),
    "production that says so, without anything before it": Case(
        HELM,
        change("stagegate.yaml", "    after: [staging]\n", "    production: true\n"),
        "prod of shop has no `after`",
        "Write `after: [staging]` for prod",
        "environment-order",
        "warning",
    ),
    "an Application of another namespace": Case(
        HELM,
        change(APP, "namespace: argocd", "namespace: team-a"),
        "shop-prod is in the namespace team-a",
        "argocd: {namespace: team-a}",
        "applications-follow",
        "warning",
    ),
    "an Application without a namespace for its objects": Case(
        HELM,
        change(APP, "namespace: shop-prod", "namespac: shop-prod"),
        "shop-prod names no namespace for its objects",
        "namespace: shop-prod",
        "applications-follow",
        "warning",
    ),
    "a folder that is not there": Case(
        IMAGE,
        change("k8s/argocd/prod.yaml", "path: k8s/prod", "path: k8s/production"),
        "the folder k8s/production, which does not exist",
        "path: k8s/prod",
        "applications-follow",
    ),
    "an app of apps on another branch": Case(
        GITOPS,
        change(ROOT, "targetRevision: main", "targetRevision: master"),
        "root-prod deploys from master of this repository",
        "targetRevision: main",
        "parents-apply",
    ),
    "an app of apps in another folder": Case(
        GITOPS,
        change(ROOT, "path: apps/prod", "path: apps/production"),
        "root-prod deploys apps/production, but apps/prod/shop.yaml is not in this folder",
        "path: apps/prod",
        "parents-apply",
    ),
    "an app of apps of another repository": Case(
        GITOPS,
        change(ROOT, "acme/gitops.git", "acme/gitopps.git"),
        "but apps/prod/shop.yaml is in this repository",
        "acme/gitops.git",
        "parents-apply",
        "warning",
    ),
    "one Application for two apps": Case(
        MONO,
        change("services/svc-b/stagegate.yaml", "svc-b-prod-eu", "svc-a-prod-eu"),
        "name the same Application svc-a-prod-eu",
        "services/svc-b/stagegate.yaml",
        "applications-follow",
        "warning",
    ),
    "a release workflow of another branch": Case(
        HELM,
        change(RELEASE, "branches: main", "branches: master"),
        "release.yml is not started by a push to main",
        "branches: [main]",
        "workflow-triggers",
        "warning",
    ),
    "pins that start nothing": Case(
        HELM,
        change(EVENTS, PUSH, PUSH + "    paths: ['src/**', '!**/*.md', deploy/argocd/staging.yaml]\n"),
        "is not started by a push that changes deploy/argocd/prod.yaml",
        "Delete `paths`",
        "workflow-triggers",
    ),
    "runs that cancel each other": Case(
        HELM,
        change(
            EVENTS,
            "permissions: {}\n",
            "concurrency: {group: x, cancel-in-progress: true}\npermissions: {}\n",
        ),
        "share the concurrency group x",
        "Delete `concurrency`",
        "workflow-triggers",
    ),
    "an announcement that is refused": Case(
        GITOPS,
        change(EVENTS, "      release: {}", "      version_: {}"),
        "does not accept the input `release`",
        "inputs: {release: {}}",
        "workflows",
    ),
    "a soak that nothing ends": Case(
        HELM,
        change("stagegate.yaml", "after: [staging]", "after: [staging]\n    soak: 30m"),
        "prod has a soak, but no workflow evaluates the proposals of this environment by `schedule`",
        'schedule: [{cron: "23 * * * *"}]',
        "wake-ups",
        "warning",
    ),
    "a merge queue that waits for a status": Case(
        HELM,
        change("stagegate.yaml", "after: [staging]", "after: [staging]\n    promotion: {merge: merge-queue}"),
        "no workflow checks the groups of the queue",
        "Add `merge_group:`",
        "wake-ups",
    ),
    "an approval that starts nothing": Case(
        HELM,
        change("stagegate.yaml", "after: [staging]", "after: [staging]\n    promotion: {merge: stagegate}"),
        "an approval starts no workflow",
        "`pull_request_review`",
        "wake-ups",
        "warning",
    ),
    "a guard that sees no second commit": Case(
        HELM,
        change(EVENTS, "types: [opened, reopened, synchronize,", "types: [opened, reopened,"),
        "does not list synchronize in the types of `pull_request_target`",
        "synchronize]`",
        "wake-ups",
        "warning",
    ),
    "a variable of the runner": Case(
        HELM,
        change("stagegate.yaml", "variables: [SHOP_URL], on", "variables: [SHOP_URL, GITHUB_TOKEN], on"),
        "The gate of prod lists a variable that scenarios may not use",
        "Correct `variables` of prod",
        "scenarios",
    ),
    "a team that nobody can look up": Case(
        HELM,
        change("stagegate.yaml", "environments:", "commands: {promote: [acme/release]}\nenvironments:"),
        "does not pass the secret APP_KEY to events.yml",
        "APP_KEY: ${{ secrets.APP_KEY }}",
        "secrets-passed",
    ),
    "a team with an @": Case(
        HELM,
        change("stagegate.yaml", "environments:", 'commands: {promote: ["@acme/release"]}\nenvironments:'),
        "write 'acme/release'",
        "Correct",
        "settings-valid",
    ),
    "an App without its number": Case(
        HELM,
        every(
            change(
                RELEASE, "version.outputs.releases }}\n", "version.outputs.releases }}\n      app-id: 7\n"
            ),
            change(
                RELEASE,
                "  version:\n    permissions:",
                "  version:\n    with: {app-id: 7}\n    secrets: inherit\n    permissions:",
            ),
            change("stagegate.yaml", "environments:", "trust: {level: protected, app: gate}\nenvironments:"),
        ),
        "The job stagegate does not give events.yml the input `app-id`",
        "app-id: ${{ vars.STAGEGATE_APP_ID }}",
        "workflow-inputs",
    ),
    "a workflow of another name": Case(
        HELM,
        change(EVENTS, "events.yml@", "event.yml@"),
        "calls event.yml, which stagegate does not have",
        "Write events.yml",
        "workflow-inputs",
    ),
    "an address without the folder": Case(
        HELM,
        change(EVENTS, "/.github/workflows/events.yml@", "/events.yml@"),
        "The job stagegate cannot call acme/stagegate/events.yml@v0.1.0",
        "Correct `uses:`",
        "workflow-inputs",
    ),
    # Registries, charts and kustomizations.
    "a mistyped registry": Case(
        GITOPS,
        change("stagegate.yaml", "images: [ghcr.io", "images: [ghrc.io"),
        "The registry ghrc.io looks like a misspelt ghcr.io",
        "If you mean ghcr.io, correct the name in stagegate.yaml",
        "registry-hosts",
        "warning",
    ),
    "an image that no pin names": Case(
        IMAGE,
        change(
            "stagegate.yaml",
            "images: [ghcr.io/acme/mailer]",
            "images: [ghcr.io/acme/mailer, ghcr.io/acme/cron]",
        ),
        "No pin of prod names the image ghcr.io/acme/cron",
        "under `pins` of prod",
        "pins-readable",
        "warning",
    ),
    "an image without its registry": Case(
        GITOPS,
        change("stagegate.yaml", "images: [ghcr.io/", "images: ["),
        "acme/shop has no registry in its name, so it means docker.io/acme/shop",
        "ghcr.io/acme/shop",
        "registry-hosts",
        "warning",
    ),
    "an address instead of a repository": Case(
        GITOPS,
        change("stagegate.yaml", "source: acme/shop", "source: https://github.com/acme/shop"),
        "source must be owner/name",
        "Correct",
        "settings-valid",
    ),
    "a path from the root of the machine": Case(
        HELM,
        change("stagegate.yaml", "- deploy/argocd/prod.yaml", "- /deploy/argocd/prod.yaml"),
        "write 'deploy/argocd/prod.yaml', a path from its root",
        "Correct",
        "settings-valid",
    ),
    "an environment with a capital": Case(
        HELM,
        change("stagegate.yaml", "name: prod", "name: Prod EU"),
        "write 'prod-eu'",
        "Correct",
        "settings-valid",
    ),
    "a time without a unit": Case(
        HELM,
        change("stagegate.yaml", "on-failure: rollback", "timeout: 20"),
        "must be a number with its unit s, m, h or d, such as 20m",
        "Correct",
        "settings-valid",
    ),
    "a secret in the settings": Case(
        HELM,
        change(
            "stagegate.yaml",
            "environments:",
            'notify: {channels: [{kind: slack, url: "https://hooks.example.com/x"}]}\nenvironments:',
        ),
        "the key must contain the name of a variable or secret",
        "Correct",
        "settings-valid",
    ),
    "a chart that is asked for with a v": Case(
        HELM,
        change(APP, 'targetRevision: "1.4.2"', 'targetRevision: "v1.4.2"'),
        "has the chart version v1.4.2",
        "Write 1.4.2 in this line",
        "pins-readable",
    ),
    "both forms of a chart's address": Case(
        HELM,
        change(APP, "repoURL: ghcr.io", "repoURL: oci://ghcr.io"),
        "has the address oci://ghcr.io/acme/charts and `chart: shop`",
        "Write `repoURL: ghcr.io/acme/charts`",
        "applications-follow",
        "warning",
    ),
    "a chart of which only the appVersion moves": Case(
        HELM,
        change(
            "stagegate.yaml", "- charts/shop/Chart.yaml", "- {file: charts/shop/Chart.yaml, path: appVersion}"
        ),
        "does not update version of charts/shop/Chart.yaml",
        "Write `- charts/shop/Chart.yaml` under version.files",
        "version-files",
    ),
    "a version file with more in it": Case(
        HELM,
        add("VERSION", "1.4.2\n# the next one\n"),
        "VERSION, line 1, has '1.4.2 # the next one', which is not a version",
        "Write only the version into VERSION",
        "version-files",
    ),
    "a repository that only one machine knows": Case(
        HELM,
        change("charts/shop/Chart.yaml", *dependency("@internal")),
        "common of charts/shop is in the repository @internal",
        "Write the address of the repository",
        "chart-dependencies",
    ),
    "a dependency beside the repository": Case(
        HELM,
        change("charts/shop/Chart.yaml", *dependency("file://../../../common")),
        "but this repository has no chart in that folder",
        "helm dependency update charts/shop",
        "chart-dependencies",
    ),
    "a base that is not there": Case(
        MONO,
        remove("deploy/svc-b/base/kustomization.yaml", "deploy/svc-b/base/deployment.yaml"),
        "deploy/svc-b/overlays/staging/kustomization.yaml names ../../base, which is not there",
        "Correct line 1",
        "kustomizations",
    ),
    "a base without its kustomization": Case(
        MONO,
        remove("deploy/svc-b/base/kustomization.yaml"),
        "deploy/svc-b/overlays/staging/kustomization.yaml names the folder ../../base, which has no kustomization.yaml",
        "Add deploy/svc-b/base/kustomization.yaml",
        "kustomizations",
    ),
    "a patch that is not there": Case(
        MONO,
        change(PINS, "namespace:", "patches:\n  - {path: memory.yaml}\nnamespace:"),
        "names memory.yaml, which is not there",
        "Correct line 3",
        "kustomizations",
    ),
    "several apps and a workflow for one": Case(
        MONO,
        change(EVENTS, CALLED, f"{CALLED}\n    with: {{config: services/svc-a/stagegate.yaml}}"),
        "No workflow verifies the pins of svc-b",
        "config: services/*/stagegate.yaml",
        "apps-verified",
    ),
    "settings in two places": Case(
        MONO,
        lambda folder: add("apps/web/stagegate.yaml", (folder / "services/svc-a/stagegate.yaml").read_text())(
            folder
        ),
        "Settings files are in several places",
        "Set `config`",
        "apps-verified",
    ),
    "a copy of the workflow for each service": Case(
        MONO,
        copied_for_each_service,
        "After a promotion of svc-b, stagegate starts the workflow .github/workflows/stagegate.yml",
        "verify-workflow: svc-b.yml",
        "apps-verified",
    ),
}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Four strangers' repositories after `init`, for copies."""
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        return {name: adopted(folder / name, name, patch) for name in (HELM, GITOPS, MONO, IMAGE)}


@pytest.mark.parametrize("mistake", CASES)
def test_a_mistake_is_reported_with_its_fix_before_a_version_exists(
    mistake: str,
    repositories: Mapping[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = CASES[mistake]
    folder = shutil.copytree(repositories[case.repository], tmp_path / "repository")
    tags = git(folder, "tag", "--list")
    case.spoil(folder)
    alone(monkeypatch, folder)
    code = cli.main(list(case.command))
    said = "".join(capsys.readouterr())
    assert git(folder, "tag", "--list") == tags
    if case.command != DOCTOR:
        assert (code, case.message in said, case.cure in said) == (
            1 if case.command == ("check",) else 2,
            True,
            True,
        ), said
        return
    (line,) = [one for one in said.splitlines() if one.startswith("findings=")]
    findings = json.loads(line.removeprefix("findings="))
    reported = [one for one in findings if one["rule"] == case.rule and case.message in one["message"]]
    assert len(reported) == 1, findings
    assert (reported[0]["severity"], case.cure in reported[0]["fix"]) == (case.severity, True), reported
    assert code == (2 if any(one["severity"] == "error" for one in findings) else 0)
