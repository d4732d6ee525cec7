"""A copy of the launcher with a lock of one made-up package, and an index that serves it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.package_index import PackageIndex, Wheel, wheel

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = wheel("semver", "9.9.9", {"semver/__init__.py": "ORIGIN = 'the lock'\n"})
PROBE = """
import json, os, sys
import semver
import stagegate
seen = {"cwd": os.getcwd(), "argv": sys.argv[1:], "semver": [semver.__file__, getattr(semver, "ORIGIN", "")]}
seen["modules"] = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
seen["environ"] = sorted(os.environ)
seen["python"] = sys.prefix
print(json.dumps(seen))
sys.exit(7 if sys.argv[1:] == ["fail"] else 0)
"""


@dataclass
class Toolkit:
    """A toolkit in a folder of its own, the caller's workspace beside it, and how to launch there."""

    folder: Path
    index: PackageIndex
    installer: str
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        """Where environments are kept."""
        return self.folder / "temp" / "stagegate"

    @property
    def workspace(self) -> Path:
        """The caller's working directory."""
        return self.folder / "workspace"

    def lock(self, *wheels: Wheel, text: str = "") -> None:
        """Replace the lock."""
        lines = text or "".join(each.requirement for each in wheels)
        (self.folder / "toolkit" / "scripts" / "requirements.txt").write_text(lines, encoding="utf-8")

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start `scripts/run` with arguments, as a process group of its own."""
        return subprocess.Popen(
            [self.folder / "toolkit" / "scripts" / "run", *(arguments or ("probe",))],
            cwd=self.workspace,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Exit code and output of `scripts/run`."""
        process = self.start(*arguments, environ=environ)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def probe(self, *arguments: str, environ: Mapping[str, str] | None = None) -> dict[str, object]:
        """The environment that the entrypoint had."""
        code, output = self.run("probe", *arguments, environ=environ)
        assert code == 0, output
        seen: dict[str, object] = json.loads(output)
        return seen

    def environments(self) -> list[str]:
        """Names of everything in the cache."""
        return sorted(entry.name for entry in self.cache.iterdir()) if self.cache.is_dir() else []


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest) -> str:
    """Both ways of installing."""
    return str(request.param)


@pytest.fixture
def toolkit(tmp_path: Path, installer: str) -> Iterator[Toolkit]:
    """A toolkit whose PATH holds one python3 (with pip) and, when asked, uv."""
    with PackageIndex(LIBRARY) as index:
        kit = Toolkit(tmp_path, index, installer)
        scripts = tmp_path / "toolkit" / "scripts"
        (scripts / "stagegate").mkdir(parents=True)
        kit.workspace.mkdir()
        for file in (
            "run",
            "stagegate/__init__.py",
            "stagegate/launcher.py",
            "stagegate/start.py",
            "stagegate/libraries.py",
            "stagegate/installers.py",
        ):
            shutil.copy(ROOT / "scripts" / file, scripts / file)
        (scripts / "probe.py").write_text(PROBE, encoding="utf-8")
        kit.lock(LIBRARY)
        programs = tmp_path / "bin"
        programs.mkdir()
        wrapper = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
        (programs / "python3").write_text(wrapper, encoding="utf-8")
        (programs / "python3").chmod(0o755)
        if installer == "uv":
            uv = shutil.which("uv")
            assert uv, "uv is part of the toolbox: run the tests by `make test`"
            (programs / "uv").symlink_to(uv)
        kit.environ = {
            "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(tmp_path / "home"),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index.url,
            "UV_DEFAULT_INDEX": index.url,
            "PIP_NO_CACHE_DIR": "1",
            "UV_NO_CACHE": "1",
            "UV_NO_CONFIG": "1",
            "PIP_RETRIES": "0",
            "UV_HTTP_RETRIES": "0",
        }
        yield kit
