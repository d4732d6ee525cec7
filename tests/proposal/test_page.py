"""The complete difference as one page: it has every change and no secret, and foreign text on it is inert."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from stagegate.proposal import page
from tests.proposal.test_text import BEFORE, difference, facts, seen

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  motd: |\n    one\n    "


class Tags(HTMLParser):
    """Which elements a document has."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def tags(document: str) -> list[str]:
    parser = Tags()
    parser.feed(document)
    return parser.seen


def test_every_object_is_on_the_page_with_its_lines() -> None:
    found = difference()
    text = page.page([facts(difference=found, risks=seen(found))], "https://github.example/runs/9")
    for label in ("Deployment/shop", "ConfigMap/shop", "Job/migrate", "CronJob/sweep"):
        assert f"</strong> {label}" in text
    assert '<span class="removed">- ' in text and '<span class="added">+ ' in text
    assert "replicas: 0" in text and "replicas: 2" in text
    assert "hunter2" not in text and "correct-horse" not in text
    assert "replicas-zero" in text


def test_foreign_text_is_inert() -> None:
    found = difference(CONFIG + "calm\n", CONFIG + HOSTILE + "\n")
    told = facts(difference=found, app=HOSTILE, not_rendered=HOSTILE, before=HOSTILE)
    document = page.page([told], "javascript:alert(3)")
    assert not {"script", "img"} & set(tags(document))
    assert "javascript:" not in document


def test_the_page_loads_nothing_from_the_network() -> None:
    document = page.page([facts()], "https://github.example/runs/9")
    assert "default-src 'none'" in document
    assert "link" not in tags(document) and "src=" not in document


def test_a_page_contains_a_difference_too_long_for_a_body() -> None:
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{0}}}\ndata: {{motd: '{1}'}}\n"
    sides = [
        "---\n".join(one.format(number, f"{side} " * 99) for number in range(900)) for side in ("old", "new")
    ]
    document = page.page([facts(difference=difference(*sides))], "")
    assert len(document) > 65_536
    assert re.findall(r"</strong> ConfigMap/c(\d+)<", document) == [str(number) for number in range(900)]


def test_several_environments_share_one_page() -> None:
    document = page.page([facts(), facts(environment="prod-us", difference=difference(BEFORE, BEFORE))], "")
    assert document.count("<h1>") == 2 and document.count("<title>") == 1
