"""Finds contradictions between fields, which the API server refuses although every type is right.

The rules are those of the Go packages k8s.io/kubernetes/pkg/apis/*/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stagegate.chart.kubernetes.quantities import amount
from stagegate.chart.kubernetes.texts import Problem
from stagegate.chart.walk import at, mapping, mappings

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_LONG_RUNNING = frozenset(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"))
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:[A-Za-z0-9.-]+(?::\d+)?/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[a-z0-9]+:[0-9A-Za-z]+)?"
)
_SHARE = re.compile(r"\d+%")
_ADDRESS = re.compile(r"None|[0-9a-fA-F:.]*[0-9:][0-9a-fA-F:.]*")
_DRIVE = re.compile(r"^[A-Za-z]:(?=[\\/]|$)")  # of a Windows container
_COMPARED = ("cpu", "memory", "ephemeral-storage")
_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
Problems = Iterator[tuple[str, str]]


def problems(body: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    """The fields of one built-in object that the API server refuses, with their paths."""
    for path, text in _all(body, kind):
        yield Problem(path, text)


def _all(body: Mapping[str, Any], kind: str) -> Problems:
    spec = mapping(body.get("spec"))
    check = _OF_KIND.get(kind)
    if check is not None:
        yield from check(body, spec)
    if kind in _LONG_RUNNING or kind == "Job":
        yield from _template(mapping(spec.get("template")), "spec.template.spec", kind)
    elif kind == "CronJob":
        yield from _template(
            mapping(at(spec, "jobTemplate", "spec", "template")), "spec.jobTemplate.spec.template.spec", kind
        )
    elif kind == "Pod":
        yield from _pod(spec, "spec")
    if kind in _LONG_RUNNING and kind != "ReplicationController":
        yield from _scaled(spec)


def _scaled(spec: Mapping[str, Any]) -> Problems:
    replicas, selector = spec.get("replicas"), spec.get("selector")
    if isinstance(replicas, int) and replicas < 0:
        yield "spec.replicas", f"is {replicas}, but the minimum is 0"
    if isinstance(selector, Mapping) and not any(selector.values()):
        yield "spec.selector", "is empty, so it would select every pod"


def _template(template: Mapping[str, Any], path: str, kind: str) -> Problems:
    spec = mapping(template.get("spec"))
    policy = spec.get("restartPolicy")
    if kind in _LONG_RUNNING and policy in ("Never", "OnFailure"):
        yield f"{path}.restartPolicy", f"is {policy}, but a {kind} accepts only Always"
    if kind in ("Job", "CronJob") and spec and (policy is None or policy == "Always"):
        yield (
            f"{path}.restartPolicy",
            f"is {policy or 'missing'}, but a {kind} accepts only OnFailure and Never",
        )
    yield from _pod(spec, path)


def _pod(spec: Mapping[str, Any], path: str) -> Problems:
    for key in ("initContainers", "containers"):
        for number, container in enumerate(mappings(spec.get(key))):
            place = f"{path}.{key}[{number}]"
            yield from _container(container, place)
            if key == "initContainers" and container.get("restartPolicy") != "Always":
                for field in (*_PROBES, "lifecycle"):
                    if container.get(field):
                        yield (
                            f"{place}.{field}",
                            "is for containers that keep running, not for init containers",
                        )
            for index, port in enumerate(
                mappings(container.get("ports")) if spec.get("hostNetwork") is True else ()
            ):
                if port.get("hostPort") not in (None, 0, port.get("containerPort")):
                    yield (
                        f"{place}.ports[{index}].hostPort",
                        "differs from containerPort, which hostNetwork does not allow",
                    )
    for number, volume in enumerate(mappings(spec.get("volumes"))):
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if len(sources) > 1:
            yield (
                f"{path}.volumes[{number}]",
                f"has {len(sources)} sources ({', '.join(sources)}), but may have only one",
            )


def _image(container: Mapping[str, Any], path: str) -> Problems:
    """Problems of a container's image, and contradictory privileges."""
    image = container.get("image")
    if not image:
        yield f"{path}.image", "is required but missing"
    elif isinstance(image, str) and not _IMAGE.fullmatch(image):
        yield (
            f"{path}.image",
            (f"is {image!r}, which is not an image reference (a repository in lower case, then :tag)"),
        )
    security = mapping(container.get("securityContext"))
    if security.get("privileged") is True and security.get("allowPrivilegeEscalation") is False:
        yield f"{path}.securityContext", "is privileged, but denies privilege escalation"


def _container(container: Mapping[str, Any], path: str) -> Problems:
    yield from _image(container, path)
    limits, requests = (
        mapping(at(container, "resources", "limits")),
        mapping(at(container, "resources", "requests")),
    )
    for key in _COMPARED:
        most, requested = amount(_text(limits.get(key))), amount(_text(requests.get(key)))
        if any(value is not None and value < 0 for value in (most, requested)):
            yield f"{path}.resources", f"has less than 0 of {key}"
        if most is not None and requested is not None and requested > most:
            yield f"{path}.resources.requests.{key}", f"is {requests[key]}, above the limit {limits[key]}"
    for key in _PROBES:
        probe = container.get(key)
        if isinstance(probe, Mapping):
            yield from _handler(probe, f"{path}.{key}")
            if key != "readinessProbe" and probe.get("successThreshold") not in (None, 1):
                yield (
                    f"{path}.{key}.successThreshold",
                    f"is {probe['successThreshold']}, and only 1 is accepted",
                )
    for key in ("postStart", "preStop"):
        handler = at(container, "lifecycle", key)
        if isinstance(handler, Mapping):
            yield from _handler(handler, f"{path}.lifecycle.{key}")
    for number, mount in enumerate(mappings(container.get("volumeMounts"))):
        where = mount.get("mountPath")
        if isinstance(where, str) and (":" in _DRIVE.sub("", where) or not where):
            yield f"{path}.volumeMounts[{number}].mountPath", f"is {where!r}, but must be a path without :"


