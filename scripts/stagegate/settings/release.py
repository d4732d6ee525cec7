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
    """Keys to the one value in a YAML, JSON or TOML file, such as `version` or `image.tag`."""
    pattern: str = ""
    """Text around the version, with `{version}` exactly once. It must occur exactly once in the file."""


class LevelLabels(Section, frozen=True, kw_only=True):
    """The labels of pull requests that decide the level of their changes, whatever their titles are."""

    major: str = "release:major"
    """The next version is a major one."""
    minor: str = "release:minor"
    """The next version is at least a minor one."""
    patch: str = "release:patch"
    """The next version is at least a patch one, also where the titles ask for more or for nothing."""
    none: str = "release:none"
    """The changes cause no release and are not in the notes."""


class Versioning(Section, frozen=True, kw_only=True):
    """How versions are written: the prefix of tags, the files that move together, the changelog."""

    tag_prefix: str = "v"
    """What a Git tag has before the version: letters, digits and `. _ / -`. Apps of one repository need one
    each."""
    files: tuple[str | VersionFile, ...] = ("VERSION",)
    """Files that contain the version. version-bump changes all of them in one commit, and helm-publish refuses a
    release in which one of them differs."""
    changelog: str = ""
    """File that version-bump adds a section to, and whose section is the text of the GitHub release. Empty:
    none."""
    paths: tuple[str, ...] = ()
    """Globs of the files that belong to this app, such as `apps/shop/**`. `!` before a glob excludes files.
    Commits that change none of them are ignored. Default: all files. Where the settings file and all version
    files are in one folder, the default is that folder."""
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
    """Labels of pull requests that decide the level."""

    @property
    def places(self) -> tuple[VersionFile, ...]:
        """The version files in their long form."""
        return tuple(VersionFile(file=f) if isinstance(f, str) else f for f in self.files)


class Silence(Section, frozen=True, kw_only=True):
    """One finding that is accepted, with the reason."""

    rule: str
    """The rule as the finding names it, such as `floating-tag`."""
    object: str = "*"
    """`Kind/name` that the rule may find; `*` matches any text."""
    reason: Annotated[str, msgspec.Meta(min_length=3)]
    """Why it is accepted, in three characters or more. It is shown beside the finding, which stays in
    every list."""


class ChartChecks(Section, frozen=True, kw_only=True):
    """What chart-check lets pass."""

    allow_images: tuple[str, ...] = ()
    """Image repositories that may have any tag and need not follow `image-tag-value`; `*` matches any
    text."""
    follow: dict[str, str] = msgspec.field(default_factory=dict)
    """Chart values that names are made from, each with the text it is now, such as `fullnameOverride: shop`:
    with another value that text must be gone from everything rendered."""
    external: tuple[str, ...] = ()
    """`Kind/name` of a Secret, ConfigMap, claim or account that pods name and that is made elsewhere; `*`
    matches any text."""
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
    """Name in Chart.yaml. Default: that of the folder."""
    repository: str = ""
    """Where the own chart is published, as `oci://host/path` without the chart's name. Registry credentials may
    go to this host."""
    reference: str = ""
    """Instead of `path`, a chart that is shared or a third party's, as `oci://host/path/name`: it is not
    published. Registry credentials may go to this host."""
    image_tag_value: str = ""
    """Chart value that holds the tag of all `images`, such as `global.imageTag`: chart-check verifies that they
    follow it, and a pin that sets it is recognised."""
    checks: ChartChecks = ChartChecks()
    """What chart-check lets pass."""
