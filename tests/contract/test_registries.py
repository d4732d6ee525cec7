"""Every registry is built from its folder, and settings, docs and code have each of its members."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest

from stagegate import explain
from stagegate.chart import rules as chart_rules
from stagegate.chart.rule import ChartRule
from stagegate.comment import commands
from stagegate.comment.definition import CommandDefinition
from stagegate.errors import VERDICTS
from stagegate.gate.rollout_reasons import REASONS, RolloutReason
from stagegate.model import OWN_CHECKS
from stagegate.notification import payloads
from stagegate.notification.notices import Notice
from stagegate.pins import shapes
from stagegate.pins.shape import Shape
from stagegate.policy import rules
from stagegate.policy.rule import Rule
from stagegate.promotion.request import Permitted
from stagegate.settings import Channel, Commands
from stagegate.settings.notify import EVENTS, PLACEHOLDERS, ChannelKind
from stagegate.setup.doctor import checks, registry
from stagegate.setup.doctor.check import DoctorCheck

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


@pytest.mark.parametrize("mode", [*get_args(Permitted), "adopt", "skip"])
def test_every_mode_that_takes_a_permission_has_it_in_the_settings(mode: str) -> None:
    assert Commands().of(mode) == getattr(Commands(), mode)


def test_a_command_added_by_halves_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(commands.__path__[0]) / "unhold.py").read_text(encoding="utf-8")
    (tmp_path / "half_a_command").mkdir()
    (tmp_path / "half_a_command" / "__init__.py").touch()
    fake = text.replace('name="unhold"', 'name="sample"').replace("commands.unhold", "commands.sample")
    (tmp_path / "half_a_command" / "sample.py").write_text(fake, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    collected = commands.collect([str(tmp_path / "half_a_command")], "half_a_command")
    assert missing_of_command(collected["sample"]) == ["usage", "commands: in the settings", "README"]


@pytest.mark.parametrize("shape", shapes.all_shapes(), ids=lambda shape: shape.name)
def test_a_pin_shape_is_complete(shape: Shape) -> None:
    assert missing_of_shape(shape) == []


def test_a_pin_shape_added_by_halves_is_found() -> None:
    fake = msgspec.structs.replace(shapes.all_shapes()[0], name="sample", title="Sample", example="")
    assert missing_of_shape(fake) == ["example", "docs/pins.md"]


@pytest.mark.parametrize("rule", chart_rules.all_rules(), ids=lambda rule: rule.id)
def test_a_chart_rule_is_complete(rule: ChartRule) -> None:
    assert missing_of_chart_rule(rule) == []


def test_a_chart_rule_added_by_halves_is_found() -> None:
    fake = msgspec.structs.replace(
        chart_rules.all_rules()[0], id="sample", why="", check=None, check_chart=None
    )
    assert missing_of_chart_rule(fake) == ["why", "check", "docs/chart-check.md"]


@pytest.mark.parametrize("check", registry.all_checks(), ids=lambda check: check.name)
def test_a_check_of_doctor_is_complete(check: DoctorCheck) -> None:
    assert missing_of_doctor_check(check) == []


def test_a_check_of_doctor_added_by_halves_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sample.py").write_text("NAME = 'sample'\n", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
        registry.all_checks.cache_clear()
        with pytest.raises(TypeError, match=r"sample\.py must define CHECK"):
            registry.all_checks()
    registry.all_checks.cache_clear()
    fake = msgspec.structs.replace(registry.all_checks()[0], name="sample", cure="")
    assert missing_of_doctor_check(fake) == ["cure", "actions/doctor/README.md"]


def test_a_rollout_reason_is_complete() -> None:
    assert {reason: missing_of_rollout_reason(reason) for reason in get_args(RolloutReason)} == {
        reason: [] for reason in REASONS
    }


def test_a_rollout_reason_added_by_halves_is_found() -> None:
    assert missing_of_rollout_reason("sample") == ["meaning", "docs/gate.md", "nothing gives it"]


def test_a_check_of_the_gate_is_complete() -> None:
    assert {name: missing_of_gate_check(name) for name in OWN_CHECKS} == {name: [] for name in OWN_CHECKS}


def test_a_check_of_the_gate_added_by_halves_is_found() -> None:
    assert missing_of_gate_check("sample") == ["docs/evidence.md", "nothing makes it"]


@pytest.mark.parametrize("reason", VERDICTS)
def test_an_outcome_is_complete(reason: str) -> None:
    assert missing_of_outcome(reason) == []


def test_an_outcome_added_by_halves_is_found() -> None:
    assert missing_of_outcome("sample") == ["explanation", "docs/outcomes.md", "docs/troubleshooting.md"]


@pytest.mark.parametrize("event", EVENTS)
def test_every_notified_event_is_complete(event: str) -> None:
    assert missing_of_event(event) == []


def test_an_event_added_by_halves_is_found() -> None:
    assert missing_of_event("sample") == ["docs/notifications.md", "nothing gives it"]


@pytest.mark.parametrize("kind", get_args(ChannelKind))
def test_a_kind_of_channel_is_complete(kind: str) -> None:
    assert missing_of_channel(kind) == []


def test_a_kind_of_channel_added_by_halves_is_found() -> None:
    assert missing_of_channel("sample") == ["form of its message", "docs/notifications.md"]


def test_every_placeholder_has_a_value_and_a_word_in_the_docs() -> None:
    notice = Notice(event="failure", action="", app="", environment="", version="", reason="", what="")
    everything = payloads.body(Channel(kind="webhook", url="URL"), notice, "acme/shop", "")
    assert json.loads(everything).keys() == set(PLACEHOLDERS)
    assert [name for name in PLACEHOLDERS if f"`{name}`" not in page("docs/notifications.md")] == []


def page(path: str) -> str:
    """A file of the documentation."""
    return (ROOT / path).read_text(encoding="utf-8")


def empty(value: msgspec.Struct, *allowed: str) -> list[str]:
    """The texts of a value that are empty, besides those that may be."""
    fields = msgspec.structs.asdict(value)
    return [name for name, text in fields.items() if text == "" and name not in allowed]


def is_written(word: str, folder: str, *besides: str) -> bool:
    """Whether the source of a folder has a text, outside the files that declare it."""
    files = [file for file in (ROOT / "scripts/stagegate" / folder).rglob("*.py") if file.name not in besides]
    return any(f'"{word}"' in file.read_text(encoding="utf-8") for file in files)


def missing_of_shape(shape: Shape) -> list[str]:
    """What a pin shape lacks: texts, a finder, its part of the page."""
    lacks = empty(shape) + ([] if shape.places or shape.source_places else ["finder"])
    return lacks + ([] if f"### {shape.title}\n" in page("docs/pins.md") else ["docs/pins.md"])


def missing_of_chart_rule(rule: ChartRule) -> list[str]:
    """What a chart rule lacks: texts, a check, its part of the page."""
    lacks = empty(rule, "details") + ([] if rule.check or rule.check_chart else ["check"])
    return lacks + ([] if f"### {rule.id}\n" in page("docs/chart-check.md") else ["docs/chart-check.md"])


def missing_of_doctor_check(check: DoctorCheck) -> list[str]:
    """What a check of doctor lacks: texts, and its row in the README."""
    readme = "actions/doctor/README.md"
    return empty(check) + ([] if f"| `{check.name}` |" in page(readme) else [readme])


def missing_of_rollout_reason(reason: str) -> list[str]:
    """What a reason of a roll-out lacks: its meaning, its row in the docs, code that gives it."""
    lacks = [] if reason in REASONS else ["meaning"]
    lacks += [] if f"`{reason}`" in page("docs/gate.md") else ["docs/gate.md"]
    return lacks + ([] if is_written(reason, "gate", "rollout_reasons.py") else ["nothing gives it"])


def missing_of_gate_check(name: str) -> list[str]:
    """What a check of every gate lacks: its line in the docs, code that makes it."""
    lacks = [] if f"| `{name}` |" in page("docs/evidence.md") else ["docs/evidence.md"]
    return lacks + ([] if is_written(name, "gate") else ["nothing makes it"])


def missing_of_outcome(reason: str) -> list[str]:
    """What a reason of an action lacks: its explanation and its place on two pages."""
    lacks = [] if reason in explain.REASONS else ["explanation"]
    pages = ("docs/outcomes.md", "docs/troubleshooting.md")
    return lacks + [path for path in pages if f"`{reason}`" not in page(path)]


def missing_of_event(event: str) -> list[str]:
    """What an event lacks: its row in the docs, code that sends it."""
    lacks = [] if f"| `{event}` |" in page("docs/notifications.md") else ["docs/notifications.md"]
    return lacks + ([] if is_written(event, "notification") else ["nothing gives it"])


def missing_of_channel(kind: str) -> list[str]:
    """What a kind of channel lacks: the format of its messages, its part of the docs."""
    lacks = [] if kind == "issue" or kind in payloads.FORMS else ["form of its message"]
    return lacks + ([] if f"- **{kind}**:" in page("docs/notifications.md") else ["docs/notifications.md"])


def missing_of_command(command: CommandDefinition) -> list[str]:
    """What a command lacks: its texts, its permission in the settings, its line in the README."""
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
    """What a rule lacks: texts in its value, and its line in the documentation."""
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
