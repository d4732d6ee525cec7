"""One look at an Application: every documented reason, in the shapes of Argo CD 2.x and 3.x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stagegate.argocd_app.status import plain_address, read
from stagegate.gate.expected import Expected
from stagegate.gate.look import classify
from stagegate.gate.plan import (
    Failed,
    History,
    Judgement,
    Ready,
    Superseded,
    Waiting,
    judge,
    remember,
)
from stagegate.gate.rollout_reasons import REASONS
from tests.gate.argo_documents import CHART, COMMIT, at, expected, old_style, several, single

Json = dict[str, Any]
Change = Callable[[Json], None]


def changed(document: Json, change: Change) -> Json:
    change(document)
    return document


def setting(**status: Any) -> Change:
    """Replace fields below `status` by dotted-with-underscore names: `sync_status="OutOfSync"`."""

    def change(document: Json) -> None:
        for path, value in status.items():
            node, *rest = document["status"], *path.split("__")
            for part in rest[:-1]:
                node = node.setdefault(part, {})
            node[rest[-1]] = value

    return change


def looks(document: Json, wanted: Expected, *, times: int = 12, refreshed: bool = True) -> Judgement:
    """The judgement after the same document was read once a second."""
    history, judged = History(), None
    for second in range(times):
        seen = read(document)
        judged = judge(seen, wanted, history, float(second))
        history = remember(history, seen, wanted, float(second), refreshed=refreshed)
        if not isinstance(judged, Waiting):
            break
    assert judged is not None
    assert judged.reason in REASONS
    return judged


@pytest.mark.parametrize("shape", [single, several], ids=["one-source", "several-sources"])
@pytest.mark.parametrize("version", [3, 2])
def test_a_good_release_is_ready_after_the_settle_time(shape: Callable[[], Json], version: int) -> None:
    document = shape() if version == 3 else old_style(shape())
    history = History()
    for second, state in [(0.0, Waiting), (4.9, Waiting), (5.1, Ready)]:
        seen = read(document)
        assert isinstance(judge(seen, expected(), history, second), state)
        history = remember(history, seen, expected(), second)


def test_one_look_is_never_enough_even_without_settle_time() -> None:
    assert isinstance(judge(read(single()), expected(settle=0.0), History(), 0.0), Waiting)


def at_source(**fields: Any) -> Change:
    def change(document: Json) -> None:
        document["spec"]["source"].update(fields)

    return change


def no_automation(document: Json) -> None:
    document["spec"]["syncPolicy"] = {}
    document["status"]["sync"]["status"] = "OutOfSync"


def disabled(document: Json) -> None:
    document["spec"]["syncPolicy"] = {"automated": {"enabled": False}}
    document["status"]["sync"]["status"] = "OutOfSync"


def operation_of(**fields: Any) -> Change:
    return lambda document: document["status"]["operationState"].update(fields)


def heals(document: Json) -> None:
    document["spec"]["syncPolicy"] = {"automated": {"selfHeal": True}}


def requested(document: Json) -> None:
    document["operation"] = {"sync": {"revision": "1.1.0"}}


def condition(kind: str) -> Change:
    return setting(conditions=[{"type": kind, "message": "rpc error:\n  chart not found"}])


OLD = {"phase": "Succeeded", "syncResult": {"revision": "1.0.0"}}
CASES: list[tuple[str, type, Json]] = [
    ("ready", Ready, single()),
    ("ready", Ready, changed(single(), operation_of(**OLD))),  # nothing differed, so nothing was synced
    ("being-deleted", Failed, changed(single(), lambda d: d["metadata"].update(deletionTimestamp=at(1)))),
    ("wrong-source", Failed, changed(single(), at_source(repoURL="ghcr.io/other/charts"))),
    ("wrong-source", Failed, changed(single(), at_source(chart="shopping"))),
    ("invalid-spec", Failed, changed(single(), condition("InvalidSpecError"))),
    ("comparison-error", Failed, changed(single(), condition("ComparisonError"))),
    ("pin-not-applied", Waiting, single("1.0.0")),
    ("superseded", Superseded, single("1.2.0")),
    ("superseded", Superseded, single("1.2.0", target=">=1.0.0")),
    ("old-revision", Waiting, single("1.0.0", target="1.x")),
    ("stale-comparison", Waiting, changed(single("1.0.0"), at_source(targetRevision="1.1.0"))),
    ("no-status", Waiting, changed(single(), lambda d: d.pop("status"))),
    ("no-status", Waiting, changed(single(), setting(reconciledAt=None))),
    ("syncing", Waiting, changed(single(), requested)),
    ("syncing", Waiting, changed(single(), operation_of(phase="Running", finishedAt=None))),
    ("operation-failed", Failed, changed(single(), operation_of(phase="Failed", message="hook failed"))),
    ("operation-failed", Failed, changed(single(), operation_of(phase="Error"))),
    ("ready", Ready, changed(single(), operation_of(phase="Failed", syncResult={"revision": "1.0.0"}))),
    ("out-of-sync", Failed, changed(single(), setting(sync__status="OutOfSync"))),  # no automatic sync
    ("out-of-sync", Waiting, changed(changed(single(), setting(sync__status="OutOfSync")), heals)),
    (
        "out-of-sync",
        Waiting,
        changed(changed(single(), setting(sync__status="OutOfSync")), operation_of(**OLD)),
    ),
    (
        "sync-error",
        Failed,
        changed(changed(single(), setting(sync__status="OutOfSync")), condition("SyncError")),
    ),
    ("auto-sync-off", Waiting, changed(single(), no_automation)),
    ("auto-sync-off", Waiting, changed(single(), disabled)),
    ("sync-unknown", Waiting, changed(single(), setting(sync__status="Unknown"))),
    ("stale-health", Waiting, changed(single(), setting(reconciledAt=at(30)))),
    ("stale-health", Waiting, changed(single(), setting(reconciledAt="soon"))),
    ("progressing", Waiting, changed(single(), setting(health__status="Progressing"))),
    ("missing", Waiting, changed(single(), setting(health__status="Missing"))),
    ("suspended", Waiting, changed(single(), setting(health__status="Suspended"))),
    ("health-unknown", Waiting, changed(single(), setting(health__status="Unknown"))),
    ("health-unknown", Waiting, changed(single(), setting(health__status="Splendid"))),
    ("health-unknown", Waiting, changed(single(), setting(health=None))),
    ("degraded", Failed, changed(single(), setting(health__status="Degraded"))),
    ("settling", Waiting, changed(single(), setting(reconciledAt=at(41)))),  # not compared since it settled
]


@pytest.mark.parametrize(
    ("reason", "kind", "document"), CASES, ids=[f"{n}-{reason}" for n, (reason, _, _) in enumerate(CASES)]
)
def test_every_state_has_its_reason(reason: str, kind: type, document: Json) -> None:
    for shaped in (document, old_style(document) if document.get("status", {}).get("health") else document):
        judged = looks(shaped, expected())
        if reason == "settling" and shaped is not document:
            continue  # 2.x has no time since which it is healthy
        assert (type(judged), judged.reason) == (kind, reason)


def test_unknown_fields_and_wrong_types_do_not_stop_the_judge() -> None:
    document = changed(single(), setting(novelty={"a": [1]}, conditions=None, summary=None))
    document["spec"]["syncPolicy"]["automated"] = {"novel": True}
    assert isinstance(looks(document, expected()), Ready)
    nonsense: list[Json] = [
        {},
        {"spec": None, "status": []},
        {"metadata": {"name": 3}, "spec": {"sources": "x"}},
    ]
    for broken in nonsense:
        assert not isinstance(looks(broken, expected()), Ready)


def test_revisions_are_matched_by_source_and_not_by_place() -> None:
    document = several()
    document["spec"]["sources"].reverse()
    assert isinstance(looks(document, expected()), Waiting)  # compared with another order: an earlier spec
    for part in (
        document["status"]["sync"]["comparedTo"],
        document["status"]["operationState"]["syncResult"],
    ):
        part["sources"].reverse()
    assert isinstance(looks(document, expected()), Waiting)  # the chart now has the revision of the values
    for part in (document["status"]["sync"], document["status"]["operationState"]["syncResult"]):
        part["revisions"].reverse()
    assert isinstance(looks(document, expected()), Ready)


@pytest.mark.parametrize(
    ("holds", "reason"),
    [("behind", "old-commit"), ("superseded", "superseded"), (None, "unknown-commit"), ("current", "ready")],
)
def test_the_values_commit_must_hold_these_pins(holds: Any, reason: str) -> None:
    commits = {COMMIT: holds} if holds else {}
    assert looks(several(), expected(commits=commits)).reason == reason


def test_values_pinned_by_the_release_tag_must_be_its_commit() -> None:
    document = several(values="a" * 40)
    for place in (document["spec"], document["status"]["sync"]["comparedTo"]):
        place["sources"][1]["targetRevision"] = "v1.1.0"
    assert isinstance(looks(document, expected(commits={})), Ready)
    document["status"]["sync"]["revisions"][1] = "d" * 40
    assert looks(document, expected(commits={})).reason == "old-revision"


def test_the_pin_in_git_tells_a_late_parent_from_a_newer_release() -> None:
    assert isinstance(
        looks(single("1.2.0"), expected(pinned="1.1.0")), Waiting
    )  # a rollback, not applied yet
    assert isinstance(looks(single("1.0.0"), expected(pinned="1.3.0")), Superseded)


def test_a_native_oci_source_is_known_by_its_digest() -> None:
    digest = "sha256:" + "c" * 64
    document = single()
    for place in (document["spec"]["source"], document["status"]["sync"]["comparedTo"]["source"]):
        place.update(repoURL=f"oci://{CHART}", targetRevision=digest)
        place.pop("chart")
    document["status"]["sync"]["revision"] = digest
    assert isinstance(looks(document, expected()), Ready)
    document["status"]["sync"]["revision"] = "sha256:" + "d" * 64
    assert looks(document, expected()).reason == "old-revision"


def test_a_git_source_is_known_by_its_commit() -> None:
    document = single()
    for place in (document["spec"]["source"], document["status"]["sync"]["comparedTo"]["source"]):
        place.update(repoURL="git@github.com:acme/shop.git", targetRevision="main", path="charts/shop")
        place.pop("chart")
    document["status"]["sync"]["revision"] = "b" * 40
    held = {f"github.com/acme/shop//charts/shop@{'b' * 40}": "current"}
    assert isinstance(looks(document, expected(chart="", commits=held)), Ready)
    assert looks(document, expected(chart="", commits={})).reason == "unknown-commit"


def test_prereleases_and_build_metadata_are_other_versions() -> None:
    assert isinstance(looks(single("1.1.0-rc.1", target="*-0"), expected()), Waiting)
    assert isinstance(looks(single("1.1.0", target="*-0"), expected("1.1.0-rc.1")), Superseded)
    assert isinstance(looks(single("1.1.0_b2"), expected("1.1.0+b2")), Ready)
    assert not isinstance(looks(single("1.1.0_b1"), expected("1.1.0+b2")), Ready)


def test_degraded_after_healthy_is_tolerated_for_a_while_and_each_time_anew() -> None:
    good, ill = read(single()), read(changed(single(), setting(health__status="Degraded")))
    rolling = read(changed(single(), setting(health__status="Progressing")))
    history = History()
    for second, seen in enumerate((good, good, rolling, good)):
        assert isinstance(judge(seen, expected(), history, float(second)), Waiting)
        history = remember(history, seen, expected(), float(second))
    assert history.since == 3.0
    for second in range(4, 9):
        assert isinstance(judge(ill, expected(), history, float(second)), Waiting)
        history = remember(history, ill, expected(), float(second))
    assert isinstance(judge(ill, expected(), history, 9.0), Failed)


def test_an_application_degraded_before_the_release_may_still_pass() -> None:
    ill = read(changed(single(), setting(health__status="Degraded")))
    assert isinstance(judge(ill, expected(), History(), 0.0), Waiting)


def test_a_comparison_error_from_before_the_refresh_is_not_final() -> None:
    document = changed(single(), condition("ComparisonError"))
    assert isinstance(looks(document, expected(), refreshed=False), Waiting)


def test_a_requested_refresh_does_not_restart_the_settle_time() -> None:
    good = single()
    refreshing = changed(
        single(), lambda d: d["metadata"].update(annotations={"argocd.argoproj.io/refresh": "normal"})
    )
    history = History()
    for second, document in enumerate([good, refreshing, good, refreshing, good]):
        history = remember(history, read(document), expected(), float(second))
    assert (history.reason, history.since) == ("ready", 0.0)
    assert isinstance(judge(read(refreshing), expected(), history, 9.0), Waiting)
    assert isinstance(judge(read(good), expected(), history, 9.0), Ready)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://github.com/acme/shop.git", "git@github.com:Acme/shop"),
        ("ssh://git@github.com/acme/shop.git", "https://user:x@github.com/acme/shop/"),
        ("oci://ghcr.io/acme/charts/shop", "ghcr.io/acme/charts/shop"),
    ],
)
def test_one_repository_has_many_spellings(one: str, other: str) -> None:
    assert plain_address(one) == plain_address(other)


def test_a_repository_whose_name_only_ends_alike_is_not_ours() -> None:
    document = several()
    for place in (document["spec"], document["status"]["sync"]["comparedTo"]):
        place["sources"][1]["repoURL"] = "https://github.com/notacme/shop.git"
    assert (
        classify(read(document), expected(commits={}))[0] == "ready"
    )  # values of another repository are not judged
