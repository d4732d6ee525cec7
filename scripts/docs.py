"""Writes what is generated: tables of every action's README and of the settings, and the JSON Schemas.

`python scripts/docs.py` writes, `--check` only says what is stale (exit 1).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

import docs_actions
import docs_layers
import docs_outcomes
import docs_registries
import docs_settings
from stagegate import model
from stagegate.gate import scenarios
from stagegate.report import status_document
from stagegate.runner import log

ROOT = Path(__file__).resolve().parent.parent
_IN_README: Mapping[str, Callable[[], dict[str, str]]] = {  # what the page of an action contains besides
    "pr-command": lambda: {"commands": docs_registries.comment_commands()},
    "doctor": lambda: {"checks": docs_registries.doctor_checks()},
}


def generated() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text it should have."""
    for definition in sorted((ROOT / "actions").glob("*/action.yml")):
        action = YAML(typ="safe", pure=True).load(definition)
        tables = {
            "inputs": docs_actions.inputs(action["inputs"]),
            "outputs": docs_actions.outputs(action["outputs"]),
        }
        tables |= _IN_README.get(definition.parent.name, dict)()
        yield _filled(f"actions/{definition.parent.name}/README.md", tables)
    yield _filled("README.md", {"cli": docs_actions.command_line(), "actions": docs_actions.actions()})
    document = docs_settings.settings_schema()
    titles = docs_settings.sections(document)
    keys = {title: docs_settings.keys(document["$defs"][name], titles) for name, title in titles.items()}
    yield _filled("docs/settings.md", keys)
    yield _filled("docs/pins.md", {"shapes": docs_registries.pin_shapes()})
    yield _filled("docs/architecture.md", {"layers": docs_layers.picture()})
    rules = {"rules": docs_registries.promotion_rules(), "risks": docs_registries.risks()}
    yield _filled("docs/rules.md", rules)
    yield _filled("docs/chart-check.md", {"rules": docs_registries.chart_rules()})
    yield ROOT / "docs/outcomes.md", docs_outcomes.outcomes()
    yield ROOT / "docs/troubleshooting.md", docs_outcomes.troubleshooting()
    yield ROOT / "stagegate.schema.json", _json(document)
    yield ROOT / "docs/status.schema.json", _json(status_document.schema())
    yield ROOT / "docs/scenarios.schema.json", _json(scenarios.schema())
    for kind in (model.Evidence, model.Plan, model.Report):
        yield ROOT / f"docs/{kind.__name__.lower()}.schema.json", _json(msgspec.json.schema(kind))
    project = ROOT / "pyproject.toml"
    yield project, _locked_dependencies(project.read_text(encoding="utf-8"))


def main(arguments: Sequence[str]) -> int:
    """Write or check; the number of stale files decides the exit code of a check."""
    stale = [
        (path, text) for path, text in generated() if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path, text in stale:
        name = path.relative_to(ROOT)
        if "--check" in arguments:
            log.say(f"{name} is stale: run `make docs` and commit it")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            log.say(f"wrote {name}")
    return 1 if stale and "--check" in arguments else 0


def _filled(page: str, tables: Mapping[str, str]) -> tuple[Path, str]:
    """A page with each of its tables between the two comments of that name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for marker, table in tables.items():
        text = _between(text, marker, table)
    return ROOT / page, text


def _between(text: str, marker: str, table: str) -> str:
    marker = re.escape(marker)
    pattern = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{table}{found[2]}", text)


def _locked_dependencies(text: str) -> str:
    """pyproject.toml with the exact versions of the lock as the package's dependencies."""
    lock = (ROOT / "scripts" / "requirements.txt").read_text(encoding="utf-8")
    rows = [line.removesuffix(" \\") for line in lock.splitlines() if re.match(r"[a-z]", line)]
    block = "dependencies = [\n" + "".join(f"    {json.dumps(row)},\n" for row in rows) + "]"
    return re.sub(r"(?m)^dependencies = \[\n(?: .*\n)*\]", lambda _: block, text)


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
