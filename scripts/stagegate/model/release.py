"""A release: its version, tag and commit, and every artifact by its digest."""

from __future__ import annotations

from typing import Annotated

import msgspec

from stagegate.errors import Stop
from stagegate.patterns import pattern
from stagegate.versions import Version

Digest = Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]

IMAGE_TAG = "v{version}"  # the form of image tags, where the settings have no `image-tag`
DIGEST = pattern(r"sha256:[0-9a-f]{64}")
_IMAGE_TAG = pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")  # OCI distribution specification 1.1


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A container image: repository without tag, and the pushed digest (of the index where there is one)."""

    reference: str
    digest: Digest
    first_party: bool = True


def full_name(repository: str) -> str:
    """An image's repository with the host that Docker means where none is written."""
    first, slash, _ = repository.partition("/")
    if not repository or (slash and ("." in first or ":" in first or first == "localhost")):
        return repository.replace("index.docker.io/", "docker.io/", 1)
    return f"docker.io/{repository}" if slash else f"docker.io/library/{repository}"


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart in an OCI registry: `oci://host/path/name`, its version without `v`, its manifest digest."""

    reference: str
    version: str
    digest: Digest


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an app with everything it ships, each artifact by digest.

    `recorded` is false when nothing recorded the images at publication and they were looked up by tag. `looked_up`:
    they were looked up by tag once, when others' release was recorded.
    """

    app: str
    version: str
    tag: str
    commit: str
    chart: Chart | None = None
    images: tuple[Image, ...] = ()
    recorded: bool = True
    looked_up: bool = False


def parse_version(text: str, *, source: str) -> Version:
    """Strict SemVer 2 (no `v`, no leading zeros); `source` names the origin of the text. Stop(bad-input)."""
    try:
        return Version.parse(text)
    except (ValueError, TypeError) as error:
        raise Stop(
            "bad-input",
            f"{text!r} is not a version.",
            f"{source} must be SemVer 2 such as 1.4.0 or 2.0.0-rc.1, without a leading v ({error}).",
            "Correct the version, then run the job again.",
        ) from error


def image_tags(version: str, tag: str, form: str = IMAGE_TAG) -> tuple[str, ...]:
    """The tags of a release's images: `form` with the version in it.

    With the default form the git tag is one too, where that is another name: pins and charts may say either. Only
    what a registry takes: `+` becomes `_`, a git tag with a slash is none.
    """
    written = form.replace("{version}", version)
    names = dict.fromkeys(
        name.replace("+", "_") for name in (written, *((tag,) if form == IMAGE_TAG else ()))
    )
    return tuple(name for name in names if _IMAGE_TAG.fullmatch(name))


def is_prerelease(version: str) -> bool:
    """True for 1.2.0-rc.1, false for 1.2.0 (and for 1.2.0+build)."""
    return Version.parse(version).prerelease is not None
