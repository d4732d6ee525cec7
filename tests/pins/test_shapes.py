"""Every shape of pin as a folder: `before`, and byte for byte `after`, or the `refused.txt` that people read.

A folder's `settings.yaml` replaces the usual one. The file is the first pin of the environment `prod`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stagegate import pins
from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.model import Chart, Image, Release
from stagegate.settings import Settings

HERE = Path(__file__).parent
CASES = sorted(folder.name for folder in (HERE / "cases").iterdir() if folder.is_dir())
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def release(settings: Settings, version: str = "1.10.0") -> Release:
    """Version 1.10.0 with everything a release can have."""
    chart = Chart(reference="oci://ghcr.io/acme/charts/shop", version=version, digest="sha256:" + "c" * 64)
    images = tuple(
        Image(reference=reference, digest="sha256:" + f"{number}" * 64)
        for number, reference in enumerate(settings.images, 1)
    )
    tag = settings.version.tag_prefix + version
    return Release(app="shop", version=version, tag=tag, commit=COMMIT, chart=chart, images=images)


def load(case: str) -> tuple[Path, Settings]:
    """The folder of a case and its settings."""
    folder = HERE / "cases" / case
    own = folder / "settings.yaml"
    return folder, settings_file.load(own if own.exists() else HERE / "settings.yaml", "stagegate.yaml")


@pytest.mark.parametrize("case", CASES)
def test_each_shape_is_edited_or_refused_as_expected(case: str) -> None:
    folder, settings = load(case)
    (before,) = folder.glob("before.*")
    after, refused = before.with_stem("after"), folder / "refused.txt"
    pin = settings.environment("prod").pins[0]
    try:
        found = pins.read(pin, before.read_bytes(), settings)
        content, edits = pins.edit(found, release(settings), settings)
    except Stop as stop:
        said = f"{stop.reason}: {stop.file}:{stop.line}\n{stop.what}\n{stop.why}\n{stop.next}\n"
        if os.environ.get("UPDATE_GOLDEN"):
            refused.write_text(said)
        assert said == refused.read_text()
        return
    if os.environ.get("UPDATE_GOLDEN"):
        after.write_bytes(content)
    assert content == after.read_bytes()
    lines = before.read_text().splitlines()
    assert edits
    assert all(edit.before in lines[edit.line - 1] for edit in edits), "an edit names its line"
    again = pins.read(pin, content, settings)
    assert pins.edit(again, release(settings), settings) == (content, ())
    assert pins.version_of(again, settings) in ("1.10.0", None)


def test_every_case_has_one_expected_result() -> None:
    for case in CASES:
        folder = HERE / "cases" / case
        assert len([*folder.glob("after.*"), *folder.glob("refused.txt")]) == 1, case
