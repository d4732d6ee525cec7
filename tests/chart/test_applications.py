"""The render inputs of an Application, for every supported way to write it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from stagegate.argocd_app import render_inputs
from stagegate.argocd_app.inputs import Parameter, ValuesFile
from stagegate.errors import Stop

HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop-staging}
spec:
  project: default
  destination: {namespace: shop, server: https://kubernetes.default.svc}
"""


def application(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(HEAD + text)
    return document


def no_files(url: str, revision: str, path: str) -> bytes | None:
    raise AssertionError(f"nothing to read: {url} {revision} {path}")


def test_every_field_of_an_application_with_one_chart_is_read() -> None:
    found = render_inputs.render_inputs(
        application("""
  source:
    repoURL: ghcr.io/acme/charts
    chart: shop
    targetRevision: 1.2.3
    helm:
      releaseName: the-shop
      valueFiles: [values-staging.yaml]
      values: "a: 1"
      parameters:
        - {name: global.imageTag, value: v1.2.3, forceString: true}
        - {name: hosts, value: "a.example,b.example"}
        - {name: list, value: "{a,b}"}
        - {name: escaped, value: 'a\\,b'}
        - {name: who, value: "$ARGOCD_APP_NAME/${ARGOCD_APP_NAMESPACE}/$$x/$UNKNOWN"}
      skipCrds: true
      kubeVersion: "1.31"
      apiVersions: [monitoring.coreos.com/v1]
"""),
        no_files,
    )
    assert found.chart == render_inputs.ChartPlace(
        kind="registry", url="ghcr.io/acme/charts/shop", name="shop", revision="1.2.3"
    )
    inputs = found.inputs
    assert (inputs.release_name, inputs.namespace) == ("the-shop", "shop")
    assert inputs.values == (ValuesFile(name="values-staging.yaml"),)
    assert inputs.inline == "a: 1"
    assert inputs.parameters == (
        Parameter("global.imageTag", "v1.2.3", True),
        Parameter("hosts", "a.example\\,b.example"),
        Parameter("list", "{a,b}"),
        Parameter("escaped", "a\\,b"),
        Parameter("who", "shop-staging/shop/$x/"),
    )
    assert (inputs.include_crds, inputs.kube_version) == (False, "1.31")
    assert inputs.api_versions == ("monitoring.coreos.com/v1",)
    moved = inputs.with_parameter("global.imageTag", "v2.0.0").with_parameter("absent", "x")
    assert moved.parameters[0] == Parameter("global.imageTag", "v2.0.0", True)
    assert moved.parameters[1:] == inputs.parameters[1:]


def test_values_of_another_source_are_read() -> None:
    asked = []

    def read(url: str, revision: str, path: str) -> bytes | None:
        asked.append((url, revision, path))
        return b"replicas: 2\n"

    found = render_inputs.render_inputs(
        application("""
  sources:
    - {repoURL: https://github.com/acme/gitops.git, targetRevision: main, ref: values}
    - repoURL: oci://ghcr.io/acme/charts
      chart: shop
      targetRevision: 1.2.3
      helm:
        valueFiles: [$values/apps/shop/staging.yaml]
        valuesObject: {a: {b: [1]}}
        values: "ignored: true"
"""),
        read,
        chart="shop",
    )
    assert asked == [("https://github.com/acme/gitops.git", "main", "apps/shop/staging.yaml")]
    assert found.chart.index == 1
    assert found.chart.url == "ghcr.io/acme/charts/shop"
    assert found.inputs.release_name == "shop-staging"
    assert found.inputs.values[0].content == b"replicas: 2\n"
    assert yaml.safe_load(found.inputs.inline) == {"a": {"b": [1]}}


def test_a_chart_in_git_reads_values_beside_it() -> None:
    asked = []

    def read(*file: str) -> bytes | None:
        asked.append(file[2])
        return b""

    text = """
  source:
    repoURL: https://github.com/acme/shop.git
    path: charts/shop
    targetRevision: v1.2.3
    helm: {valueFiles: [values-prod.yaml, ../../deploy/prod.yaml, /deploy/all.yaml]}
"""
    found = render_inputs.render_inputs(application(text), read)
    assert asked == ["charts/shop/values-prod.yaml", "deploy/prod.yaml", "deploy/all.yaml"]
    assert (found.chart.kind, found.chart.path, found.chart.revision) == ("git", "charts/shop", "v1.2.3")


@pytest.mark.parametrize(
    ("source", "kind", "url"),
    [
        (
            "{repoURL: oci://ghcr.io/acme/charts/shop, targetRevision: 'sha256:aa', path: .}",
            "registry",
            "ghcr.io/acme/charts/shop",
        ),
        (
            "{repoURL: https://charts.example.com, chart: shop, targetRevision: 1.2.3}",
            "repository",
            "https://charts.example.com",
        ),
    ],
)
def test_a_chart_in_every_other_kind_of_source_is_read(source: str, kind: str, url: str) -> None:
    (place,) = render_inputs.places(application(f"  source: {source}\n"))
    assert (place.kind, place.url, place.name) == (kind, url, "shop")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "  sources: [{repoURL: a.b/c, chart: x, targetRevision: 1}, {repoURL: a.b/c, chart: y, targetRevision: 1}]",
            "ambiguous-pin",
        ),
        ("  sources: [{repoURL: https://x/y, ref: values}]", "ambiguous-pin"),
        ("  source: {}", "ambiguous-pin"),
        ("  source: {repoURL: a.b/c, chart: shop, helm: {valueFiles: [$nowhere/x.yaml]}}", "ambiguous-pin"),
        (
            "  source: {repoURL: a.b/c, chart: shop, helm: {valueFiles: ['https://x/y.yaml']}}",
            "ambiguous-pin",
        ),
        ("  source: {repoURL: 'https://x/y', path: chart, helm: {valueFiles: [gone.yaml]}}", "missing-file"),
    ],
)
def test_an_application_without_clear_inputs_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Stop) as stop:
        render_inputs.render_inputs(application(text), lambda *_: None)
    assert stop.value.reason == reason
    assert "shop-staging" in str(stop.value)


def test_a_missing_values_file_is_allowed_where_the_application_says_so() -> None:
    text = "  source: {repoURL: 'https://x/y', path: c, helm: {ignoreMissingValueFiles: true, valueFiles: [gone.yaml]}}"
    found = render_inputs.render_inputs(application(text), lambda *_: None)
    assert found.inputs.values == (ValuesFile(name="c/gone.yaml", content=b"", optional=True),)
