"""image-tags: `v<version>`, the git tag, `sha-<commit>` and `sha-<digest>` for images that the build has pushed."""

from __future__ import annotations

from stagegate import settings as settings_file
from stagegate.clients import checkout, hub
from stagegate.clients.registry import Registry
from stagegate.evidence import releases
from stagegate.model import Result, parse_version
from stagegate.release.image_tags import apply, facts, plan, report
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs


class ImageTags(Inputs, frozen=True, kw_only=True):
    """Inputs of image-tags."""

    version: str
    digests: str
    commit: str = ""
    floating: bool = False
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: ImageTags, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    settings = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    parse_version(inputs.version, source="version")
    digests = releases.digests(inputs.digests, settings)
    registry = Registry(
        settings.registry_hosts, username=inputs.registry_username, password=inputs.registry_password
    )
    prefix, commit = settings.version.tag_prefix, checkout.released_commit(inputs.commit, context)
    if inputs.token and context.repository:
        facts.demand_git_tag(hub.from_context(context, inputs.token), prefix + inputs.version, commit)
    names = settings.image_tags(inputs.version)
    known = facts.read(digests, inputs.version, names, commit, registry, floating=inputs.floating)
    decided = plan.plan(inputs.version, names, commit, known, floating=inputs.floating)
    changes = apply.apply(decided, registry, dry_run=inputs.dry_run)
    return report.result(settings.app, inputs.version, digests, decided, changes, dry_run=inputs.dry_run)


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("image-tags", ImageTags, main)
