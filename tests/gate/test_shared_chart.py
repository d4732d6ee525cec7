"""A chart that many apps share keeps its version, so the spec's parameters or a Git source name the release."""

from __future__ import annotations

from typing import Any

import pytest

from stagegate.argocd_app.status import read
from stagegate.gate.look import classify
from stagegate.model import Release
from stagegate.pins import pinned_version
from stagegate.settings import parse
from tests.gate.argo_documents import CHART, COMMIT, expected, several, single

SETTINGS = parse(
    f"app: shop\nimages: [ghcr.io/acme/shop]\nchart: {{reference: 'oci://{CHART}', image-tag-value: tag}}\n".encode(),
    "stagegate.yaml",
)
RELEASE = Release(app="shop", version="1.1.0", tag="v1.1.0", commit="a" * 40)


def reason(document: dict[str, Any], **more: Any) -> str:
    named = pinned_version.named(RELEASE, SETTINGS, document)
    shared = {"chart_version": "", "chart_digest": "", "moves_chart": False, "named": named, **more}
    return classify(read(document), expected(**shared))[0]


def tagged(tag: str, chart: str = "2.3.0") -> dict[str, Any]:
    """An Application of the shared chart whose parameters name an image tag, compared as it is."""
    document = single(chart)
    for source in (document["spec"]["source"], document["status"]["sync"]["comparedTo"]["source"]):
        source["helm"] = {"parameters": [{"name": "tag", "value": tag}]}
    return document


@pytest.mark.parametrize(
    ("tag", "pinned", "wanted"),
    [
        ("v1.1.0", "1.1.0", "ready"),
        (f"sha-{'a' * 40}", "1.1.0", "ready"),
        ("v1.0.0", "1.1.0", "pin-not-applied"),
        ("v1.2.0", "1.2.0", "superseded"),
        (f"sha-{'d' * 40}", "1.1.0", "pin-not-applied"),
        ("latest", "1.1.0", "wrong-source"),
    ],
)
def test_the_tag_in_the_spec_names_the_release(tag: str, pinned: str, wanted: str) -> None:
    assert reason(tagged(tag), pinned=pinned) == wanted


def test_a_shared_chart_that_names_nothing_is_never_the_release() -> None:
    assert reason(single("1.1.0")) == "wrong-source", "the chart's own version may look like ours"
    assert reason(several("2.3.0")) == "ready", "our Git source was compared at a commit that holds the pin"
    assert reason(several("2.3.0"), commits={COMMIT: "behind"}) == "old-commit"


def test_the_shared_chart_must_be_compared_at_the_requested_version() -> None:
    document = tagged("v1.1.0")
    document["status"]["sync"]["revision"] = "2.2.0"
    assert reason(document) == "old-revision"
