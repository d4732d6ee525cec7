"""uv and pip: how they are called, with whose settings, and what their failures mean.

Standard library only, as in `libraries`, which loads this where there is something to install.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from stagegate.libraries import NoLibraries, ensure, key, make_home, without_python_settings

INSTALL_SECONDS = 900
TAIL_LINES = 12
PIP_INSTALL = ("install", "--quiet", "--no-input", "--no-user", "--no-compile", "--disable-pip-version-check")

# Of pip's and uv's own variables only those stay that say where packages come from and how to get there.
_SOURCES = """
    INDEX DEFAULT_INDEX EXTRA_INDEX_URL FIND_LINKS NO_INDEX OFFLINE CONFIG_FILE KEYRING CACHE_DIR NO_CACHE
    CERT CLIENT_CERT TRUSTED_HOST INSECURE NATIVE_TLS SYSTEM_CERTS SSL PROXY HTTP TIMEOUT DEFAULT_TIMEOUT
    REQUEST_TIMEOUT RETRIES CONCURRENT LINK_MODE
"""
_UV_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "extra-index-url": ("UV_INDEX",),
    "cert": ("SSL_CERT_FILE",),
    "proxy": ("HTTPS_PROXY", "HTTP_PROXY"),
    "trusted-host": ("UV_INSECURE_HOST",),
}
SOURCE_SETTINGS = tuple(prefix + name for prefix in ("UV_", "PIP_") for name in _SOURCES.split())


def locked_environment(lock: str, root: str) -> str:
    """Path of the environment that holds exactly `lock`; built under `root` when it is not there yet."""
    home = os.path.join(root, key(lock))
    return ensure(home, lambda folder: install_with_any(lock, folder, commands(os.environ), os.environ))


def install_with_any(
    lock: str, folder: str, commands: Sequence[Sequence[str]], environ: Mapping[str, str]
) -> None:
    """`install` with the first command that succeeds; the first one's NoLibraries where none does.

    A file with another hash ends it at once: another installer must not be asked to accept it.
    """
    first: NoLibraries | None = None
    for number, command in enumerate(commands, 1):
        try:
            install(lock, folder, command, environ)
            return
        except NoLibraries as refusal:
            if number == len(commands) or refusal.reason == "wrong-source":
                raise first or refusal from None  # the first installer is the one that should have worked
            first = refusal
        print(f"{os.path.basename(command[0])} could not install the libraries; trying pip.", flush=True)
        for entry in os.listdir(folder):
            path = os.path.join(folder, entry)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def install(lock: str, folder: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
    """Make `folder` a virtual environment that holds exactly the files of `lock`, each checked by its hash.

    `command` is the beginning of the installer's command line. No package's own code is run: wheels only.
    """
    site = make_home(folder)
    work = os.path.join(folder, "work")  # neutral: no uv.toml, pyproject.toml or semver.py of the caller's
    os.mkdir(work)
    options = ["--target", site, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", lock]
    options += _from_folder(environ)
    try:
        done = subprocess.run(
            [*command, *options],
            cwd=work,
            env=installer_environ(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _not_installed(f"It took longer than {INSTALL_SECONDS} seconds", error.stdout or b"") from error
    if done.returncode and b"No module named pip" in done.stdout:
        raise NoLibraries(
            "missing-tool",
            2,
            "Neither uv nor pip is installed.",
            f"stagegate's libraries are installed with one of them, and {sys.executable} has no pip.",
            "Install uv or pip in a step before this one (actions/setup-python brings pip).",
        )
    if re.search(rb"hash mismatch|not match the hashes", done.stdout, re.IGNORECASE):
        _show(done.stdout)
        raise NoLibraries(
            "wrong-source",
            2,
            "A library was not installed, because it is not the one that the lock file names.",
            "The package index serves a file with other bytes.",
            "Look at that index or mirror before anything else is installed from it.",
        )
    if done.returncode:
        raise _not_installed(f"The installer ended with {done.returncode}", done.stdout)
    os.rmdir(work)


def _from_folder(environ: Mapping[str, str]) -> list[str]:
    """The options that take files from the folder STAGEGATE_WHEELS and from no index; none where it is not set."""
    folder = environ.get("STAGEGATE_WHEELS", "")
    if not folder:
        return []
    if not os.path.isdir(folder):
        raise NoLibraries(
            "missing-file",
            2,
            f"STAGEGATE_WHEELS is {folder!r}, which does not exist.",
            "With it, the libraries are installed from that folder instead of an index.",
            "Unpack the archive of wheels of this release into that folder, or unset the variable.",
        )
    return ["--no-index", "--find-links", os.path.abspath(folder)]


def commands(environ: Mapping[str, str]) -> list[list[str]]:
    """How installers are called, in the order in which to try them: uv where it is on PATH, then pip."""
    pip = [sys.executable, "-m", "pip", *PIP_INSTALL]
    uv = shutil.which("uv", path=environ.get("PATH"))
    if not uv:
        return [pip]
    return [[uv, "pip", "install", "--quiet", "--no-progress", "--python", sys.executable], pip]


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Index, certificate and proxy of pip's configuration files, under the names that uv reads.

    uv does not read pip.conf: https://docs.astral.sh/uv/pip/compatibility/. Later files win over earlier
    ones, in pip's own order: https://pip.pypa.io/en/stable/topics/configuration/.
    """
    home = os.path.expanduser("~")
    system = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    files = [
        *(os.path.join(folder, "pip/pip.conf") for folder in reversed(system)),
        "/etc/pip.conf",
        os.path.join(home, ".pip/pip.conf"),
        os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip/pip.conf"),
        environ.get("PIP_CONFIG_FILE", ""),
    ]
    if environ.get("PIP_CONFIG_FILE") == os.devnull:
        return {}
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read([file for file in files if file], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    settings: dict[str, str] = {}
    for section in ("global", "install"):
        for option, names in _UV_NAMES.items():
            value = parser.get(section, option, fallback="").strip()
            if value:
                settings.update(dict.fromkeys(names, value))
    return settings


def installer_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of uv and pip: mirrors, certificates and proxies stay, other settings do not."""
    kept = {**pip_settings(environ), **without_python_settings(environ)}
    return {
        name: value
        for name, value in kept.items()
        if not name.startswith(("UV_", "PIP_")) or name.startswith(SOURCE_SETTINGS)
    }


def _not_installed(why: str, output: bytes) -> NoLibraries:
    shown = _show(output)
    last = shown[-1].strip().rstrip(".") if shown else "it printed nothing"
    return NoLibraries(
        "unreachable",
        3,
        "stagegate's libraries could not be installed.",
        f"{why}: {last}.",
        "Check that the package index can be reached (PIP_INDEX_URL or UV_DEFAULT_INDEX name a "
        "mirror), then run the same command again.",
    )


def _show(output: bytes) -> list[str]:
    """Print the installer's last lines, and return them: without passwords, unable to speak to the runner."""
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()][-TAIL_LINES:]
    shown = [re.sub(r"//[^/@\s]+@", "//***@", line).replace("##[", "## [") for line in lines]
    for line in shown:
        print(f"| {line}", flush=True)
    return shown
