"""A difference shows no planted secret, and ordinary values stay readable."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stagegate.chart import objects
from stagegate.difference import compare, redaction, secret_texts
from stagegate.model import to_json
from tests.cases.redaction.planted import FORMS, KEYS, SECRETS, SILENT, filled, fits

OTHER = "another-9-Value"
PLANTS = [(name, form, secret) for name, form in FORMS.items() for secret in SECRETS if fits(form, secret)]
ORDINARY = Path(__file__).with_name("ordinary.yaml")


def shown(form: str, secret: str) -> str:
    """Everything that a difference shows when the secret of a form changes, and when it comes and goes."""
    with_it, without = objects.parse(filled(form, secret), "t"), objects.parse(filled(form, OTHER), "t")
    sides = ((without, with_it), (with_it, without), ((), with_it), (with_it, ()))
    return "".join(to_json(compare(*side, b"one report")).decode() for side in sides)


def test_the_corpus_is_large_enough() -> None:
    assert len(FORMS) >= 40
    assert len(PLANTS) + len(SILENT) * len(KEYS) >= 150


@pytest.mark.parametrize("name", FORMS)
def test_no_planted_secret_is_shown(name: str) -> None:
    for form, secret in ((form, secret) for kind, form, secret in PLANTS if kind == name):
        found = shown(form, secret)
        assert secret not in found, found
        assert base64.b64encode(secret.encode()).decode() not in found


@pytest.mark.parametrize("name", SILENT)
@pytest.mark.parametrize("key", KEYS)
def test_no_key_is_shown_under_a_neutral_name(name: str, key: str) -> None:
    assert key not in shown(SILENT[name], key)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def test_ordinary_manifests_stay_readable() -> None:
    ordinary = objects.parse(ORDINARY.read_text(encoding="utf-8"), "t")
    found = [
        (f"{one.label}{path}", value)
        for one in redaction.redacted(ordinary, b"k")
        for path, value in leaves(one.body)
        if not path.endswith("(text)")
    ]
    hidden = [path for path, value in found if str(value).startswith("<hidden ")]
    assert len(found) > 300
    assert len(hidden) <= len(found) * 0.02, hidden


def test_a_text_that_is_too_long_is_hidden_unread() -> None:
    assert secret_texts.holds_secret("a" * (secret_texts.LONGEST + 1))
