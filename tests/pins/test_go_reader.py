"""Our YAML readers give the values of helm's, which is also the reader of Argo CD and Kubernetes.

A chart prints each document through `fromYaml`. The strict check must refuse texts that both read differently.
"""

from __future__ import annotations

import base64
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from stagegate import yaml_1_1, yaml_nodes
from stagegate.clients import process
from stagegate.errors import Stop
from stagegate.pins import strict
from tests.pins.yaml_documents import WORDS, document

COUNT = int(os.environ.get("STAGEGATE_FUZZ_DOCUMENTS") or "3000")
SEED = int(os.environ.get("STAGEGATE_FUZZ_SEED") or "13")
TEMPLATE = """\
{{- range $path, $content := .Files.Glob "documents/*" }}
{{ base $path }}: {{ fromYaml (toString $content) | toJson | b64enc }}
{{- end }}
"""


def go_reads(documents: list[str], folder: Path) -> list[dict[str, Any]]:
    """Every document as Go reads it; one key `Error` where it refuses."""
    chart = folder / "go"
    (chart / "templates").mkdir(parents=True)
    (chart / "documents").mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: go\nversion: 0.1.0\n")
    (chart / "templates" / "all.yaml").write_text(TEMPLATE)
    for number, text in enumerate(documents):
        (chart / "documents" / f"{number:06}").write_bytes(text.encode())
    printed = process.run("helm", "template", "x", str(chart), timeout=300).stdout.decode()
    lines = dict(line.split(": ", 1) for line in printed.splitlines() if line[:6].isdigit())
    assert len(lines) == len(documents)
    return [json.loads(base64.b64decode(lines[f"{number:06}"])) for number in range(len(documents))]


def we_read(text: str) -> list[Any]:
    """The first document of a text by both of our readers."""
    nodes = yaml_nodes.compose(text.encode(), "document.yaml")
    every = yaml_1_1.load_all_last(text)
    return [yaml_nodes.plain(nodes[0]) if nodes else None, every[0] if every else None]


def same(ours: Any, go: Any) -> bool:
    """Whether two values are equal; numbers as floats, which is all that JSON in a template has."""
    if isinstance(ours, bool) or isinstance(go, bool):
        return ours is go
    if isinstance(ours, int | float) and isinstance(go, int | float):
        return float(ours) == float(go)
    if isinstance(ours, dict) and isinstance(go, dict):
        return ours.keys() == go.keys() and all(same(ours[key], go[key]) for key in ours)
    if isinstance(ours, list) and isinstance(go, list):
        return len(ours) == len(go) and all(map(same, ours, go))
    return bool(ours == go)


def is_refused(text: str) -> bool:
    try:
        strict.check(text.encode(), "document.yaml")
    except Stop:
        return True
    return False


def compare(documents: list[str], folder: Path) -> int:
    """How many documents were compared: those that are not refused. Fails for the first that differs."""
    compared = 0
    for text, go in zip(documents, go_reads(documents, folder), strict=True):
        if is_refused(text) or "cannot unmarshal" in str(go.get("Error")):  # no mapping, which fromYaml wants
            continue
        compared += 1
        assert "Error" not in go, f"Go refuses {text!r}: {go['Error']}"
        for ours in we_read(text):
            assert same(ours or {}, go), f"{text!r}\nGo: {go}\nwe: {ours}"
    return compared


def test_every_odd_word_is_read_as_go_reads_it(tmp_path: Path) -> None:
    words = [word for word in dict.fromkeys(WORDS) if word]
    documents = [f"value: {word}\n" for word in words] + [f"{word}: value\n" for word in words]
    assert compare(documents, tmp_path) > len(words)


@pytest.mark.fuzz
def test_generated_documents_are_read_alike_or_refused(tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a document to read, no secret
    documents = [document(chance) for _ in range(COUNT)]
    assert compare(documents, tmp_path) > COUNT // 4


def test_the_comparison_notices_another_reader(tmp_path: Path) -> None:
    """PyYAML's own reader reads several of these words differently from Go."""
    words = ["0o10", "n", "1e3", "12:30:45", "2024-01-01", "08"]
    documents = [f"value: {word}\n" for word in words]
    found = zip(documents, go_reads(documents, tmp_path), strict=True)
    assert not any(same(yaml.safe_load(text), go) for text, go in found)
