"""The development toolbox: `python3 lab/toolbox.py run COMMAND ...` with all that lab and tests need.

Works with Python 3.10+, git and make alone. Missing programs are installed from the configured package index
and from Debian's packages, without root, into a cache outside the repository; so it imports only the standard
library and stagegate.libraries, which does the same.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from stagegate import installers, libraries  # noqa: E402

LOCK = ROOT / "scripts" / "requirements-dev.txt"
PIP_PACKAGE = "python3-pip-whl"
REGISTRY_PACKAGE = "docker-registry"
INSTEAD = {PIP_PACKAGE: "uv or pip", REGISTRY_PACKAGE: "docker-registry"}
APT_SECONDS = 300

# `#!` lines name the folder a program was installed in, which is another by the time anybody calls it.
WRAPPER = """#!/bin/sh
exec "${{0%/*}}/python" "${{0%/*}}/../{program}" "$@"
"""

# Debian's pip may be older than the Python it runs in, and asks Python 3.12+ for a class that is gone.
RUN_PIP = """
import pkgutil, runpy, sys
vars(pkgutil).setdefault("ImpImporter", type("ImpImporter", (), {}))
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


class Missing(Exception):
    """A program is not available on this machine; the text is one sentence that names it."""


def main(arguments: Sequence[str]) -> int:
    """`run COMMAND ...` runs it among the tools, `path` prints their folder; 2 when they are not available."""
    command = list(arguments[1:])
    if (arguments[:1] != ["run"] or not command) and list(arguments) != ["path"]:
        return _refuse("usage: python3 lab/toolbox.py run COMMAND [ARGUMENT ...], or path.")
    if sys.version_info < (3, 10):  # noqa: UP036 - started by whatever python3 is there
        return _refuse("python3 on PATH is {}.{}, and 3.10 or newer is needed.".format(*sys.version_info[:2]))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            folder = toolbox(LOCK, cache(os.environ), os.environ)
    except (Missing, libraries.NoLibraries) as trouble:
        return _refuse(str(trouble))
    except OSError as error:
        return _refuse(f"{error.filename or cache(os.environ)} cannot be used: {error.strerror or error}.")
    if not command:
        print(folder)
        return 0
    environ = surroundings(folder, os.environ)
    program = shutil.which(command[0], path=environ["PATH"])
    if program is None:
        return _refuse(f"there is no program {command[0]!r}, neither in the toolbox nor on PATH.")
    return os.execve(program, command, environ)  # noqa: S606


def cache(environ: Mapping[str, str]) -> Path:
    """The folder toolboxes are kept in: outside the repository, because act copies that for every `uses:`."""
    return Path(environ.get("STAGEGATE_CACHE") or libraries.user_cache(environ)).absolute()


