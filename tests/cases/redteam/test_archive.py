"""Archives that are small to send."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
import textwrap
from pathlib import Path

import pytest

from tests import warm


def measured(script: str) -> tuple[int, float, int, str]:
    """Exit code, seconds of processor time, peak memory in MiB and output of a Python script.

    Processor time does not grow on a busy machine.
    """
    # ru_maxrss would include the memory of the process that this one was forked from; VmHWM does not.
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        + textwrap.dedent(script)
        + "\nimport time; print('SECONDS', time.process_time())"
        + "\nfor line in open('/proc/self/status'):"
        + "\n    if line.startswith('VmHWM'): print('PEAK', int(line.split()[1]) >> 10)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.py"
        file.write_text(code)
        done = warm.script(file, cwd=Path(folder), environ=os.environ)
    words = dict(line.split() for line in done.stdout.splitlines() if line.startswith(("SECONDS", "PEAK")))
    said = (done.stdout + done.stderr)[-300:]
    return (done.returncode, float(words.get("SECONDS", 600)), int(words.get("PEAK", 0)), said)


HEADER = """
import io, struct, tarfile, zlib
from stagegate.chart import package
from stagegate.errors import Stop
def squeeze(parts):
    packer, large, out, total, size = zlib.compressobj(1, zlib.DEFLATED, -15), {}, [bytes.fromhex("1f8b08000000000000ff")], 0, 0
    for p in parts:
        total, size = zlib.crc32(p, total), size + len(p)
        if len(p) < 1 << 20:
            out.append(packer.compress(p))
            continue
        out.append(packer.flush(zlib.Z_FULL_FLUSH))
        if p not in large:  # between two such flushes, blocks can be repeated
            large[p] = packer.compress(p) + packer.flush(zlib.Z_FULL_FLUSH)
        out.append(large[p])
    return b"".join([*out, packer.flush(), struct.pack("<II", total, size & 0xFFFFFFFF)])
def tell(data):
    print("SENT", len(data) >> 10, "KiB")
    try:
        found = package.unpack(data, "x")
        print("FILES", len(found))
    except Stop as stop:
        print("STOP", stop.why)
