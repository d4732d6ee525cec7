"""Markdown as a page that looks like GitHub shows it: tables, alerts, folds, code, differences. No network."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lab import mermaid

_ALERT = re.compile(r"<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*(?:<br\s*/?>)?")
_DIFF = re.compile(r'<pre><code class="language-diff">(.*?)</code></pre>', re.DOTALL)
_CHART = re.compile(r'<pre><code class="language-mermaid">(.*?)</code></pre>', re.DOTALL)
_FOREIGN = re.compile(r"<(?!/?(?:details|summary|b|br)>)")
_PAGE = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")


def rendered(markdown: str) -> str:
    """The HTML of a Markdown text. Of raw HTML only the tags of our templates stay; the rest is shown as text."""
    parser = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])
    for name in ("html_block", "html_inline"):
        parser.add_render_rule(name, _raw)
    text = _ALERT.sub(
        lambda match: f'<blockquote class="alert {match[1].lower()}"><p><strong>{match[1].title()}</strong>',
        parser.render(markdown),
    )
    text = _CHART.sub(_drawn, text)
    return _DIFF.sub(lambda match: f"<pre><code>{_coloured(match[1])}</code></pre>", text)


def _drawn(match: re.Match[str]) -> str:
    chart = mermaid.read(html.unescape(match[1]))
    return mermaid.svg(chart) if chart else match[0]


def _raw(_renderer: object, tokens: Sequence[Token], index: int, _options: object, _environ: object) -> str:
    return _FOREIGN.sub("&lt;", tokens[index].content)


def page(title: str, *parts: str) -> str:
    """A whole page of finished HTML parts."""
    return _PAGE.replace("TITLE", html.escape(title), 1).replace("BODY", "\n".join(parts), 1)


def box(head: str, markdown: str) -> str:
    """A comment or body in the frame that GitHub puts around one."""
    return (
        f'<section class="box"><header>{html.escape(head)}</header><div>{rendered(markdown)}</div></section>'
    )


def _coloured(code: str) -> str:
    marks = {"+": "add", "-": "del"}
    lines = code.rstrip("\n").split("\n")
    return "".join(
        f'<span class="{marks[line[0]]}">{line}</span>' if line[:1] in marks else f"{line}\n"
        for line in lines
    )
