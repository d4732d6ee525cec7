"""image-tags: the release's tags, `sha-<commit>` and `sha-<digest>` for images that the build has pushed."""

from __future__ import annotations

from typing import Literal

from stagegate.chart import release_images
from stagegate.clients import checkout, hub
from stagegate.clients.registry import Registry, credentials
from stagegate.evidence import milestones, releases
from stagegate.model import Result, parse_version
from stagegate.promotion import apps
from stagegate.release.image_tags import apply, facts, plan, report, verify
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs


class ImageTags(Inputs, frozen=True, kw_only=True):
    """Inputs of image-tags."""

    version: str
    digests: str = ""
    mode: Literal["tag", "verify"] = "tag"
    commit: str = ""
    floating: str = "false"
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: ImageTags, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    inputs, settings = apps.load_one(inputs, context)
    parse_version(inputs.version, source="version")
    kinds = plan.chosen(inputs.floating)
    login = (inputs.registry_username, inputs.registry_password)
    registry = Registry(settings.registry_hosts, username=login[0], password=login[1])
    prefix, commit = settings.version.tag_prefix, checkout.released_commit(inputs.commit, context)
    names = settings.image_tags(inputs.version)
    if inputs.mode == "verify":
        logins = credentials.for_hosts(settings.registry_hosts, *login)
        built = releases.digests(inputs.digests, settings) if inputs.digests else {}
        images = dict.fromkeys([*release_images.of(settings, context, logins), *built])
        tags = verify.read(images, names, commit, registry, built=built)
        return report.verified(settings.app, inputs.version, tags, verify.judge(tags, built))
    digests = releases.digests(inputs.digests, settings)
    tagged, github = None, None
    if inputs.token and context.repository:
        github = hub.from_context(context, inputs.token)
        facts.demand_git_tag(github, prefix + inputs.version, commit)
        tagged = facts.released(github, prefix) if kinds else None
    known = facts.read(digests, inputs.version, names, commit, registry, floating=kinds, released=tagged)
    decided = plan.plan(inputs.version, names, commit, known, floating=kinds)
    changes = apply.apply(decided, registry, dry_run=inputs.dry_run)
    if github and not inputs.dry_run:
        milestones.record(github, commit, settings.app, inputs.version, "built", context.run_url)
    return report.result(
        settings.app,
        inputs.version,
        digests,
        decided,
        changes,
        strays=plan.stray(known, inputs.version, names),
        dry_run=inputs.dry_run,
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("image-tags", ImageTags, main)