"""


@pytest.mark.parametrize("kind", ["pax", "longname"])
def test_a_header_of_a_gigabyte_takes_little_memory(kind: str) -> None:
    script = (
        HEADER
        + f'\nsize = 1 << 30\ninfo = tarfile.TarInfo("x"); info.size = size\ninfo.type = tarfile.XHDTYPE if {kind!r} == "pax" else tarfile.GNUTYPE_LONGNAME\nhead = info.tobuf(tarfile.USTAR_FORMAT)\ntell(squeeze([head, *([bytes(1 << 20)] * 1024)]))\n'
    )
    code, seconds, peak, said = measured(script)
    print(code, seconds, peak, said)
    assert code == 0 and peak < 600


def test_an_archive_of_600000_empty_files_takes_little_memory() -> None:
    script = (
        HEADER
        + '\nhead = tarfile.TarInfo("shop/000000").tobuf(tarfile.USTAR_FORMAT)\nbase = int(head[148:154], 8)\ndef heads():\n    for n in range(600_000):\n        name = b"%06d" % n\n        yield b"%s%s%s%06o%s" % (head[:5], name, head[11:148], base + sum(name) - 288, head[154:])\n    yield bytes(1024)\ntell(squeeze(heads()))\n'
    )
    code, seconds, peak, said = measured(script)
    print(code, seconds, peak, said)
    assert code == 0 and peak < 400


def test_a_folder_entry_with_a_gigabyte_takes_little_memory() -> None:
    script = (
        HEADER
        + '\ni = tarfile.TarInfo("shop"); i.type = tarfile.DIRTYPE; i.size = 1 << 30\ntell(squeeze([i.tobuf(tarfile.USTAR_FORMAT), *([bytes(1 << 20)] * 1024)]))\n'
    )
    code, seconds, peak, said = measured(script)
    print(code, seconds, peak, said)
    assert code == 0 and peak < 400 and (seconds < 30)


def test_a_sparse_file_takes_little_memory() -> None:
    script = (
        HEADER
        + '\ni = tarfile.TarInfo("shop/x"); i.type = tarfile.GNUTYPE_SPARSE; i.size = 512\nbuf = bytearray(i.tobuf(tarfile.GNU_FORMAT))\n# sparse map: offset 0 numbytes 0 ; real size 4 GiB\nbuf[386:398] = b"%011o\\0" % 0; buf[398:410] = b"%011o\\0" % 0\nbuf[483:495] = b"%011o\\0" % (4 << 30)\nchk = sum(buf[:148]) + 8*32 + sum(buf[156:]); buf[148:156] = b"%06o\\0 " % chk\ntell(squeeze([bytes(buf), bytes(1536)]))\n'
    )
    code, seconds, peak, said = measured(script)
    print(code, seconds, peak, said)
    assert code == 0 and peak < 400


@pytest.mark.parametrize(
    "text",
    ["eyJ-" * 6000, "secret" * 6000, "a1B/" * 6000 + "!", "://" + "a" * 60000],
    ids=["jwt", "secret", "random", "url"],
)
def test_redaction_takes_linear_time(text: str) -> None:
    script = f'\nfrom stagegate.chart.objects import RenderedObject\nfrom stagegate.difference import redaction\none = RenderedObject(api_version="v1", kind="ConfigMap", namespace="x", name="y", template="", body={{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "y"}}, "data": {{"k": {text!r}}}}})\nredaction.redacted([one], b"k")\n'
    code, seconds, peak, said = measured(
        "import sys; sys.setrecursionlimit(1000)\n" + textwrap.dedent(script)
    )
    print(code, round(seconds, 1), peak, said[-100:])
    assert code == 0 and seconds < 3


@pytest.mark.parametrize(
    "text",
    [
        "".join(" " * n + "a:\n" for n in range(199)),
        "".join(" " * n + ("- " if n % 2 == 0 else "") + "a:\n" for n in range(0, 198, 1)),
        "- " * 39 + "x\n",
        "? " * 39 + "x\n",
        "a: " + "9" * 200000 + "\n",
        "a: 0x" + "f" * 200000 + "\n",
        "a: " + "1:" * 50000 + "1\n",
        "a: 1e" + "9" * 20 + "\n",
        "a: !!timestamp 2001-12-14t21:59:43.10-05:00" + "0" * 60000 + "\n",
        "&a " * 1 + "a: {" + ", ".join(f"k{n}: *a" for n in range(3)) + "}\n",
    ],
    ids=["deep", "deep-mixed", "seqs", "maps", "int", "hex", "sexagesimal", "exponent", "timestamp", "self"],
)
def test_yaml_that_is_expensive_to_read_ends_in_time(text: str) -> None:
    script = f"""\nimport io\nfrom ruamel.yaml import YAML\nfrom stagegate import yaml_edit, settings as s\nfrom stagegate.errors import Stop\nfrom stagegate import pins\ntext = {text!r}\napp = "apiVersion: argoproj.io/v1alpha1\\nkind: Application\\nmetadata: {{name: shop-prod}}\\nspec:\\n  source: {{repoURL: ghcr.io/acme/charts, chart: shop, targetRevision: 1.0.0}}\\n---\\n" + text\nsettings = s.parse(b"app: shop\\nimages: [ghcr.io/acme/shop]\\nchart: {{path: charts/shop, repository: 'oci://ghcr.io/acme/charts'}}\\nenvironments: [{{name: prod, pins: [p.yaml], argocd: {{applications: [shop-prod]}}}}]\\n", "x")\ntry:\n    found = pins.read("p.yaml", app.encode(), settings)\n    pins.besides(app.encode(), "p.yaml", found.places)\n    print("READ", len(found.places))\nexcept Stop as stop:\n    print("STOP", stop.reason, stop.why[:100])\n"""
    code, seconds, peak, said = measured(script)
    print(code, round(seconds, 1), peak, said[-160:])
    assert code == 0 and seconds < 20
