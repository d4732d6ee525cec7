"""What the registries contain, for people: rules, commands, pin shapes, chart rules, checks of doctor."""

from __future__ import annotations

import difflib

from stagegate import explain, model, pins, settings
from stagegate.chart.rule import ChartRule
from stagegate.chart.rules import all_rules
from stagegate.comment import commands
from stagegate.pins import shapes
from stagegate.policy import rules
from stagegate.setup.doctor import registry


def doctor_checks() -> str:
    """The checks of doctor as a table."""
    rows = [
        f"| `{one.name}` | {one.looks_at} | {', '.join(sorted(one.needs)) or 'the work tree'} |"
        for one in registry.all_checks()
    ]
    return "\n".join(["| check | looks at | asks |", "|---|---|---|", *rows]) + "\n"


PINS = b"""
app: shop
source: acme/shop
images: [ghcr.io/acme/shop]
chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts", image-tag-value: global.imageTag}
environments:
  - {name: staging}
  - {name: prod, after: [staging], argocd: {applications: [shop-prod]}}
"""


def pin_shapes() -> str:
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


def comment_commands() -> str:
    """Every comment command with the least permission that `commands` of the settings asks by default."""
    rows = ["| command | what it does | least permission (`commands:`) |", "|---|---|---|"]
    for command in commands.COMMANDS.values():
        least = (
            f"`{command.name}: {command.permission(settings.Commands())}`" if command.permission else "read"
        )
        usage = command.usage.replace("|", "\\|")
        rows.append(f"| `{usage}` | {command.help} | {least} |")
    return "\n".join(rows) + "\n"


def promotion_rules() -> str:
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


def risks() -> str:
    """Every class of risk."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in explain.RISKS.items()]
    return "\n".join(["| class | means |", "|---|---|", *rows]) + "\n"


def chart_rules() -> str:
    """Every chart rule: what it checks, why, the fix, and a chart that it finds next to one that passes."""
    parts = []
    for rule in all_rules():
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
