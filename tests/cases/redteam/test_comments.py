"""Comments: what is shown of them, and what they may do."""

from __future__ import annotations

import pytest

from stagegate import markdown
from stagegate.comment import parse
from stagegate.errors import Stop
from tests.actions.test_pr_command import answer, ask, comment, issue, obey, say, world
from tests.promotion.shop_world import Shop


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://evil.example/p.png)",
        "[approve here](https://evil.example)",
        "@acme/all",
        "fixes #1",
        "# heading",
        "**bold**",
        "<!-- stagegate -->",
    ],
)
def test_a_reason_is_shown_as_it_was_written(world: Shop, text: str) -> None:
    _code, reason, said = say(world, "octo-lead", f"/hold prod {text} because")
    import re

    said = re.sub("(`+).*?\\1", "", said)
    said = said.replace(said.splitlines()[0], "")
    active = [
        line
        for line in said.splitlines()
        if "![x](" in line
        or "[approve here](" in line
        or "<img" in line
        or ("@acme" in line)
        or ("fixes #1" in line)
        or ("<!-- stagegate -->" in line)
        or ("**bold**" in line)
    ]
    print(reason, said)
    assert not active, active


@pytest.mark.parametrize(
    "body",
    [
        "> /promote prod",
        "```\n/promote prod\n```",
        "\ufeff/promote prod",
        "/promote prod\n/hold prod x",
        "/promote prod\r\n\r\n/hold prod abc",
        "/PROMOTE prod",
        "/promote prod <!-- x -->",
        "/promote рrod",
        "/promote\tprod",
        "/promote prod;id",
        "/promote --help",
        "/promote ../prod",
        "/promote prod １.2.3",
    ],
)
def test_a_comment_that_is_no_command_does_nothing(body: str) -> None:
    if not parse.begins(body):
        return
    try:
        found = parse.parse(body)
    except Stop:
        return
    assert found.text in ("/promote prod 1.2.3",), found


def test_the_author_is_the_account_that_github_names(world: Shop) -> None:
    """An App that acts for a person: GitHub names a User as the author, and the App beside it."""
    event = comment(world, "octo-lead", issue(world), "/hold prod via an app")
    event["comment"]["performed_via_github_app"] = {"id": 1, "slug": "some-app"}
    code = obey(world, event)
    print(code, world.outputs()["reason"])
