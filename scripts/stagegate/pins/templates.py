"""How a place writes a release: `{version}`, `{tag}`, `{commit}` and `{digest}` with any text around them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stagegate.settings import Settings

_CORE = r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
_SEMVER = (
    rf"{_CORE}"
    r"(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
    r"(?:[+_][0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"  # a registry writes the + of build metadata as _
)
_NAMED = {
    "version": f"(?P<version>{_SEMVER})",
    "digest": "(?P<digest>sha256:[0-9a-f]{64})",
}
_HOLE = re.compile(r"\{(version|commit(?::\d+)?|digest)\}")
_RANGE = re.compile(r"[*^~<>|=, ]|(?:^|\.)[xX](?:\.|$)|^v?\d+(?:\.\d+)?$|^$")
_COMMIT = 40  # hexadecimal digits of a whole commit id

_IMAGE_TAGS = ("v{version}", "{version}", "{tag}", "sha-{commit}", "{commit}")
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "chart-version": ("{version}", "v{version}"),
    "chart-digest": ("{digest}",),
    "image-tag": (*_IMAGE_TAGS, *(f"{tag}@{{digest}}" for tag in _IMAGE_TAGS)),
    "image-digest": ("{digest}",),
    "git-revision": ("{tag}", "refs/tags/{tag}", "{commit}"),
}
# What people put behind a version for a pre-release, and for a variant of an image. Other words are ambiguous.
_PRERELEASE = re.compile(
    r"(?i)(?:(?:alpha|beta|rc|cr|pre|preview|dev|snapshot|nightly|canary|next|milestone|m|ea|test|g?(?=\d*[a-f])[0-9a-f]{7,40})"
    r"[.\d-]*|\d+(?:\.\d+)+)"
)
_PRERELEASE_WORD = re.compile(r"(?i)(?:alpha|beta|rc|preview|snapshot|nightly)[.\d]*")
_DESCRIBED = re.compile(r"g[0-9a-f]{7,40}")
_FLAVOUR = re.compile(
    r"(?i)-(?:alpine|slim|fat|full|minimal|debian|ubuntu|bullseye|bookworm|buster|trixie|jammy|noble|focal|"
    r"rootless|distroless|static|scratch|musl|glibc|ubi|rhel|centos|rocky|amazonlinux|al|windows|"
    r"nanoserver|linux|darwin|amd|arm|armv|x|fips|jre|jdk|jvm|native|cuda|gpu|cpu|cluster|enterprise|"
    r"community|ee|ce|oss|debug|nonroot|root|fpm|apache|nginx|ol|photon|wolfi|chainguard|busybox|python|py|node|"
    r"nodejs|golang|go|php|ruby|java|openjdk|temurin|corretto|graalvm|perl|erlang|mariner|stretch|xenial|bionic|"
    r"lts|otel|r(?=\d)|ls(?=\d))(?![A-Za-z])"
)


def expand(template: str, settings: Settings) -> str:
    """The template with `{tag}` written as what tags are here, `v{version}`."""
    return template.replace("{tag}", settings.version.tag_prefix + "{version}")


def guess(value: str, role: str, settings: Settings) -> str:
    """The template that a value follows, or nothing when it names no exact release.

    The flavour of an image tag (`-alpine`) is part of the template, a pre-release (`-rc.1`) of the version.
    """
    bare, at, digest = value.partition("@")
    core, flavour = split_flavour(bare) if role == "image-tag" else (bare, "")
    if flavour and not is_known_flavour(flavour):
        return ""
    options = (expand(template, settings) for template in _GUESSES[role])
    guessed = next(
        (template for template in options if match(template, f"{core}{at}{digest}") is not None), ""
    )
    return (
        guessed.replace("@{digest}", f"{flavour}@{{digest}}")
        if "@{digest}" in guessed
        else guessed + flavour
        if guessed
        else ""
    )


def split_flavour(tag: str) -> tuple[str, str]:
    """A tag without its flavour, and the flavour with its dash: `1.2.3-rc.1-alpine` -> `1.2.3-rc.1`, `-alpine`."""
    head = re.match(rf".*?{_CORE}(?=-|$)", tag)
    if head is None:
        return tag, ""
    core = head[0]
    behind = tag[len(core) :]
    parts = [] if re.search("[+_]", behind) else behind.split("-")[1:]
    core += "" if parts else behind
    if len(parts) > 1 and parts[0].isdecimal() and _DESCRIBED.fullmatch(parts[1]):
        core += f"-{parts.pop(0)}"  # `git describe`: 1.2.3-5-gabcdef0
    while parts and _PRERELEASE.fullmatch(parts[0]):
        core += f"-{parts.pop(0)}"
    return core, "".join(f"-{part}" for part in parts)


def is_known_flavour(flavour: str) -> bool:
    """Whether the first word of a flavour such as `-debian-12-r1` is one that images have.

    One with a pre-release behind it (`-alpine-rc.1`) is not: nobody can say which part belongs to the version.
    """
    words = flavour.split("-")[2:]
    return _FLAVOUR.match(flavour) is not None and not any(_PRERELEASE_WORD.fullmatch(word) for word in words)


def variant(value: str) -> str:
    """The template of a tag whose last part may be a variant or a pre-release; nothing for other tags."""
    bare, at, _ = value.partition("@")
    core, flavour = split_flavour(bare)
    head, colon, tag = core.rpartition(":")
    version = re.search(rf"(?<![\d.]){_SEMVER}$", tag)
    if not flavour or version is None:
        return ""
    return f"{head}{colon}{tag[: version.start()]}{{version}}{flavour}{'@{digest}' if at else ''}"


def with_flavour(template: str, flavour: str) -> str:
    """The template with a flavour behind the version."""
    return template.replace("{version}", "{version}" + flavour, 1)


def swallowed(template: str, value: str) -> str:
    """The flavour that a template takes for a part of the version, as `{version}` does in `1.2.3-alpine`."""
    version = (match(template, value) or {}).get("version", "")
    _, flavour = split_flavour(re.sub(r"\+(?=[A-Za-z])", "-", version))
    flavour = flavour if flavour in value else flavour.replace("-", "_", 1)
    if flavour.startswith("_"):
        return flavour if is_known_flavour(flavour.replace("_", "-", 1)) else ""
    return flavour if flavour and is_known_flavour(flavour) else ""


def match(template: str, value: str) -> dict[str, str] | None:
    """The parts of a release that a value names by its template, or None when it does not match."""
    parts, names = _expression(template)
    matched = re.fullmatch("".join(parts), value) if names else None
    if matched is None:
        return None
    return {
        name: text.replace("_", "+") if name == "version" else text
        for name, text in matched.groupdict().items()
    }


def _expression(template: str) -> tuple[list[str], frozenset[str]]:
    """A template as pieces of a regular expression, and the names of its holes; a hole that comes again must say
    the same. Of two lengths of a commit the shorter one is compared."""
    parts: list[str] = []
    names: set[str] = set()
    for index, part in enumerate(_HOLE.split(template)):
        if index % 2 == 0:
            parts.append(re.escape(part))
            continue
        name, _, length = part.partition(":")
        if name == "commit" and name in names:
            parts.append(f"[0-9a-f]{{{length or _COMMIT}}}")
        elif name in names:
            parts.append(f"(?P={name})")
        elif name == "commit":
            parts.append(f"(?P<commit>[0-9a-f]{{{length or _COMMIT}}})")
        else:
            parts.append(_NAMED[name])
        names.add(name)
    return parts, frozenset(names)


def pattern(template: str) -> re.Pattern[str]:
    """A template as an expression for a place in any text, with the holes as named groups."""
    parts, _ = _expression(template)
    pieces = _HOLE.split(template)
    before = r"(?<![\d.])" if len(pieces) > 1 and not pieces[0] else ""
    behind = r"(?!\.?\d|[-+]?[A-Za-z_])" if len(pieces) > 1 and not pieces[-1] else ""
    return re.compile(before + "".join(parts) + behind)


def fill(template: str, known: Mapping[str, str]) -> str:
    """The value for a release; KeyError names what the release does not have. An empty value is never filled in."""

    def filled(hole: re.Match[str]) -> str:
        name, _, length = hole[1].partition(":")
        if not known.get(name):
            raise KeyError(name)
        return known[name][: int(length)] if length else known[name]

    return _HOLE.sub(filled, template)


def is_range(value: str) -> bool:
    """Whether Argo CD resolves a revision by itself: `*`, `1.x`, `1.10`, `>=1.2`, `~1.2`."""
    return _RANGE.search(value) is not None
