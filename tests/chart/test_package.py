"""The package: the same source gives the same bytes, and helm packs the same content."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import yaml

from stagegate.chart import package, record, source
from stagegate.errors import Stop
from stagegate.evidence import release_record
from stagegate.model.media_types import CHART_LAYER

from .charts import CHART, RECORD, write


def test_the_same_source_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = write(tmp_path / "a", {"files/b.txt": "b", "files/a.txt": "a"})
    first = package.pack(one, RECORD)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    other = write(tmp_path / "b", {"files/a.txt": "a", "files/b.txt": "b"})
    for path in other.folder.rglob("*"):
        os.utime(path, (1, random.randint(1, 10**9)))  # noqa: S311
        path.chmod(0o755)
    second = package.pack(other, RECORD)
    monkeypatch.delenv("TZ")
    time.tzset()
    assert first == second
    assert first.digest == second.digest


def test_a_changed_byte_changes_the_content(tmp_path: Path) -> None:
    first = package.pack(write(tmp_path / "a"), RECORD)
    second = package.pack(write(tmp_path / "b", {"values.yaml": "greeting: hullo\n"}), RECORD)
    third = package.pack(write(tmp_path / "c"), release_record.Record(commit="0" * 40, images=RECORD.images))
    assert len({first.content, second.content, third.content}) == 3
    assert len({first.digest, second.digest, third.digest}) == 3


def test_content_does_not_depend_on_the_packer(tmp_path: Path) -> None:
    ours = package.pack(write(tmp_path), RECORD)
    again = io.BytesIO()
    with tarfile.open(fileobj=again, mode="w:gz", compresslevel=1) as tar:
        for path, data in reversed(package.unpack(ours.archive, "ours").items()):
            member = tarfile.TarInfo(path)
            member.size, member.mtime, member.mode = len(data), 12345, 0o600
            tar.addfile(member, io.BytesIO(data))
    assert again.getvalue() != ours.archive
    assert package.content(again.getvalue(), "theirs") == ours.content


IGNORED = """\
# a comment
*.tmp
/secret
docs/
deep/*.md
*/inner.txt
a?c.[xy]
!templates/../nothing-at-all-*
"""


@pytest.mark.parametrize("rules", ["", IGNORED.replace("!templates/../nothing-at-all-*\n", ""), "!keep*\n"])
def test_a_package_has_the_same_files_as_helm_package(tmp_path: Path, rules: str) -> None:
    names = "inner.txt a/inner.txt a/b/inner.txt one.tmp files/two.tmp secret files/secret docs/x files/docs/y deep/a.md deep/er/b.md abc.x abc.z"
    names += " aéc.y keepme files/keepme templates/.hidden templates/tests/.hidden crds/crd.yaml .dotfile"
    extra: dict[str, str | bytes] = dict.fromkeys(names.split(), "x")
    extra["crds/crd.yaml"] = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n"
    chart = write(tmp_path, {**extra, ".helmignore": rules})
    helm = subprocess.run(
        ["helm", "package", str(chart.folder), "-d", str(tmp_path / "out")], capture_output=True, text=True
    )
    if helm.returncode:  # `!keep*` drops Chart.yaml: both refuse
        with pytest.raises(Stop):
            package.pack(chart, RECORD)
        return
    theirs = package.unpack((tmp_path / "out/shop-1.2.3.tgz").read_bytes(), "helm's")
    ours = package.unpack(package.pack(chart, RECORD).archive, "ours")
    assert sorted(ours) == sorted(theirs)
    assert {p: d for p, d in ours.items() if p != "shop/Chart.yaml"} == {
        p: d for p, d in theirs.items() if p != "shop/Chart.yaml"
    }


@pytest.mark.parametrize("rule", ["a/**/b", "[oops", "file[^"])
def test_rules_that_helm_refuses_are_refused(tmp_path: Path, rule: str) -> None:
    with pytest.raises(Stop, match="helmignore"):
        package.pack(write(tmp_path, {".helmignore": f"# fine\n{rule}\n"}), RECORD)


def test_links_inside_the_chart_are_followed_and_others_refused(tmp_path: Path) -> None:
    chart = write(tmp_path, {"files/real.txt": "content"})
    (chart.folder / "files/link.txt").symlink_to("real.txt")
    assert package.files(chart.folder, "charts/shop")["files/link.txt"] == b"content"
    (tmp_path / "outside").write_text("TOKEN=x")
    (chart.folder / "files/leak.txt").symlink_to(tmp_path / "outside")
    with pytest.raises(Stop, match="leads out"):
        package.pack(chart, RECORD)
    (chart.folder / "files/leak.txt").unlink()
    (chart.folder / "files/loop").symlink_to("..")
    with pytest.raises(Stop, match="folder above"):
        package.pack(chart, RECORD)
    (chart.folder / ".helmignore").write_text("loop\n")
    assert "files/link.txt" in package.files(chart.folder, "charts/shop")


def test_a_file_helm_would_not_load_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="5 MiB"):
        package.pack(write(tmp_path, {"files/big": b"x" * (package.FILE_LIMIT + 1)}), RECORD)


FORMS = {
    "none": CHART,
    "no newline at the end": CHART.rstrip("\n"),
    "block": CHART + "annotations:\n    # kept\n    a: b\n    c: >\n      folded\n",
    "block, not last": "annotations:\n  a: b\n" + CHART,
    "flow": CHART + "annotations: {a: b}\n",
    "flow, empty": CHART + "annotations: {}\n",
    "null": CHART + "annotations:\nkeywords: [x]\n",
    "tilde": CHART + "annotations: ~\n",
    "crlf": CHART.replace("\n", "\r\n") + "annotations:\r\n  a: b\r\n",
    "bom": "\ufeff" + CHART + "annotations:\n  a: b\n",
    "emoji before": CHART + 'keywords: ["🛒"]\nannotations:\n  a: "🛒"\n',
    "block scalar last": CHART + "home: |\n  text\n  more\n",
    "marker": "---\n" + CHART,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_record_is_added_and_no_other_byte_changes(form: str) -> None:
    raw = FORMS[form].encode()
    after = record.write(raw, RECORD, "Chart.yaml")
    annotations = yaml.safe_load(after)["annotations"]
    assert release_record.from_annotations(annotations, "x") == RECORD
    before = yaml.safe_load(raw)
    assert {**before, "annotations": annotations} == yaml.safe_load(after)
    assert {**(before.get("annotations") or {}), **RECORD.annotations} == annotations
    rest = iter(after)
    assert all(byte in rest for byte in raw.replace(b"~", b"")), "only insertions (and a null replaced)"


@pytest.mark.parametrize(
    "text", ["annotations: [a]\n", "annotations:\n  stagegate/commit: x\n", "name: shop\n"]
)
def test_a_chart_that_cannot_be_extended_by_the_record_is_refused(text: str) -> None:
    with pytest.raises(Stop) as stop:
        record.write((CHART + text).encode(), RECORD, "Chart.yaml")
    assert stop.value.reason == "findings"


def test_a_manifest_names_its_commit_and_version(tmp_path: Path) -> None:
    packed = package.pack(write(tmp_path), RECORD)
    manifest = json.loads(packed.manifest)
    assert manifest["layers"][0]["mediaType"] == CHART_LAYER
    assert manifest["annotations"]["stagegate/commit"] == RECORD.commit
    assert manifest["annotations"]["org.opencontainers.image.version"] == "1.2.3"
    assert not any("created" in key for key in manifest["annotations"])
    assert json.loads(packed.config)["annotations"] == RECORD.annotations


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("version: 1.2.3 ", "version: 1.2 "), "version"),
        (("version: 1.2.3 ", "version: v1.2.3 "), "version"),
        (("version: 1.2.3 ", "version: 01.2.3 "), "version"),
        (('appVersion: "1.2.3"', "appVersion: 1.2"), "appVersion"),
        (("name: shop", "name: Shop"), "name"),
        (("name: shop", "name: other"), "folder"),
        (("apiVersion: v2", "apiVersion: v3"), "apiVersion"),
        (("name: shop", "name: shop\nname: shop"), "YAML"),
        (("name: shop", "name: [shop"), "YAML"),
        (("description:", "---\ndescription:"), "YAML"),
        (("name: shop\n", ""), "name"),
    ],
)
def test_a_chart_yaml_with_a_mistake_that_helm_accepts_is_refused(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    assert change[0] in CHART
    with pytest.raises(Stop, match=says) as stop:
        write(tmp_path, chart=CHART.replace(*change))
    assert stop.value.verdict.exit_code in (1, 2)


def test_a_missing_chart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Stop) as stop:
        source.read(tmp_path / "nowhere", "charts/nowhere")
    assert stop.value.reason == "missing-file"


def hostile(**member: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo()
        for key, value in member.items():
            setattr(info, key, value)
        tar.addfile(info, io.BytesIO(b"x" * info.size))
    return buffer.getvalue()


def archived(*names: str, mode: str = "w:gz", **headers: str) -> bytes:
    """An archive of empty files, with global headers."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:  # type: ignore[call-overload]
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def in_two_parts() -> bytes:
    """One archive in two compressed parts: Go reads both."""
    whole = archived("shop/Chart.yaml", "shop/templates/more.yaml", mode="w")
    return gzip.compress(whole[:512], mtime=0) + gzip.compress(whole[512:], mtime=0)


@pytest.mark.parametrize(
    "archive",
    [
        b"not an archive",
        archived("shop/Chart.yaml", "shop/a", "shop/a"),
        archived("shop/Chart.yaml", "shop/a", "shop/./a"),
        archived("shop/templates/more.yaml", path="shop/notes.txt"),
        in_two_parts(),
        hostile(name="shop/../../etc/passwd", size=1),
        hostile(name="/etc/passwd", size=1),
        hostile(name="shop/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        hostile(name="shop/big", size=package.FILE_LIMIT + 1),
        hostile(name="shop/a", size=1)[:-20],
    ],
    ids=[
        "no archive",
        "twice",
        "twice in two spellings",
        "renamed",
        "two parts",
        "upwards",
        "absolute",
        "a link",
        "too big",
        "cut off",
    ],  # the bytes hold the time
)
def test_an_archive_that_cannot_be_trusted(archive: bytes) -> None:
    with pytest.raises(Stop) as stop:
        package.unpack(archive, "a chart")
    assert stop.value.reason == "unknown-state"


def test_a_comment_for_the_whole_archive_is_read() -> None:
    assert package.unpack(archived("shop/a", comment="of git archive"), "a chart") == {"shop/a": b""}
