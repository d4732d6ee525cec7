"""I8: one secret of each kind is planted, and then searched for in every form of a difference."""

from __future__ import annotations

import base64

import pytest

from stagegate.chart import objects
from stagegate.difference import compare, risks
from stagegate.model import to_json

WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop, annotations: {{a: b}}}}
spec:
  template:
    spec:
      containers:
        - name: shop
          image: ghcr.io/acme/shop:v1.0.0
          {field}
"""
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: shop}}
data:
  {field}
"""
SECRET = """
apiVersion: v1
kind: Secret
metadata: {{name: shop}}
{field}
"""


def encoded(text: str) -> str:
    """Text as a Secret's data holds it."""
    return base64.b64encode(text.encode()).decode()


PLANTS = {
    "Secret data": (SECRET, "data: {{login: {encoded}}}"),
    "Secret stringData": (SECRET, "stringData: {{config: 'a {plain} b'}}"),
    "Secret of another shape": (SECRET, "spec: {{anything: [{plain}]}}"),
    "Secret annotation with what was applied": (
        SECRET,
        """stringData: {{a: b}}
---
apiVersion: v1
kind: Secret
metadata:
  name: two
  annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{{"stringData":{{"password":"{plain}"}}}}'}}""",
    ),
    "env by name": (WORKLOAD, "env: [{{name: DB_PASSWORD, value: {plain}}}]"),
    "env by a short name": (WORKLOAD, "env: [{{name: secret, value: {plain}}}]"),
    "env with a number": (WORKLOAD, "env: [{{name: API_KEY, value: {plain}}}]"),
    "env URL": (WORKLOAD, "env: [{{name: DATABASE, value: 'postgres://shop:{plain}@db:5432/shop'}}]"),
    "env URL with a user only": (
        WORKLOAD,
        "env: [{{name: SENTRY, value: 'https://{plain}@sentry.example.com/1'}}]",
    ),
    "env connection text": (WORKLOAD, "env: [{{name: DB, value: 'Server=db;User Id=x;Pwd={plain};'}}]"),
    "argument": (WORKLOAD, "args: ['--db-password={plain}']"),
    "argument that follows its flag": (WORKLOAD, "args: ['--password', '{plain}']"),
    "shell line": (WORKLOAD, "command: [sh, -c, 'TOKEN={plain} exec shop']"),
    "header": (WORKLOAD, "command: [curl, -H, 'Authorization: Bearer {plain}']"),
    "probe header": (
        WORKLOAD,
        "livenessProbe: {{httpGet: {{httpHeaders: [{{name: Authorization, value: {plain}}}]}}}}",
    ),
    "ConfigMap by name": (CONFIG, "admin-password: {plain}"),
    "ConfigMap called secret": (CONFIG, "secret: {plain}"),
    "ConfigMap DSN": (CONFIG, "database: 'mysql://shop:{plain}@db/shop'"),
    "ConfigMap YAML": (CONFIG, "app.yaml: |\n    db:\n      password: {plain}\n      host: db"),
    "ConfigMap YAML below a name": (CONFIG, "app.yaml: |\n    credentials:\n      first: {plain}"),
    "ConfigMap YAML called secret": (CONFIG, "app.yaml: |\n    secret:\n      first: {plain}"),
    "ConfigMap JSON": (CONFIG, """app.json: '{{"clients": [{{"clientSecret": "{plain}"}}]}}'"""),
    "ConfigMap properties": (CONFIG, "app.properties: |\n    host=db\n    spring.password={plain}\n    x=1"),
    "ConfigMap XML": (CONFIG, "app.xml: |\n    <a>\n    <password>{plain}</password></a>"),
    "ConfigMap netrc": (CONFIG, "x.txt: |\n    machine a login b password {plain}\n    machine c"),
    "ConfigMap binary": (CONFIG, "a: b\nbinaryData:\n  blob: {encoded}"),
    "private key": (
        CONFIG,
        "tls.pem: |\n    -----BEGIN RSA PRIVATE KEY-----\n    {plain}\n    -----END RSA PRIVATE KEY-----",
    ),
    "annotation": (
        WORKLOAD,
        "env: []\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: s, annotations: {{x/api-token: {plain}}}}}",
    ),
    "custom object": (
        WORKLOAD,
        "env: []\n---\napiVersion: db.example.com/v1\nkind: Db\nmetadata: {{name: d}}\nspec: {{auth: {{pw: {plain}}}}}",
    ),
}
OLD, NEW = "correct-horse-Battery", "tr0ub4dor-and-Three"


