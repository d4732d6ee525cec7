"""Small things that fuzzing found."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile

import pytest

from stagegate import yaml_edit
from stagegate.argocd_app.inputs import RenderInputs
from stagegate.chart import package
from stagegate.chart.render import render
from stagegate.errors import Stop


def archive(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        [(".", b"x"), ("shop/Chart.yaml", b"apiVersion: v2\nname: shop\nversion: 1.0.0\n")],
        [("shop", b"x"), ("shop/Chart.yaml", b"apiVersion: v2\nname: shop\nversion: 1.0.0\n")],
        [("shop/" + "a" * 300, b"x"), ("shop/Chart.yaml", b"apiVersion: v2\nname: shop\nversion: 1.0.0\n")],
        [("shop/a\x00b", b"x"), ("shop/Chart.yaml", b"apiVersion: v2\nname: shop\nversion: 1.0.0\n")],
    ],
    ids=["dot", "file and folder", "long name", "nul"],
)
def test_an_archive_that_no_disk_can_hold_is_refused(members) -> None:
    with pytest.raises(Stop):
        render(archive(*members), RenderInputs(release_name="x", namespace="x"))
        raise Stop("findings", "it rendered", "fine too", "")


@pytest.mark.parametrize("raw", [b"a: &x {b: *x}\n", b"a: &x [*x]\n"])
def test_a_yaml_collection_that_contains_itself_is_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Stop):
        [list(yaml_edit.leaves(one)) for one in yaml_edit.documents(raw, "f")]
