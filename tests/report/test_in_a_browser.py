"""The pages in a real browser: filter, sort, find a commit; accessible, inert, without any network.

`STAGEGATE_PICTURES=1` also takes the pictures of docs/pictures, which the README shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lab import browser, github_page
from lab.toolbox import Missing
from stagegate.proposal import body
from stagegate.proposal import page as difference_page
from stagegate.report import status_page
from stagegate.report.status import (
    AppStatus,
    EnvironmentStatus,
    OpenPromotion,
    Phase,
    ReleaseCommit,
    ReleaseStatus,
    StatusReport,
    Step,
)
from tests.proposal.test_text import difference, facts, seen

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
AT = "2026-11-27T12:00:00Z"
HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
SHA = "c0ffee254729296a45a3885639ac7e10f9d54979"
UNRELEASED = "beef" * 10
Page = Any  # playwright has types, and its package is fetched only here
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    try:
        with browser.sessions() as found:
            yield found
    except Missing as trouble:
        pytest.skip(str(trouble))


def release(version: str, day: int, sha: str, *pulls: int) -> ReleaseStatus:
    date = f"2026-11-{day:02d}T"
    url = "https://github.example/acme/shop"
    return ReleaseStatus(
        version=version,
        commit=sha[8:] + sha[:8],
        url=f"{url}/releases/tag/v{version}",
        commits=(
            ReleaseCommit(
                sha=sha, subject=f"feat: what {version} brings", author="octo-dev", at=f"{date}08:00:00Z"
            ),
        ),
        pulls=pulls,
        steps=(
            Step(name="committed", at=f"{date}08:00:00Z", url=f"{url}/commit/{sha}"),
            Step(name="tagged", at=f"{date}08:05:00Z"),
            Step(name="built and published", at=f"{date}08:15:00Z"),
            Step(name="gate", environment="staging", at=f"{date}08:20:00Z", url=f"{url}/actions/runs/{day}"),
            Step(name="promoted", environment="prod", at=f"{date}11:00:00Z"),
            Step(
                name="gate",
                environment="prod",
                at=f"{date}11:04:00Z",
                state="failed" if day == 21 else "done",
            ),
        ),
        phases=(
            Phase(name="build", seconds=600),
            Phase(name="roll-out", seconds=300, environment="staging"),
            Phase(name="soak", seconds=1800, environment="prod"),
            Phase(name="approval", seconds=7200, environment="prod"),
            Phase(name="roll-out", seconds=240, environment="prod"),
        ),
    )


def report() -> StatusReport:
    """Five apps in every state that people have to tell apart."""
    good = EnvironmentStatus(
        name="staging", version="1.4.0", gate="passed", checks=8, checks_passed=8, since="2026-11-27T10:04:00Z",
        tag_url="https://github.example/acme/shop/releases/tag/v1.4.0", gate_url="https://github.example/acme/shop/actions/runs/9",
    )  # fmt: skip
    prod: dict[str, Any] = {
        "name": "prod",
        "after": ("staging",),
        "production": True,
        "gate": "passed",
        "since": "2026-11-20T09:00:00Z",
    }
    waiting = EnvironmentStatus(
        **prod, version="1.3.0", checks=8, checks_passed=8, soaks_until="2026-11-27T12:34:00Z", next="#42 waits: it soaks (until 2026-11-27 12:34 UTC).",
        promotion=OpenPromotion(
            number=42, url="https://github.example/acme/shop/pull/42", version="1.4.0", state="pending", opened="2026-11-27T10:05:00Z"
        ),
    )  # fmt: skip
    held = EnvironmentStatus(
        **prod, version="2.0.1", hold="by octo-lead: the database moves", next="Lift the hold when its reason is gone.",
        command="/unhold pay/prod",
    )  # fmt: skip
    drift = EnvironmentStatus(
        **prod, version="0.9.0", drift="a gate run on the unchanged environment ended at 2026-11-27 06:00 UTC with content-differs",
        next="Check the environment. If the release is the cause, roll back.", command="/rollback search/prod",
    )  # fmt: skip
    failed = EnvironmentStatus(
        name="staging", version="3.1.0", gate="failed", gate_detail="checks-failed at 09:00 UTC", next="Release a fix, or roll back.",
        command="/rollback mail/staging",
    )  # fmt: skip
    releases = tuple(
        release(f"1.{minor}.0", 15 + minor * 3, sha, 10 + minor)
        for minor, sha in ((4, SHA), (3, "abcd" * 10), (2, "dcba" * 10), (1, "1234" * 10))
    )
    return StatusReport(
        at=AT,
        repository="acme/shop",
        run_url="https://github.example/acme/shop/actions/runs/100",
        apps=(
            AppStatus(
                app="shop", environments=(good, waiting), releases=releases,
                unreleased=(ReleaseCommit(sha=UNRELEASED, subject="feat: gift cards", author="octo-dev"),),
                unreleased_pulls=(77,), bans=("1.2.1 is banned by octo-lead: it loses orders",),
            ),
            AppStatus(app="pay", environments=(good, held)),
            AppStatus(app="search", environments=(good, drift)),
            AppStatus(app="mail", environments=(failed, EnvironmentStatus(**prod, version="3.0.0"))),
            AppStatus(app=HOSTILE, trouble=f"GitHub did not respond. {HOSTILE}"),
        ),
    )  # fmt: skip


DOCUMENTS: dict[str, Callable[[], str]] = {
    "status": lambda: status_page.page(report()),
    "difference": lambda: difference_page.page(
        [facts(difference=difference(), risks=seen(difference()), before="1.0.0", after="1.1.0")],
        "https://github.example/acme/shop/actions/runs/9",
    ),
}


def proposal() -> str:
    """A promotion's pull request, as GitHub shows it."""
    usual = facts()
    text = body.body(facts(standings=usual.standings[:2])).text
    title = body.title(usual.app, usual.environment, usual.before, usual.after)
    return github_page.page(
        title, f"<h1>{title} <span>#42</span></h1>", github_page.box("stagegate opened this", text)
    )


