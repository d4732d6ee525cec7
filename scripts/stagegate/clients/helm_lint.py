"""`helm lint`, and its messages as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from stagegate.clients import helm, process
from stagegate.model import Severity
from stagegate.patterns import pattern

_LINT = pattern(r"^\[(ERROR|WARNING|INFO)\] ?(?:([^\s:][^:]*): )?(.*)$")
_SEVERITIES: Mapping[str, Severity] = {"ERROR": "error", "WARNING": "warning", "INFO": "note"}


class LintMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `helm lint`; `file` is inside the chart, or empty."""

    severity: Severity
    file: str
    text: str


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of `helm lint`; `passed` is its own verdict (with strict, warnings fail)."""

    passed: bool
    messages: tuple[LintMessage, ...]


def lint(
    chart: Path,
    values: Sequence[bytes] = (),
    *,
    names: Sequence[str] = (),
    strict: bool = False,
    namespace: str = "default",
    set_values: Sequence[tuple[str, str, bool]] = (),
    set_files: Sequence[tuple[str, bytes]] = (),
    kube_version: str = "",
) -> Lint:
    """`helm lint` of a chart folder with the values of a rendering, in the form that `template` takes."""
    helm.version()
    with helm.values_files(values, names, set_files) as flags:
        argv = [
            "helm",
            "lint",
            *flags,
            *(f"--set{'-string' if text else ''}={name}={value}" for name, value, text in set_values),
            *([f"--kube-version={kube_version}"] if kube_version else []),
            f"--namespace={namespace}",
            *(["--strict"] if strict else []),
            "--",
            str(chart),
        ]
        completed = process.run(*argv, env=helm.environment(), timeout=helm.SECONDS, check=False)
    messages = tuple(_lint_messages(helm.OURS.sub("", completed.text)))
    if completed.code and not any(
        m.severity == "error" or (strict and m.severity == "warning") for m in messages
    ):
        messages += (
            LintMessage(
                severity="error", file="", text=helm.explanation(completed) or f"ended with {completed.code}"
            ),
        )
    return Lint(passed=completed.code == 0, messages=messages)


def _lint_messages(output: str) -> Iterator[LintMessage]:
    """Messages with their continuation lines joined."""
    current: LintMessage | None = None
    for line in output.splitlines():
        finding_line = _LINT.match(line)
        if finding_line or not line.strip() or line.startswith("==>"):
            if current:
                yield current
            current = None
        if finding_line:
            current = LintMessage(
                severity=_SEVERITIES[finding_line[1]], file=finding_line[2] or "", text=finding_line[3]
            )
        elif current:
            current = msgspec.structs.replace(current, text=f"{current.text} {line.strip()}")
    if current:
        yield current
