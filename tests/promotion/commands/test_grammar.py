"""The grammar of commands: every text is a command, no command, or refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagegate.comment.command import Command
from stagegate.comment.commands import COMMANDS
from stagegate.comment.parse import begins, parse
from stagegate.errors import Stop

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name != "all"
)
VERSIONS = st.from_regex(
    r"(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})(-rc\.[1-9])?", fullmatch=True
)
REASONS = st.text(
    st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=3, max_size=60
).filter(lambda text: text == text.strip() and "  " not in text and len(text) >= 3 and " for " not in text)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/promote prod", Command(name="promote", environment="prod")),
        ("/promote prod 1.2.0", Command(name="promote", environment="prod", version="1.2.0")),
        ("/promote shop/prod-eu 2.0.0-rc.1", Command(name="promote", app="shop", environment="prod-eu", version="2.0.0-rc.1")),
        ("/promote prod\r\n", Command(name="promote", environment="prod")),
        ("/promote   prod  \n\n", Command(name="promote", environment="prod")),
        ("/rollback prod", Command(name="rollback", environment="prod")),
        ("/hold prod the db moves", Command(name="hold", environment="prod", reason="the db moves")),
        ("/hold prod the db moves for 2h", Command(name="hold", environment="prod", reason="the db moves", until="2h")),
        ("/hold all/prod wait for ops for 30m", Command(name="hold", app="all", environment="prod", reason="wait for ops", until="30m")),
        ("/unhold all/prod", Command(name="unhold", app="all", environment="prod")),
        ("/ban 1.2.0 loses orders", Command(name="ban", version="1.2.0", reason="loses orders")),
        ("/ban shop@1.2.0 loses orders for 2h", Command(name="ban", app="shop", version="1.2.0", reason="loses orders for 2h")),
        ("/unban shop@1.2.0", Command(name="unban", app="shop", version="1.2.0")),
        ("/override prod 1.2.0 four-eyes prod is down", Command(name="override", environment="prod", version="1.2.0", rules=("four-eyes",), reason="prod is down")),
        ("/override prod 1.2.0 evidence,soak prod is down", Command(name="override", environment="prod", version="1.2.0", rules=("evidence", "soak"), reason="prod is down")),
        ("/status", Command(name="status")),
        ("/status shop/prod", Command(name="status", app="shop", environment="prod")),
        ("/help", Command(name="help")),
    ],
)  # fmt: skip
def test_valid_commands_are_parsed(text: str, command: Command) -> None:
    assert begins(text)
    assert parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "", "please /promote prod", " /promote prod", "\n/promote prod", "> /promote prod", "```\n/promote prod\n```",
        "    /promote prod", "`/promote prod`", "/promotexyz prod", "/PROMOTE prod", "/Promote prod", "//promote prod",
        "/promote\u200b prod", "\u200b/promote prod", "\ufeff/promote prod", "/prom\u043ete prod", "\uff0fpromote prod",
        "/promote/prod", "/promote,prod", "- /promote prod", "<!-- /promote prod -->", "/deploy prod", "/lgtm", "/",
    ],
)  # fmt: skip
def test_a_comment_that_is_not_a_command_is_ignored(text: str) -> None:
    assert not begins(text)


@pytest.mark.parametrize(
    "text",
    [
        "/promote", "/promote prod 1.2", "/promote prod v1.2.0", "/promote prod 01.2.0", "/promote prod 1.2.0 now",
        "/promote prod latest", "/promote PROD", "/promote pr\u043ed", "/promote prod\u200b", "/promote\tprod", "/promote\u00a0prod",
        "/promote prod\u202e", "/promote prod\n/hold prod because", "/promote prod\n\nthanks", "/promote prod\r/hold prod x",
        '/promote prod"; touch pwned #', "/promote $(id)", "/promote `id`", "/promote ${{ secrets.X }}", "/promote ../prod",
        "/promote prod ../../x", "/promote -prod", "/promote prod --dry-run", "/promote a/b/prod", "/promote all/prod",
        "/promote prod 1.2.0\u2028", "/promote prod ::set-env name=x::y", "/promote prod 1.2.0+b.7\x00",
        "/rollback all/prod", "/hold prod", "/hold prod x", "/hold prod " + "x" * 201, "/hold prod a\u200bb c", "/unhold prod please",
        "/ban 1.2.0", "/ban shop/1.2.0 why not", "/ban all@1.2.0 why not", "/unban", "/unban 1.2.0 why",
        "/override prod 1.2.0", "/override prod 1.2.0 evidence", "/override prod evidence because", "/override prod 1.2.0 a;b because",
        "/status prod now", "/status ../x", "/help me", "/promote prod " + "1" * 2000,
    ],
)  # fmt: skip
def test_a_malformed_command_is_refused_with_the_right_form(text: str) -> None:
    assert begins(text)
    with pytest.raises(Stop) as caught:
        parse(text)
    assert caught.value.reason == "bad-input"
    name = re.match(r"/(\w+)", text)
    assert name is not None
    assert COMMANDS[name[1]].usage in caught.value.next


@given(NAMES, NAMES, VERSIONS, REASONS, st.sampled_from(["", "2h", "30m", "7d"]))
def test_every_generated_command_is_parsed_back(
    app: str, environment: str, version: str, reason: str, until: str
) -> None:
    for command in (
        Command(name="promote", app=app, environment=environment, version=version),
        Command(name="rollback", environment=environment),
        Command(name="hold", app=app, environment=environment, reason=reason, until=until),
        Command(name="ban", app=app, version=version, reason=reason),
        Command(
            name="override",
            environment=environment,
            version=version,
            rules=("soak",),
            reason=reason,
            until=until,
        ),
    ):
        assert parse(command.text) == command


@given(st.text(max_size=80), st.sampled_from(sorted(COMMANDS)))
def test_any_text_after_a_command_is_read_in_full_or_refused(text: str, name: str) -> None:
    comment = f"/{name} {text}"
    try:
        command = parse(comment)
    except Stop as stop:
        assert stop.reason == "bad-input"
        return
    assert (
        re.sub(" +", " ", command.text) == re.sub(" +", " ", comment.replace("\r\n", "\n").rstrip(" \n"))
        or command.rules
    )
    assert not re.search(r"[^a-z0-9-]", command.app + command.environment)
    assert not re.search(r"[^0-9A-Za-z.+-]", command.version)
    assert all(character.isprintable() for character in command.reason)


@given(
    st.text(
        alphabet=st.characters(categories=("Cc", "Cf", "Zs", "Zl", "Zp", "Cs", "Co")), min_size=1, max_size=3
    ),
    st.integers(0, 12),
)
def test_a_command_with_an_invisible_character_is_refused(hidden: str, place: int) -> None:
    plain = "/promote prod 1.2.0"
    comment = plain[: place + 1] + hidden + plain[place + 1 :]
    if not begins(comment):
        return
    if hidden.strip(" ") == "":
        return
    with pytest.raises(Stop):
        parse(comment)
