"""Every registry is built from its folder, and nothing of it is missing elsewhere."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from stagegate.errors import VERDICTS
from stagegate.pins import shapes
from stagegate.policy import rules
from stagegate.policy.rule import Rule

ROOT = Path(__file__).resolve().parents[2]
REGISTRIES: Mapping[str, tuple[ModuleType, str, Callable[[], set[str]]]] = {
    "rules": (rules, "RULE", lambda: set(rules.RULES)),
    "pin shapes": (shapes, "SHAPE", lambda: {shape.name for shape in shapes.all_shapes()}),
}


def members(package: ModuleType, attribute: str) -> dict[str, Any]:
    """The members that the files of a folder define, by file name."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}
    return {name: getattr(m, attribute) for name, m in modules.items() if hasattr(m, attribute)}


@pytest.mark.parametrize("registry", REGISTRIES)
def test_the_registry_contains_what_the_files_define(registry: str) -> None:
    package, attribute, names = REGISTRIES[registry]
    defined = members(package, attribute)
    assert defined
    assert {member.name for member in defined.values()} == names()


@pytest.mark.parametrize("name", rules.RULES)
def test_a_rule_is_complete(name: str) -> None:
    rule = rules.RULES[name]
    assert missing(rule) == []


def test_a_rule_added_by_halves_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(rules.__path__[0]) / "order.py").read_text(encoding="utf-8")
    (tmp_path / "half_a_rule").mkdir()
    (tmp_path / "half_a_rule" / "__init__.py").touch()
    fake = text.replace('NAME = "order"', 'NAME = "four-eyes"').replace(
        'reason="out-of-order"', 'reason="no"'
    )
    (tmp_path / "half_a_rule" / "four_eyes.py").write_text(fake, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    collected = rules.collect([str(tmp_path / "half_a_rule")], "half_a_rule")
    assert list(collected) == ["four-eyes"]
    assert missing(collected["four-eyes"]) == ["reason", "rank", "docs/rules.md"]


def missing(rule: Rule) -> list[str]:
    """What a rule lacks to be whole: words in its value, and its line in the documentation."""
    lacks = [
        field
        for field, value in msgspec.structs.asdict(rule).items()
        if isinstance(value, (str, frozenset)) and not value
    ]
    lacks += ["reason"] if rule.reason not in VERDICTS else []
    others = [other for other in rules.RULES.values() if other.name != rule.name]
    lacks += ["rank"] if rule.rank in {other.rank for other in others} else []
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    return lacks + ([] if f"| `{rule.name}` |" in page else ["docs/rules.md"])
