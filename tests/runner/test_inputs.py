"""Inputs: a flag wins over a variable and a default, every value has its type, and no message shows a secret."""

from __future__ import annotations

from typing import Literal

import pytest

from stagegate.errors import Stop
from stagegate.runner import log
from stagegate.runner.inputs import Inputs, load


class Example(Inputs, frozen=True, kw_only=True):
    """One field of each kind."""

    version: str
    mode: Literal["wait", "watch"] = "wait"
    number: int | None = None
    files: tuple[str, ...] = ()
    registry_password: str = ""
    with_: str = ""


def read(*argv: str, **environ: str) -> Example:
    return load(Example, argv, {"SG_VERSION": "1.0.0", **environ})


def refused(*argv: str, **environ: str) -> Stop:
    with pytest.raises(Stop) as caught:
        read(*argv, **environ)
    assert caught.value.reason == "bad-input"
    return caught.value


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default() -> None:
    assert read().config == "stagegate.yaml"
    assert read(SG_CONFIG="b.yaml").config == "b.yaml"
    assert read("--config", "c.yaml", SG_CONFIG="b.yaml").config == "c.yaml"
    assert read("--config=d=e.yaml", SG_CONFIG="b.yaml").config == "d=e.yaml"


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_input_counts_as_not_given(empty: str) -> None:
    assert read(SG_CONFIG=empty).config == "stagegate.yaml"
    assert read(f"--config={empty}", SG_CONFIG="b.yaml").config == "b.yaml"
    assert read(SG_NUMBER=empty).number is None
    assert refused(SG_VERSION=empty).what == "Input missing: version."


def test_a_missing_input_is_named_by_its_public_name() -> None:
    with pytest.raises(Stop, match=r"Input missing: version\..*--version") as caught:
        load(Example, (), {})
    assert caught.value.reason == "bad-input"


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), (" false ", False), ("FALSE", False)]
)
def test_a_boolean_is_parsed(text: str, value: bool) -> None:
    assert read(SG_DRY_RUN=text).dry_run is value
    assert read(f"--dry-run={text}").dry_run is value


@pytest.mark.parametrize("text", ["yes", "1", "on", "tru", "truefalse"])
def test_a_text_that_is_not_a_boolean_is_refused(text: str) -> None:
    assert "true, false" in refused(SG_DRY_RUN=text).why


def test_a_switch_needs_no_value() -> None:
    assert read("--dry-run").dry_run
    given = read("--dry-run", "--config", "x.yaml", SG_DRY_RUN="false")
    assert (given.dry_run, given.config) == (True, "x.yaml")
    assert not read("--dry-run", "false").dry_run


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (("--confg", "x"), "--confg"),
        (("config",), "config"),
        (("-c", "x"), "-c"),
        (("--dry_run",), "--dry_run"),
        (("--",), "--"),
        (("--config",), "--config needs a value"),
        (("--config", "--dry-run"), "--config needs a value"),
    ],
)
def test_unknown_and_unfinished_flags_are_refused(argv: tuple[str, ...], what: str) -> None:
    assert what in refused(*argv).what


def test_a_mistyped_flag_does_not_show_the_secret_behind_it() -> None:
    assert "tops3cret" not in str(refused("--tokn=tops3cret"))


def test_an_input_named_like_a_python_keyword_is_read() -> None:
    assert read(SG_WITH="a: 1").with_ == "a: 1"
    assert read("--with", "a: 1").with_ == "a: 1"
    assert refused("--with_", "a: 1").why.endswith(" --with.")


@pytest.mark.parametrize("text", ["-1", "1.5", "twelve", "²", "9" * 5000])
def test_a_text_that_is_not_a_number_is_refused(text: str) -> None:
    assert refused(SG_NUMBER=text).why == "The value must be a whole number."


def test_numbers_choices_and_lists_are_parsed() -> None:
    given = read(SG_NUMBER=" 12 ", SG_MODE="watch", SG_FILES="a b\n\n  c  \r\n")
    assert (given.number, given.mode, given.files) == (12, "watch", ("a b", "c"))
    assert "wait, watch" in refused(SG_MODE="Watch!").why


def test_secrets_are_masked_before_anything_can_fail() -> None:
    refused("--unknown", SG_TOKEN="t0ken-one", SG_REGISTRY_PASSWORD="pa55-word")
    assert log.redact("t0ken-one pa55-word") == "*** ***"
    read("--token", "t0ken-two")
    assert log.redact("t0ken-two") == "***"


def test_a_line_end_is_not_part_of_a_secret() -> None:
    given = read(SG_TOKEN="abcdefgh\n", SG_REGISTRY_PASSWORD=" with blanks \r\n")
    assert (given.token, given.registry_password) == ("abcdefgh", " with blanks ")


class Gate(Inputs, frozen=True, kw_only=True):
    """Inputs that may be lines of STAGEGATE_VARIABLES, and one that may not."""

    argocd_server: str = ""
    argocd_token: str = ""
    registry_password: str = ""


SECRET = "ARGOCD_TOKEN=t0ken-of-argo\nARGOCD_SERVER=https://argo.example\nREGISTRY_PASSWORD=not-this-one\n"


def test_two_inputs_may_be_lines_of_one_secret() -> None:
    given = load(Gate, (), {"STAGEGATE_VARIABLES": SECRET})
    assert (given.argocd_token, given.argocd_server) == ("t0ken-of-argo", "https://argo.example")
    assert given.registry_password == ""
    own = load(Gate, (), {"STAGEGATE_VARIABLES": SECRET, "SG_ARGOCD_TOKEN": "another-token"})
    assert own.argocd_token == "another-token"


def test_every_value_of_that_secret_is_masked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    load(Gate, (), {"STAGEGATE_VARIABLES": "SHOP_USER=octo-tester\nSHOP_PASSWORD=hunter2-of-lines\n"})
    printed = capsys.readouterr().out
    assert "::add-mask::octo-tester\n" in printed
    assert "::add-mask::hunter2-of-lines\n" in printed
    assert "hunter2" not in log.redact("it is hunter2-of-lines")
    assert log.redact("octo-tester") == "octo-tester", "only the log hides a name"
