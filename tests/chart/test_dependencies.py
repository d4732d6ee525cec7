"""Dependencies are fetched by the lock into a copy of the chart, and packed without file times."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.registry import PASSWORD, Registry
from stagegate.chart import dependencies, package, source
from stagegate.chart.source import ChartSource
from stagegate.clients.registry.credentials import Credentials
from stagegate.errors import Stop

from .charts import CHART, RECORD, write

LIBRARY = "apiVersion: v2\nname: lib\nversion: 0.1.0\n"


def helm(*argv: str, cwd: Path) -> None:
    subprocess.run(["helm", *argv], cwd=cwd, check=True, capture_output=True)


def with_dependency(folder: Path, repository: str) -> ChartSource:
    library = folder / "libraries/lib"
    (library / "templates").mkdir(parents=True, exist_ok=True)
    (library / "Chart.yaml").write_text(LIBRARY)
    (library / "templates/_x.tpl").write_text('{{ define "x" }}1{{ end }}\n')
    wanted = f"dependencies:\n  - {{name: lib, version: 0.1.0, repository: '{repository}'}}\n"
    return write(folder, chart=CHART + wanted)


def lock(chart: ChartSource) -> None:
    """Build the dependencies as a person does, and keep only the lock."""
    helm("dependency", "update", cwd=chart.folder)
    shutil.rmtree(chart.folder / "charts")


def test_a_dependency_beside_the_chart_is_packed(tmp_path: Path) -> None:
    chart = with_dependency(tmp_path, "file://../libraries/lib")
    lock(chart)
    packed = []
    for _ in range(2):
        with dependencies.complete(chart, tmp_path) as whole:
            packed.append(package.pack(whole, RECORD))
    assert packed[0] == packed[1]
    assert "shop/charts/lib/Chart.yaml" in package.unpack(packed[0].archive, "x")
    assert not (chart.folder / "charts").exists(), "the work tree stays as it was"


def test_a_dependency_in_a_private_registry_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with Registry(tmp_path / "registry", htpasswd=("octo-dev", PASSWORD)) as registry:
        chart = with_dependency(tmp_path, f"oci://{registry.host}/charts")
        helm("package", "libraries/lib", cwd=tmp_path)
        login = ["registry", "login", registry.host, "-u", "octo-dev", "-p", PASSWORD]
        helm(*login, "--registry-config", "r.json", cwd=tmp_path)
        helm(
            "push",
            "lib-0.1.0.tgz",
            f"oci://{registry.host}/charts",
            "--registry-config",
            "r.json",
            cwd=tmp_path,
        )
        helm("dependency", "update", "--registry-config", str(tmp_path / "r.json"), cwd=chart.folder)
        shutil.rmtree(chart.folder / "charts")
        logins = {registry.host: Credentials(username="octo-dev", password=PASSWORD)}
        with dependencies.complete(chart, tmp_path, logins) as whole:
            assert (whole.folder / "charts/lib-0.1.0.tgz").is_file()
        with pytest.raises(Stop) as stop, dependencies.complete(chart, tmp_path, {}):
            pass
        assert stop.value.reason == "findings"
        assert PASSWORD not in str(stop.value)


@contextmanager
def web(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_dependency_in_a_chart_repository_is_packed(tmp_path: Path) -> None:
    with web(tmp_path) as url:
        chart = with_dependency(tmp_path, url)
        helm("package", "libraries/lib", cwd=tmp_path)
        helm("repo", "index", ".", cwd=tmp_path)
        lock(chart)
        with dependencies.complete(chart, tmp_path) as whole:
            assert (whole.folder / "charts/lib-0.1.0.tgz").is_file()


def test_without_a_lock_nothing_is_fetched(tmp_path: Path) -> None:
    chart = with_dependency(tmp_path, "file://../libraries/lib")
    with pytest.raises(Stop) as stop, dependencies.complete(chart, tmp_path):
        pass
    assert stop.value.reason == "missing-file"
    assert stop.value.file == "charts/shop/Chart.lock"


def test_a_lock_that_does_not_fit_is_refused_with_helms_message(tmp_path: Path) -> None:
    chart = with_dependency(tmp_path, "file://../libraries/lib")
    lock(chart)
    path = chart.folder / "Chart.yaml"
    path.write_text(path.read_text().replace("version: 0.1.0", "version: 0.2.0"))
    with (
        pytest.raises(Stop, match="out of sync"),
        dependencies.complete(source.read(chart.folder, "x"), tmp_path),
    ):
        pass


def test_a_dependency_outside_the_repository_is_refused(tmp_path: Path) -> None:
    chart = with_dependency(tmp_path / "repository", "file://../../outside")
    shutil.move(tmp_path / "repository/libraries/lib", tmp_path / "outside")
    lock(chart)
    with (
        pytest.raises(Stop, match="outside the repository"),
        dependencies.complete(chart, tmp_path / "repository"),
    ):
        pass


def test_vendored_dependencies_are_taken_as_they_are(tmp_path: Path) -> None:
    chart = with_dependency(tmp_path, "")
    shutil.copytree(tmp_path / "libraries/lib", chart.folder / "charts/lib")
    with dependencies.complete(chart, tmp_path) as whole:
        assert whole is chart


@pytest.mark.parametrize(
    ("wanted", "locked", "complete"),
    [
        ("0.1.0", "", True),
        ("0.2.0", "", False),
        ("0.x.x", "", True),
        (">=0.1.0", "0.1.0", True),
        ("^0.1.0", "0.1.1", False),
    ],
)
@pytest.mark.parametrize("place", ["lib-0.1.0.tgz", "folder"])
def test_a_vendored_archive_within_the_range_is_accepted(
    wanted: str, locked: str, complete: bool, place: str, tmp_path: Path
) -> None:
    lines = f"dependencies: [{{name: lib, version: '{wanted}', repository: 'oci://registry.test/charts'}}]\n"
    chart = write(tmp_path, chart=CHART + lines)
    (chart.folder / "charts").mkdir()
    if place == "folder":
        (chart.folder / "charts/other-name").mkdir()
        (chart.folder / "charts/other-name/Chart.yaml").write_text(LIBRARY)
    else:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib/Chart.yaml").write_text(LIBRARY)
        helm("package", str(tmp_path / "lib"), "--destination", str(chart.folder / "charts"), cwd=tmp_path)
    if locked:
        (chart.folder / "Chart.lock").write_text(f"dependencies: [{{name: lib, version: {locked}}}]\n")
    # what is unpacked is taken as it is; helm-publish compares its version
    assert dependencies.in_place(chart) is (complete or place == "folder")