@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_secret_is_changed_but_never_shown(kind: str) -> None:
    frame, field = PLANTS[kind]
    sides = [
        objects.parse(frame.format(field=field.format(plain=value, encoded=encoded(value))), "test")
        for value in (OLD, NEW)
    ]
    found = compare(sides[0], sides[1], b"one report")
    shown = to_json([found, risks(found)]).decode()
    for value in (OLD, NEW):
        assert value not in shown
        assert encoded(value) not in shown
    assert any("<hidden " in (item.after or "") for one in found.changes for item in one.fields)


@pytest.mark.parametrize(
    "value",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "ghp_" + "a" * 36,
        "AKIA" + "ABCDEFGH12345678",
        "0123456789abcdef0123456789abcdef",
        "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA",
        "admin:$2y$05$abcdefghijklmnopqrstuv",
    ],
)
def test_a_value_that_looks_like_a_key_is_hidden_under_any_name(value: str) -> None:
    one = CONFIG.format(field="colour: blue")
    two = CONFIG.format(field=f"colour: '{value}'")
    found = compare(objects.parse(one, "test"), objects.parse(two, "test"), b"k")
    assert value not in to_json(found).decode()


def test_a_value_of_a_secret_is_hidden_everywhere_else() -> None:
    secret = SECRET.format(field="data: {anything: " + encoded("plainwordsonly") + "}")
    config = CONFIG.format(field="colour: blue")
    before = objects.parse(f"{secret}---{config}", "test")
    after = objects.parse(f"{secret}---{config.replace('blue', 'the plainwordsonly one')}", "test")
    assert "plainwordsonly" not in to_json(compare(before, after, b"k")).decode()
    told = compare(
        objects.parse(config, "t"),
        objects.parse(config.replace("blue", "greenish"), "t"),
        b"k",
        ["greenish"],
    )
    assert "greenish" not in to_json(told).decode()


def test_equal_secrets_look_equal_within_a_report_and_different_in_another() -> None:
    field = "env: [{{name: A_TOKEN, value: {0}}}, {{name: B_TOKEN, value: {0}}}]"
    old, new = (objects.parse(WORKLOAD.format(field=field.format(v)), "t") for v in (OLD, NEW))

    def shown(key: bytes) -> set[str | None]:
        return {item.after for one in compare(old, new, key).changes for item in one.fields}

    assert len(shown(b"one")) == 1
    assert shown(b"one") != shown(b"two")


def test_a_value_without_a_secret_stays_readable() -> None:
    field = (
        "env: [{{name: URL, value: 'https://shop.example.com/{0}'}}, {{name: P, valueFrom: {{secretKeyRef:"
        " {{name: login-{0}, key: password}}}}}}]\n"
        "          volumeMounts: [{{name: v, mountPath: /tokens/{0}}}]"
    )
    volumes = "\n      volumes: [{{name: v, secret: {{secretName: tls-{0}}}}}]\n      automountServiceAccountToken: {1}\n"
    old, new = (
        objects.parse(
            WORKLOAD.format(field=field.format(n))
            + volumes.format(n, flag).replace("\n      v", "      v", 1),
            "t",
        )
        for n, flag in (("a", "true"), ("b", "false"))
    )
    shown = [item.after or "" for one in compare(old, new, b"k").changes for item in one.fields]
    assert not [text for text in shown if "hidden" in text]
    assert {"https://shop.example.com/b", "login-b", "tls-b", "false"} <= set(shown)


def test_a_short_secret_is_hidden_where_it_stands_alone() -> None:
    secret = SECRET.format(field="stringData: {anything: abcd}")
    field = "colour: {}"
    sides = [
        objects.parse(f"{secret}---{CONFIG.format(field=field.format(value))}", "t")
        for value in ("blue", "abcd")
    ]
    (change,) = compare(sides[0], sides[1], b"k").changes
    assert change.fields[0].before == "blue"
    assert change.fields[0].after != "abcd"
