"""Parses the values of an environment: its values files, and the inline values of its Application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.inputs import Parameter, RenderInputs


def by_file(inputs: RenderInputs) -> dict[str, Mapping[str, Any]]:
    """The parsed values of an environment, by file; inline values and parameters have names of their own."""
    texts = {values_file.name: values_file.content for values_file in inputs.values if values_file.content}
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
    """The values that parameters set; names with an index or an escaped dot are skipped."""
    values: dict[str, Any] = {}
    for parameter in parameters:
        if "[" in parameter.name or "\\" in parameter.name:
            continue
        *outer, last = parameter.name.split(".")
        inside = values
        for key in outer:
            following = inside.setdefault(key, {})
            inside = following if isinstance(following, dict) else {}
        inside.setdefault(last, parameter.value)
    return values
