"""The pages of the demo: Markdown as GitHub shows it, an index, a server for them; and progress without silence."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import requests

from lab import github_page, mermaid, progress
from lab.demo.story import Story, words
from lab.pages import Pages, argocd_view
from lab.progress import Progress
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.proposal import road
from stagegate.proposal.body_values import BodyFacts
from stagegate.report import status_page
from stagegate.report.status import AppStatus, EnvironmentStatus

BODY = """> [!WARNING]
> Look at this first.

<details><summary><b>changed</b> Deployment/shop</summary>

| field | before |
|---|---|
| `spec` | &lt;img&gt; |

```diff
-one
+two
```

</details>
"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    monkeypatch.setenv("OUT", str(tmp_path / "show"))
    return Pages()


def test_markdown_is_shown_as_github_shows_it() -> None:
    found = github_page.rendered(BODY)
    assert '<blockquote class="alert warning"><p><strong>Warning</strong>' in found
    assert "<details><summary><b>changed</b> Deployment/shop</summary>" in found and "</details>" in found
    assert "<td>&lt;img&gt;</td>" in found
    assert '<span class="del">-one</span><span class="add">+two</span>' in found


CHART = """flowchart LR
  e0["staging<br>1.1.0"]
  e1["prod-eu<br>1.0.0 → <1.1.0>"]
  e2["prod-us<br>1.0.0"]
  e0 --> e1
  e0 --> e2
  style e1 stroke-width:4px"""


def test_a_flow_chart_is_drawn_without_a_script() -> None:
    found = github_page.rendered(f"```mermaid\n{CHART}\n```\n")
    (picture,) = re.findall(r"<svg.*</svg>", found)
    boxes = re.findall(r'<rect class="([\w ]+)" x="([\d.]+)"', picture)
    assert [kind for kind, _ in boxes] == ["box", "box thick", "box"]
    staging, *later = (float(left) for _, left in boxes)
    assert later[0] == later[1] > staging, "both come after staging"
    assert picture.count('class="head"') == 2 and ">1.0.0 → &lt;1.1.0&gt;</text>" in picture
    unknown = github_page.rendered("```mermaid\nflowchart LR\n  a --> b\n```\n")
    assert "<svg" not in unknown and "a --&gt; b" in unknown, "a chart that cannot be drawn stays text"


def test_every_picture_that_stagegate_writes_is_drawn() -> None:
    places = [EnvironmentStatus(name=name, after=after) for name, after in (("dev", ()), ("prod", ("dev",)))]
    standings = tuple(PinnedVersion(environment=name, version="1.0.0") for name in ("dev", "staging", "prod"))
    facts = BodyFacts(
        app="shop", environment="prod", before="1.0.0", after="1.1.0", trust="advisory", now="", standings=standings,
        after_of={"staging": ("dev",), "prod": ("staging",)},
    )  # fmt: skip
    for text in (status_page.road(AppStatus(app="shop", environments=tuple(places))), road.picture(facts)):
        chart = mermaid.read(text)
        assert chart and len(chart.arrows) == len(chart.boxes) - 1 > 0


def test_only_our_tags_of_raw_html_are_kept() -> None:
    found = github_page.rendered(
        '<script>alert(1)</script>\n\n<b onclick="x">y</b> <img src=x>\n\n<b>bold</b>'
    )
    assert "<script" not in found and "<img" not in found and "<b onclick" not in found
    assert "<b>bold</b>" in found
    assert "default-src 'none'" in github_page.page("title", found)


def test_the_folder_has_an_index_of_what_was_written(pages: Pages, tmp_path: Path) -> None:
    pages.document("evidence.json", "The evidence", "A record.", {"a": 1})
    pages.file("absent.html", "Absent", "Nothing wrote it.", tmp_path / "absent.html")
    pull = {
        "number": 3, "title": "Promote <shop>", "state": "open", "body": BODY, "user": {"login": "octo-lead"},
        "base": {"ref": "main"}, "head": {"ref": "stagegate/promote/shop/prod"},
    }  # fmt: skip
    pages.pull("pull-request.html", "The pull request", "What a person reads.", pull)
    index = pages.write_index("What the demo did", "a table").read_text()
    assert 'href="evidence.json"' in index and 'href="pull-request.html"' in index
    assert "absent" not in index
    shown = (pages.folder / "pull-request.html").read_text()
    assert "Promote &lt;shop&gt; <span>#3</span>" in shown and "octo-lead wants to merge" in shown


def test_the_pages_are_served(pages: Pages) -> None:
    pages.markdown("gate.html", "The gate", "A summary.", "### passed")
    pages.write_index("What the demo did", "")
    application = {
        "metadata": {"name": "shop-prod"},
        "status": {"sync": {"status": "Synced", "revision": "1.1.0"}, "health": {"status": "Healthy"}},
    }
    with pages.served(lambda: argocd_view([application])) as url:
        for path in ("index.html", "gate.html"):
            assert requests.get(f"{url}/{path}", timeout=5).status_code == 200
        view = requests.get(f"{url}/argocd", timeout=5).text
        assert "<td>shop-prod</td>\n<td>Synced</td>\n<td>Healthy</td>\n<td>1.1.0</td>" in view


def test_progress_is_printed_after_a_silence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert progress.SILENCE_SECONDS < 5
    monkeypatch.setattr(progress, "SILENCE_SECONDS", 0.0)
    asked = threading.Event()

    def doing() -> str:
        asked.set()
        return "release: staging-gate ..."

    with Progress(doing) as shown:
        shown.say("first")
        assert asked.wait(10)
    assert capsys.readouterr().out.startswith("  ..  first\n")


def test_progress_names_the_step_that_runs(tmp_path: Path) -> None:
    assert progress.step_of(tmp_path) == "still at it ..."
    log = tmp_path / "01-release" / "log.txt"
    log.parent.mkdir()
    log.write_text("[x] ⭐ Run Main acme/stagegate/actions/chart-check@v0.1.0\n")
    assert progress.step_of(tmp_path) == "release: chart-check ..."
    log.write_text('[x] ⭐ Run Main "$GITHUB_ACTION_PATH/../../scripts/run" staging_gate\n')
    assert progress.step_of(tmp_path) == "release: staging-gate ..."


def test_the_closing_table_has_words_and_no_python_values(pages: Pages) -> None:
    lines: list[str] = []
    story = Story(lines.append, pages)
    for value in (True, [], ["v1.0.0", "v1.1.0"], b"1.1.0", "success"):
        story.claim("a claim", value, value)
    story.close("The way back", "one\ntwo")
    table = story.table()
    assert [words(value) for value in (True, [], ["a", "b"], b"1.1.0")] == ["yes", "none", "a, b", "1.1.0"]
    assert not any(sign in table for sign in ("[", "True", "b'"))
    assert table.endswith("The way back\n  one\n  two")
