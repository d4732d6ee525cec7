"""Redaction of any object: it ends in time, keeps its input, and shows no value of a Secret."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from stagegate.chart.objects import RenderedObject
from stagegate.difference import known_values, redaction
from tests.fuzz import engine
from tests.pins.yaml_documents import WORDS

pytestmark = pytest.mark.fuzz
KEYS = (
    "password", "DB_PW", "API_KEY", "token", "name", "value", "data", "stringData", "env", "args", "annotations", "x", "url",
    "config.yaml", "binaryData", "secretName", "PIN", "default", "key", "image", "checksum/config",
)  # fmt: skip
PARTS = (
    "password", "secret", "token", "-p ", "--password=", "password: ", "key=", "&sig=", "://user:", "@host/db", "\n", " ", "=",
    ":", "-", "/", "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n", "{", "}", '{"password": "', '"', "'", "a1B2",
    "0x", "fff", "?", "http://a/?key", "a: |\n", "- |\n  ", "*a ", "&a ", "%TAG !a! b\n", "---\n", "(", "set", "is ",
    "Basic ", "Bearer ", "eyJhbGciOi", ".", "[", "]", "\\", "user:pw@tcp(", "AKIA", *(word for word in WORDS[:40] if word),
)  # fmt: skip


def text(chance: random.Random) -> str:
    made = "".join(chance.choice(PARTS) for _ in range(chance.randint(0, 12)))
    if chance.random() < 0.1:
        made = chance.choice(PARTS) * chance.randint(100, 6000)
    return engine.spoiled(made, chance, PARTS)[:60_000]


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if kind < 0.25 and depth < 4:
        return {chance.choice(KEYS): value(chance, depth + 1) for _ in range(chance.randint(0, 4))}
    if kind < 0.4 and depth < 4:
        return [value(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return chance.choice([1, 0, True, None, 1.5, ""]) if kind < 0.5 else text(chance)


def rendered(chance: random.Random) -> tuple[RenderedObject, str]:
    kind = chance.choice(["ConfigMap", "Secret", "Deployment", "SealedSecret", "ExternalSecret"])
    planted = f"planted-{chance.randrange(10**9)}-value"
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "annotations": value(chance)}}
    body["data" if kind != "Deployment" else "spec"] = {
        "a": value(chance),
        "password": planted,
        chance.choice(KEYS): value(chance),
    }
    return RenderedObject(
        api_version="v1", kind=kind, namespace="", name="a", template="a.yaml", body=body
    ), planted


def use(given: tuple[RenderedObject, str]) -> None:
    one, planted = given
    before = copy.deepcopy(one.body)
    known = known_values.KnownValues(known_values.secrets_of([one]))
    (shown,) = redaction.redacted([one], b"key", known)
    assert one.body == before, "the input was changed"
    data = shown.body.get("data", shown.body.get("spec"))
    assert planted not in str(data), "a password is shown"


def test_any_object_is_redacted_in_time() -> None:
    engine.run("redaction", rendered, use, share=3)
