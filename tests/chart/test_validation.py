"""Fields that contradict each other: what the API server refuses although every field has its type."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from stagegate.chart.kubernetes import schema

POD = "{containers: [{name: a, image: 'a:1'%s}]%s}"


def problems(text: str) -> list[str]:
    body: dict[str, Any] = yaml.safe_load(text)
    return [one.path for one in schema.problems(body, schema.nearest(""))]


def workload(kind: str, spec: str, container: str = "", pod: str = "") -> str:
    api = "batch/v1" if kind == "Job" else "apps/v1"
    template = f"template: {{metadata: {{labels: {{a: b}}}}, spec: {POD % (container, pod)}}}"
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{{spec}{template}}}\n"


def deployment(spec: str = "", container: str = "", pod: str = "") -> str:
    return workload("Deployment", f"selector: {{matchLabels: {{a: b}}}}, {spec}", container, pod)


def of_kind(api: str, kind: str, rest: str) -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n{rest}\n"


def service(spec: str) -> str:
    return of_kind("v1", "Service", f"spec: {{{spec}}}")


def ingress(path: str, host: str) -> str:
    backend = "backend: {service: {name: a, port: {number: 1}}}"
    paths = f"[{{path: {path}, pathType: Prefix, {backend}}}]"
    rules = f"[{{host: {host}, http: {{paths: {paths}}}}}]"
    return of_kind("networking.k8s.io/v1", "Ingress", f"spec: {{rules: {rules}}}")


def scaled(least: int, most: int) -> str:
    target = "scaleTargetRef: {kind: Deployment, name: x}"
    spec = f"spec: {{{target}, minReplicas: {least}, maxReplicas: {most}}}"
    return of_kind("autoscaling/v2", "HorizontalPodAutoscaler", spec)


def budget(rest: str) -> str:
    spec = f"spec: {{minAvailable: 1, {rest}selector: {{matchLabels: {{a: b}}}}}}"
    return of_kind("policy/v1", "PodDisruptionBudget", spec)


def claim(rest: str) -> str:
    return of_kind(
        "v1", "PersistentVolumeClaim", f"spec: {{{rest}resources: {{requests: {{storage: 1Gi}}}}}}"
    )


def bound(namespace: str) -> str:
    role = "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}"
    subject = f"subjects: [{{kind: ServiceAccount, name: x{namespace}}}]"
    return of_kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", f"{role}\n{subject}")


def tls(key: str) -> str:
    return of_kind("v1", "Secret", f"type: kubernetes.io/tls\ndata: {{tls.crt: '', {key}: ''}}")


SPEC = "spec.template.spec"
ONE = f"{SPEC}.containers[0]"
PAIRS = {
    "restart of a Deployment": (
        deployment(pod=", restartPolicy: Always"),
        deployment(pod=", restartPolicy: Never"),
        f"{SPEC}.restartPolicy",
    ),
    "restart of a Job": (
        workload("Job", "", pod=", restartPolicy: Never"),
        workload("Job", ""),
        f"{SPEC}.restartPolicy",
    ),
    "Recreate": (
        deployment("strategy: {type: Recreate, rollingUpdate: null}, "),
        deployment("strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}, "),
        "spec.strategy.rollingUpdate",
    ),
    "no way to roll": (
        deployment("strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}, "),
        deployment("strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}, "),
        "spec.strategy.rollingUpdate",
    ),
    "replicas": (deployment("replicas: 0, "), deployment("replicas: -1, "), "spec.replicas"),
    "selector": (
        deployment(),
        workload("Deployment", "selector: {matchLabels: {}}, "),
        "spec.selector",
    ),
    "limits": (
        deployment(container=", resources: {limits: {cpu: 1}, requests: {cpu: 1000m}}"),
        deployment(container=", resources: {limits: {cpu: 1}, requests: {cpu: 1001m}}"),
        f"{ONE}.resources.requests.cpu",
    ),
    "two handlers": (
        deployment(container=", readinessProbe: {tcpSocket: {port: 1}, exec: null}"),
        deployment(container=", readinessProbe: {tcpSocket: {port: 1}, exec: {command: [a]}}"),
        f"{ONE}.readinessProbe",
    ),
    "no handler": (
        deployment(container=", lifecycle: {}"),
        deployment(container=", livenessProbe: {periodSeconds: 5}"),
        f"{ONE}.livenessProbe",
    ),
    "success": (
        deployment(container=", readinessProbe: {tcpSocket: {port: 1}, successThreshold: 2}"),
        deployment(container=", livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}"),
        f"{ONE}.livenessProbe.successThreshold",
    ),
    "mount": (
        deployment(container=", volumeMounts: [{name: v, mountPath: /a}]"),
        deployment(container=", volumeMounts: [{name: v, mountPath: 'a:b'}]"),
        f"{ONE}.volumeMounts[0].mountPath",
    ),
    "volume": (
        deployment(pod=", volumes: [{name: v, emptyDir: {}, hostPath: null}]"),
        deployment(pod=", volumes: [{name: v, emptyDir: {}, hostPath: {path: /a}}]"),
        f"{SPEC}.volumes[0]",
    ),
    "init probe": (
        deployment(
            pod=", initContainers: [{name: i, image: 'a:1', restartPolicy: Always, startupProbe: {grpc: {port: 1}}}]"
        ),
        deployment(pod=", initContainers: [{name: i, image: 'a:1', startupProbe: {grpc: {port: 1}}}]"),
        f"{SPEC}.initContainers[0].startupProbe",
    ),
    "host port": (
        deployment(container=", ports: [{containerPort: 1, hostPort: 2}]"),
        deployment(container=", ports: [{containerPort: 1, hostPort: 2}]", pod=", hostNetwork: true"),
        f"{ONE}.ports[0].hostPort",
    ),
    "image": (
        deployment(),
        deployment().replace("image: 'a:1'", "command: [a]"),
        f"{ONE}.image",
    ),
    "headless": (
        service("clusterIP: None, ports: [{port: 1}]"),
        service("clusterIP: None, type: NodePort, ports: [{port: 1}]"),
        "spec.clusterIP",
    ),
    "node port": (
        service("type: NodePort, ports: [{port: 1, nodePort: 30000}]"),
        service("ports: [{port: 1, nodePort: 30000}]"),
        "spec.ports",
    ),
    "external name": (
        service("type: ExternalName, externalName: a.example.org"),
        service("type: ExternalName"),
        "spec.externalName",
    ),
    "ingress path": (
        ingress("/a", "a.example.org"),
        ingress("a", "a.example.org"),
        "spec.rules[0].http.paths[0].path",
    ),
    "ingress host": (
        ingress("/a", "'*.example.org'"),
        ingress("/a", "https://a.example.org"),
        "spec.rules[0].host",
    ),
    "autoscaler": (scaled(1, 1), scaled(2, 1), "spec.maxReplicas"),
    "budget": (budget(""), budget("maxUnavailable: 1, "), "spec"),
    "claim": (claim("accessModes: [ReadWriteOnce], "), claim(""), "spec.accessModes"),
    "binding": (bound(", namespace: y"), bound(""), "subjects[0].namespace"),
    "secret": (tls("tls.key"), tls("key"), "data[tls.key]"),
}


@pytest.mark.parametrize("case", PAIRS)
def test_contradicting_fields_are_refused(case: str) -> None:
    good, bad, path = PAIRS[case]
    assert problems(good) == []
    assert problems(bad) == [path]


def test_an_unknown_group_without_a_dot_is_no_custom_resource() -> None:
    newest = schema.nearest("")
    assert schema.removed("app/v1", "Deployment", newest) == "apps/v1"
    assert schema.removed("apps/v1", "Deploymnt", newest) == "none"
    assert schema.removed("example.org/v1", "Thing", newest) == ""