DOCUMENTS["pull-request"] = proposal


def opened(chromium: Any, folder: Path, document: str, *, size: str = "desk", scheme: str = "light") -> Page:
    """A page of the browser with a document, which records its requests and dialogs."""
    file = folder / "page.html"
    file.write_text(document, encoding="utf-8")
    page = chromium.new_page(viewport=SIZES[size], color_scheme=scheme)
    page.asked, page.alarms = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("dialog", lambda dialog: (page.alarms.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: page.alarms.append(str(error)))
    page.goto(file.as_uri())
    return page


def visible(page: Page) -> list[str]:
    """The apps that are shown, in their order."""
    rows = page.query_selector_all("#matrix tbody tr")
    return [row.get_attribute("data-app") for row in rows if row.is_visible()]


def test_the_status_page_filters_and_sorts(chromium: Any, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, DOCUMENTS["status"]())
    assert visible(page) == [HOSTILE, "search", "mail", "pay", "shop"], (
        "environments that need a person come first"
    )
    page.fill("#filter", "held")
    assert visible(page) == ["pay"]
    assert page.inner_text("#shown") == "1 of 5 apps"
    page.fill("#filter", "1.4.0 drift")
    assert visible(page) == ["search"]
    page.fill("#filter", "")
    page.select_option("#sort", "name")
    assert visible(page)[1:] == ["mail", "pay", "search", "shop"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("C0FFEE2", "shop 1.4.0"),
        (SHA, "shop 1.4.0"),
        ("#13", "shop 1.3.0"),
        ("v1.2.0", "shop 1.2.0"),
        (UNRELEASED[:12], "shop: on the default branch, in no release yet."),
        ("#77", "shop: on the default branch, in no release yet."),
        ("fedcba9", "No release on this page contains fedcba9."),
    ],
)
def test_the_status_page_finds_a_commit(chromium: Any, tmp_path: Path, wanted: str, found: str) -> None:
    page = opened(chromium, tmp_path, DOCUMENTS["status"]())
    page.fill("#commit", wanted)
    text = page.inner_text("#where")
    assert text.startswith(found)
    if "1.4.0" in found:
        assert "gate prod" in text and "committed" in text


