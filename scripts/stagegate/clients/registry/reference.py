"""References to artifacts in a registry: `[oci://]host/repository[:tag][@sha256:<hex>]`."""

from __future__ import annotations

import re

import msgspec

from stagegate.errors import Stop
from stagegate.model import DIGEST

HUB = "docker.io"
_HOST = re.compile(
    r"([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(:\d{1,5})?"
)
_PATH = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Host, repository path, and a tag or a digest or both (then the digest decides)."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """`host/path`, the spelling of `images` in the settings."""
        return f"{self.host}/{self.path}"

    @property
    def wanted(self) -> str:
        """The part after `/manifests/`: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    @property
    def local(self) -> bool:
        """True for this machine: the only hosts that are spoken to without TLS."""
        return re.sub(r":\d+$", "", self.host) in ("localhost", "127.0.0.1", "[::1]")

    @property
    def api(self) -> str:
        """Root of the registry's API for this repository."""
        host = "registry-1.docker.io" if self.host == HUB else self.host
        return f"{'http' if self.local else 'https'}://{host}/v2/{self.path}"

    def at(self, digest: str) -> Reference:
        """The same repository by digest."""
        return Reference(host=self.host, path=self.path, digest=digest)

    def tagged(self, tag: str) -> Reference:
        """The same repository by tag. Stop(bad-input) when a registry would not take that tag."""
        if not _TAG.fullmatch(tag):
            raise _bad(
                f"{self.name}:{tag}", "A tag has at most 128 characters: letters, digits, `.`, `-` and `_`."
            )
        return Reference(host=self.host, path=self.path, tag=tag)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return self.name + tag + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """A reference as people write it; `nginx:1` is `docker.io/library/nginx:1`. Stop(bad-input)."""
    address = text.strip().removeprefix("oci://")
    if "://" in address:
        raise _bad(text, "A registry is written without a scheme, or with oci://.")
    address, _, digest = address.partition("@")
    if digest and not DIGEST.fullmatch(digest):
        raise _bad(text, "A digest consists of sha256: and 64 hexadecimal digits.")
    host, slash, path = address.partition("/")
    if not slash or not (host == "localhost" or set(".:[") & set(host)):
        host, path = HUB, address if "/" in address else f"library/{address}"
    path, colon, tag = path.partition(":")
    if not _HOST.fullmatch(host.lower()):
        raise _bad(text, f"{host!r} is not a host name.")
    if not _PATH.fullmatch(path):
        lower = f" Lower case is required: {path.lower()}." if path != path.lower() else ""
        raise _bad(text, f"{path!r} is not the path of a repository.{lower}")
    if colon and not _TAG.fullmatch(tag):
        raise _bad(text, f"{tag!r} is not a tag.")
    return Reference(host=host.lower(), path=path, tag=tag, digest=digest)


def chart_tag(version: str) -> str:
    """The tag of a chart's version: a registry takes no `+`, so Helm writes `_` instead."""
    return version.replace("+", "_")


def _bad(text: str, why: str) -> Stop:
    return Stop(
        "bad-input",
        f"{text!r} is not a reference to an artifact.",
        why,
        "Write the reference as host/path/name:tag or host/path/name@sha256:<hex>.",
    )
