"""Printed text contains no secret in any form, and no unintended command to the runner."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagegate.runner import log
from tests.runner.reading import commands, properties

SECRET = 'p/q+r s?ü"w\\x'
KEY = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA1\nx1\nq9Zr3vTnG0\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
    ],
)
def test_a_secret_is_hidden_in_every_encoding(shown: str) -> None:
    log.mask(SECRET)
    assert log.redact(f"before {shown} after").strip('"= ') in (
        "before *** after",
        "before ***= after",
        "before ***== after",
        'before "***" after',
    )


def test_each_line_of_a_key_is_hidden_and_short_lines_do_not_hide_the_log() -> None:
    log.mask(KEY)
    for shown in (KEY, json.dumps(KEY), quote(KEY), base64.b64encode(KEY.strip().encode()).decode()):
        hidden = log.redact(shown)
        assert "MIIEpAIBAAKCAQEA1" not in hidden
        assert "q9Zr3vTnG0" not in hidden
        assert base64.b64encode(KEY.strip().encode()).decode() not in hidden
    assert log.redact("  q9Zr3vTnG0,") == "  ***,"
    assert log.redact("x1") == "x1"


def test_a_secret_that_contains_another_is_hidden_as_a_whole() -> None:
    log.mask("abcd", "abcdefgh")
    assert log.redact("abcdefgh abcd") == "*** ***"


def test_values_too_short_to_be_secret_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    log.mask("", " ", "abc", "ab\n")
    log.say("abc YWJj ab")
    assert capsys.readouterr().out == "abc YWJj ab\n"


def test_secrets_are_masked_before_anything_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log.mask("only-by-hand")
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    log.mask(KEY)
    log.mask(KEY)
    told = commands(capsys.readouterr().out)
    assert {name for name, _ in told} == {"add-mask"}
    assert {KEY.strip(), "MIIEpAIBAAKCAQEA1", "q9Zr3vTnG0"} <= {data for _, data in told}
    assert len(told) == len(set(told)), "masked once"


@pytest.mark.parametrize(
    "hostile",
    [
        "::error::x",
        "  \t::error file=a::x",
        "\u00a0::stop-commands::token",
        "\u2003::warning::x",
        "a\r::error::x",
        "a\r\n::add-mask::x",
        "\r::set-env name=PATH::x",
        "\n\n::error::x",
        "##[error]x",
        "harmless ##[add-mask]e",
        "a ##[group]##[error]x",
        "\x0b\x0c::error::x",
        "\x85::error::x",
    ],
)
def test_foreign_text_gives_no_command(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands(hostile), "this sample contains no command"
    log.say(hostile)
    log.to_stderr(hostile)
    said = capsys.readouterr()
    assert commands(said.out) == commands(said.err) == []
    assert said.out.replace("\u200b", "") == hostile.replace("\r", "") + "\n", "no other text changes"


words = st.sampled_from(
    [
        "::",
        ":",
        "#",
        "##",
        "[",
        "##[",
        "]",
        "error",
        "stop-commands",
        " ",
        "\n",
        "\r",
        "\t",
        "\x85",
        "\u2028",
        "%0A",
        "x",
    ]
)


@given(st.lists(words, max_size=12).map("".join))
def test_no_mixture_of_markers_gives_a_command(text: str) -> None:
    assert commands(log.neutral(text)) == []


def test_many_blank_lines_take_no_time() -> None:
    began = time.process_time()
    log.neutral("\n" * 20_000 + " " * 20_000)
    assert time.process_time() - began < 1, "the time must not grow quadratically"


def test_an_annotation_is_one_command_whatever_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    log.mask("hush-hush")
    text, title = "100% a\r\n::error::b hush-hush", "a: b, c=d%\nhush-hush"
    log.annotate("warning", text, title=title, file="dir,x/a:b.yaml", line=3)
    printed = capsys.readouterr().out
    assert commands(printed) == [("warning", "100% a\r\n::error::b ***")]
    assert printed.count("\n") == 1
    assert properties(printed) == {"title": "a: b, c=d%\n***", "file": "dir,x/a:b.yaml", "line": "3"}


def test_a_group_is_closed_when_its_block_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), log.group("a\n::error::b"):
        raise ZeroDivisionError
    assert commands(capsys.readouterr().out) == [("group", "a\n::error::b"), ("endgroup", "")]


def test_a_character_that_the_terminal_lacks_does_not_stop_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", stream)
    log.say("\u2192 ::x \udcff")
    log.say("::error::x")
    assert commands(stream.buffer.getvalue().decode("latin-1")) == []


def test_lines_arrive_before_the_step_is_killed() -> None:
    program = "import os\nfrom stagegate.runner import log\nlog.say('said')\nlog.debug('more')\nos._exit(9)"
    scripts = Path(log.__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=scripts, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (9, "said\n::debug::more\n")
