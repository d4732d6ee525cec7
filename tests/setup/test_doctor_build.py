"""doctor reports mistakes in the user's own build job that its YAML shows, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stagegate.model import Finding
from stagegate.setup.doctor.checks import build_job, build_push, workflow_inputs, workflow_outputs
from tests.setup import doctor_facts

SETTINGS = """\
app: shop
images: [ghcr.io/acme/shop]
environments: [{name: staging, pins: [deploy/staging.yaml]}]
"""
RELEASE = """\
on: {push: {branches: main}}
permissions: {}
jobs:
  version:
    permissions: {contents: write, pull-requests: write}
    uses: acme/stagegate/.github/workflows/version.yml@v0.1.0
  build:
    needs: version
    if: needs.version.outputs.changed == 'true'
    runs-on: ubuntu-latest
    permissions: {contents: read, packages: write}
    outputs:
      digests: '{"ghcr.io/acme/shop":"${{ steps.image.outputs.digest }}"}'
    steps:
      - uses: actions/checkout@v5
        with: {ref: "${{ needs.version.outputs.sha }}"}
      - uses: docker/login-action@v3
        with: {registry: ghcr.io, username: octo, password: "${{ github.token }}"}
      - id: meta
        uses: docker/metadata-action@v5
        with: {images: "ghcr.io/${{ github.repository }}", tags: "type=raw,value=main"}
      - id: image
        uses: docker/build-push-action@v6
        with: {context: ., push: true, tags: "${{ steps.meta.outputs.tags }}"}
  road:
    needs: [version, build]
    uses: acme/stagegate/.github/workflows/road.yml@v0.1.0
    with:
      releases: ${{ needs.version.outputs.releases }}
      digests: ${{ needs.build.outputs.digests }}