def surroundings(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Environment of a command: the tools first on PATH, one STAGEGATE_CACHE for all its actions."""
    variables = libraries.without_python_settings(environ)
    path = os.pathsep.join((str(folder), environ.get("PATH", os.defpath)))
    return {**variables, "PATH": path, "STAGEGATE_CACHE": str(cache(environ))}


def toolbox(lock: Path, root: Path, environ: Mapping[str, str]) -> Path:
    """The folder of programs for `lock`, created under `root` if it is missing."""
    home = root / f"toolbox-{libraries.key(str(lock))}"
    path = environ.get("PATH", os.defpath)
    packages = [] if shutil.which(REGISTRY_PACKAGE, path=path) else [REGISTRY_PACKAGE]
    if not home.is_dir() and not _installer_there(environ):
        packages.append(PIP_PACKAGE)
    unpacked = debian(packages, root)
    if not home.is_dir():
        _say(f"fetching development tools into {home} (once, about 200 MB) ...")
        commands = installers.commands(environ)
        if PIP_PACKAGE in unpacked:
            commands = [[sys.executable, "-c", RUN_PIP, str(unpacked[PIP_PACKAGE]), *installers.PIP_INSTALL]]
        libraries.ensure(str(home), partial(_fill, lock, commands, environ))
    if REGISTRY_PACKAGE in unpacked:
        _link(home / "bin" / REGISTRY_PACKAGE, unpacked[REGISTRY_PACKAGE] / "usr/bin" / REGISTRY_PACKAGE)
    return home / "bin"


def debian(packages: Sequence[str], root: Path) -> dict[str, Path]:
    """Folders with the files of Debian packages, fetched as a plain user with lists and caches of our own."""
    folders = {package: root / f"debian-{package}-{os.uname().machine}" for package in packages}
    absent = [package for package, folder in folders.items() if not folder.is_dir()]
    if not absent:
        return folders
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Missing(
            f"{' and '.join(absent)} cannot be fetched, because apt-get or dpkg-deb is not there: "
            + " and ".join(f"install {INSTEAD[package]}" for package in absent)
            + "."
        )
    _say(f"fetching {' and '.join(absent)} from Debian's packages (once) ...")
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=root) as work:
        _apt(work, "update")
        _apt(work, "download", *absent)
        for package in absent:
            archive = next(Path(work).glob(f"{package}_*.deb"))
            libraries.ensure(str(folders[package]), partial(_unpack, archive))
    return folders


def _apt(work: str, *command: str) -> None:
    lists = Path(work, "lists", "partial")
    lists.mkdir(parents=True, exist_ok=True)
    Path(work, "archives", "partial").mkdir(parents=True, exist_ok=True)
    options = (f"Dir::State::lists={work}/lists", f"Dir::Cache={work}", "Acquire::Languages=none")
    lab_options = (
        "Debug::NoLocking=1",
        "APT::Sandbox::User=root",
        "quiet=2",
    )  # only root would switch to apt's user
    settings = [part for option in options + lab_options for part in ("-o", option)]
    _run(["apt-get", *settings, *command], Path(work))


def _unpack(archive: Path, folder: str) -> None:
    _run(["dpkg-deb", "-x", str(archive), folder], archive.parent)
    for wheel in Path(folder).glob("usr/share/python-wheels/pip-*.whl"):
        zipfile.ZipFile(wheel).extractall(
            folder
        )  # inside the archive, older pips do not run with newer Pythons


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        completed = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=APT_SECONDS,
            check=False,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{command[0]} took longer than {APT_SECONDS} seconds.") from error
    if completed.returncode:
        last = (completed.stdout.strip().splitlines() or ["it said nothing"])[-1]
        raise Missing(f"{command[0]} {command[-1]} ended with {completed.returncode}: {last.rstrip('.')}.")


def _installer_there(environ: Mapping[str, str]) -> bool:
    if shutil.which("uv", path=environ.get("PATH")):
        return True
    pip = [sys.executable, "-m", "pip", "--version"]
    return subprocess.run(pip, capture_output=True, cwd="/", check=False).returncode == 0


def _fill(lock: Path, commands: Sequence[Sequence[str]], environ: Mapping[str, str], home: str) -> None:
    outside = {
        name: value for name, value in environ.items() if name != "STAGEGATE_WHEELS"
    }  # the actions' own
    installers.install_with_any(str(lock), home, commands, outside)
    folder = Path(home)
    for program in folder.glob("lib/python*/site-packages/bin/*"):
        inside = program.relative_to(folder)
        with program.open("rb") as file:
            is_script = file.read(2) == b"#!"
        entry = folder / "bin" / program.name
        if entry.exists():
            continue
        if is_script:
            entry.write_text(WRAPPER.format(program=inside), encoding="utf-8")
            entry.chmod(0o755)
        else:
            entry.symlink_to(Path("..", inside))


def _link(link: Path, target: Path) -> None:
    """Make `link` point at `target`, in one step."""
    if link.is_symlink() and link.resolve() == target.resolve():
        return
    new = link.with_name(f".{link.name}-{os.getpid()}")
    new.symlink_to(target)
    new.replace(link)


def _refuse(sentence: str) -> int:
    _say(sentence)
    return 2


def _say(text: str) -> None:
    print(f"toolbox: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
