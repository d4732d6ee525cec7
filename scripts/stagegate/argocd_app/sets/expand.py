"""The Applications of an ApplicationSet, as Argo CD's controller makes them.

https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.sets import generators
from stagegate.argocd_app.sets.parameters import Parameters, Unexpanded
from stagegate.argocd_app.sets.surroundings import Surroundings
from stagegate.argocd_app.sources import items, mapping

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """The Applications of a set as documents, and the reasons for those that cannot be made."""

    applications: tuple[Mapping[str, Any], ...] = ()
    errors: tuple[str, ...] = ()


def is_set(document: object) -> bool:
    """True for an Argo CD ApplicationSet."""
    return (
        isinstance(document, Mapping)
        and document.get("kind") == "ApplicationSet"
        and str(document.get("apiVersion", "")).startswith("argoproj.io/")
    )


def expand(document: Mapping[str, Any], around: Surroundings) -> Expanded:
    """The Applications of a set. One error in its generators or templates, and the controller makes none.

    NotExpandable where it reads what nobody here can: pull requests, other systems, clusters nobody named.
    """
    spec = mapping(document.get("spec"))
    around = msgspec.structs.replace(
        around, go=bool(spec.get("goTemplate")), options=tuple(map(str, items(spec.get("goTemplateOptions"))))
    )
    try:
        made = _made(spec, around)
    except Unexpanded as reason:
        return Expanded(errors=(str(reason),))
    return _accepted(made, str(mapping(document.get("metadata")).get("name") or ""))


def _made(spec: Mapping[str, Any], around: Surroundings) -> list[Mapping[str, Any]]:
    bases: list[Mapping[str, Any]] = []
    parameters: list[Parameters] = []
    for generator in map(mapping, items(spec.get("generators"))):
        yielded = generators.generated(generator, around)
        bases += [_template(generator, spec)] * len(yielded)
        parameters += yielded
    made = generators.fill(bases, parameters, around)
    patch = str(spec.get("templatePatch") or "")
    if patch:
        patches = generators.fill([patch] * len(made), parameters, around)
        made = [_patched(one, text) for one, text in zip(made, patches, strict=True)]
    return [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **one} for one in made]


def _template(generator: Mapping[str, Any], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The set's template under the generator's own, which wins where it says something."""
    own = next(
        (mapping(mapping(one).get("template")) for one in generator.values() if mapping(one).get("template")),
        {},
    )
    return _filled(copy.deepcopy(dict(own)), mapping(spec.get("template")))


def _filled(value: dict[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    for key, item in default.items():
        existing = value.get(key)
        if isinstance(existing, dict) and isinstance(item, Mapping):
            value[key] = _filled(existing, item)
        elif existing in (None, "", 0, False, [], {}):
            value[key] = item
    return value


def _patched(application: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    """With `templatePatch` over it: a strategic merge patch; lists are replaced, the project stays."""
    try:
        patch = yaml_1_1.load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise Unexpanded(f"error while converting template to json: {error}") from error
    if patch is None:
        return application
    if not isinstance(patch, Mapping):
        raise Unexpanded(f"invalid templatePatch: it is {type(patch).__name__}, not a mapping")
    merged = merge_patch(application, patch)
    project = mapping(application.get("spec")).get("project")
    return {**merged, "spec": {**mapping(merged.get("spec")), "project": project}}


def merge_patch(value: object, patch: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch (RFC 7396) with the `$patch: replace` and `delete` of Kubernetes."""
    if patch.get("$patch") == "replace":
        return {key: item for key, item in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    merged = dict(mapping(value))
    for key, item in patch.items():
        if item is None:
            merged.pop(key, None)
        elif isinstance(item, Mapping):
            merged[key] = merge_patch(merged.get(key), item)
        elif key == "finalizers" and isinstance(item, list):
            merged[key] = [*dict.fromkeys([*items(merged.get(key)), *item])]
        else:
            merged[key] = item
    return merged


def _accepted(made: list[Mapping[str, Any]], name: str) -> Expanded:
    """Those that the API server takes: a valid name that no other of the set has."""
    names = [str(mapping(one.get("metadata")).get("name") or "") for one in made]
    counts = Counter(names)
    errors: dict[str, None] = {}
    kept = []
    for one, application in zip(made, names, strict=True):
        if counts[application] > 1:
            errors[f"ApplicationSet {name} contains applications with duplicate name: {application}"] = None
        elif not _NAME.fullmatch(application) or len(application) > 253:
            errors[
                f'Application.argoproj.io "{application}" is invalid: metadata.name: a lowercase RFC 1123 '
                "subdomain must consist of lower case alphanumeric characters, '-' or '.'"
            ] = None
        else:
            kept.append(one)
    return Expanded(applications=tuple(kept), errors=tuple(errors))
