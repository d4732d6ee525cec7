"""The difference that people see: every change and nothing else, named by the fields of the object."""

from __future__ import annotations

import textwrap

from stagegate.chart import objects
from stagegate.difference import Difference, FieldChange, compare, texts

KEY = b"one report"


def difference(before: str, after: str) -> Difference:
    """Two renderings compared."""
    old, new = (objects.parse(textwrap.dedent(text), "test") for text in (before, after))
    return compare(old, new, KEY)


DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: shop, labels: {helm.sh/chart: shop-1.0.0, app.kubernetes.io/version: v1.0.0, team: a}}
    spec:
      replicas: 1
      template:
        metadata: {annotations: {checksum/config: aaa}}
        spec:
          initContainers:
            - {name: wait, image: "registry.example.com:5000/tools/wait:3"}
          containers:
            - name: shop
              image: ghcr.io/acme/shop:v1.0.0
              env: [{name: A, value: "1"}, {name: B, value: "2"}]
"""


def test_equal_renderings_have_no_difference_whatever_their_order() -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"
    deployment = textwrap.dedent(DEPLOYMENT)
    found = difference(f"{config}---{deployment}", f"{deployment}---\n{config}")
    assert found.empty
    assert not found.images
    assert found.objects == (2, 2)


def test_version_labels_and_checksums_alone_are_folded_and_named() -> None:
    after = DEPLOYMENT.replace("shop-1.0.0", "shop-1.1.0").replace("version: v1.0.0", "version: v1.1.0")
    found = difference(DEPLOYMENT, after.replace("aaa", "bbb"))
    assert found.empty
    assert found.noise == ("Deployment/shop",)


def test_a_version_label_in_a_selector_is_not_folded() -> None:
    deployment = DEPLOYMENT.replace("replicas: 1", "selector: {matchLabels: {helm.sh/chart: shop-1.0.0}}")
    found = difference(deployment, deployment.replace("shop-1.0.0", "shop-1.1.0"))
    assert [field.path for one in found.changes for field in one.fields] == [
        'spec.selector.matchLabels."helm.sh/chart"'
    ]


def test_fields_are_named_by_the_names_of_list_elements_and_keep_both_values() -> None:
    after = DEPLOYMENT.replace('{name: A, value: "1"}, ', "").replace('value: "2"', 'value: "3"')
    after = after.replace("replicas: 1", "replicas: 2").replace("team: a", "team: a, tier: web")
    (change,) = difference(DEPLOYMENT, after).changes
    place = "spec.template.spec.containers[shop].env"
    assert change.fields == (
        FieldChange(path="metadata.labels.tier", before=None, after="web"),
        FieldChange(path="spec.replicas", before="1", after="2"),
        FieldChange(path=f"{place}[A].value", before="1", after=None),
        FieldChange(path=f"{place}[B].value", before="2", after="3"),
    )


def test_a_change_of_order_alone_is_shown() -> None:
    order = '[{name: A, value: "1"}, {name: B, value: "2"}]'
    other = '[{name: B, value: "2"}, {name: A, value: "1"}]'
    (change,) = difference(DEPLOYMENT, DEPLOYMENT.replace(order, other)).changes
    place = "spec.template.spec.containers[shop].env (order)"
    assert change.fields == (FieldChange(path=place, before="A, B", after="B, A"),)


def test_images_are_listed_by_repository_with_ports_and_digests() -> None:
    digest = "sha256:" + "a" * 64
    after = DEPLOYMENT.replace("shop:v1.0.0", f"shop:v1.1.0@{digest}").replace("wait:3", "wait:4")
    images = {image.repository: image for image in difference(DEPLOYMENT, after).images}
    assert images["ghcr.io/acme/shop"].after == (f"v1.1.0@{digest}",)
    assert images["registry.example.com:5000/tools/wait"].before == ("3",)
    assert images["registry.example.com:5000/tools/wait"].registry == "registry.example.com:5000"
    assert images["ghcr.io/acme/shop"].objects == ("Deployment/shop",)


def test_another_api_version_is_a_changed_field_and_no_new_object() -> None:
    before = "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: shop}\n"
    (change,) = difference(before, before.replace("v2beta2", "v2")).changes
    assert change.change == "changed"
    assert change.fields[0].path == "apiVersion"


def test_structured_text_in_a_config_map_is_compared_by_field_and_other_text_by_line() -> None:
    before = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: c}
        data:
          app.yaml: |
            server:
              port: 8080  # not a secret
              hosts: [a, b]
          motd: |
            one
            two
            three
    """
    after = before.replace("port: 8080", "port: 9090").replace("two", "zwei")
    (change,) = difference(before, after).changes
    assert change.fields == (
        FieldChange(path='data."app.yaml".server.port', before="8080", after="9090"),
        FieldChange(
            path="data.motd", before="two", after="zwei", diff="@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three"
        ),
    )


def test_a_comment_that_changes_in_structured_text_is_not_called_no_difference() -> None:
    before = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a.yaml: |\n    a: 1 # ONE\n"
    found = difference(before, before.replace("ONE", "TWO"))
    assert [field.path for one in found.changes for field in one.fields] == ['data."a.yaml".(text)']


def test_long_texts_are_compared_from_the_first_line_that_differs() -> None:
    """difflib alone would need minutes for these lines."""
    old = "\n".join(["same"] * 5_000 + [f"line {i % 130}" for i in range(16_000)])
    new = "\n".join(["same"] * 5_000 + [f"line {i * 7 % 130}" for i in range(16_000)])
    shown = texts.hunks(old, new).splitlines()
    assert shown[0].startswith("@@ -4999,")
    assert shown[1:4] == [" same", " same", " line 0"]
    assert len(texts.changed(old, new)[0].splitlines()) <= 41
