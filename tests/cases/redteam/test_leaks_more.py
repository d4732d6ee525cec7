"""Planted secrets in a rendered difference: none may be shown."""

from __future__ import annotations

import base64
import json

import pytest

from stagegate import difference as d
from stagegate.chart.objects import RenderedObject

S = "hunter2hunter2"


def shown(before: dict, after: dict) -> str:

    def one(body: dict) -> RenderedObject:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}} | body
        return RenderedObject(
            api_version=body["apiVersion"], kind=body["kind"], namespace="n", name="x", template="", body=body
        )

    found = d.compare([one(before)], [one(after)], b"k" * 16)
    return str(found)


def cm(text: str):
    return {"data": {"config": text}}


def env(name: str, value: str):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {
            "template": {"spec": {"containers": [{"name": "a", "env": [{"name": name, "value": value}]}]}}
        },
    }


def args(*value: str):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"template": {"spec": {"containers": [{"name": "a", "args": list(value)}]}}},
    }


B64 = base64.b64encode(f"password: {S}".encode()).decode()
CASES = {
    "pw": env("DB_PW", S),
    "encrypt key": env("ENCRYPT_KEY", S),
    "fernet": env("FERNET_KEY", S),
    "pin": env("ADMIN_PIN", S),
    "Name Value": {
        "apiVersion": "x/v1",
        "kind": "Thing",
        "spec": {"vars": [{"Name": "DB_PASSWORD", "Value": S}]},
    },
    "name default": {
        "apiVersion": "x/v1",
        "kind": "Thing",
        "spec": {"vars": [{"name": "DB_PASSWORD", "default": S}]},
    },
    "-pX": args(f"mysql -uroot -p{S}"),
    "--pw": args(f"--pw={S}"),
    "curl -u": args("curl", "-u", f"admin:{S}"),
    "two args": args("--password", S),
    "split later": args("--db.password", "", S),
    "sas": env("STORE", f"https://x.blob.core.windows.net/c?sv=2020&sig={S}%3D"),
    "url": env("DATABASE", f"postgres://shop:{S}@db/shop"),
    "url no scheme": env("DATABASE", f"shop:{S}@tcp(db:3306)/shop"),
    "odbc": env("DATABASE", f"Server=db;Uid=shop;Pwd={S};"),
    "base64 in ConfigMap": cm(B64),
    "last applied": {
        "metadata": {
            "name": "x",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": json.dumps(
                    {
                        "apiVersion": "v1",
                        "kind": "Secret",
                        "data": {"x": base64.b64encode(S.encode()).decode()},
                    }
                )
            },
        }
    },
    "secret in a ConfigMap": cm(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  x: {S}\n"
    ),
    "template of secret": {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "spec": {"target": {"template": {"data": {"x": S}}}},
    },
    "secret of another group": {
        "apiVersion": "secrets.hashicorp.com/v1",
        "kind": "VaultStaticSecret",
        "spec": {"x": S},
    },
    "toml": cm(f"[db]\nuser = 'x'\npw = '{S}'\n"),
    "ini": cm(f"[db]\npassword={S}\n"),
    "xml attr": cm(f'<db user="a" pass="{S}"/>'),
    "pgpass": cm(f"db:5432:shop:shop:{S}\n"),
    "htpasswd": cm("admin:$apr1$abcdefgh$hunter2hunter2hunter2h\n"),
    "jwt": env("X", "eyJhbGciOiJIUzI1NiJ9.hunter2hunter2.sig"),
    "properties": cm(f"spring.datasource.password={S}\n"),
    "hcl": cm(f'password = "{S}"\n'),
    "yaml multi": cm(f"a: 1\n---\npassword: {S}\n"),
    "json lines": cm('{"a":1}\n{"password":"' + S + '"}\n'),
    "label": {"metadata": {"name": "x", "labels": {"password": S}}},
    "annotation": {"metadata": {"name": "x", "annotations": {"db/pass": S}}},
    "nested key": cm(json.dumps({"users": [{"login": "a", "pass": S}]})),
    "list pair": cm(json.dumps([["password", S]])),
    "upper": env("DBPASSWORD", S),
    "camel": env("dbPassword", S),
    "zero width": env("DB_PASS\u200bWORD", S),
    "crd": {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {"default": {"password": S}},
    },
}


@pytest.mark.parametrize("name", CASES)
def test_a_planted_secret_is_not_shown(name: str) -> None:
    after = CASES[name]

    def before(value: object) -> object:
        if isinstance(value, dict):
            return {k: before(v) for k, v in value.items()}
        if isinstance(value, list):
            return [before(v) for v in value]
        return value.replace(S, "othervalue0").replace(B64, "b3RoZXI=") if isinstance(value, str) else value

    said = shown(before(after), after)
    b64 = base64.b64encode(S.encode()).decode()
    for secret in (S, b64, B64):
        assert secret not in said, said[-600:]
