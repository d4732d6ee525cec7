"""The values that an environment gives the chart, parsed: its files, and what its Application has inline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.inputs import Parameter, RenderInputs


def by_file(inputs: RenderInputs) -> dict[str, Mapping[str, Any]]:
    """The values files of an environment, and what its Application has inline, parsed."""
    texts = {one.name: one.content for one in inputs.values if one.content}
    texts |= {"values of the Application": inputs.inline.encode()} if inputs.inline else {}
    parsed: dict[str, Mapping[str, Any]] = {}
    for name, content in texts.items():
        try:
            document = yaml_1_1.load_last(content)
        except (yaml.YAMLError, ValueError):
            continue
        if isinstance(document, dict):
            parsed[name] = document
    if parameters := _nested(inputs.parameters):
        parsed["parameters of the Application"] = parameters
    return parsed


def _nested(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Parameters as the values they set; names with an index or an escaped dot are left out."""
    values: dict[str, Any] = {}
    for one in parameters:
        if "[" in one.name or "\\" in one.name:
            continue
        *outer, last = one.name.split(".")
        inside = values
        for key in outer:
            following = inside.setdefault(key, {})
            inside = following if isinstance(following, dict) else {}
        inside.setdefault(last, one.value)
    return values
