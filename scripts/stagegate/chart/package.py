"""Packs a chart as an OCI artifact: the same source gives the same bytes, at any time and on any machine.

`helm package` writes the current time and rewrites Chart.yaml, and `helm push` writes the file's time into the
manifest, so every run would have another digest. Compressed bytes may still differ between zlib versions.
Therefore `content`, a digest over the unpacked files, decides whether two charts are the same.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from stagegate import inside
from stagegate.chart import ignore, source
from stagegate.chart.source import ChartSource
from stagegate.errors import Stop
from stagegate.evidence.release_record import Record
from stagegate.model import digest_of, to_json
from stagegate.model.media_types import CHART_CONFIG, CHART_LAYER, OCI_MANIFEST

_COMMENTS = frozenset(("comment",))  # of global headers, which `git archive` writes
FILE_LIMIT = 5 << 20  # helm 3.17.3 and 4 refuse larger files and archives when they load a chart
TOTAL_LIMIT = 100 << 20
_METADATA = """name home sources version description keywords maintainers icon apiVersion condition tags
    appVersion deprecated annotations kubeVersion dependencies type"""


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A packed chart: archive, config and manifest to push, and the content digest."""

    name: str
    version: str
    archive: bytes
    config: bytes
    manifest: bytes
    content: str

    @property
    def digest(self) -> str:
        """Digest of the manifest, which identifies this chart in a registry."""
        return digest_of(self.manifest)


def pack(chart: ChartSource, release: Record) -> Package:
    """Pack a chart folder whose dependencies are in place. Stop(findings) for a file that cannot be packed."""
    from stagegate.chart import record  # loads a YAML editor, which readers of charts do not need

    contents = files(chart.folder, chart.path)
    contents[source.FILE] = record.write(contents[source.FILE], release, chart.file)
    unpacked: dict[str, bytes] = {}
    for path, data in contents.items():
        if path.startswith("charts/") and path.count("/") == 1 and path.endswith((".tgz", ".tar.gz")):
            # as helm does: archives of `helm dependency build` contain times
            unpacked |= {f"charts/{inner}": content for inner, content in unpack(data, path).items()}
        else:
            unpacked[path] = data
    archive = _gzip(_tar({f"{chart.name}/{path}": data for path, data in unpacked.items()}))
    metadata = source.parse(unpacked[source.FILE], chart.file)
    config = to_json({key: metadata[key] for key in _METADATA.split() if metadata.get(key) is not None})
    return Package(
        name=chart.name,
        version=chart.version,
        archive=archive,
        config=config,
        manifest=to_json(_manifest(metadata, config, archive)),
        content=content(archive, chart.path),
    )


def files(folder: Path, path: str) -> dict[str, bytes]:
    """Every file of a chart folder for its package, by relative path. Stop(findings).

    Links inside the chart are followed. Links out of it are refused, so that no other file of the runner gets into
    the package.
    """
    root = folder.resolve()
    rules_file = root / ignore.FILE
    rules = ignore.patterns(rules_file.read_bytes() if rules_file.is_file() else b"", f"{path}/{ignore.FILE}")
    contents: dict[str, bytes] = {}

    def walk(place: Path, relative: str, above: tuple[Path, ...]) -> None:
        for entry in sorted(place.iterdir()):
            name = f"{relative}{entry.name}"
            real = inside.resolved(place, entry.name)
            if ignore.ignored(name, real is not None and entry.is_dir(), rules):
                continue
            if real is None:
                raise _unfit(
                    path,
                    name,
                    "The file is a symbolic link that leads in a circle, or to a path that cannot be a file.",
                )
            if not real.is_relative_to(root) or real in above:
                raise _unfit(
                    path,
                    name,
                    "The file is a symbolic link that leads out of the chart or to a folder above it.",
                )
            if entry.is_dir():
                walk(entry, f"{name}/", (*above, real))
            elif not entry.is_file():
                raise _unfit(path, name, "The path is neither a file nor a folder.")
            elif entry.stat().st_size > FILE_LIMIT:
                raise _unfit(
                    path,
                    name,
                    f"The file is larger than {FILE_LIMIT >> 20} MiB, and helm does not load such files.",
                )
            else:
                contents[name] = entry.read_bytes()

    walk(root, "", (root,))
    if source.FILE not in contents:
        raise _unfit(path, source.FILE, f"{ignore.FILE} excludes this file from the package.")
    return contents


