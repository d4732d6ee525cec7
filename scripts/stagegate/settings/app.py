"""The whole of `stagegate.yaml`, and who may do what."""

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from stagegate.errors import Stop
from stagegate.model import IMAGE_TAG, image_tags
from stagegate.settings.environment import Environment
from stagegate.settings.notify import Notify
from stagegate.settings.release import ChartSettings, Versioning
from stagegate.settings.rendering import Render
from stagegate.settings.section import Name, Section

Permission = Annotated[
    Literal["read", "triage", "write", "maintain", "admin"], msgspec.Meta(title="permission")
]


_Who = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)?$")]
Allowed = Permission | tuple[_Who, ...]
Bot = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*\[bot\]$")]


class Commands(Section, frozen=True, kw_only=True):
    """Who may give each command: the least permission on the pins repository, or a list of permissions, teams
    (`acme/shop-oncall`) and logins, of which one is enough.

    GitHub is asked for the members of a team, which GITHUB_TOKEN cannot do: teams need a GitHub App with
    `members: read` (`app-id`, `app-key`).
    """

    promote: Allowed = "write"
    """For `/promote`, and for a promotion that a person starts or repeats. Default: people who may push,
    because the rules decide whether a release may be promoted."""
    rollback: Allowed = "write"
    """For `/rollback`, and for a rollback that a person starts or repeats. Default: people who may push,
    because an outage does not wait for an administrator."""
    hold: Allowed = "write"
    """For `/hold`, and for the mode `hold` of promote-pr. Default: people who may push, because
    stopping releases is safe."""
    unhold: Allowed = "maintain"
    """For `/unhold`, and for the mode `unhold`. Default: a higher permission than for a hold, because
    somebody set the hold for a reason. The person who set a hold, or requested the rollback that set it, may lift
    it with the permission of `hold`."""
    ban: Allowed = "maintain"
    """For `/ban`, and for the mode `ban`. Default: maintainers, because a ban is in force in every
    environment."""
    unban: Allowed = "maintain"
    """For `/unban`, and for the mode `unban`. Default: the same people as for a ban."""
    override: Allowed = "admin"
    """For `/override`, and for the mode `override`. Default: administrators, because it sets rules aside."""
    adopt: Allowed = "write"
    """For `/adopt`, and for the mode `adopt` of staging-gate. Both record the running release without a test.
    Default: people who may push, because an adopted release is no evidence for later environments."""
    skip: Allowed = "admin"
    """For the mode `skip` of staging-gate, which records that a release was not tested. Default:
    administrators, because later environments depend on the tests."""
    bots: tuple[Bot, ...] = ()
    """Logins of bots that may use every mode and every command above, such as `release-bot[bot]`. stagegate
    ignores the comments of other bots, and their runs may only ask for a promotion that all rules allow.
    Default: none. Never name `github-actions[bot]` here: a workflow on any branch starts runs as this bot."""

    def of(self, mode: str) -> Allowed:
        """Who may use a mode of promote-pr or staging-gate, or a command of that name. KeyError for another."""
        return {
            "promote": self.promote,
            "rollback": self.rollback,
            "hold": self.hold,
            "unhold": self.unhold,
            "ban": self.ban,
            "unban": self.unban,
            "override": self.override,
            "adopt": self.adopt,
            "skip": self.skip,
        }[mode]


class TrustSettings(Section, frozen=True, kw_only=True):
    """Whose evidence counts. `protected` needs the slug of the App that writes it."""

    level: Literal["advisory", "protected"] = "advisory"
    """`advisory`: evidence counts if GITHUB_TOKEN or the identity of the run wrote it. `protected`: evidence
    counts only if the GitHub App in `app` wrote it."""
    app: str = ""
    """Slug of the GitHub App that writes the statuses: the last part of the App's address."""


