"""Expressions in the jobs of a workflow: the texts that GitHub evaluates, and the outputs that they take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stagegate.argocd_app.sources import items, mapping

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.S)
_NEEDS = re.compile(r"\bneeds\.(?P<job>[\w-]+)\.outputs\.(?P<output>[\w-]+)")
_STEPS = re.compile(r"\bsteps\.(?P<step>[\w-]+)\.(?:outputs\.(?P<output>[\w-]+)|outcome|conclusion)")


class Taken(msgspec.Struct, frozen=True):
    """An output that an expression takes: of the job or step `owner`; `output` is empty for a step's result."""

    owner: str
    output: str

    @property
    def text(self) -> str:
        """As the expression has it, without `needs.` or `steps.`."""
        return f"{self.owner}.outputs.{self.output}" if self.output else self.owner


def of_jobs(value: Any) -> Iterator[Taken]:
    """The outputs of other jobs that a part of a job takes."""
    for text in evaluated(value):
        yield from (Taken(match["job"], match["output"]) for match in _NEEDS.finditer(text))


def of_steps(value: Any) -> Iterator[Taken]:
    """The outputs and results of steps that a part of a job takes."""
    for text in evaluated(value):
        yield from (Taken(match["step"], match["output"] or "") for match in _STEPS.finditer(text))


def evaluated(value: Any, key: str = "") -> Iterator[str]:
    """Every expression of a text or a part of a workflow. A condition is one as a whole."""
    if isinstance(value, str):
        yield from [value] if key == "if" else _EXPRESSION.findall(value)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from evaluated(item, str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from evaluated(item)


def needed(job: Mapping[str, Any]) -> list[str]:
    """The jobs that a job names in `needs`."""
    needs = job.get("needs")
    return [needs] if isinstance(needs, str) else [str(item) for item in items(needs)]


def before(jobs: Mapping[str, Any], name: str) -> frozenset[str]:
    """Every job that ends before a job begins."""
    reached: set[str] = set()
    queue = [name]
    while queue:
        fresh = set(needed(mapping(jobs.get(queue.pop())))) - reached
        reached |= fresh
        queue += fresh
    return frozenset(reached)
