"""Writes what is generated: tables of every action's README and of the settings, and the JSON Schemas.

`python scripts/docs.py` writes, `--check` only says what is stale (exit 1).
"""

from __future__ import annotations

import ast
import difflib
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

import docs_layers
from stagegate import cli, errors, explain, model, pins, settings
from stagegate.chart import rules as chart_rules
from stagegate.chart.rule import ChartRule
from stagegate.comment import commands
from stagegate.gate import scenarios
from stagegate.pins import shapes
from stagegate.policy import rules
from stagegate.report import status_document
from stagegate.runner import definitions, log
from stagegate.setup.doctor import registry as doctor_checks

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
            text = _between(text, "commands", _commands()) if folder.name == "pr-command" else text
            text = _between(text, "checks", _checks()) if folder.name == "doctor" else text
            yield readme, _between(text, "outputs", _outputs(action["outputs"]))
    readme = ROOT / "README.md"
    if readme.is_file():
        text = _between(readme.read_text(encoding="utf-8"), "cli", _command_line())
        yield readme, _between(text, "actions", _actions())
    document = settings_schema()
    reference, text = (
        ROOT / "docs" / "settings.md",
        (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"),
    )
    for name, title in sections(document).items():
        text = _between(text, title, _keys(document["$defs"][name], sections(document)))
    yield reference, text
    yield ROOT / "stagegate.schema.json", _json(document)
    yield ROOT / "docs" / "evidence.schema.json", _json(msgspec.json.schema(model.Evidence))
    yield ROOT / "docs" / "status.schema.json", _json(status_document.schema())
    yield ROOT / "docs" / "outcomes.md", _outcomes()
    yield ROOT / "docs" / "troubleshooting.md", _troubleshooting()
    page = ROOT / "docs" / "pins.md"
    yield page, _between(page.read_text(encoding="utf-8"), "shapes", _shapes())
    page = ROOT / "docs" / "architecture.md"
    yield page, _between(page.read_text(encoding="utf-8"), "layers", docs_layers.picture())
    page = ROOT / "docs" / "rules.md"
    text = _between(page.read_text(encoding="utf-8"), "rules", _rules())
    yield page, _between(text, "risks", _risks())
    page = ROOT / "docs" / "chart-check.md"
    yield page, _between(page.read_text(encoding="utf-8"), "rules", _chart_rules())
    project = ROOT / "pyproject.toml"
    yield project, _locked_dependencies(project.read_text(encoding="utf-8"))
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


def _checks() -> str:
    """The checks of doctor as a table."""
    rows = [
        f"| `{one.name}` | {one.looks_at} | {', '.join(sorted(one.needs)) or 'the work tree'} |"
        for one in doctor_checks.all_checks()
    ]
    return "\n".join(["| check | looks at | asks |", "|---|---|---|", *rows]) + "\n"


def settings_schema() -> dict[str, Any]:
    """The schema of `stagegate.yaml`, with the text below each field as its description."""
    document = settings.schema()
    for name, section in document["$defs"].items():
        told = texts(getattr(settings, name))
        if silent := section["properties"].keys() - told.keys():
            raise SystemExit(f"Say below the field what it does, in {name}: {', '.join(sorted(silent))}.")
        for key, text in told.items():
            section["properties"][key]["description"] = text
    return document


def texts(section: type[msgspec.Struct]) -> dict[str, str]:
    """What stands below the fields of a section, by key; only the source has it."""
    keys = {field.name: field.encode_name for field in msgspec.structs.fields(section)}
    (definition,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  for the type checker
    found = {}
    for field, below in pairwise(definition.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[keys[name]] = " ".join(text.split())
    return found


def sections(document: Mapping[str, Any], name: str = "Settings", path: str = "") -> dict[str, str]:
    """Every section from one on, with its title: the keys that lead to it, those of environments left out."""
    found = {name: path or "settings"}
    before = f"{path}." if path not in ("", "environments") else ""
    for key, field in document["$defs"][name]["properties"].items():
        for inner in re.findall(r"#/\$defs/(\w+)", json.dumps(field)):
            found |= sections(document, inner, before + key)
    return found


def _keys(section: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    rows = ["| key | value | default | what it does |", "|---|---|---|---|"]
    for key, field in section["properties"].items():
        default = (
            "**required**" if key in section.get("required", ()) else _default(_written(field["default"]))
        )
        rows.append(f"| `{key}` | {_kind(field, titles)} | {default} | {field['description']} |")
    return "\n".join(rows) + "\n"


def _kind(field: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """What may be written there, in words; a section is a link to its table."""
    if "$ref" in field:
        title = titles[field["$ref"].rpartition("/")[2]]
        return f"[{title}](#{title.replace('.', '')})"
    if "anyOf" in field:
        return " or ".join(_kind(one, titles) for one in field["anyOf"] if one.get("type") != "null")
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"] if word is not None)
    if field["type"] == "array":
        return f"list of {_kind(field['items'], titles)}"
    words = {
        "string": "text",
        "integer": "number",
        "boolean": "`true`, `false`",
        "object": "text for each name",
    }
    return str(field.get("title") or field.get("format") or words[field["type"]])


def _written(default: object) -> str:
    """A default as it would be written; nothing for what is empty, or a section."""
    if isinstance(default, list | tuple):
        return f"[{', '.join(default)}]" if default else ""
    return "" if default is None or isinstance(default, dict) else json.dumps(default).strip('"')


def _between(text: str, marker: str, table: str) -> str:
    marker = re.escape(marker)
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


def _command_line() -> str:
    """The commands of `stagegate` that are no actions, as a table."""
    actions = set(definitions.names())
    own = {name: text.replace("|", "\\|") for name, text in cli.commands().items() if name not in actions}
    rows = [f"| `stagegate {name}` | {text} |" for name, text in own.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows]) + "\n"


def _troubleshooting() -> str:
    """A page with every reason: what it means and what to do."""
    lines = [
        "# Troubleshooting",
        "",
        "Every action ends with one of these words as its `reason`. `stagegate explain <reason>` prints the same.",
        "",
        "| reason | outcome | what it means | what to do |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{reason}` | {errors.VERDICTS[reason].outcome} | {meaning} | {action} |"
        for reason, (meaning, action) in explain.REASONS.items()
    ]
    return "\n".join(lines) + "\n"


PINS = b"""
app: shop
source: acme/shop
images: [ghcr.io/acme/shop]
chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts", image-tag-value: global.imageTag}
environments:
  - {name: staging}
  - {name: prod, after: [staging], argocd: {applications: [shop-prod]}}
"""


def _shapes() -> str:
    """Every pin shape with its example, and the difference that a promotion to 1.2.4 makes there."""
    declared = settings.parse(PINS, "stagegate.yaml")
    release = model.Release(app="shop", version="1.2.4", tag="v1.2.4", commit="c" * 40)
    parts = []
    for shape in shapes.all_shapes():
        before = shape.example.encode()
        pin_file = pins.read(shape.file, before, declared, declared.environment("prod"))
        after, _ = pins.edit(pin_file, release, declared)
        lines = difflib.unified_diff(
            shape.example.splitlines(), after.decode().splitlines(), shape.file, shape.file, lineterm="", n=2
        )
        shown = "\n".join(lines)
        parts.append(f"### {shape.title}\n\n{shape.about}\n\n```diff\n{shown}\n```\n")
    return "\n".join(parts)


def _commands() -> str:
    """Every comment command with the least permission that `commands` of the settings asks by default."""
    rows = ["| command | what it does | least permission (`commands:`) |", "|---|---|---|"]
    for command in commands.COMMANDS.values():
        least = (
            f"`{command.name}: {command.permission(settings.Commands())}`" if command.permission else "read"
        )
        usage = command.usage.replace("|", "\\|")
        rows.append(f"| `{usage}` | {command.help} | {least} |")
    return "\n".join(rows) + "\n"


def _rules() -> str:
    """Every promotion rule, in the order in which they are judged."""
    rows = [
        "| rule | requires | changes it applies to | if not satisfied | reason | what to do |",
        "|---|---|---|---|---|---|",
    ]
    for rule in rules.RULES.values():
        kinds = ", ".join(kind for kind in ("promote", "rollback", "configure") if kind in rule.kinds)
        effect = "proposes" if rule.proposable else "refuses"
        cure = rule.cure.format(environment="the environment", before="the environments in `after`")
        rows.append(f"| `{rule.name}` | {rule.title} | {kinds} | {effect} | `{rule.reason}` | {cure} |")
    return "\n".join(rows) + "\n"


def _risks() -> str:
    """Every class of risk."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in explain.RISKS.items()]
    return "\n".join(["| class | means |", "|---|---|", *rows]) + "\n"


def _chart_rules() -> str:
    """Every chart rule: what it checks, why, the fix, and a chart that it finds next to one that passes."""
    parts = []
    for rule in chart_rules.all_rules():
        head = f"### {rule.id}\n\n{rule.about}. Severity: up to **{rule.severity}**.\n\n"
        texts = f"{rule.why}\n\n{rule.details}\n\n" if rule.details else f"{rule.why}\n\n"
        parts.append(f"{head}{texts}**Fix.** {rule.fix}\n\n{_twins(rule)}")
    return "\n".join(parts)


def _twins(rule: ChartRule) -> str:
    """The difference that repairs the bad twin."""
    bad = {**rule.bad.files, **({"deploy/prod.yaml": rule.bad.pins} if rule.bad.pins else {})}
    good = {**rule.good.files, **({"deploy/prod.yaml": rule.good.pins} if rule.good.pins else {})}
    lines: list[str] = []
    for file in dict.fromkeys((*bad, *good)):
        before, after = bad.get(file, "").splitlines(), good.get(file, "").splitlines()
        lines += [line[:160] for line in difflib.unified_diff(before, after, file, file, lineterm="", n=4)]
    shown = "\n".join(lines)
    return f"```diff\n{shown}\n```\n" if lines else ""


def _locked_dependencies(text: str) -> str:
    """pyproject.toml with the exact versions of the lock as the package's dependencies."""
    lock = (ROOT / "scripts" / "requirements.txt").read_text(encoding="utf-8")
    rows = [line.removesuffix(" \\") for line in lock.splitlines() if re.match(r"[a-z]", line)]
    block = "dependencies = [\n" + "".join(f"    {json.dumps(row)},\n" for row in rows) + "]"
    return re.sub(r"(?m)^dependencies = \[\n(?: .*\n)*\]", lambda _: block, text)


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
