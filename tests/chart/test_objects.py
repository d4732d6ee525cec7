"""Rendered YAML read as Kubernetes reads it, and nothing skipped."""

from __future__ import annotations

import pytest

from stagegate.chart.objects import configuration, parse
from stagegate.errors import Stop

GOOD = """\
---
# Source: shop/templates/a.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: x}
data:
  certificate: |
    -----BEGIN CERTIFICATE-----
    MIIB
    -----END CERTIFICATE-----
  text: |
    one---
    ---
    two
---
# Source: shop/templates/nothing.yaml
# only a comment
---
# Source: shop/templates/list.yaml
apiVersion: v1
kind: List
items:
  - {apiVersion: apps/v1, kind: Deployment, metadata: {name: b}}
  - {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {password: hunter22}}
"""


def test_each_object_has_the_name_of_its_template() -> None:
    objects = parse(GOOD, "staging")
    assert [one.label for one in objects] == ["ConfigMap/a", "Deployment/b", "Secret/s"]
    assert [one.template for one in objects] == ["shop/templates/a.yaml"] + ["shop/templates/list.yaml"] * 2
    assert objects[0].key == ("", "ConfigMap", "x", "a")
    assert objects[1].key == ("apps", "Deployment", "", "b")
    assert objects[0].body["data"]["text"] == "one---\n---\ntwo\n"
    assert [one.is_secret for one in objects] == [False, False, True]
    assert parse(GOOD.replace("\n", "\r\n"), "staging")[1:] == objects[1:]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("apiVersion: v1\nkind: A\nmetadata: {name: a}\nx: y---\napiVersion: v1\nkind: B\n", "---"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a}\n---apiVersion: v1\nkind: B\n", "---"),
        ("# trimmed too muchapiVersion: v1\nkind: A\nmetadata: {name: a}\n", "without apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "without kind"),
        ("apiVersion: v1\nkind: A\n", "without metadata.name"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: }\n", "without metadata.name"),
        ("just text\n", "instead of an object"),
        ("- apiVersion: v1\n", "instead of an object"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a, name: b}\n", "twice"),
        ("apiVersion: v1\nkind: List\nitems: [text]\n", "not an object"),
        ("apiVersion: v1\n  kind: A\n", "not YAML"),
        ("--- {apiVersion: v1, kind: A, metadata: {name: a}}\n--- {apiVersion: v1}\n", "not YAML"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a}\n...\napiVersion: v1\n", "not YAML"),
        ("apiVersion: 1\nkind: A\nmetadata: {name: a}\n", "without apiVersion"),
    ],
)
def test_a_document_that_is_not_an_object_is_an_error(text: str, says: str) -> None:
    with pytest.raises(Stop, match=says) as stop:
        parse("---\n# Source: shop/templates/broken.yaml\n" + text, "staging")
    assert stop.value.reason == "findings"
    assert stop.value.file == "templates/broken.yaml"
    assert "staging" in str(stop.value)


def test_scalars_are_read_as_kubernetes_reads_them() -> None:
    text = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n"
    text += "v: {a: yes, b: 2026-01-02, c: 12:30:15, d: 012, e: 1e3, f: 0x10, g: 1.10, h: '1.10', i: 1.2.3, on: 1, 80: x}\n"
    values = parse(text, "x")[0].body["v"]
    assert values == {
        "a": True, "b": "2026-01-02", "c": "12:30:15", "d": 10, "e": 1000.0, "f": 16,
        "g": 1.1, "h": "1.10", "i": "1.2.3", "true": 1, "80": "x",
    }  # fmt: skip


def test_configuration_ignores_order_and_hides_secrets() -> None:
    head, *documents = GOOD.split("---\n# Source")
    turned = head + "".join(f"---\n# Source{document}" for document in reversed(documents))
    assert configuration(parse(GOOD, "x")) == configuration(parse(turned, "y"))
    changed = parse(GOOD.replace("hunter22", "hunter23"), "x")
    assert configuration(changed) != configuration(parse(GOOD, "x"))
    assert configuration(()) != configuration(changed)
