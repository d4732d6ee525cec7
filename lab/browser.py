"""The headless Chromium of this machine, driven by playwright, for tests of pages and for pictures.

`sessions()` yields a browser, or raises `Missing` with one sentence where there is none. The driver and axe-core
come from their packages, into the cache of the toolbox, when a test first asks for them.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import toolbox
from lab.toolbox import Missing
from stagegate import libraries

LOCK = toolbox.ROOT / "scripts" / "requirements-browser.txt"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")


def program() -> str:
    """The browser on PATH. Missing where there is none."""
    executable = next((path for name in NAMES if (path := shutil.which(name))), None)
    if executable is None:
        raise Missing(
            "There is no Chromium on PATH; install Debian's package chromium to open the pages in it."
        )
    return executable


def packages() -> Path:
    """The folder with playwright and axe-core. Missing where their packages are not available."""
    try:
        home = toolbox.toolbox(LOCK, toolbox.cache(os.environ), os.environ).parent
    except libraries.NoLibraries as trouble:
        raise Missing(f"The driver of the browser is not available: {trouble}") from trouble
    return next(home.glob("lib/python*/site-packages"))


def axe() -> str:
    """The program text of axe-core."""
    return next(packages().glob("axe_playwright_python/axe.min.js")).read_text(encoding="utf-8")


@contextmanager
def sessions() -> Iterator[Any]:
    """A playwright browser while the block runs. Missing where there is none."""
    executable = program()
    folder = str(packages())
    if folder not in sys.path:
        sys.path.append(folder)
    api = importlib.import_module("playwright.sync_api")
    with api.sync_playwright() as playwright:
        # Chromium's own sandbox needs permissions that containers and root do not have; the pages are ours.
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()
