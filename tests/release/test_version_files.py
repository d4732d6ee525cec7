import pytest

from stagegate.errors import Stop
from stagegate.release import version_files
from stagegate.settings import VersionFile

CHART = b'# chart\napiVersion: v2\nversion: 1.0.0  # moves\nappVersion: "1.0.0"\ndependencies:\n  - {name: x, version: 1.0.0}\n'


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        (VersionFile(file="VERSION"), b"1.0.0\r\n", b"1.1.0\r\n"),
        (VersionFile(file="c", path="version"), CHART, CHART.replace(b"version: 1.0.0  #", b"version: 1.1.0  #")),
        (VersionFile(file="c", path="appVersion"), CHART, CHART.replace(b'"1.0.0"', b'"1.1.0"')),
        (VersionFile(file="r", pattern="--version {version}"), b"a --version 1.0.0 b\nother 1.0.0", b"a --version 1.1.0 b\nother 1.0.0"),
        (VersionFile(file="p.toml", path="version"), b'version = "1.0.0"\n', b'version = "1.1.0"\n'),
        (VersionFile(file="pyproject.toml"), b'project.version = "1.0.0"\n', b'project.version = "1.1.0"\n'),
        (VersionFile(file="p.json", path="version"), b'{"version":"1.0.0","x":"1.0.0"}', b'{"version":"1.1.0","x":"1.0.0"}'),
    ],
)  # fmt: skip
def test_only_the_version_moves(place: VersionFile, before: bytes, after: bytes) -> None:
    assert {held.version for held in version_files.read(place, before)} == {"1.0.0"}
    assert version_files.write(place, before, "1.1.0") == after


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (VersionFile(file="c", path="versions"), CHART),
        (VersionFile(file="r", pattern="--version {version}"), b"nothing here"),
        (VersionFile(file="r", pattern="no place"), b"1.0.0"),
    ],
)
def test_a_place_that_holds_nothing_is_a_mistake_in_the_settings(place: VersionFile, content: bytes) -> None:
    with pytest.raises(Stop) as stop:
        version_files.read(place, content)
    assert stop.value.reason == "bad-settings"
