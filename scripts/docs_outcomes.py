"""The pages with every reason: outcome, meaning, what to do."""

from __future__ import annotations

from stagegate import errors, explain

OUTCOMES = """# Outcomes

Every action ends with one reason; outcome and exit code follow from it. The words are stable.
Compare them in `if:`. `fail-on-waiting: true` makes a waiting outcome exit 1.

| exit | outcome | reasons |
|---|---|---|
"""


def troubleshooting() -> str:
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


def outcomes() -> str:
    """The page with exit codes, outcomes and reasons."""
    rows: dict[tuple[int, str], list[str]] = {}
    for reason, verdict in errors.VERDICTS.items():
        rows.setdefault((verdict.exit_code, verdict.outcome), []).append(f"`{reason}`")
    lines = [f"| {code} | {outcome} | {', '.join(reasons)} |" for (code, outcome), reasons in rows.items()]
    return OUTCOMES + "\n".join(lines) + "\n"