def unpack(archive: bytes, where: str) -> dict[str, bytes]:
    """The files of a chart archive by path, which begins with the chart's folder. Stop(unknown-state).

    Nothing is written to disk. Links, absolute paths, `..` and sizes beyond helm's own limits are refused, and so
    is everything that other programs may read differently, such as a repeated file or a header that renames files.
    """
    import tarfile  # loaded only for charts with archives

    contents: dict[str, bytes] = {}
    folders: set[str] = set()
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(_expanded(archive, where)), mode="r:") as tar:
            for member in tar:
                if member.isdir() or member.type in (tarfile.XGLTYPE, tarfile.XHDTYPE):
                    continue
                parts = Path(member.name).parts
                total += member.size
                if not member.isfile() or member.name.startswith("/") or ".." in parts or "\\" in member.name:
                    raise _corrupt(
                        where, f"the archive contains {member.name[:100]!r}, which is not a regular file"
                    )
                name = "/".join(parts)
                above = {"/".join(parts[:index]) for index in range(1, len(parts))}
                if not parts or not _fits_a_disk(parts):
                    raise _corrupt(where, f"no file can have the name {member.name[:100]!r}")
                if name in folders or above & contents.keys():
                    raise _corrupt(where, f"{name[:100]!r} is both a file and a folder")
                if name in contents:
                    raise _corrupt(where, f"{name[:100]!r} occurs twice")
                if not _COMMENTS.issuperset(
                    tar.pax_headers
                ):  # Go's reader ignores comments in global headers
                    raise _corrupt(where, "the global header of the archive changes the names of the files")
                folders |= above
                if member.size > FILE_LIMIT or total > TOTAL_LIMIT:
                    raise _corrupt(where, "the archive is larger than helm loads")
                body = tar.extractfile(member)
                contents[name] = body.read() if body else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise _corrupt(where, f"{type(error).__name__}: {error}") from error
    if not contents:
        raise _corrupt(where, "the archive is empty")
    return contents


def _fits_a_disk(parts: Sequence[str]) -> bool:
    """Whether every part of a path is a valid file name in UTF-8."""
    try:
        return all(len(part.encode()) <= 255 and "\0" not in part for part in parts)
    except UnicodeEncodeError:  # bytes that are not UTF-8 are surrogates here
        return False


def _expanded(archive: bytes, where: str) -> bytes:
    """The archive without its compression. It may not exceed the limit, because headers can be large too.

    A second compressed part is refused: Go would read it (https://pkg.go.dev/compress/gzip#Reader), Python would
    not.
    """
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    data = stream.decompress(archive, TOTAL_LIMIT + 1)
    if len(data) > TOTAL_LIMIT:
        raise _corrupt(where, "the archive is larger than helm loads")
    if not stream.eof:
        raise EOFError("the archive ends too early")
    if stream.unused_data:
        raise _corrupt(where, "the archive has extra data after the compressed part")
    return data


def content(archive: bytes, where: str) -> str:
    """Digest over the paths and bytes of the files in an archive, independent of packing and compression."""
    return digest_of({path: digest_of(data) for path, data in unpack(archive, where).items()})


def _tar(contents: Mapping[str, bytes]) -> bytes:
    """A plain POSIX archive: sorted, mode 644, no owner, time 0."""
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(contents):
            member = tarfile.TarInfo(path)
            member.size = len(contents[path])
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(contents[path]))
    return buffer.getvalue()


def _gzip(data: bytes) -> bytes:
    """gzip with a header without time and system (that of Python's own gzip differs between versions)."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = compressor.compress(data) + compressor.flush()
    return (
        b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
        + body
        + struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    )


def _manifest(metadata: Mapping[str, Any], config: bytes, archive: bytes) -> dict[str, Any]:
    """The manifest that `helm push` would write, without the time. Helm defines the annotations."""
    maintainers = [
        f"{m.get('name', '')} ({m['email']})" if m.get("email") else str(m.get("name", ""))
        for m in metadata.get("maintainers") or []
    ]
    fields = {
        "description": metadata.get("description"),
        "title": metadata["name"],
        "version": metadata["version"],
        "url": metadata.get("home"),
        "source": (metadata.get("sources") or [""])[0],
        "authors": ", ".join(maintainers),
    }
    annotations = {str(key): str(value) for key, value in (metadata.get("annotations") or {}).items()}
    annotations |= {f"org.opencontainers.image.{key}": str(value) for key, value in fields.items() if value}
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": CHART_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": CHART_LAYER, "digest": digest_of(archive), "size": len(archive)}],
        "annotations": annotations,
    }


def _unfit(path: str, name: str, why: str) -> Stop:
    return Stop(
        "findings",
        f"{path}/{name} cannot be packed.",
        why,
        f"Remove the file, or add it to {ignore.FILE}.",
        file=f"{path}/{name}",
    )


def _corrupt(where: str, why: str) -> Stop:
    return Stop(
        "unknown-state",
        f"{where} is not a chart archive.",
        f"{why}.",
        "Publish this version again from its source, or find out who wrote the archive.",
    )
