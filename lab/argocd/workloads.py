"""The workloads of the rendered objects: containers and their environment. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
KINDS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"}
HOOKS = "argocd.argoproj.io/hook"
HELM_HOOKS = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
}
Values = Mapping[str, Mapping[str, str]]  # "Secret/namespace/name" or "ConfigMap/namespace/name" -> its data


class CannotConfigure(Exception):
    """A container's environment names a missing object; the text is the kubelet's."""


@dataclass(frozen=True)
class Container:
    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    workdir: str | None
    spec: Json  # kept for env, which is resolved when the pod starts
    probe_path: str | None
    probe_failures: int


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet, DaemonSet or Job; the pod template's hash tells roll-outs apart."""

    kind: str
    namespace: str
    name: str
    replicas: int
    init: tuple[Container, ...]
    containers: tuple[Container, ...]
    labels: Mapping[str, str]
    deadline: float
    template: str
    hook: str | None

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


def namespace_of(item: Json, default: str) -> str:
    """The object's namespace, or else the destination's."""
    return str((item.get("metadata") or {}).get("namespace") or default)


def hook_of(item: Json) -> str | None:
    """Argo CD's phase of a hook (PreSync, Sync, PostSync, Skip), or None for an ordinary object.

    Helm's hooks are mapped as Argo CD maps them; a Helm test is never run.
    """
    notes = (item.get("metadata") or {}).get("annotations") or {}
    hook = str(notes.get(HOOKS) or "").split(",")[0].strip()
    if hook:
        return hook
    helm = [part.strip() for part in str(notes.get("helm.sh/hook") or "").split(",") if part.strip()]
    if not helm or helm == ["crd-install"]:
        return None
    return next((HELM_HOOKS[name] for name in helm if name in HELM_HOOKS), "Skip")


def workloads(objects: Iterable[Json], namespace: str) -> tuple[Workload, ...]:
    """Every workload of the render, hooks among them."""
    return tuple(_workload(item, namespace) for item in objects if item.get("kind") in KINDS)


def _workload(item: Json, default: str) -> Workload:
    spec = item.get("spec") or {}
    template = item if item["kind"] == "Pod" else spec.get("template") or {}
    pod = template.get("spec") or {}
    canonical = json.dumps(template, sort_keys=True, default=str)
    replicas = 1 if item["kind"] in ("Job", "DaemonSet", "Pod") else int(spec.get("replicas", 1))
    return Workload(
        kind=str(item["kind"]),
        namespace=namespace_of(item, default),
        name=str(item["metadata"]["name"]),
        replicas=replicas,
        init=tuple(_container(container) for container in pod.get("initContainers") or ()),
        containers=tuple(_container(container) for container in pod.get("containers") or ()),
        labels=dict((template.get("metadata") or {}).get("labels") or {}),
        deadline=float(spec.get("progressDeadlineSeconds") or 600),
        template=hashlib.sha256(canonical.encode()).hexdigest()[:10],
        hook=hook_of(item),
    )


def _container(container: Json) -> Container:
    probe = container.get("readinessProbe") or {}
    path = (probe.get("httpGet") or {}).get("path")
    return Container(
        name=str(container["name"]),
        image=str(container["image"]),
        command=tuple(str(part) for part in container.get("command") or ()),
        args=tuple(str(part) for part in container.get("args") or ()),
        workdir=container.get("workingDir"),
        spec=container,
        probe_path=str(path) if path else None,
        probe_failures=int(probe.get("failureThreshold") or 3),
    )


def stored_values(
    objects: Iterable[Json], namespace: str, extra: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Secrets and ConfigMaps a pod can read: those of the render win over those outside Git."""
    values = {f"Secret/{name}": dict(data) for name, data in extra.items()}
    values.update({f"ConfigMap/{name}": dict(data) for name, data in extra.items()})
    for item in objects:
        if item.get("kind") not in ("Secret", "ConfigMap"):
            continue
        data = {key: str(value) for key, value in (item.get("data") or {}).items()}
        if item["kind"] == "Secret":
            data = {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
            data.update({key: str(value) for key, value in (item.get("stringData") or {}).items()})
        values[f"{item['kind']}/{namespace_of(item, namespace)}/{item['metadata']['name']}"] = data
    return values


def environment(container: Container, namespace: str, pod: str, values: Values) -> dict[str, str]:
    """The container's own variables, references resolved; CannotConfigure with the kubelet's words."""
    env: dict[str, str] = {}
    for source in container.spec.get("envFrom") or ():
        prefix = str(source.get("prefix") or "")
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if source.get(field):
                env.update({prefix + k: v for k, v in _all(kind, namespace, source[field], values).items()})
    for item in container.spec.get("env") or ():
        name = str(item["name"])
        if item.get("valueFrom"):
            text = _referenced(item["valueFrom"], namespace, pod, values)
            if text is not None:
                env[name] = text
        else:
            env[name] = re.sub(
                r"\$\(([A-Za-z_][\w.]*)\)", lambda m: env.get(m[1], m[0]), str(item.get("value") or "")
            )
    return env


def _all(kind: str, namespace: str, reference: Json, values: Values) -> Mapping[str, str]:
    data = values.get(f"{kind}/{namespace}/{reference['name']}")
    if data is None and not reference.get("optional"):
        raise CannotConfigure(f'{kind.lower()} "{reference["name"]}" not found')
    return data or {}


def _referenced(source: Json, namespace: str, pod: str, values: Values) -> str | None:
    for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
        if source.get(field):
            reference = source[field]
            held = _all(kind, namespace, reference, values)
            if reference["key"] not in held and not reference.get("optional"):
                raise CannotConfigure(
                    f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}"
                )
            return held.get(reference["key"])
    path = str((source.get("fieldRef") or {}).get("fieldPath") or "")
    fields = {
        "metadata.name": pod,
        "metadata.namespace": namespace,
        "spec.nodeName": "lab",
        "status.podIP": "127.0.0.1",
    }
    return fields.get(path, "1")


def served(objects: Iterable[Json], namespace: str) -> str | None:
    """Key of the workload the first Service selects; without a Service, the first one that stays up."""
    held = tuple(objects)
    workloads_served = [
        workload for workload in workloads(held, namespace) if workload.kind not in ("Job", "Pod")
    ]
    for item in held:
        selector = (item.get("spec") or {}).get("selector") or {}
        if item.get("kind") != "Service" or not selector:
            continue
        for workload in workloads_served:
            same_namespace = namespace_of(item, namespace) == workload.namespace
            if same_namespace and all(workload.labels.get(key) == value for key, value in selector.items()):
                return workload.key
    return workloads_served[0].key if workloads_served else None
