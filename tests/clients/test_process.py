"""Programs end as a group, messages show no secret, and every failure to start has its own message."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stagegate.clients import process
from stagegate.clients.process import ProgramFailed
from stagegate.errors import Stop
from stagegate.runner import log

SECRET = "s3cret/of+nobody"
STAYS = "sleep 60"


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_secrets", set())


def sh(script: str, *words: str) -> tuple[str, ...]:
    return ("sh", "-c", script, "sh", *words)


def gone(pid: int) -> bool:
    """Whether a process has ended, or ends at once (a zombie of another parent counts as ended)."""
    for _ in range(500):
        try:
            if (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_output_of_a_program_is_returned() -> None:
    done = process.run(*sh('printf "$1"; printf oops >&2; cat', "a\\377b"), input=b" more", check=False)
    assert (done.code, done.stdout, done.text, done.errors) == (0, b"a\xffb more", "a\ufffdb more", "oops")
    assert process.run(*sh("exit 3"), check=False).code == 3


def test_arguments_are_never_a_shell_line(tmp_path: Path) -> None:
    hostile = f"$(touch {tmp_path}/made); `touch {tmp_path}/made` && touch {tmp_path}/made\n"
    assert process.run("printf", "%s", hostile).text == hostile
    assert list(tmp_path.iterdir()) == []


def test_without_input_a_program_reads_nothing() -> None:
    assert process.run("cat", timeout=10).stdout == b""


def run_until_timeout(script: str, folder: Path) -> Stop:
    with pytest.raises(Stop) as caught:
        process.run(*sh(script, str(folder)), timeout=0.5)
    return caught.value


def bounded_until_timeout(script: str, folder: Path) -> Stop:
    environ = {"PATH": os.environ["PATH"]}
    with pytest.raises(Stop) as caught:
        process.run_bounded(*sh(script, str(folder)), cwd=folder, env=environ, timeout=0.5)
    return caught.value


@pytest.mark.parametrize("until", [run_until_timeout, bounded_until_timeout])
def test_a_timeout_ends_the_whole_group(until: Callable[[str, Path], Stop], tmp_path: Path) -> None:
    script = f'trap "" TERM INT; {STAYS} & echo $! > "$1/child"; echo $$ > "$1/own"; wait; {STAYS}'
    stop = until(script, tmp_path)
    assert (stop.reason, "0.5 seconds" in stop.what) == ("timeout", True)
    assert gone(int((tmp_path / "child").read_text()))
    assert gone(int((tmp_path / "own").read_text()))


def test_a_child_left_behind_with_the_streams_is_ended_too(tmp_path: Path) -> None:
    stop = run_until_timeout(f'{STAYS} & echo $! > "$1/child"', tmp_path)
    assert stop.reason == "timeout"
    assert gone(int((tmp_path / "child").read_text())), "the program had ended, its child had not"


def test_a_child_that_left_the_group_delays_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    program = f"import os, time\nif os.fork() == 0:\n os.setsid()\n open({str(tmp_path / 'child')!r}, 'w').write(str(os.getpid()))\n time.sleep(60)"
    try:
        with pytest.raises(Stop, match="did not end"):
            process.run(sys.executable, "-c", program, timeout=0.5)
        assert time.monotonic() - began < 20
    finally:
        os.kill(int((tmp_path / "child").read_text()), 9)


def test_a_bounded_program_leaves_no_child_even_when_it_succeeds(tmp_path: Path) -> None:
    script = f'{STAYS} & echo $! > "$1/child"; echo done'
    done = process.run_bounded(
        *sh(script, str(tmp_path)), cwd=tmp_path, env={"PATH": os.environ["PATH"]}, timeout=20
    )
    assert (done.code, done.text) == (0, "done\n")
    assert gone(int((tmp_path / "child").read_text()))


def test_a_bounded_program_has_only_the_given_environment_and_little_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SG_TOKEN", SECRET)
    environ = {"PATH": os.environ["PATH"], "ONLY": "this"}
    seen = process.run_bounded("env", cwd=tmp_path, env=environ, timeout=20).text
    assert SECRET not in seen
    assert "ONLY=this" in seen
    flood = process.run_bounded(*sh("yes | head -c 3000000; echo end"), cwd=tmp_path, env=environ, timeout=20)
    assert (len(flood.stdout), flood.stdout[-4:]) == (64 * 1024, b"end\n")


def test_the_end_of_the_output_shows_no_part_of_a_secret(tmp_path: Path) -> None:
    log.mask(SECRET)
    stop = bounded_until_timeout(f"printf '%s %0295d' '{SECRET}' 0; {STAYS}", tmp_path)
    assert "nobody" not in stop.why
    assert "0000" in stop.why


def test_secrets_are_in_no_message() -> None:
    script = 'echo "out $1"; echo "err $TOKEN" >&2; exit 7'
    with pytest.raises(ProgramFailed) as failed:
        process.run(*sh(script, SECRET), env={"TOKEN": SECRET}, secrets=[SECRET])
    said = str(failed.value)
    assert SECRET not in said
    assert ("ended with 7" in said, "out ***" in said, "err ***" in said) == (True, True, True)
    with pytest.raises(Stop) as slow:
        process.run(*sh(STAYS, SECRET), timeout=0.3, secrets=[SECRET])
    assert SECRET not in f"{slow.value}{slow.value.why}"


def test_a_missing_program_is_reported_with_its_fix(tmp_path: Path) -> None:
    with pytest.raises(Stop) as missing:
        process.run("no-such-program", "--x")
    assert (missing.value.reason, "no-such-program" in missing.value.what) == ("missing-tool", True)
    (tmp_path / "data").write_text("no program")
    for program in ("data", "data/below"):
        with pytest.raises(Stop) as unusable:
            process.run(str(tmp_path / program))
        assert unusable.value.reason == "missing-tool"
        with pytest.raises(Stop) as unusable:
            process.run_bounded(str(tmp_path / program), cwd=tmp_path, env={}, timeout=5)
        assert unusable.value.reason == "missing-tool"
    with pytest.raises(Stop, match="Install it so"):
        process.require("no-such-program", "Install it so.")


def test_a_missing_folder_is_not_a_missing_program(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(Stop) as caught:
            process.run("true", cwd=folder)
        assert (caught.value.reason, folder.name in caught.value.what) == ("missing-file", True)
