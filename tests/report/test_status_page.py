"""The status page: foreign text is inert, an unknown state is never good, and it has every app and release."""

from __future__ import annotations

import json
import re
import time
import xml.etree.ElementTree as ElementTree
from typing import Any, Literal

import jsonschema
import pytest

from stagegate.report import status_document, status_page
from stagegate.report.flow import flow
from stagegate.report.status import (
    AppStatus,
    EnvironmentStatus,
    OpenPromotion,
    Phase,
    ReleaseCommit,
    ReleaseStatus,
    StatusReport,
    Step,
    failing,
)

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
AT = "2026-11-27T12:00:00Z"


def place(name: str = "prod", **given: Any) -> EnvironmentStatus:
    return EnvironmentStatus(**{"name": name, "version": "1.3.0", "gate": "passed", **given})


def report(*apps: AppStatus) -> StatusReport:
    return StatusReport(at=AT, repository="acme/shop", apps=apps)


def release(version: str, day: int, prod: Literal["done", "failed"] = "done") -> ReleaseStatus:
    date = f"2026-11-{day:02d}T"
    return ReleaseStatus(
        version=version,
        commit=f"{day:02d}" * 20,
        pulls=(day,),
        steps=(
            Step(name="committed", at=f"{date}09:00:00Z"),
            Step(name="gate", environment="staging", at=f"{date}09:10:00Z"),
            Step(name="gate", environment="prod", at=f"{date}11:00:00Z", state=prod),
        ),
        phases=(Phase(name="build", seconds=600), Phase(name="approval", seconds=6600, environment="prod")),
    )


def test_foreign_text_is_inert_everywhere() -> None:
    promotion = OpenPromotion(number=1, url="https://x.example/1", version=HOSTILE, state=HOSTILE, opened=AT)
    shown = place(
        hold=HOSTILE,
        next=HOSTILE,
        command=HOSTILE,
        version=HOSTILE,
        promotion=promotion,
        tag_url="javascript:alert(4)",
    )
    hostile = AppStatus(
        app="shop",
        environments=(shown,),
        bans=(HOSTILE,),
        notes=(HOSTILE,),
        releases=(
            ReleaseStatus(
                version=HOSTILE,
                commit="ab" * 20,
                url="javascript:alert(3)",
                commits=(ReleaseCommit(sha="cd" * 20, subject=HOSTILE, author=HOSTILE),),
            ),
        ),
    )
    text = status_page.page(report(hostile, AppStatus(app="other", trouble=HOSTILE)))
    assert "<img" not in text and "<script>alert" not in text and 'href="javascript' not in text
    assert text.count("</script>") == 2, "only the page's own script elements have an end tag"
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert json.loads(data)[0]["releases"][0]["version"] == HOSTILE


def test_the_page_loads_nothing_from_the_network() -> None:
    text = status_page.page(report(AppStatus(app="shop", environments=(place(),))))
    assert "default-src 'none'" in text
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", text), (
        "no file, font, script or image from elsewhere"
    )


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"gate": "unknown"}, "unknown"),
        ({"trouble": "GitHub did not respond"}, "unknown"),
        ({"drift": "the cluster runs 1.2.9"}, "drift"),
        ({"gate": "failed", "hold": "by octo"}, "failed"),
        ({"hold": "by octo"}, "held"),
        ({"stuck": "1.4.0 waits for 3 days"}, "stuck"),
        ({"suspect": "a look failed", "hold": "by octo"}, "failed"),
        ({"gate": "none"}, "unproven"),
        ({"gate": "skipped", "freeze": "winter"}, "unproven"),
        ({"freeze": "winter"}, "frozen"),
        ({"soaks_until": AT}, "waiting"),
        ({}, "good"),
    ],
)
def test_the_most_urgent_state_of_an_environment_is_shown(given: dict[str, Any], word: str) -> None:
    shown = place(**given)
    assert shown.attention == word
    document = json.loads(status_document.document(report(AppStatus(app="shop", environments=(shown,)))))
    assert document["apps"][0]["environments"][0]["attention"] == word
    assert status_page.SIGNS[shown.attention][1] in status_page.page(
        report(AppStatus(app="shop", environments=(shown,)))
    )


def test_an_app_that_cannot_be_read_fails_a_scheduled_check() -> None:
    good, unread = AppStatus(app="a", environments=(place(),)), AppStatus(app="b", trouble="no answer")
    assert failing(report(good, unread), ["drift"]) == ["b: unknown"]
    assert failing(report(good, unread), []) == []
    hidden = AppStatus(app="c", environments=(place(gate="failed", stuck="forgotten"),))
    assert failing(report(hidden), ["stuck"]) == ["c prod: stuck"], "a failure does not hide what is stuck"
    assert status_page.worst(unread) == "unknown"


def test_the_four_measures_and_the_time_of_each_step_are_computed() -> None:
    app = AppStatus(
        app="shop",
        environments=(place("staging"), place("prod", production=True)),
        releases=tuple(release(f"1.{day}.0", day, "failed" if day == 3 else "done") for day in range(1, 6)),
    )
    measured = flow(app)
    assert (measured.deployments, measured.lead_seconds, measured.failure_rate) == (4, 7200, 0.2)
    assert measured.recovery_seconds == 86400
    assert measured.stages == (("build", 600), ("approval prod", 6600))
    assert sum(measured.by_week) == 4
    assert flow(AppStatus(app="new")).failure_rate is None


def test_a_badge_is_an_svg_that_names_its_state() -> None:
    drawing = ElementTree.fromstring(status_document.badge(place(version="<1>&"), "shop"))  # noqa: S314 our own
    assert drawing.get("aria-label") == "shop prod: <1>&, good"


def test_the_summary_draws_the_road_and_names_the_next_step() -> None:
    app = AppStatus(
        app="shop",
        environments=(place("staging"), place("prod", after=("staging",), hold="by octo", next="unhold")),
    )
    text = status_page.summary(report(app))
    assert "e0 --> e1" in text and "**shop prod** is held by octo. Next: unhold" in text


def test_the_document_follows_its_schema() -> None:
    app = AppStatus(
        app="shop",
        environments=(place("prod", production=True),),
        releases=tuple(release(f"1.{day}.0", day) for day in range(1, 4)),
    )
    found = json.loads(status_document.document(report(app)))
    jsonschema.validate(found, status_document.schema())
    assert found["apps"][0]["flow"]["deployments"] == 3
    del found["apps"][0]["environments"][0]["attention"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, status_document.schema())


def test_a_thousand_apps_fit_on_one_page_in_two_seconds() -> None:
    many = tuple(
        AppStatus(
            app=f"app-{number}",
            environments=tuple(
                place(name, version=f"1.{number}.0") for name in ("dev", "staging", "qa", "prod")
            ),
            releases=tuple(release(f"1.{day}.0", day) for day in range(1, 11)),
        )
        for number in range(1000)
    )
    spent = []
    for _ in range(3):
        began = time.process_time()
        text = status_page.page(report(*many))
        spent.append(time.process_time() - began)
    assert min(spent) < 2
    assert text.count('data-app="app-') == 2000
