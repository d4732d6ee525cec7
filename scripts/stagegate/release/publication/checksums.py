"""SHA256SUMS: the checksums of a release's files, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write(digests: Mapping[str, str]) -> bytes:
    """The content of the file for digests by name (`sha256:<hex>`), sorted by name."""
    lines = (f"{digest.removeprefix('sha256:')}  {name}\n" for name, digest in sorted(digests.items()))
    return "".join(lines).encode()


def read(content: bytes) -> dict[str, str]:
    """The digests (`sha256:<hex>`) by name; lines of another form are skipped."""
    matches = (_LINE.fullmatch(line) for line in content.decode("utf-8", "replace").splitlines())
    return {match[2]: f"sha256:{match[1]}" for match in matches if match}
