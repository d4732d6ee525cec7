from pathlib import Path

import pytest

from stagegate import markdown
from stagegate.report import render as rendering

FORBIDDEN = (
    "@acme/release look",
    "fixes #12",
    "Closes: GH-7",
    "resolved https://github.com/a/b/issues/3",
    "[skip ci]",
    "[CI Skip] x",
    "a\n\nskip-checks: true",
    "see acme/shop#9",
)


@pytest.mark.parametrize("text", FORBIDDEN)
def test_text_that_github_acts_on_is_neutralised(text: str) -> None:
    made = markdown.plain(text)
    assert made != text
    assert made.replace("\u200b", "") == text


def test_html_and_our_own_markers_are_shown_not_interpreted() -> None:
    assert "<" not in markdown.neutral("<!-- stagegate --><img src=x>")


def test_a_template_neutralises_values_but_not_the_output_of_a_filter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "t.md.j2").write_text("{{ a }} {{ b | code }} @kept")
    monkeypatch.setattr(rendering, "TEMPLATES", tmp_path)
    rendering._environment.cache_clear()
    try:
        assert rendering.render("t.md.j2", a="@x <b>", b="@y <b>") == "@\u200bx &lt;b&gt; `@y <b>` @kept"
    finally:
        rendering._environment.cache_clear()


def test_code_cannot_be_closed_from_inside() -> None:
    assert markdown.code("a ``` b") == "````a ``` b````"
    assert markdown.fence("```\nx").startswith("````\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![x](https://evil.example/p.png)", r"!\[x\](https://evil.example/p.png)"),
        (r"\![x](u) \\[y](u)", r"\\!\[x\](u) \\\\\[y\](u)"),
        ("a ` b ![x](u)", r"a \` b !\[x\](u)"),
        ("`code [x](u)` and **bold** ~~gone~~", r"`code [x](u)` and \*\*bold\*\* \~\~gone\~\~"),
        ("``a ` b`` [x]", r"``a ` b`` \[x\]"),
        ("`one\n\ntwo` [x](u)", "\\`one\n\ntwo\\` \\[x\\](u)"),
        ("one\n# two\n ## three #4", "one\n\\# two\n \\## three #\u200b4"),
    ],
)
def test_links_images_and_headings_of_others_are_text(text: str, shown: str) -> None:
    assert str(markdown.neutral(text)) == shown
