"""A summary begins with the result, its subject, the cause and the next step, with links; foreign text stays text."""

from __future__ import annotations

from typing import get_args

import pytest

from stagegate.errors import VERDICTS, Outcome
from stagegate.model import Message, Result
from stagegate.runner import summary

RUN = "https://github.example/acme/shop/actions/runs/7"


def test_a_summary_begins_with_the_result_its_subject_and_the_next_step() -> None:
    result = Result(
        reason="proposed",
        message=Message(what="shop 1.1.0 is proposed for prod.", why="Every rule passes.", next="Merge it."),
        outputs={"pr-url": "https://github.example/acme/shop/pull/3"},
        summary="| rule | |\n|---|---|\n",
        app="shop",
        environment="prod",
        version="1.1.0",
    )
    assert summary.of("promote-pr", result, RUN) == (
        "### ✅ shop 1.1.0 is proposed for prod.\n\n"
        f"promote-pr: proposed · shop 1.1.0 in prod · [pull request](https://github.example/acme/shop/pull/3)"
        f" · [run]({RUN})\n\n"
        "Every rule passes.\n\n**Next:** Merge it.\n\n| rule | |\n|---|---|\n"
    )


def test_foreign_text_stays_text_and_a_long_line_is_cut_at_a_word() -> None:
    foreign = Message(
        what="<b>x</b> @octo\n# fixes #1 " + "word " * 200, why="[a](http://b.example)", next="![x](y)"
    )
    text = summary.of("pin-guard", Result(reason="unknown-state", message=foreign), "")
    first = text.splitlines()[0]
    assert first.startswith("### ❌ &lt;b&gt;x&lt;/b&gt; @\u200bocto ") and first.endswith("word …")
    assert r"\[a\](http" in text and r"!\[x\]" in text and "#1 " not in text


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_has_a_mark(outcome: Outcome) -> None:
    reason = next(reason for reason, verdict in VERDICTS.items() if verdict.outcome == outcome)
    text = summary.of("doctor", Result(reason=reason, message=Message(what="It ended.")), "")
    assert text == f"### {summary.MARKS[outcome]} It ended.\n\ndoctor: {reason}\n"
