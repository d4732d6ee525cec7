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
def test_only_the_version_changes(place: VersionFile, before: bytes, after: bytes) -> None:
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
def test_a_place_without_a_version_is_a_mistake_in_the_settings(place: VersionFile, content: bytes) -> None:
    with pytest.raises(Stop) as stop:
        version_files.read(place, content)
    assert stop.value.reason == "bad-settings"


POM = b"<project><version>${revision}</version><properties><revision>1.0.0</revision></properties></project>"
MEMBERS = b"".join(
    b'[[package]]\nname = "%s"\nversion = "%s"\n%s\n' % (name, version, source)
    for name, version, source in (
        (b"shop", b"1.0.0", b""),
        (b"shop-core", b"1.0.0", b""),
        (b"other", b"1.0.0", b'source = "registry"\n'),
    )
)
LOCK_1 = b'{"version":"1.0.0","lockfileVersion": 1,"dependencies":{"packages":{"version":"2.0.0"}}}'
POETRY = b'[tool.poetry]\nversion = "1.0.0"\n[project]\nversion = "1.0.0"\n[tool.x]\nversion = "1.0.0"\n'


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("pom.xml", POM, POM.replace(b"1.0.0", b"1.1.0")),
        ("Cargo.lock", MEMBERS, MEMBERS.replace(b"1.0.0", b"1.1.0", 2)),
        ("package-lock.json", LOCK_1, LOCK_1.replace(b"1.0.0", b"1.1.0")),
        ("pyproject.toml", POETRY, POETRY.replace(b"1.0.0", b"1.1.0", 2)),
        ("composer.json", b'{"version": "1.0.0"}', b'{"version": "1.1.0"}'),
        (
            "Cargo.toml",
            b'\xef\xbb\xbf[package]\nversion = "1.0.0"\n',
            b'\xef\xbb\xbf[package]\nversion = "1.1.0"\n',
        ),
    ],
)
def test_known_files_have_every_version_of_the_app_changed(file: str, before: bytes, after: bytes) -> None:
    place = VersionFile(file=file)
    assert {held.version for held in version_files.read(place, before)} == {"1.0.0"}
    assert version_files.write(place, before, "1.1.0") == after


def test_a_cargo_workspace_with_several_versions_is_refused() -> None:
    content = MEMBERS.replace(b"1.0.0", b"2.0.0", 1)
    with pytest.raises(Stop) as stop:
        version_files.read(VersionFile(file="Cargo.lock"), content)
    assert "at several versions (1.0.0, 2.0.0)" in stop.value.what
