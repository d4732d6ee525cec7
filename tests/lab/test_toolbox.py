"""The toolbox on machines that lack more and more programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.package_index import PackageIndex, wheel
from stagegate import libraries

ROOT = Path(__file__).resolve().parents[2]
GREET = "#!python\nimport sys, greeting\nprint(greeting.TEXT, *sys.argv[1:])\nsys.exit(3)\n"
TOOLS = wheel(
    "greeting",
    "1.0",
    {
        "greeting.py": "TEXT = 'hello from the lock'\n",
        "greeting-1.0.data/scripts/greet": GREET,
    },
)
HIDDEN = ("uv", "uvx", "docker-registry", "registry", "helm", "act", "pip", "python")


class Machine:
    """A clone of the toolbox with a small lock, and a PATH of links to the programs of the simulated machine."""

    def __init__(self, folder: Path, index: PackageIndex) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        for name in (
            "lab/toolbox.py",
            "scripts/stagegate/__init__.py",
            "scripts/stagegate/libraries.py",
            "scripts/stagegate/installers.py",
        ):
            (folder / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "clone" / name)
        (folder / "clone/scripts/requirements-dev.txt").write_text(TOOLS.requirement, encoding="utf-8")
        self.python = sys.executable
        self.environ = {
            "PATH": str(self.programs),
            "HOME": str(folder / "home"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index.url,
            "UV_DEFAULT_INDEX": index.url,
            "UV_NO_CACHE": "1",
            "UV_NO_CONFIG": "1",
        }

    def have(self, *names: str) -> None:
        """Put programs of this machine on the PATH."""
        for name in names:
            found = shutil.which(name)
            assert found, f"{name} is needed for this test: run the tests by `make test`"
            (self.programs / name).symlink_to(found)

    def have_everything_but_tools(self) -> None:
        """Put all programs of the system on the PATH, except those that the toolbox installs."""
        for folder in ("/usr/bin", "/bin"):
            for program in Path(folder).iterdir():
                link = self.programs / program.name
                if not program.name.startswith(HIDDEN) and not link.exists():
                    link.symlink_to(program)

    def without_pip(self) -> None:
        """Use a python3 that has no pip."""
        libraries.make_home(str(self.folder / "bare"))
        self.python = str(self.folder / "bare" / "bin" / "python3")

    def toolbox(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `python3 lab/toolbox.py`."""
        return subprocess.run(
            [self.python, "lab/toolbox.py", *arguments],
            cwd=self.folder / "clone",
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def cache(self) -> Path:
        """The cache folder of the toolbox."""
        return self.folder / "home" / ".cache" / "stagegate"


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """An index with one small tool."""
    with PackageIndex(TOOLS) as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, index: PackageIndex) -> Machine:
    """A machine with nothing on its PATH yet."""
    return Machine(tmp_path, index)


def test_commands_run_among_the_tools(machine: Machine, index: PackageIndex) -> None:
    machine.have("uv", "docker-registry", "sh", "env")
    path = machine.toolbox("path")
    assert path.returncode == 0, path.stderr
    tools = Path(path.stdout.strip())
    assert tools.parent.parent == machine.cache()

    greeted = machine.toolbox("run", "greet", "two words", "")
    assert (greeted.stdout, greeted.returncode) == ("hello from the lock two words \n", 3), greeted.stderr
    imported = machine.toolbox("run", "python", "-c", "import greeting, sys; print(sys.executable)")
    assert imported.stdout.strip() == str(tools / "python")
    seen = dict(
        line.partition("=")[::2]
        for line in machine.toolbox("run", "env", PYTHONPATH="/nowhere").stdout.splitlines()
    )
    assert seen["PATH"].split(os.pathsep)[0] == str(tools)
    assert seen["STAGEGATE_CACHE"] == str(machine.cache())
    assert "PYTHONPATH" not in seen
    assert index.downloads == 1
    assert greeted.stderr == "", "the tools are fetched once"


def test_the_cache_can_be_in_another_folder(machine: Machine, tmp_path: Path) -> None:
    machine.have("uv", "docker-registry")
    path = machine.toolbox("path", STAGEGATE_CACHE=str(tmp_path / "elsewhere"))
    assert Path(path.stdout.strip()).parent.parent == tmp_path / "elsewhere"
    assert not machine.cache().exists()


@pytest.mark.skipif(
    not shutil.which("apt-get"), reason="Debian's packages come with apt-get, which is not here"
)
def test_without_pip_uv_and_registry_everything_is_installed(machine: Machine) -> None:
    machine.have_everything_but_tools()
    machine.without_pip()
    ran = machine.toolbox("run", "greet")
    assert (ran.stdout, ran.returncode) == ("hello from the lock\n", 3), ran.stderr
    assert "github.com/docker/distribution" in machine.toolbox("run", "docker-registry", "--version").stdout
    kept = sorted(entry.name.rsplit("-", 1)[0] for entry in machine.cache().iterdir())
    assert kept == ["debian-docker-registry", "debian-python3-pip-whl", "toolbox"], (
        "apt's lists were left behind"
    )


@pytest.mark.parametrize("pip", [True, False])
def test_an_unavailable_program_is_named_in_one_sentence(machine: Machine, pip: bool) -> None:
    if not pip:
        machine.without_pip()
    refused = machine.toolbox("run", "greet")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert "docker-registry" in refused.stderr
    assert ("install uv or pip" in refused.stderr) is not pip


def test_an_unreachable_index_is_named(machine: Machine, index: PackageIndex) -> None:
    machine.have("uv", "docker-registry")
    index.broken = True
    refused = machine.toolbox("run", "greet", UV_HTTP_RETRIES="0")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "could not be installed" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(machine.cache().iterdir()) == []


@pytest.mark.parametrize("there", [("uv", "docker-registry"), ("uv", "apt-get", "dpkg-deb")])
def test_a_cache_that_cannot_be_written_is_named(machine: Machine, there: tuple[str, ...]) -> None:
    if not all(shutil.which(name) for name in there):
        pytest.skip(f"{' and '.join(there)} are not all here")
    machine.have(*there)
    (machine.folder / "file").write_text("", encoding="utf-8")
    refused = machine.toolbox("path", STAGEGATE_CACHE=str(machine.folder / "file" / "cache"))
    assert refused.returncode == 2
    assert len([line for line in refused.stderr.splitlines() if "fetching" not in line]) == 1
    assert str(machine.folder / "file") in refused.stderr


@pytest.mark.parametrize("arguments", [(), ("run",), ("walk", "greet"), ("path", "extra")])
def test_wrong_arguments_show_the_usage(machine: Machine, arguments: tuple[str, ...]) -> None:
    refused = machine.toolbox(*arguments)
    assert refused.returncode == 2
    assert "usage:" in refused.stderr


def test_an_unknown_command_is_named(machine: Machine) -> None:
    machine.have("uv", "docker-registry")
    refused = machine.toolbox("run", "no-such-program")
    assert refused.returncode == 2
    assert "'no-such-program'" in refused.stderr
