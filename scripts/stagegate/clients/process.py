"""Runs other programs: the only subprocess call of stagegate. Always an argv, never a shell."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from stagegate.errors import Stop
from stagegate.runner import log

_LAST_WORDS = 2.0  # seconds to read the output of a killed program


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A program that ended: exit code, and both streams as bytes."""

    argv: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text, undecodable bytes replaced."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        """Standard error as text, undecodable bytes replaced."""
        return self.stderr.decode("utf-8", "replace")


class ProgramFailed(Exception):
    """A program ended with an exit code other than 0. The text shows command, code and both streams."""

    def __init__(self, completed: Completed) -> None:
        self.completed = completed
        streams = "".join(f"\n    {line}" for line in (completed.errors + completed.text).splitlines()[-40:])
        super().__init__(log.redact(f"`{' '.join(completed.argv)}` ended with {completed.code}:{streams}"))


def run(
    *argv: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float = 120,
    secrets: Sequence[str] = (),
    check: bool = True,
) -> Completed:
    """Run a program to its end and return its output.

    `env` is added to ours. After `timeout` seconds the whole process group is ended: Stop(timeout).
    `secrets` are masked wherever they would be shown. ProgramFailed on an exit code other than 0 unless
    `check` is false. Stop(missing-tool) when the program is not there.
    """
    log.mask(*secrets)
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise _missing(argv[0], cwd) from error
    ended = False
    try:
        stdout, stderr = process.communicate(input, timeout=timeout)
        ended = True
    except subprocess.TimeoutExpired as error:
        raise Stop(
            "timeout",
            f"{argv[0]} did not end within {timeout:g} seconds.",
            log.redact(f"The command was `{' '.join(argv)}`."),
            "Run the job again. If the same error occurs every time, find out what the command waits for.",
        ) from error
    finally:
        if not ended:  # a child may keep the streams open after the program has ended
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # a child outside the group may keep them open
                process.communicate(timeout=_LAST_WORDS)
    completed = Completed(argv=argv, code=process.returncode, stdout=stdout, stderr=stderr)
    if check and completed.code:
        raise ProgramFailed(completed)
    return completed


def run_bounded(
    *argv: str, cwd: Path, env: Mapping[str, str], timeout: float, keep: int = 64 * 1024
) -> Completed:
    """Run somebody else's program with exactly this environment, and keep the last `keep` bytes of each stream.

    Whatever it prints goes to a file first, so neither its amount nor a child that holds the stream can hurt.
    When it ends or after `timeout` seconds (Stop(timeout)) its whole process group is ended.
    """
    import tempfile

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise _missing(argv[0], cwd) from error
        try:
            code = _waited(process, timeout)
        except subprocess.TimeoutExpired as error:
            raise Stop(
                "timeout",
                f"{argv[0]} did not end within {timeout:g} seconds.",
                f"The last output of the command was: {_tail(err, 300) or _tail(out, 300) or 'none'}.",
                "Run the command by hand. If the command only needs more time, raise the time-out.",
            ) from error
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return Completed(argv=argv, code=code, stdout=_last(out, keep), stderr=_last(err, keep))


def _waited(process: subprocess.Popen[bytes], timeout: float) -> int:
    """Wait for the end of a program without polling, unlike `Popen.wait` with a timeout."""
    try:
        ended = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        return process.wait(timeout)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        if not poll.poll(timeout * 1000):
            raise subprocess.TimeoutExpired(process.args, timeout)
    finally:
        os.close(ended)
    return process.wait()


def _last(file: IO[bytes], keep: int) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - keep))
    return file.read()


def _tail(file: IO[bytes], keep: int) -> str:
    """The last `keep` characters, cut only after redaction, because half a secret is not recognised."""
    return " ".join(log.redact(_last(file, 64 * 1024).decode("utf-8", "replace")).split())[-keep:]


def require(program: str, install: str) -> str:
    """Path of a program on PATH; Stop(missing-tool) with the line that installs it."""
    import shutil  # with the readers of archives, which a run of git does not need

    path = shutil.which(program)
    if path is None:
        raise Stop(
            "missing-tool", f"{program} is not on PATH.", f"This action needs the program {program}.", install
        )
    return path


def _missing(program: str, cwd: Path | None) -> Stop:
    if cwd is not None and not cwd.is_dir():
        return Stop(
            "missing-file",
            f"There is no folder {cwd.name}.",
            f"{program} should run in this folder.",
            "Check the path of the folder.",
        )
    return Stop(
        "missing-tool",
        f"{program} is not on PATH.",
        f"This action runs the program {program}.",
        f"Install {program} in a step before this one.",
    )
