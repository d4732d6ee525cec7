"""The locked libraries: where their environment is, and how it is built atomically.

Standard library only, because this is what brings the others; and what is slow to import is imported where it
is needed, because every step of every job comes through here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

LAYOUT = "1"  # part of the key: raise it when the same lock is built into something different
STALE_SECONDS = 3600  # a build folder this old belongs to nobody: an install ends after INSTALL_SECONDS


class NoLibraries(Exception):
    """No environment: a reason of stagegate.errors with its exit code, and what happened, why, what next."""

    def __init__(self, reason: str, code: int, what: str, why: str, next: str) -> None:
        super().__init__(" ".join((what, why, next)))
        self.reason = reason
        self.code = code


def cache_root(environ: Mapping[str, str]) -> str:
    """The folder that holds environments: each job's own, unless STAGEGATE_CACHE asks for another.

    Never inside the workspace: a pull request fills that, and could plant what we run.
    """
    configured = environ.get("STAGEGATE_CACHE", "")
    if configured:
        workspace = os.path.realpath(environ.get("GITHUB_WORKSPACE") or "/nowhere")
        inside = os.path.commonpath((workspace, os.path.realpath(configured))) == workspace
        if not os.path.isabs(configured) or inside:
            raise NoLibraries(
                "bad-input",
                2,
                f"STAGEGATE_CACHE is {configured!r}.",
                "Programs are run from that folder, so it must be an absolute path outside the workspace.",
                "Set STAGEGATE_CACHE to a folder outside the workspace, or unset the variable.",
            )
        return configured
    if environ.get("RUNNER_TEMP"):
        return os.path.join(environ["RUNNER_TEMP"], "stagegate")
    return user_cache(environ)


def user_cache(environ: Mapping[str, str]) -> str:
    """stagegate's folder among the user's caches."""
    return os.path.join(environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "stagegate")


def key(lock: str) -> str:
    """16 hexadecimal digits that change with the lock's bytes and with the Python that would run it."""
    with open(lock, "rb") as file:
        parts = (file.read(), sys.version.encode(), base_python().encode(), os.uname().machine.encode())
    return _sha256(b"\0".join((*parts, LAYOUT.encode())))[:16]


def _sha256(content: bytes) -> str:
    """The digest in hexadecimal. hashlib loads OpenSSL first, which takes longer than everything else here."""
    for module in ("_sha2", "_sha256"):  # since Python 3.12, and before
        try:
            return str(__import__(module).sha256(content).hexdigest())
        except ImportError:
            continue
    import hashlib

    return hashlib.sha256(content).hexdigest()


def base_python() -> str:
    """The interpreter itself, also when we are started inside somebody's virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)


def ensure(home: str, fill: Callable[[str], None]) -> str:
    """`home`, which exists only when complete: filled under another name, then renamed in one step.

    Several processes may build the same home at once: the first rename wins, the others drop theirs. One
    that is killed leaves a build folder, which a later one removes. NoLibraries when the disk does not let us.
    """
    if os.path.isdir(home):
        return home
    import shutil
    import signal
    import tempfile

    root = os.path.dirname(home)
    try:
        os.makedirs(root, mode=0o700, exist_ok=True)
        _sweep(root)
        folder = tempfile.mkdtemp(prefix="building-", dir=root)
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            fill(folder)
            try:
                os.rename(folder, home)
            except OSError:
                if not os.path.isdir(home):
                    raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            signal.signal(signal.SIGTERM, before)
    except OSError as error:
        raise NoLibraries(
            "missing-permission",
            2,
            f"stagegate cannot write to {root}.",
            f"{error.strerror or error}.",
            "Make room in that folder, or set STAGEGATE_CACHE to a folder that can be written.",
        ) from error
    return home


def make_home(folder: str) -> str:
    """Lay out a virtual environment in `folder` and return its site-packages.

    By hand, because Python's venv module is a package of its own on some systems. It can be moved: nothing in
    it names its own place.
    """
    base = base_python()
    site = site_packages(folder)
    os.makedirs(site)
    os.mkdir(os.path.join(folder, "bin"))
    os.symlink(base, os.path.join(folder, "bin", "python"))
    os.symlink("python", os.path.join(folder, "bin", "python3"))
    with open(os.path.join(folder, "pyvenv.cfg"), "w", encoding="utf-8") as file:
        file.write(f"home = {os.path.dirname(base)}\ninclude-system-site-packages = false\n")
        file.write("version = {}.{}.{}\n".format(*sys.version_info[:3]))
    return site


def site_packages(home: str) -> str:
    """Where an environment has its libraries."""
    return os.path.join(home, "lib", "python{}.{}".format(*sys.version_info[:2]), "site-packages")


def without_python_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without anything that makes a Python behave differently."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("PYTHON") and name not in ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    }


def _sweep(root: str) -> None:
    import contextlib
    import shutil
    import time

    for entry in os.scandir(root):
        with contextlib.suppress(FileNotFoundError):  # another process may be sweeping too
            if entry.name.startswith("building-") and entry.stat().st_mtime < time.time() - STALE_SECONDS:
                shutil.rmtree(entry.path, ignore_errors=True)
