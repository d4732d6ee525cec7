"""A difference shows no secret of the corpus, and nearly every ordinary value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stagegate.chart import objects
from stagegate.difference import compare, redaction
from stagegate.model import to_json
from tests.cases.redaction import leaks, leaks_of_programs

PLANTED = [*leaks.LEAKS, *leaks_of_programs.LEAKS]
FORMS = sorted({form for form, _, _ in PLANTED})


def parsed(document: leaks.Document) -> tuple[objects.RenderedObject, ...]:
    return objects.parse(json.dumps(document), "corpus")


def with_other(document: leaks.Document, secrets: list[str]) -> leaks.Document:
    """The document with another secret of the same shape in each place."""
    text = json.dumps(document)
    for secret in secrets:
        text = text.replace(json.dumps(secret)[1:-1], json.dumps(secret.swapcase())[1:-1])
    changed: leaks.Document = json.loads(text)
    return changed


def test_the_corpus_is_large_enough() -> None:
    assert len(FORMS) >= 100
    assert sum(len(secrets) for _, _, secrets in PLANTED) >= 400


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_shown(form: str) -> None:
    for _, document, secrets in (planted for planted in PLANTED if planted[0] == form):
        one, other = parsed(document), parsed(with_other(document, secrets))
        sides = (((), one), (one, ()), (one, other), (other, one))
        text = "".join(to_json(compare(before, after, b"one report")).decode() for before, after in sides)
        shown = [secret for secret in secrets if secret in text or json.dumps(secret)[1:-1] in text]
        assert not shown, document


def names_and_values(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from names_and_values(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_and_values(item)
    else:
        yield str(value)


def test_ordinary_values_stay_readable() -> None:
    hidden, total = [], 0
    for document, values in leaks.ORDINARY:
        text = "\n".join(
            part for one in redaction.redacted(parsed(document), b"k") for part in names_and_values(one.body)
        )
        # A structured text is shown by field, so `port: 80` is shown as a name and a value.
        total += len(values)
        hidden += [value for value in values if not all(part in text for part in value.split(": "))]
    assert total >= 140
    assert len(hidden) <= total * 0.05, hidden
