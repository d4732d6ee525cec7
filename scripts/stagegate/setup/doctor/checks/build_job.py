"""build-job: the build runs after the version is decided, builds the release commit, and returns its digests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import mapping
from stagegate.argocd_app.tree import clean
from stagegate.model import Finding, Severity
from stagegate.setup.doctor import build_jobs, expressions
from stagegate.setup.doctor.build_jobs import BuildJob
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_CHECKOUT, _BUILD = "actions/checkout", "docker/build-push-action"
_GIT = re.compile(r"\bgit\s+(?:-\S+\s+)*(?:checkout|fetch|clone|switch|reset)\b")
_PUSHED = re.compile(r"\bgithub\.(?:sha|ref|ref_name|event)\b")
_RELEASED = ("sha", "tag", "version", "releases")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for the order of jobs, for the checked-out commit, and for the outputs of the job."""
    for build in build_jobs.read(facts):
        if build.version not in expressions.before(build.workflow.jobs, build.name):
            yield _too_early(facts, build)
        elif "uses" in build.job:
            yield from _called(build)
        else:
            yield from _checked_out(facts, build)
        yield from _unconditional(build)
        yield from _digests(facts, build)


def _has_version_files(facts: DoctorFacts) -> bool:
    return any(settings.version.files for _, settings in facts.valid if not settings.source)


def _too_early(facts: DoctorFacts, build: BuildJob) -> Finding:
    return _finding(
        build,
        "error" if _has_version_files(facts) else "warning",
        f"The job {build.name} does not wait for the job {build.version}.",
        "The job starts before the version is decided, so it builds the parent of the release commit.",
        f"Write `needs: {build.version}` in the job {build.name}, and check out `ref: {_sha(build)}`.",
    )


def _called(build: BuildJob) -> Iterator[Finding]:
    """Findings for a job that calls a workflow, whose build cannot be read."""
    uses = expressions.of_jobs(build.job.get("with"))
    if not any(use.owner == build.version and use.output in _RELEASED for use in uses):
        yield _finding(
            build,
            "note",
            f"doctor cannot read what the job {build.name} builds, because the job calls "
            f"{build.job['uses']}.",
            "No input passes the release commit, which is the output `sha` of the job "
            f"{build.version}, to the called workflow. Without the release commit, the called "
            "workflow checks out the commit before it.",
            f"Pass an input such as `ref: {_sha(build)}` to the called workflow, and check out "
            "this commit in it.",
        )


def _checked_out(facts: DoctorFacts, build: BuildJob) -> Iterator[Finding]:
    severity: Severity = "error" if _has_version_files(facts) else "warning"
    why = (
        "The job builds the commit that was pushed, but the release commit with the new version comes "
        "after that commit."
    )
    checkouts = [
        step
        for step in build.using(_CHECKOUT)
        if mapping(step.get("with")).get("repository") in (None, "", facts.survey.repository)
    ]
    for step in checkouts:
        ref = str(mapping(step.get("with")).get("ref") or "")
        if _is_released(build, ref):
            continue
        if not ref or _PUSHED.search(ref) or "${{" not in ref:
            yield _finding(
                build,
                severity,
                f"The job {build.name} does not check out the release commit"
                + (f", but {ref}." if ref else "."),
                why,
                f"Write `ref: {_sha(build)}` below `with:` of {_CHECKOUT}.",
            )
        else:
            yield _finding(
                build,
                "note",
                f"doctor cannot read from {ref} which commit the job {build.name} checks out.",
                "The job must check out the release commit, which is the output `sha` of the job "
                f"{build.version}.",
                f"Write `ref: {_sha(build)}`, unless the expression already has this value.",
            )
    for step in build.using(_BUILD):
        if not mapping(step.get("with")).get("context"):
            yield _finding(
                build,
                severity,
                f"{_BUILD} in the job {build.name} has no `context`.",
                "Without `context`, the action ignores the files that were checked out, and builds "
                "the commit that was pushed instead of the release commit.",
                f"Write `context: .` below `with:` of {_BUILD}.",
            )
    for step in build.using(_BUILD):
        inputs = mapping(step.get("with"))
        file = str(inputs.get("file") or "Dockerfile")
        context = str(inputs.get("context") or "")
        path = clean(file if inputs.get("file") else f"{context}/{file}")
        if (
            context
            and "${{" not in context + file
            and "://" not in context
            and path not in facts.survey.paths
        ):
            yield _finding(
                build,
                "error",
                f"There is no {path}, from which the job {build.name} builds.",
                f"{_BUILD} ends with an error, after the version has been tagged.",
                f"Add the file, or write its path as `file:` below `with:` of {_BUILD}.",
            )
    scripts = " ".join(str(step.get("run") or "") for step in build.steps)
    if not checkouts and not build.using(_BUILD) and not _GIT.search(scripts):
        yield _finding(
            build,
            "note",
            f"The job {build.name} checks out no commit.",
            "The image must be built from the release commit, which is the output `sha` of the job "
            f"{build.version}.",
            f"Add {_CHECKOUT} with `ref: {_sha(build)}`, unless the build itself fetches this commit.",
        )


