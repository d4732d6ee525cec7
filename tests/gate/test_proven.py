"""When the gate need not test a release again."""

from __future__ import annotations

import msgspec
import pytest

from stagegate.evidence.records import Record
from stagegate.gate import proven
from stagegate.model import ApplicationSeen, Chart, Evidence, Release, WorkflowRun
from stagegate.pins import files

COMMIT = "c" * 40
CHART = Chart(reference="oci://r/shop", version="1.1.0", digest="sha256:" + "a" * 64)
RELEASE = Release(app="shop", version="1.1.0", tag="v1.1.0", commit=COMMIT, chart=CHART)


def proof(**changes: object) -> Evidence:
    made = Evidence(
        kind="rollout", app="shop", environment="prod", outcome="passed", reason="passed", version="1.1.0",
        tag="v1.1.0", commit=COMMIT, chart=CHART, images=(), started="", finished="", run=WorkflowRun(id="1"),
        actor="octo-dev", policy="blob", application=ApplicationSeen(source="api", name="a", revision=f"1.1.0, {'d' * 40}"),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def record(number: int, evidence: Evidence) -> Record:
    return Record(
        id=number,
        sha=COMMIT,
        created=f"2026-01-0{number}T00:00:00Z",
        creator=None,
        evidence=evidence,
        since=f"2026-01-0{number}T00:00:00Z",
    )


def test_the_newest_pass_of_the_same_digests_is_proof() -> None:
    found = proven.record([record(1, proof())], RELEASE, "blob")
    assert found is not None
    assert found.evidence is not None
    assert proven.last_good([record(1, proof())], RELEASE) == found.evidence


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record(2, proof(outcome="failed")), record(1, proof())],
        [record(2, proof(version="1.2.0")), record(1, proof())],
        [record(1, proof(chart=msgspec.structs.replace(CHART, digest="sha256:" + "b" * 64)))],
        [record(1, proof(policy="older"))],
        [record(1, proof(kind="adopt", outcome="adopted"))],
        [record(1, proof(kind="look"))],
    ],
    ids=["none", "failed since", "another since", "other chart", "other policy", "adopted", "a look"],
)
def test_every_other_record_is_no_proof(records: list[Record]) -> None:
    assert proven.record(records, RELEASE, "blob") is None


def test_files_are_compared_byte_for_byte_and_a_missing_one_is_no_proof() -> None:
    assert proven.unchanged({"a": b"1"}, {"a": b"1"})
    assert not proven.unchanged({"a": b"1"}, {"a": b"1 "})
    assert not proven.unchanged({"a": None}, {"a": None})
    assert not proven.unchanged({}, {"a": b"1"})


@pytest.mark.parametrize(
    ("records", "good"),
    [
        ([record(1, proof(kind="adopt", outcome="adopted"))], True),
        ([record(1, proof(policy="older"))], True),
        ([record(2, proof(kind="look", outcome="failed")), record(1, proof())], True),
        ([record(2, proof(outcome="failed")), record(1, proof())], False),
        ([record(2, proof(version="1.2.0")), record(1, proof())], False),
        ([record(1, proof(chart=None))], False),
        ([], False),
    ],
    ids=[
        "adopted",
        "other policy",
        "a look failed since",
        "failed since",
        "another since",
        "other chart",
        "none",
    ],
)
def test_only_the_last_verdict_counts_as_good(records: list[Record], good: bool) -> None:
    assert (proven.last_good(records, RELEASE) is not None) is good


CHART_SOURCE = "{repoURL: r/charts, chart: shop, targetRevision: 1.1.0}"
VALUES_SOURCE = "{repoURL: https://g/acme/shop, targetRevision: main, ref: values}"
FOLDER_SOURCE = "{repoURL: https://g/acme/shop, targetRevision: main, path: charts/shop}"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"kind: Application\nspec: {{source: {CHART_SOURCE}}}\n", True),
        (f"kind: Application\nspec: {{sources: [{CHART_SOURCE}, {VALUES_SOURCE}]}}\n", True),
        (f"kind: Application\nspec: {{source: {FOLDER_SOURCE}}}\n", False),
        (f"kind: Application\nspec: {{sources: [{CHART_SOURCE}, {FOLDER_SOURCE}]}}\n", False),
        (f"kind: ApplicationSet\nspec: {{template: {{spec: {{source: {FOLDER_SOURCE}}}}}}}\n", False),
        (f"kind: Application\nspec: {{source: {CHART_SOURCE}}}\n---\nkind: ConfigMap\n", False),
        ("kind: Kustomization\nimages: [{name: shop, newTag: v1.1.0}]\n", False),
        ("image: {tag: v1.1.0}\n", False),
        ("", False),
    ],
)
def test_only_applications_of_charts_name_every_input_of_the_release(text: str, whole: bool) -> None:
    assert files.are_all({"deploy/prod.yaml": text.encode()}) is whole


def test_a_missing_pin_file_names_no_input() -> None:
    assert not files.are_all({"deploy/prod.yaml": None})
    assert not files.are_all({})
