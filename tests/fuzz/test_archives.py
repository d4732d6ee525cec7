"""Any chart archive: its plain files are read, within the limits, or it is refused."""

from __future__ import annotations

import gzip
import io
import random
import tarfile

import pytest

from stagegate.chart import package
from tests.fuzz import engine

pytestmark = pytest.mark.fuzz
NAMES = (
    "shop/Chart.yaml", "shop/values.yaml", "shop/templates/a.yaml", "shop", "shop/", ".", "..", "/", "", "/etc/passwd",
    "../x", "shop/../../x", "shop\\x", "shop/./a", "shop//a", "a" * 300, "é" * 200, "shop/a\x00b", "shop/\n", "CON", "shop/a:b",
)  # fmt: skip
KINDS = (
    tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE,
    tarfile.GNUTYPE_SPARSE, tarfile.CONTTYPE, b"Z",
)  # fmt: skip
FORMATS = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)


def archive(chance: random.Random) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=chance.choice(FORMATS)) as tar:
        for _ in range(chance.randint(0, 5)):
            entry = tarfile.TarInfo(chance.choice(NAMES))
            entry.type = chance.choice(KINDS) if chance.random() < 0.3 else tarfile.REGTYPE
            entry.linkname = chance.choice(NAMES)
            data = bytes(chance.randrange(256) for _ in range(chance.randint(0, 20)))
            entry.size = len(data) if entry.isreg() else 0
            if chance.random() < 0.1:
                entry.pax_headers = {
                    chance.choice(["path", "size", "linkpath", "x"]): chance.choice([*NAMES[:-6], "9", "-1"])
                }
            try:
                tar.addfile(entry, io.BytesIO(data))
            except ValueError:
                continue  # a name that no archive can hold
    raw = bytearray(file.getvalue())
    for _ in range(chance.choice([0, 0, 1, 3])):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    packed = bytearray(gzip.compress(bytes(raw), 1))
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        packed[chance.randrange(len(packed))] = chance.randrange(256)
    return bytes(packed[: chance.randrange(len(packed))] if chance.random() < 0.05 else packed)


def use(packed: bytes) -> None:
    found = package.unpack(packed, "a chart")
    for name in found:
        assert not name.startswith("/")
        assert not {"..", "", "."} & set(name.split("/"))
        assert "\x00" not in name and "\\" not in name


def test_any_archive_is_unpacked_or_refused() -> None:
    engine.run("archives", archive, use)