"""
CHECKS = (build_job.CHECK, build_push.CHECK, workflow_outputs.CHECK, workflow_inputs.CHECK)


def findings(workflow: str, settings: str = SETTINGS, **others: str) -> list[Finding]:
    """The findings of the checks of jobs in a repository with two files, and `others` among the workflows."""
    files = {"stagegate.yaml": settings, ".github/workflows/release.yml": workflow}
    files |= {f".github/workflows/{name}.yml": text for name, text in others.items()}
    files["Dockerfile"] = "FROM scratch\n"
    facts = doctor_facts.of(files)
    return [one for check in CHECKS for one in check.run(facts)]


def changed(*texts: str) -> str:
    """The workflow with pairs of texts replaced."""
    workflow = RELEASE
    for before, after in zip(texts[::2], texts[1::2], strict=True):
        assert before in workflow, before
        workflow = workflow.replace(before, after)
    return workflow


def test_a_build_that_is_right_has_no_findings() -> None:
    assert findings(RELEASE) == []


SHA = '{ref: "${{ needs.version.outputs.sha }}"}'
TAGS = 'tags: "${{ steps.meta.outputs.tags }}"'
# A mistake: the changes, then severity, check and a part of the message, and a part of the fix.
MISTAKES: Mapping[str, tuple[tuple[str, ...], str, str, str, str]] = {
    "no needs at all": (
        (
            "    needs: version\n    if: needs.version.outputs.changed == 'true'\n",
            "    if: github.actor != ''\n",
            f"        with: {SHA}\n",
            "",
        ),
        "error",
        "build-job",
        "The job build does not wait for the job version",
        "`needs: version`",
    ),
    "an output of a job that is not needed": (
        ("    needs: version\n", "    needs: []\n"),
        "error",
        "workflow-outputs",
        "The job build uses needs.version.outputs.changed, which is always empty",
        "Add version to `needs:` of the job build",
    ),
    "a mistyped job in needs": (
        ("    needs: version\n", "    needs: versoin\n"),
        "error",
        "workflow-outputs",
        "The job build needs the job versoin",
        "Write version instead",
    ),
    "a mistyped output of the version": (
        ("ref: \"${{ needs.version.outputs.sha }}", "ref: \"${{ needs.version.outputs.commit }}"),
        "error",
        "workflow-outputs",
        "needs.version.outputs.commit, which is always empty",
        "Add commit to",
    ),
    "a step without the id": (
        ("      - id: image\n        uses", "      - id: build\n        uses"),
        "error",
        "workflow-outputs",
        "steps.image.outputs.digest, which is always empty",
        "`id: image`",
    ),
    "the pushed commit": (
        (f"        with: {SHA}\n", ""),
        "error",
        "build-job",
        "does not check out the release commit",
        "`ref: ${{ needs.version.outputs.sha }}`",
    ),
    "the pushed commit, by its name": (
        (SHA, '{ref: "${{ github.sha }}"}'),
        "error",
        "build-job",
        "does not check out the release commit, but ${{ github.sha }}",
        "`ref: ${{ needs.version.outputs.sha }}`",
    ),
    "a ref that is somebody's": (
        (SHA, '{ref: "${{ vars.REF }}"}'),
        "note",
        "build-job",
        "cannot read from ${{ vars.REF }} which commit",
        "`ref: ${{ needs.version.outputs.sha }}`",
    ),
    "Buildx takes its own checkout": (
        ("context: ., ", ""),
        "error",
        "build-job",
        "docker/build-push-action in the job build has no `context`",
        "`context: .`",
    ),
    "a bare digest": (
        ("'{\"ghcr.io/acme/shop\":\"${{ steps.image.outputs.digest }}\"}'", "${{ steps.image.outputs.digest }}"),
        "error",
        "build-job",
        "The output digests of the job build is the output digest of docker/build-push-action",
        '{"ghcr.io/acme/shop":"${{ steps.image.outputs.digest }}"}',
    ),
    "a matrix": (
        ("    runs-on: ubuntu-latest\n", "    runs-on: ubuntu-latest\n    strategy: {matrix: {arch: [a, b]}}\n"),
        "warning",
        "build-job",
        "The job build is a matrix",
        "collect the digests",
    ),
    "a road after every commit": (
        ("    if: needs.version.outputs.changed == 'true'\n", ""),
        "error",
        "build-job",
        "The job road also runs after a commit that releases nothing",
        "`if: needs.version.outputs.changed == 'true'`",
    ),
    "no permission to push": (
        ("{contents: read, packages: write}", "{contents: read, packages: read}"),
        "error",
        "build-push",
        "The job build does not grant `packages: write`",
        "`packages: write`",
    ),
    "no permission to read": (
        ("{contents: read, packages: write}", "{packages: write}"),
        "warning",
        "build-push",
        "does not grant `contents: read`",
        "`contents: read`",
    ),
    "no list of permissions": (
        ("permissions: {}\n", "", "    permissions: {contents: read, packages: write}\n", ""),
        "warning",
        "build-push",
        "The job build lists no permissions, but pushes with GITHUB_TOKEN",
        "packages: write",
    ),
    "a login elsewhere": (
        ("{registry: ghcr.io, username", "{username"),
        "error",
        "build-push",
        "logs in to docker.io, but not to ghcr.io",
        "`registry: ghcr.io`",
    ),
    "another image": (
        ("ghcr.io/${{ github.repository }}", "ghcr.io/acme/store"),
        "error",
        "build-push",
        "pushes ghcr.io/acme/store, which no `images` lists",
        "the same name",
    ),
    "an image of a variable": (
        (TAGS, 'tags: "${{ vars.IMAGE }}:main"', "'{\"ghcr.io/acme/shop\":", "'{\"${{ vars.IMAGE }}\":",
         "ghcr.io/${{ github.repository }}", "${{ vars.IMAGE }}"),
        "note",
        "build-push",
        "doctor cannot read whether the job build pushes ghcr.io/acme/shop",
        "exactly the name",
    ),
    "an image that stays on the runner": (
        (", push: true", ""),
        "error",
        "build-push",
        "docker/build-push-action in the job build does not push",
        "`push: true`",
    ),
    "the tag of the version": (
        (TAGS, 'tags: "ghcr.io/acme/shop:v${{ needs.version.outputs.version }}"'),
        "warning",
        "build-push",
        "itself pushes an image with the tag of the version",
        "sha-${{ needs.version.outputs.sha }}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_build_is_reported_with_its_fix(mistake: str) -> None:
    texts, severity, rule, message, cure = MISTAKES[mistake]
    found = [one for one in findings(changed(*texts)) if message in one.message]
    assert [(one.rule, one.severity, cure in one.fix) for one in found] == [(rule, severity, True)], found
    assert found[0].file == ".github/workflows/release.yml"


def test_a_release_without_version_files_may_build_the_pushed_commit() -> None:
    settings = f"{SETTINGS}version: {{files: []}}\n"
    found = findings(changed(f"        with: {SHA}\n", ""), settings)
    assert [(one.rule, one.severity) for one in found] == [("build-job", "warning")]


def test_a_build_in_a_called_workflow_is_read_as_far_as_its_outputs() -> None:
    start, end = RELEASE.index("    runs-on"), RELEASE.index("  road:")
    called = f"{RELEASE[:start]}    uses: ./.github/workflows/build.yml\n{RELEASE[end:]}"
    build = "on: {workflow_call: {outputs: {OUTPUT: {value: x}}}}\njobs: {}\n"
    notes = findings(called, build=build.replace("OUTPUT", "digests"))
    assert [(one.rule, one.severity) for one in notes] == [("build-job", "note")]
    assert "because the job calls ./.github/workflows/build.yml" in notes[0].message
    told = [one.message for one in findings(called, build=build.replace("OUTPUT", "images"))]
    assert any("the output build.digests does not exist" in one for one in told)
