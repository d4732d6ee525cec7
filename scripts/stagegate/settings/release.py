"""What a release is made of: its version and where that is written, its chart."""

from typing import Annotated, Literal

import msgspec

from stagegate.settings.section import Section


class VersionFile(Section, frozen=True, kw_only=True):
    """A place that holds the version: a file, one YAML, JSON or TOML value (`path`), or text (`pattern`)."""

    file: str
    """File in the app repository. `package.json`, `package-lock.json`, `pyproject.toml`, `Cargo.toml`,
    `Cargo.lock`, `pom.xml` and `Chart.yaml` need no `path`, and in other JSON files the default path is
    `version`. Any other file without `path` and `pattern` must contain only the version."""
    path: str = ""
    """Keys that lead to the version in a YAML, JSON or TOML file, such as `version` or `image.tag`."""
    pattern: str = ""
    """Text around the version, with `{version}` exactly once. The text must occur exactly once in the
    file."""


class LevelLabels(Section, frozen=True, kw_only=True):
    """The labels of pull requests that decide the level of their changes, whatever their titles are."""

    major: str = "release:major"
    """The next version is a new major version."""
    minor: str = "release:minor"
    """The next version is at least a new minor version."""
    patch: str = "release:patch"
    """The next version is at least a new patch version, even if the commit titles require no release."""
    none: str = "release:none"
    """The changes cause no release, and the release notes do not list them."""


class Versioning(Section, frozen=True, kw_only=True):
    """How versions are written: the prefix of tags, the files that move together, the changelog."""

    tag_prefix: str = "v"
    """The text before the version in a Git tag: letters, digits and `. _ / -`. If a repository has several
    apps, each app needs its own prefix."""
    files: tuple[str | VersionFile, ...] = ("VERSION",)
    """Files that contain the version. version-bump changes all of them in one commit, and helm-publish refuses a
    release in which one of them differs."""
    changelog: str = ""
    """Changelog file. version-bump adds a section for each release to this file, and the section becomes the
    text of the GitHub release. An empty value means no changelog."""
    paths: tuple[str, ...] = ()
    """Globs of the files that belong to this app, such as `apps/shop/**`. `!` before a glob excludes files.
    Commits that change none of these files are ignored. Default: the folder that contains the settings file
    and all version files, or all files if they are not in one folder."""
    old_prefixes: tuple[str, ...] = ()
    """Prefixes of earlier tags of this app, such as `release-`. Their versions count as released. If the
    prefix is `v`, tags without a prefix count too; if it is empty, tags with `v` count too."""

    scopes: tuple[str, ...] = ()
    """Scopes of commit titles that belong to this app, such as `pay` for `fix(pay): ...`. `*` matches any text.
    Commits with another scope, or without one, are then ignored. If `paths` is set too, a commit must match
    both."""
    group: str = ""
    """Apps with the same group move together to the same version. `config` of version-bump must then be a glob that
    matches the files of all of them."""
    labels: LevelLabels = LevelLabels()
    """Labels of pull requests that decide the next version."""

    @property
    def places(self) -> tuple[VersionFile, ...]:
        """The version files in their long form."""
        return tuple(VersionFile(file=f) if isinstance(f, str) else f for f in self.files)


class Silence(Section, frozen=True, kw_only=True):
    """One finding that is accepted, with the reason."""

    rule: str
    """Name of the rule in the finding, such as `floating-tag`."""
    object: str = "*"
    """`Kind/name` of the object for which the finding is accepted; `*` matches any text."""
    reason: Annotated[str, msgspec.Meta(min_length=3)]
    """Reason for accepting the finding, at least three characters long. Reports still list the finding, together
    with this reason."""


class ChartChecks(Section, frozen=True, kw_only=True):
    """What chart-check lets pass."""

    allow_images: tuple[str, ...] = ()
    """Image repositories that may have any tag, so that their tag need not come from `image-tag-value`; `*`
    matches any text."""
    follow: dict[str, str] = msgspec.field(default_factory=dict)
    """Chart values that the chart builds names from, each with its current text, such as `fullnameOverride:
    shop`. chart-check changes the value, and then the old text must not occur in any rendered object."""
    external: tuple[str, ...] = ()
    """`Kind/name` of a Secret, ConfigMap, volume claim or service account that pods use and that is created
    outside the chart; `*` matches any text."""
    silence: tuple[Silence, ...] = ()
    """Accepted findings, each with a reason."""
    fail_on: Literal["error", "warning", "note"] = "error"
    """Minimum severity that fails chart-check. Lower ones are only reported."""


class ChartSettings(Section, frozen=True, kw_only=True):
    """Our chart (`path`, published to `repository`), or somebody else's (`reference`).

    `name` is the one in Chart.yaml, where it is not that of the folder.
    """

    path: str = ""
    """Folder of the app's own chart, in the app repository: it is checked, packed and published with each
    release."""
    name: str = ""
    """Name of the chart in Chart.yaml. Default: the name of the folder."""
    repository: str = ""
    """Registry to which the app's own chart is published, as `oci://host/path` without the chart's name.
    Registry credentials may be sent to this host."""
    reference: str = ""
    """Instead of `path`: a shared chart or a chart of a third party, as `oci://host/path/name`. stagegate
    does not publish this chart. Registry credentials may be sent to this host."""
    image_tag_value: str = ""
    """Chart value that contains the tag of all `images`, such as `global.imageTag`. chart-check verifies that
    every image uses this value, and stagegate recognises a pin that sets this value."""
    checks: ChartChecks = ChartChecks()
    """What chart-check accepts."""