def _is_released(build: BuildJob, ref: str) -> bool:
    """Whether a ref is the release commit or its tag, also through a variable of the job or the file."""
    for name in re.findall(r"\benv\.([\w-]+)", ref):
        ref += str(mapping(build.job.get("env")).get(name) or "")
    taken = expressions.of_jobs(ref)
    return any(use.owner == build.version and use.output in ("sha", "tag") for use in taken)


def _unconditional(build: BuildJob) -> Iterator[Finding]:
    """Findings for a road that also starts after a commit without a release."""
    jobs = build.workflow.jobs
    involved = [build.call.job, *expressions.needed(mapping(jobs.get(build.call.job)))]
    if any("if" in mapping(jobs.get(name)) for name in involved if name != build.version):
        return
    if build.call.name.endswith(".yml"):
        yield _finding(
            build,
            "error",
            f"The job {build.call.job} also runs after a commit that releases nothing.",
            f"For such a commit, the outputs of the job {build.version} are empty, so "
            f"{build.call.name} fails.",
            f"Write `if: needs.{build.version}.outputs.changed == 'true'` in the job {build.name}.",
        )


def _digests(facts: DoctorFacts, build: BuildJob) -> Iterator[Finding]:
    """Findings for an output `digests` that is not one object for all images."""
    if "uses" in build.job:
        return
    outputs = mapping(build.job.get("outputs"))
    for name in build.taken:
        text = str(outputs.get(name) or "").strip()
        taken = next(expressions.of_steps(text), None)
        step: Mapping[str, Any] = build.step(taken.owner) if taken else {}
        is_whole = re.fullmatch(r"\$\{\{[^}]*\}\}", text) is not None
        if taken and is_whole and str(step.get("uses") or "").startswith(f"{_BUILD}@"):
            yield _finding(
                build,
                "error",
                f"The output {name} of the job {build.name} is the output {taken.output} of {_BUILD}.",
                f"{build.call.name} needs a JSON object of images and digests.",
                f'Write {name}: \'{{"{next(iter(build_jobs.images(facts)), "image")}":'
                f'"${{{{ steps.{taken.owner}.outputs.digest }}}}"}}\' below `outputs:`.',
            )
    if mapping(build.job.get("strategy")).get("matrix"):
        several = len(build_jobs.images(facts)) > 1
        yield _finding(
            build,
            "error" if several else "warning",
            f"The job {build.name} is a matrix, but GitHub keeps the outputs of only one of its runs.",
            f"GitHub keeps the outputs of the run that ends last, so {build.call.name} gets the "
            "digest of only one image.",
            "Build all images in one job, or let a job after it collect the digests, for example from artifacts.",
        )


def _sha(build: BuildJob) -> str:
    return f"${{{{ needs.{build.version}.outputs.sha }}}}"


def _finding(build: BuildJob, severity: Severity, message: str, why: str, cure: str) -> Finding:
    return finding(severity, message, why, cure, file=build.workflow.file)


CHECK = DoctorCheck(
    name="build-job",
    looks_at="Your build: the order of jobs, the commit that it checks out, and its digests. doctor does "
    "not interpret scripts",
    cure="Correct the job; examples/build shows a working build.",
    check=check,
)
