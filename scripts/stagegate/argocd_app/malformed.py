"""Fields of Applications and ApplicationSets whose kind of value Argo CD's schema does not accept.

Kubernetes refuses such an object, or a lenient reader takes it for something else. Only the fields that decide what
is deployed are looked at: https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import items, mapping

_WORDS: Mapping[type, str] = {Mapping: "a mapping", list: "a list", str: "a text"}
_SPEC: Mapping[str, type] = {
    "source": Mapping,
    "sources": list,
    "destination": Mapping,
    "syncPolicy": Mapping,
}
_SOURCE: Mapping[str, type] = {
    **dict.fromkeys(("repoURL", "chart", "path", "targetRevision", "ref"), str),
    **dict.fromkeys(("helm", "kustomize", "directory", "plugin"), Mapping),
}
_HELM: Mapping[str, type] = {
    **dict.fromkeys(("valueFiles", "parameters", "fileParameters", "apiVersions"), list),
    **dict.fromkeys(("releaseName", "namespace", "kubeVersion", "values"), str),
    "valuesObject": Mapping,
}
_KUSTOMIZE: Mapping[str, type] = {
    **dict.fromkeys(("images", "replicas", "patches", "components"), list),
    **dict.fromkeys(("namePrefix", "nameSuffix", "namespace"), str),
    **dict.fromkeys(("commonLabels", "commonAnnotations"), Mapping),
}
_ENTRIES: Mapping[str, type] = {"parameters": Mapping, "fileParameters": Mapping, "valueFiles": str}


def first(document: Mapping[str, Any]) -> str:
    """The first field of another kind, in words; empty for a document whose fields are as they should be."""
    return next(_found(document), "")


def _found(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _wrong(document, {"metadata": Mapping, "spec": Mapping}, "")
    spec, path = mapping(document.get("spec")), "spec"
    if document.get("kind") == "ApplicationSet":
        yield from _wrong(spec, {"generators": list, "template": Mapping, "templatePatch": str}, "spec.")
        yield from _wrong(
            mapping(spec.get("template")), {"metadata": Mapping, "spec": Mapping}, "spec.template."
        )
        spec, path = mapping(mapping(spec.get("template")).get("spec")), "spec.template.spec"
    yield from _wrong(spec, _SPEC, f"{path}.")
    yield from _entries(spec, "sources", Mapping, path)
    listed = [(f"{path}.sources[{index}]", one) for index, one in enumerate(items(spec.get("sources")))]
    for where, source in [(f"{path}.source", spec.get("source")), *listed]:
        yield from _wrong(mapping(source), _SOURCE, f"{where}.")
        for tool, kinds in (("helm", _HELM), ("kustomize", _KUSTOMIZE)):
            options = mapping(mapping(source).get(tool))
            yield from _wrong(options, kinds, f"{where}.{tool}.")
            for name, kind in _ENTRIES.items() if tool == "helm" else ():
                yield from _entries(options, name, kind, f"{where}.{tool}")


def _entries(values: Mapping[str, Any], name: str, kind: type, path: str) -> Iterator[str]:
    for index, one in enumerate(items(values.get(name))):
        if not _is_kind(one, kind):
            yield f"{path}.{name}[{index}] is not {_WORDS[kind]}"


def _wrong(values: Mapping[str, Any], kinds: Mapping[str, type], path: str) -> Iterator[str]:
    for name, kind in kinds.items():
        if not _is_kind(values.get(name), kind):
            yield f"{path}{name} is not {_WORDS[kind]}"


def _is_kind(value: object, kind: type) -> bool:
    """Absent is fine, and a number where a text belongs is the pin reader's to refuse."""
    return value is None or (
        not isinstance(value, Mapping | list) if kind is str else isinstance(value, kind)
    )
