"""build-push: the build may push, to the registry and the names that the settings list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.setup.doctor import build_jobs
from stagegate.setup.doctor.build_jobs import TOKEN, BuildJob
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_BUILD, _LOGIN = "docker/build-push-action", "docker/login-action"
_OWN = "ghcr.io"  # the only registry that accepts the job's token
_PUSHES = re.compile(r"push=true|type=registry|type=image,.*push")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for the permission to push, for logins, and for pushed images."""
    images = build_jobs.images(facts)
    for build in build_jobs.read(facts) if images else ():
        if "uses" not in build.job:
            yield from _permission(facts, build, images)
            yield from _logins(build, images)
            yield from _names(facts, build, images)
            yield from _versions(build)


def _permission(facts: DoctorFacts, build: BuildJob, images: dict[str, str]) -> Iterator[Finding]:
    """Findings for a missing `packages: write`, if the job signs in with its token."""
    steps = [step for step in build.steps if not str(step.get("uses") or "").startswith("actions/checkout@")]
    signs_in = any(TOKEN.search(text) for step in steps for text in build_jobs.texts(step)) or any(
        TOKEN.search(text) for text in build_jobs.texts(build.job.get("env"))
    )
    if not signs_in or _OWN not in {_host(image) for image in images}:
        return
    granted = build.permissions
    if granted is None:
        setting = facts.hub.workflow_token if facts.hub else None
        if setting is None or setting.default_workflow_permissions != "write":
            yield finding(
                "warning" if setting is None else "error",
                f"The job {build.name} lists no permissions, but pushes with GITHUB_TOKEN.",
                "In a new repository GITHUB_TOKEN may only read, so the registry refuses the push.",
                f"Write `permissions: {{contents: read, packages: write}}` in the job {build.name}.",
                file=build.workflow.file,
            )
    elif granted.get("packages", granted.get("*")) != "write":
        yield finding(
            "error",
            f"The job {build.name} does not grant `packages: write`.",
            f"The job logs in to {_OWN} with GITHUB_TOKEN, so the registry refuses the push.",
            f"Add `packages: write` below `permissions:` of the job {build.name}.",
            file=build.workflow.file,
        )
    if (
        granted is not None
        and build.using("actions/checkout")
        and not granted.get("contents", granted.get("*"))
    ):
        yield finding(
            "warning",
            f"The job {build.name} does not grant `contents: read`.",
            "Without this permission, actions/checkout cannot read a private repository.",
            f"Add `contents: read` below `permissions:` of the job {build.name}.",
            file=build.workflow.file,
        )


def _logins(build: BuildJob, images: dict[str, str]) -> Iterator[Finding]:
    """Findings for registries without a login, if docker/login-action is the only one."""
    registries = [
        str(mapping(step.get("with")).get("registry") or "docker.io") for step in build.using(_LOGIN)
    ]
    other_logins = any(
        "login" in text.lower() or "auth" in text.lower()
        for step in build.steps
        if not str(step.get("uses") or "").startswith((f"{_LOGIN}@", "actions/checkout@"))
        for text in (str(step.get("uses") or ""), str(step.get("run") or ""))
    )
    if not registries or other_logins or any("${{" in registry for registry in registries):
        return
    hosts = {re.sub(r"^https?://|/.*$", "", registry) for registry in registries}
    for host in sorted({_host(image) for image in images} - hosts):
        named = sorted(image for image in images if _host(image) == host)
        yield finding(
            "error",
            f"The job {build.name} logs in to {', '.join(sorted(hosts))}, but not to {host}.",
            f"The build must push {', '.join(named)} to {host}, because {images[named[0]]} lists this image.",
            f"Write `registry: {host}` below `with:` of {_LOGIN}, or correct `images`.",
            file=build.workflow.file,
        )


def _names(facts: DoctorFacts, build: BuildJob, images: dict[str, str]) -> Iterator[Finding]:
    """Findings for images that the build pushes under another name, or not at all."""
    names: set[str] = set()
    all_known = True
    for step in build.using(_BUILD):
        inputs = mapping(step.get("with"))
        pushes = str(inputs.get("push") or "").lower()
        if pushes in ("", "false") and not _PUSHES.search(str(inputs.get("outputs") or "")):
            yield finding(
                "error",
                f"{_BUILD} in the job {build.name} does not push.",
                "`push` is false by default, so the image stays on the runner.",
                f"Write `push: true` below `with:` of {_BUILD}.",
                file=build.workflow.file,
            )
        pushed, complete = build_jobs.pushed(build, step, facts.survey.repository)
        names |= pushed
        all_known &= complete and bool(pushed)
    if names and all_known and not names & images.keys() and len(build.using(_BUILD)) == len(images):
        yield finding(
            "error",
            f"The job {build.name} pushes {', '.join(sorted(names))}, which no `images` lists.",
            f"But {build.call.name} tags and the chart deploys {', '.join(sorted(images))}.",
            f"Write the same name in {build.workflow.file} and in {next(iter(images.values()))}.",
            file=build.workflow.file,
        )
        return
    script = " ".join(
        build_jobs.resolved(text, facts.survey.repository)
        for text in build_jobs.texts([build.job, build.workflow.env])
    )
    unread = [
        image for image in images if not re.search(rf"(?<![\w./-]){re.escape(image)}(?![\w/-]|\.\w)", script)
    ]
    if unread:
        yield finding(
            "note",
            f"doctor cannot read whether the job {build.name} pushes {', '.join(unread)}.",
            "The text of the job does not contain the names in `images`.",
            "Make sure that the build pushes each image under exactly the name in `images`, and "
            "returns its digest.",
            file=build.workflow.file,
        )


def _versions(build: BuildJob) -> Iterator[Finding]:
    """Findings for a build that writes the version's tag, which a repeated build would move."""
    for step in build.using(_BUILD):
        tags = str(mapping(step.get("with")).get("tags") or "")
        if re.search(rf"needs\.{re.escape(build.version)}\.outputs\.(?:version|tag)\b", tags):
            yield finding(
                "warning",
                f"The job {build.name} itself pushes an image with the tag of the version.",
                "If the job is run again, the tag points to a different digest, and image-tags "
                "stops with tag-taken.",
                f"Write a tag such as `sha-${{{{ needs.{build.version}.outputs.sha }}}}`. "
                "image-tags adds the tag of the version.",
                file=build.workflow.file,
            )


def _host(image: str) -> str:
    first = image.partition("/")[0]
    return first if {".", ":"} & set(first) or first == "localhost" else "docker.io"


CHECK = DoctorCheck(
    name="build-push",
    looks_at="Your build: its permission to push, its registry and its image names. doctor does not "
    "interpret scripts",
    cure="Correct the job; examples/build shows a working build.",
    check=check,
)