@pytest.mark.parametrize("document", ["status", "difference"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_pages_are_accessible(
    chromium: Any, tmp_path: Path, document: str, scheme: str, size: str
) -> None:
    page = opened(chromium, tmp_path, DOCUMENTS[document](), size=size, scheme=scheme)
    if document == "status":
        page.fill("#commit", "1.4.0")
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    page.evaluate(browser.axe())
    violations = page.evaluate("axe.run().then(found => found.violations)")
    assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in violations] == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= SIZES[size]["width"], (
        "the page does not scroll sideways; wide tables have their own scroll bar"
    )


def test_a_thousand_apps_can_be_filtered_and_sorted(chromium: Any, tmp_path: Path) -> None:
    place = report().apps[0].environments[0]
    names = ("dev", "staging", "qa", "prod")
    apps = tuple(
        AppStatus(
            app=f"app-{number:03}",
            environments=tuple(
                msgspec.structs.replace(place, name=name, version=f"1.{number}.0") for name in names
            ),
        )
        for number in range(1000)
    )
    page = opened(
        chromium, tmp_path, status_page.page(StatusReport(at=AT, repository="acme/shop", apps=apps))
    )
    assert page.inner_text("#shown") == "1000 apps"
    page.fill("#filter", "1.417.0")
    assert page.inner_text("#shown") == "1 of 1000 apps"
    assert page.eval_on_selector_all(
        "#matrix tbody tr:not([hidden])", "all => all.map(row => row.dataset.app)"
    ) == ["app-417"]
    page.fill("#filter", "")
    page.select_option("#sort", "name")
    assert page.eval_on_selector("#matrix tbody tr", "row => row.dataset.app") == "app-000"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_is_fetched_and_no_foreign_text_runs(chromium: Any, tmp_path: Path, document: str) -> None:
    page = opened(chromium, tmp_path, DOCUMENTS[document]())
    if document == "status":
        page.fill("#commit", HOSTILE)
    assert [url for url in page.asked if not url.startswith("file:")] == []
    assert page.alarms == []


def test_every_control_can_be_used_by_keyboard(chromium: Any, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, DOCUMENTS["status"]())
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
            )
        )
    assert {"skip", "filter", "sort", "commit", "scroll", "SUMMARY"} <= reached


@pytest.mark.skipif(not os.environ.get("STAGEGATE_PICTURES"), reason="pictures are only taken when asked for")
@pytest.mark.parametrize(
    ("document", "size", "scheme"),
    [
        ("status", "desk", "light"),
        ("status", "desk", "dark"),
        ("status", "phone", "dark"),
        ("difference", "desk", "light"),
        ("pull-request", "desk", "light"),
        ("pull-request", "desk", "dark"),
    ],
)
def test_the_pictures_of_the_readme_are_taken(
    chromium: Any, tmp_path: Path, document: str, size: str, scheme: str
) -> None:
    text = DOCUMENTS[document]().replace(HOSTILE, "stock")
    shown = status_page.page(_without_trouble()) if document == "status" else text
    page = opened(chromium, tmp_path, shown, size=size, scheme=scheme)
    page.clock.set_fixed_time(AT)
    page.reload()
    if document == "status":
        page.fill("#commit", "c0ffee")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{document}-{size}-{scheme}.png"))


def _without_trouble() -> StatusReport:
    found = report()
    return StatusReport(
        at=found.at,
        repository=found.repository,
        run_url=found.run_url,
        apps=tuple(app for app in found.apps if not app.trouble),
    )