def _handler(handler: Mapping[str, Any], path: str) -> Problems:
    ways = [key for key in _HANDLERS if handler.get(key) is not None]
    if len(ways) > 1:
        yield path, f"has {' and '.join(ways)}, but may have only one of them"
    elif not ways:
        yield path, f"has none of {', '.join(_HANDLERS[:4])}"


def _deployment(_: Mapping[str, Any], spec: Mapping[str, Any]) -> Problems:
    strategy = mapping(spec.get("strategy"))
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        yield "spec.strategy.rollingUpdate", "is not allowed with type Recreate"
    yield from _shares(mapping(rolling), "spec.strategy.rollingUpdate", ("maxSurge", "maxUnavailable"))
    if isinstance(rolling, Mapping) and all(
        str(rolling.get(key)) in ("0", "0%") for key in ("maxSurge", "maxUnavailable")
    ):
        yield (
            "spec.strategy.rollingUpdate",
            "has 0 for both maxSurge and maxUnavailable, so no pod could be replaced",
        )


def _shares(holder: Mapping[str, Any], path: str, keys: tuple[str, ...]) -> Problems:
    """Problems of fields with a number or a percentage of all pods."""
    for key in keys:
        value = holder.get(key)
        if isinstance(value, str) and not _SHARE.fullmatch(value):
            yield f"{path}.{key}", f"is {value!r}, but must be a number or a string such as 25%"


def _service(_: Mapping[str, Any], spec: Mapping[str, Any]) -> Problems:
    kind = spec.get("type") or "ClusterIP"
    if kind == "ExternalName":
        if not spec.get("externalName"):
            yield "spec.externalName", "is required but missing"
    elif not spec.get("ports") and spec.get("clusterIP") != "None":
        yield "spec.ports", "is required but missing"
    address = spec.get("clusterIP")
    if isinstance(address, str) and address and not _ADDRESS.fullmatch(address):
        yield "spec.clusterIP", f"is {address!r}, but must be an address or None"
    if kind in ("NodePort", "LoadBalancer") and spec.get("clusterIP") == "None":
        yield "spec.clusterIP", f"may not be None for a Service of type {kind}"
    if kind == "ClusterIP" and any(port.get("nodePort") for port in mappings(spec.get("ports"))):
        yield "spec.ports", "has a nodePort, which a Service of type ClusterIP may not have"


def _ingress(_: Mapping[str, Any], spec: Mapping[str, Any]) -> Problems:
    if not spec.get("rules") and not spec.get("defaultBackend"):
        yield "spec", "has neither rules nor defaultBackend"
    for number, rule in enumerate(mappings(spec.get("rules"))):
        host = rule.get("host")
        if isinstance(host, str) and (host != host.lower() or ":" in host or "/" in host):
            yield (
                f"spec.rules[{number}].host",
                f"is {host!r}, but must be a lower-case host without scheme and port",
            )
        for index, path in enumerate(mappings(at(rule, "http", "paths"))):
            text, kind = path.get("path"), path.get("pathType")
            needed = kind in ("Exact", "Prefix") or bool(text)
            if needed and not str(text or "").startswith("/"):
                yield f"spec.rules[{number}].http.paths[{index}].path", f"is {text!r}, but must begin with /"


def _autoscaler(_: Mapping[str, Any], spec: Mapping[str, Any]) -> Problems:
    least, most = spec.get("minReplicas"), spec.get("maxReplicas")
    if isinstance(most, int) and (most < 1 or (isinstance(least, int) and least > most)):
        yield "spec.maxReplicas", f"is {most}, which is below {'1' if most < 1 else f'minReplicas {least}'}"


def _budget(_: Mapping[str, Any], spec: Mapping[str, Any]) -> Problems:
    yield from _shares(spec, "spec", ("minAvailable", "maxUnavailable"))
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield "spec", "has minAvailable and maxUnavailable, but may have only one of them"


def _claim(_: Mapping[str, Any], spec: Mapping[str, Any]) -> Problems:
    if not spec.get("accessModes"):
        yield "spec.accessModes", "is required but missing"
    if at(spec, "resources", "requests", "storage") is None:
        yield "spec.resources.requests.storage", "is required but missing"


def _binding(body: Mapping[str, Any], _: Mapping[str, Any]) -> Problems:
    for number, subject in enumerate(mappings(body.get("subjects"))):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            yield f"subjects[{number}].namespace", "is required for a ServiceAccount but missing"


def _secret(body: Mapping[str, Any], _: Mapping[str, Any]) -> Problems:
    present = {*mapping(body.get("data")), *mapping(body.get("stringData"))}
    for key in _SECRET_KEYS.get(str(body.get("type")), ()):
        if key not in present:
            yield f"data[{key}]", f"is required for type {body.get('type')} but missing"


def _text(value: object) -> str | None:
    return None if value is None or isinstance(value, bool) else str(value)


_OF_KIND: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Problems]] = {
    "Deployment": _deployment,
    "Service": _service,
    "Ingress": _ingress,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "PersistentVolumeClaim": _claim,
    "ClusterRoleBinding": _binding,
    "Secret": _secret,
}
