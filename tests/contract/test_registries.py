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

from stagegate.comment import commands
from stagegate.comment.definition import CommandDefinition
from stagegate.errors import VERDICTS
from stagegate.pins import shapes
from stagegate.policy import rules
from stagegate.policy.rule import Rule
from stagegate.settings import Commands

ROOT = Path(__file__).resolve().parents[2]
REGISTRIES: Mapping[str, tuple[ModuleType, str, Callable[[], set[str]]]] = {
    "rules": (rules, "RULE", lambda: set(rules.RULES)),
    "commands": (commands, "COMMAND", lambda: set(commands.COMMANDS)),
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
    fake = text.replace('NAME = "order"', 'NAME = "sample-rule"').replace(
        'reason="out-of-order"', 'reason="no"'
    )
    (tmp_path / "half_a_rule" / "sample_rule.py").write_text(fake, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    collected = rules.collect([str(tmp_path / "half_a_rule")], "half_a_rule")
    assert list(collected) == ["sample-rule"]
    assert missing(collected["sample-rule"]) == ["reason", "rank", "docs/rules.md"]


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_a_command_is_complete(name: str) -> None:
    assert missing_of_command(commands.COMMANDS[name]) == []


def test_every_permission_of_the_settings_has_its_command() -> None:
    modes_of_the_gate, about_bots = {"adopt", "skip"}, {"bots"}
    given = {c.name for c in commands.COMMANDS.values() if not c.only_reads}
    assert set(Commands.__struct_fields__) == given | modes_of_the_gate | about_bots


def test_a_command_added_by_halves_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(commands.__path__[0]) / "unhold.py").read_text(encoding="utf-8")
    (tmp_path / "half_a_command").mkdir()
    (tmp_path / "half_a_command" / "__init__.py").touch()
    fake = text.replace('name="unhold"', 'name="sample"').replace("commands.unhold", "commands.sample")
    (tmp_path / "half_a_command" / "sample.py").write_text(fake, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    collected = commands.collect([str(tmp_path / "half_a_command")], "half_a_command")
    assert missing_of_command(collected["sample"]) == ["usage", "commands: in the settings", "README"]


def missing_of_command(command: CommandDefinition) -> list[str]:
    """What a command lacks to be whole: its own words, its permission in the settings, its line in the README."""
    lacks = [] if command.usage.split(" ")[0] == f"/{command.name}" else ["usage"]
    lacks += [] if command.help else ["help"]
    if command.permission is not None:
        for least in ("read", "admin"):
            if command.name not in Commands.__struct_fields__:
                lacks.append("commands: in the settings")
                break
            declared = msgspec.structs.replace(Commands(), **{command.name: least})
            lacks += [] if command.permission(declared) == least else ["permission"]
    page = (ROOT / "actions" / "pr-command" / "README.md").read_text(encoding="utf-8")
    return lacks + ([] if f"| `/{command.name}" in page else ["README"])


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
