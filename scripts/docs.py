"""Writes what is generated: input and output tables of every action's README, and the JSON Schemas.

`python scripts/docs.py` writes, `--check` only says what is stale (exit 1).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from stagegate import errors, model, settings
from stagegate.gate import scenarios
from stagegate.runner import log

ROOT = Path(__file__).resolve().parent.parent
OUTCOMES = """# Outcomes

Every action ends with one reason; outcome and exit code follow from it. The words are stable.
Compare them in `if:`. `fail-on-waiting: true` makes a waiting outcome exit 1.

| exit | outcome | reasons |
|---|---|---|
"""


def generated() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text it should have."""
    for folder in sorted((ROOT / "actions").iterdir()):
        readme, definition = folder / "README.md", folder / "action.yml"
        if readme.is_file() and definition.is_file():
            action = YAML(typ="safe", pure=True).load(definition)
            text = readme.read_text(encoding="utf-8")
            text = _between(text, "inputs", _inputs(action["inputs"]))
            yield readme, _between(text, "outputs", _outputs(action["outputs"]))
    readme = ROOT / "README.md"
    if readme.is_file():
        yield readme, _between(readme.read_text(encoding="utf-8"), "actions", _actions())
    yield ROOT / "stagegate.schema.json", _json(settings.schema())
    yield ROOT / "docs" / "evidence.schema.json", _json(msgspec.json.schema(model.Evidence))
    yield ROOT / "docs" / "outcomes.md", _outcomes()
    yield ROOT / "docs" / "plan.schema.json", _json(msgspec.json.schema(model.Plan))
    yield ROOT / "docs" / "report.schema.json", _json(msgspec.json.schema(model.Report))
    yield ROOT / "docs" / "scenarios.schema.json", _json(scenarios.schema())


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


def _between(text: str, marker: str, table: str) -> str:
    pattern = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{table}{found[2]}", text)


def _inputs(inputs: Mapping[str, Any]) -> str:
    rows = ["| input | default | what it is |", "|---|---|---|"]
    for name, field in inputs.items():
        default = "**required**" if field.get("required") else _default(str(field.get("default", "")))
        rows.append(f"| `{name}` | {default} | {field['description']} |")
    return "\n".join(rows) + "\n"


def _default(value: str) -> str:
    return f"`{value}`" if value else ""


def _outputs(outputs: Mapping[str, Any]) -> str:
    rows = ["| output | what it is |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{name}` | {o['description']} |" for name, o in outputs.items())]) + "\n"


def _actions() -> str:
    rows = ["| action | what it does |", "|---|---|"]
    for definition in sorted((ROOT / "actions").glob("*/action.yml")):
        name = definition.parent.name
        action = YAML(typ="safe", pure=True).load(definition)
        rows.append(f"| [{name}](actions/{name}/README.md) | {action['description']} |")
    return "\n".join(rows) + "\n"


def _outcomes() -> str:
    rows: dict[tuple[int, str], list[str]] = {}
    for reason, verdict in errors.VERDICTS.items():
        rows.setdefault((verdict.exit_code, verdict.outcome), []).append(f"`{reason}`")
    lines = [f"| {code} | {outcome} | {', '.join(reasons)} |" for (code, outcome), reasons in rows.items()]
    return OUTCOMES + "\n".join(lines) + "\n"


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