class Settings(Section, frozen=True, kw_only=True):
    """One app: its versions, artifacts and environments."""

    app: Name
    """Name of the app. Every status, branch and record contains this name, so earlier evidence no longer
    counts after a change of the name."""
    extends: str = ""
    """File of shared policy that these settings extend, as `owner/repository//path` or a path in the same
    repository. stagegate reads the file from the default branch. See [shared policy](shared-policy.md)."""
    version: Versioning = Versioning()
    """The form of versions, and the files that contain the version."""
    release_branches: tuple[str, ...] = ()
    """Branches on which releases may be made, besides the default branch, such as `release/*`. A tag is not a
    release if none of these branches contains its commit. Protect these branches, because a push to a release
    branch decides which commit is tested."""
    guarded_paths: tuple[str, ...] = ()
    """Globs of folders that stagegate watches besides the folders of the pins, such as `clusters/**`. If a
    changed document in them names the app's chart or images, or the Applications or namespace of an
    environment, the pull request needs the label `stagegate/risk:not-rendered`."""
    images: tuple[str, ...] = ()
    """The images of the app, as repositories without a tag. The build outputs the digests of these images,
    and a promotion compares the digests. Registry credentials may be sent to the hosts of these images."""
    images_strict: bool = False
    """Refuse a promotion whose rendered objects contain an image that is not part of the release, even a
    third-party sidecar."""
    image_tag: str = IMAGE_TAG
    """The form of the images' tags, with `{version}` and perhaps `{app}`: `"{version}"` for plain tags such
    as 1.4.2, `"{app}-{version}"` where apps share a repository. image-tags writes tags in this form, and
    pins and the chart must use the same form."""
    images_allowed: tuple[str, ...] = ()
    """Repositories of images that may have the tag of the release without being part of the release. Every
    other image with the tag of the release is refused with `image-untested`, at the gate and at a
    promotion."""
    chart: ChartSettings | Literal["none"] = "none"
    """The Helm chart: the app's own, or a shared one."""
    policy: str = ""
    """Set this key in the app's settings if the pins are in a different repository: the settings file of the
    pins repository, as `owner/repository//path/to/file`."""
    source: str = ""
    """Set this key in the settings of the pins repository if the app is in a different repository:
    `owner/repository`, followed by `//path/to/file` if the app's settings file is not `stagegate.yaml`."""
    render: Render = Render()
    """Where stagegate shows the rendered difference, and what rendering assumes about the cluster and Argo
    CD."""
    environments: tuple[Environment, ...] = ()
    """The environments that run the app; `after` gives their order."""
    commands: Commands = Commands()
    """The permission that each command requires."""
    trust: TrustSettings = TrustSettings()
    """Whose evidence counts."""
    notify: Notify = Notify()
    """Who gets messages about proposals, refusals, failures, rollbacks and long waits. See
    [notifications](notifications.md)."""

    def environment(self, name: str) -> Environment:
        """The environment of that name; Stop(bad-input) naming the nearest one."""
        for environment in self.environments:
            if environment.name == name:
                return environment
        names = [environment.name for environment in self.environments]
        if not name:
            raise Stop(
                "bad-input",
                "No environment is named.",
                f"The settings name: {', '.join(names) or 'none'}.",
                "Set the input `environment`.",
            )
        import difflib  # only for the message

        near = difflib.get_close_matches(name, names, 1)
        raise Stop(
            "bad-input",
            f"The settings contain no environment {name!r}.",
            f"The settings name: {', '.join(names) or 'none'}.",
            f"Did you mean {near[0]}?" if near else "Use one of these names.",
        )

    def image_tags(self, version: str) -> tuple[str, ...]:
        """The tags that name a version of the app's images."""
        tag = self.version.tag_prefix + version
        return image_tags(version, tag, self.image_tag.replace("{app}", self.app))

    @property
    def source_repository(self) -> str:
        """The app repository that `source` names, or nothing."""
        return self.source.partition("//")[0]

    @property
    def source_file(self) -> str:
        """The app's own settings in that repository: `source: acme/mono//apps/shop/stagegate.yaml`."""
        return self.source.partition("//")[2] or "stagegate.yaml"

    @property
    def own_chart(self) -> ChartSettings | None:
        """The chart that is built and published here, or None."""
        return self.chart if isinstance(self.chart, ChartSettings) and self.chart.path else None

    @property
    def moves_chart(self) -> bool:
        """Whether a release moves the chart's version: our own chart, or an app that is nothing but a chart.

        A shared or third-party chart (`reference`) beside first-party images has a version of its own, and stays.
        """
        return self.own_chart is not None or (bool(self.chart_reference) and not self.images)

    @property
    def chart_reference(self) -> str:
        """`oci://host/path/name` of the chart, ours or not; empty without a chart.

        Our own chart has the name of its folder, unless the settings say otherwise.
        """
        if not isinstance(self.chart, ChartSettings):
            return ""
        if self.chart.reference:
            return self.chart.reference
        return f"{self.chart.repository.rstrip('/')}/{self.chart.name or Path(self.chart.path).name}"

    @property
    def last_environments(self) -> tuple[Environment, ...]:
        """Environments that no other names in `after`: a release is published after their gate."""
        named = {name for environment in self.environments for name in environment.after}
        return tuple(environment for environment in self.environments if environment.name not in named)

    @property
    def registry_hosts(self) -> frozenset[str]:
        """Hosts that may receive registry credentials: those of `images` and of the chart."""
        chart = self.chart if isinstance(self.chart, ChartSettings) else ChartSettings()
        places = [*self.images, chart.repository, chart.reference]
        firsts = {place.removeprefix("oci://").split("/", 1)[0] for place in places if place}
        return frozenset(name if re.search(r"[.:]|^localhost$", name) else "docker.io" for name in firsts)
