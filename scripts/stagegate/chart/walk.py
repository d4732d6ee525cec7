"""Finds pods, containers, annotations and hooks in the body of a rendered object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app import hooks
from stagegate.chart.objects import RenderedObject

_PLAIN = "install"  # the phase of objects that are not hooks
_TEST = frozenset(("test", "test-success", "test-failure"))
_TEMPLATED = frozenset(
    ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job")
)
BUILT_IN = _TEMPLATED | {"Pod", "CronJob"}


def pod_specs(value: object) -> Iterator[Mapping[str, Any]]:
    """Every mapping inside a body that has `containers`: pods, their templates, and those of operators."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(node.get("containers"), list):
                yield node
            pending += reversed([item for item in node.values() if isinstance(item, (dict, list))])
        elif isinstance(node, list):
            pending += reversed([item for item in node if isinstance(item, (dict, list))])


def containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Containers of every kind, init containers first."""
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from mappings(pod.get(key))


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The items of a list that are mappings; nothing for another value."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def at(value: object, *keys: str) -> object:
    """The value under nested keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def is_definition(resource: RenderedObject) -> bool:
    """Whether it is a CustomResourceDefinition: its schema has fields such as `image` without values."""
    return resource.kind == "CustomResourceDefinition"


def annotations_of(resource: RenderedObject) -> Mapping[str, Any]:
    """The annotations of an object."""
    return mapping(at(resource.body, "metadata", "annotations"))


def phases(resource: RenderedObject) -> frozenset[str]:
    """The hook phases in which an object exists; an object that is not a hook has the phase `install`."""
    words = (
        f"{annotations_of(resource).get(hooks.HELM) or ''},{annotations_of(resource).get(hooks.ARGO) or ''}"
    )
    return frozenset(word.strip() for word in words.split(",") if word.strip()) or frozenset((_PLAIN,))


def is_hook(resource: RenderedObject) -> bool:
    """Whether Helm or Argo CD runs the object as a hook."""
    return _PLAIN not in phases(resource)


def is_test(resource: RenderedObject) -> bool:
    """Whether the object only exists for `helm test`, which Argo CD never runs."""
    return phases(resource) <= _TEST


def is_replaced(resource: RenderedObject) -> bool:
    """Whether immutable fields may change: Argo CD replaces the object, it deletes itself, or gets a new name."""
    options = str(annotations_of(resource).get("argocd.argoproj.io/sync-options") or "")
    generated = at(resource.body, "metadata", "generateName") and not at(resource.body, "metadata", "name")
    ends = at(resource.body, "spec", "ttlSecondsAfterFinished") is not None
    return "Replace=true" in options or "Force=true" in options or bool(generated) or ends


def pod_template(resource: RenderedObject) -> Mapping[str, Any]:
    """The pod of a workload that Kubernetes itself runs, as a mapping with `metadata` and `spec`; else empty."""
    if resource.kind == "Pod":
        return resource.body
    if resource.kind == "CronJob":
        return mapping(at(resource.body, "spec", "jobTemplate", "spec", "template"))
    return mapping(at(resource.body, "spec", "template")) if resource.kind in _TEMPLATED else {}


def is_custom(resource: RenderedObject) -> bool:
    """Whether it is a custom resource, for which a controller may create pods or objects."""
    group = resource.key[0]
    return "." in group and not group.endswith(".k8s.io") and not is_definition(resource)
