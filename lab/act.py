"""Runs workflow files under the real act, in a clean environment; a skipped job counts as a failure."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OF_OTHERS = {
    "actions/checkout": "checkout",
    "actions/upload-artifact": "upload-artifact",
}  # and ours in lab/actions
TIMEOUT = 300.0
# The summary of a step stays for some hundredths of a second.
_READ_SECONDS, _LOOK_SECONDS = 0.02, 0.3
OTHER_RUNNER = "lab-runner"  # a label that no GitHub runner has
PLATFORMS = ("ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04")
SKIPPED = "unsupported platform"  # act ends with 0 after a job it did not run


@dataclass(frozen=True)
class ActRun:
    """A finished workflow run: `code` 0 is success. `log` is what act printed."""

    id: int
    workflow: str
    event: str
    code: int
    log: Path
    seconds: float

    @property
    def summary(self) -> str:
        """The step summaries of its jobs, as Markdown."""
        file = self.log.with_suffix(".summary.md")
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @property
    def text(self) -> str:
        """The output of act."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def jobs(self) -> int:
        """How many runner jobs it took. A skipped job takes none."""
        return len(re.findall(r"🏁  Job (?:succeeded|failed)", self.text))


def run(
    *,
    workflow: str,
    event: str,
    payload: Mapping[str, object],
    clone: Path,
    home: Path,
    log: Path,
    actor: str,
    token: str,
    environ: Mapping[str, str],
    variables: Mapping[str, str],
    secrets: Mapping[str, str],
    repositories: Mapping[str, Path],
    path: str,
) -> int:
    """Run one workflow file of `clone` (a checkout at the event's commit); 0 only if every job ran and succeeded.

    `environ` is for the steps (addresses of the lab), `repositories` are `owner/name@ref` -> folder.
    """
    home.mkdir(parents=True, exist_ok=True)
    event_file = log.with_suffix(".event.json")
    event_file.write_text(json.dumps(payload), encoding="utf-8")
    command = ["act", event, "-W", f".github/workflows/{workflow}", "-e", str(event_file), "-a", actor]
    command += [
        word
        for platform in (*PLATFORMS, OTHER_RUNNER, "self-hosted")
        for word in ("-P", f"{platform}=-self-hosted")
    ]
    command += ["--no-skip-checkout", "--no-cache-server", *_of_others([clone, *repositories.values()])]
    command += [
        word for name, folder in repositories.items() for word in ("--local-repository", f"{name}={folder}")
    ]
    environ = {**environ, "LAB_ARTIFACTS": str(log.parent / "artifacts")}
    command += [word for key, value in environ.items() for word in ("--env", f"{key}={value}")]
    command += [word for key, value in variables.items() for word in ("--var", f"{key}={value}")]
    secret_file = log.with_suffix(".secrets")
    secret_file.write_text(
        "".join(f"{k}={json.dumps(v)}\n" for k, v in {**secrets, "GITHUB_TOKEN": token}.items())
    )
    secret_file.chmod(0o600)
    command += ["--secret-file", str(secret_file)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=clone,
            env={"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = _waited(process, home, log.with_suffix(".summary.md"))
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            secret_file.unlink()
    return 1 if SKIPPED in log.read_text(errors="replace") else code


def _waited(process: subprocess.Popen[bytes], home: Path, summaries: Path) -> int:
    """The exit code of act. The step summaries of its jobs are kept: act empties the file before each step."""
    links: dict[tuple[Path, int], Path] = {}
    texts: dict[str, None] = {}
    end = time.monotonic() + TIMEOUT
    looked = 0.0
    while True:
        if time.monotonic() - looked > _LOOK_SECONDS:
            looked = time.monotonic()
            _link_summaries(home, summaries, links)
        for link in links.values():
            text = link.read_text(encoding="utf-8", errors="replace") if link.stat().st_size else ""
            if text.endswith("\n"):
                texts[text] = None
        try:
            code = process.wait(_READ_SECONDS)
        except subprocess.TimeoutExpired:
            if time.monotonic() > end:
                raise
            continue
        complete = [
            text for text in texts if not any(longer != text and longer.startswith(text) for longer in texts)
        ]
        summaries.write_text("\n".join(complete), encoding="utf-8")
        return code


def _link_summaries(home: Path, summaries: Path, links: dict[tuple[Path, int], Path]) -> None:
    """A second name for the summary file of each job, which stays when act deletes the job's folder."""
    for file in home.glob(".cache/act/*/act/workflow/SUMMARY.md"):
        with contextlib.suppress(OSError):  # it is deleted between two calls
            key = file.parent, file.stat().st_ino
            if key not in links:
                link = summaries.with_name(f"{summaries.name}-{len(links)}")
                os.link(file, link)
                links[key] = link


def _of_others(folders: Sequence[Path]) -> list[str]:
    """Flags that put the lab's actions in the place of those of others that workflows pin by `@<sha>`."""
    files = [file for folder in folders for file in (folder / ".github" / "workflows").glob("*.yml")]
    lines = [line for file in files for line in file.read_text().splitlines()]
    used = {line.split("uses: ", 1)[1].split()[0] for line in lines if "uses: " in line}
    return [
        word
        for name in sorted(used)
        if (replacement := OF_OTHERS.get(name.partition("@")[0]))
        for word in ("--local-repository", f"{name}={ROOT / 'lab' / 'actions' / replacement}")
    ]


def clock(began: float) -> float:
    """Seconds since `began` (time.monotonic), to a tenth."""
    return round(time.monotonic() - began, 1)


def failures(log: Sequence[str]) -> list[str]:
    """The `::error` annotations and failed steps of a log, for people."""
    marks = ("❗", "::error", "❌", "level=fatal")
    return [line.strip() for line in log if any(mark in line for mark in marks)]
