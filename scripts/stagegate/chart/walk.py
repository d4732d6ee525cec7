"""Ways through the body of a rendered object: texts, pods, containers, hooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app import hooks
from stagegate.chart.objects import RenderedObject

_PLAIN = "install"  # the phase of an object that is no hook
_TEST = frozenset(("test", "test-success", "test-failure"))
_TEMPLATED = frozenset(
    ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job")
)
BUILT_IN = _TEMPLATED | {"Pod", "CronJob"}


def pod_specs(value: object) -> Iterator[Mapping[str, Any]]:
    """Every mapping inside a body that has `containers`: pods, their templates, and those of operators."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("containers"), list):
                yield one
            waiting += reversed([item for item in one.values() if isinstance(item, (dict, list))])
        elif isinstance(one, list):
            waiting += reversed([item for item in one if isinstance(item, (dict, list))])


def containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Containers of every kind, init containers first."""
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from mappings(pod.get(key))


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The items of a list that are mappings; nothing for what is no list."""
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


def is_definition(one: RenderedObject) -> bool:
    """True for a CustomResourceDefinition: its schema describes images and names without having any."""
    return one.kind == "CustomResourceDefinition"


def annotations_of(one: RenderedObject) -> Mapping[str, Any]:
    """The annotations of an object."""
    return mapping(at(one.body, "metadata", "annotations"))


def phases(one: RenderedObject) -> frozenset[str]:
    """The hook phases in which an object exists; one that is no hook is in the phase `install`."""
    words = f"{annotations_of(one).get(hooks.HELM) or ''},{annotations_of(one).get(hooks.ARGO) or ''}"
    return frozenset(word.strip() for word in words.split(",") if word.strip()) or frozenset((_PLAIN,))


def is_hook(one: RenderedObject) -> bool:
    """Whether Helm or Argo CD runs the object as a hook."""
    return _PLAIN not in phases(one)


def is_test(one: RenderedObject) -> bool:
    """Whether the object only exists for `helm test`, which Argo CD never runs."""
    return phases(one) <= _TEST


def is_replaced(one: RenderedObject) -> bool:
    """Whether what is immutable may change: Argo CD replaces the object, it deletes itself, or its name is new."""
    options = str(annotations_of(one).get("argocd.argoproj.io/sync-options") or "")
    generated = at(one.body, "metadata", "generateName") and not at(one.body, "metadata", "name")
    ends = at(one.body, "spec", "ttlSecondsAfterFinished") is not None
    return "Replace=true" in options or "Force=true" in options or bool(generated) or ends


def pod_template(one: RenderedObject) -> Mapping[str, Any]:
    """The pod of a workload that Kubernetes itself runs, as a mapping with `metadata` and `spec`; else empty."""
    if one.kind == "Pod":
        return one.body
    if one.kind == "CronJob":
        return mapping(at(one.body, "spec", "jobTemplate", "spec", "template"))
    return mapping(at(one.body, "spec", "template")) if one.kind in _TEMPLATED else {}


def is_custom(one: RenderedObject) -> bool:
    """Whether a controller outside Kubernetes acts on the object, and may make pods or objects of it."""
    group = one.key[0]
    return "." in group and not group.endswith(".k8s.io") and not is_definition(one)
