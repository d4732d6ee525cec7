"""The Renovate presets: they follow calls of stagegate, and leave pins alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def rule_of(name: str) -> dict[str, Any]:
    """The one rule of a preset."""
    rules: list[dict[str, Any]] = json.loads((ROOT / "presets" / f"{name}.json").read_text())["packageRules"]
    (rule,) = rules
    return rule


def test_calls_of_stagegate_are_pinned_together() -> None:
    rule = rule_of("renovate")
    (pattern,) = rule["matchPackageNames"]
    for name, follows in {"acme/stagegate": True, "stagegate": True, "acme/stagegate-docs": False}.items():
        assert (re.search(pattern.strip("/"), name) is not None) == follows, name
    assert (rule["pinDigests"], rule["automerge"], rule["matchManagers"]) == (True, False, ["github-actions"])


def test_pins_are_left_alone_where_the_argument_says() -> None:
    rule = rule_of("pins")
    assert (rule["enabled"], rule["matchFileNames"]) == (False, ["{{arg0}}"])
    assert {"argocd", "kustomize", "helm-values", "kubernetes", "helmv3"} <= set(rule["matchManagers"])


def test_the_page_names_presets_that_exist() -> None:
    text = (ROOT / "docs" / "upgrade.md").read_text()
    named = re.findall(r"//presets/(\w+)", text)
    assert set(named) == {path.stem for path in (ROOT / "presets").glob("*.json")}
