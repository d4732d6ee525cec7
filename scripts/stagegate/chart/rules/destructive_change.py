"""destructive-change: compared with the base, no object with data is removed and no immutable field changes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from stagegate.chart.kubernetes.quantities import amount
from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import ChartRule, CheckFacts, Objects, Rendered, Twin, finding
from stagegate.chart.walk import annotations_of, at, is_hook, is_replaced, mappings
from stagegate.model import Finding

_STATEFUL = frozenset(
    (
        "PersistentVolumeClaim",
        "PersistentVolume",
        "StatefulSet",
        "Namespace",
        "CustomResourceDefinition",
        "Cluster",
        "Kafka",
        "postgresql",
        "PostgresCluster",
        "Elasticsearch",
        "RabbitmqCluster",
        "MongoDBCommunity",
        "Redis",
        "RedisCluster",
        "RedisFailover",
        "Tenant",
        "KafkaTopic",
        "PerconaPGCluster",
        "PerconaXtraDBCluster",
        "PerconaServerMongoDB",
        "CassandraDatacenter",
        "InnoDBCluster",
        "MariaDB",
    )
)
_IMMUTABLE = {
    "Deployment": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "ReplicaSet": (("spec", "selector"),),
    "StatefulSet": (
        ("spec", "selector"),
        ("spec", "serviceName"),
        ("spec", "podManagementPolicy"),
        ("spec", "volumeClaimTemplates"),
    ),
    "PersistentVolumeClaim": (
        ("spec", "storageClassName"),
        ("spec", "accessModes"),
        ("spec", "volumeMode"),
        ("spec", "selector"),
        ("spec", "volumeName"),
    ),
    "PersistentVolume": tuple(("spec", source) for source in ("csi", "nfs", "hostPath", "local", "iscsi")),
    "PriorityClass": (("value",), ("preemptionPolicy",)),
    "RuntimeClass": (("handler",),),
    "IngressClass": (("spec", "controller"),),
    "CSIDriver": (("spec", "attachRequired"),),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "Job": (("spec", "selector"), ("spec", "completionMode")),
    "Secret": (("type",),),
    "CustomResourceDefinition": (("spec", "scope"), ("spec", "names", "kind"), ("spec", "group")),
}
_FILLED_IN = ("storageClassName", "volumeName", "preemptionPolicy", "attachRequired")  # by the API server
_KEPT = (
    ("helm.sh/resource-policy", "keep"),
    ("argocd.argoproj.io/sync-options", "Delete=false"),
    ("argocd.argoproj.io/sync-options", "Prune=false"),
)
_WHY = (
    "If prune is on, Argo CD deletes removed objects. A changed immutable field stops every sync "
    "until the object is deleted."
)
_FIX = "Keep the object as it is, or plan its replacement by hand and silence this finding with a reason."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Removed or changed objects, compared with the base for the same environment."""
    if chart.base is None or rendered.objects is None:
        return
    before = chart.base.objects.get(rendered.environment)
    for old, new in _pairs(before or (), rendered.objects, rendered.namespace):
        for text in _gone(old) if new is None else _changed(old, new):
            yield finding(
                "destructive-change",
                new or old,
                rendered,
                chart,
                message=f"{old.label} {text}, compared with {chart.base.reference}.",
                why=_WHY,
                fix=_FIX,
            )


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """An error for a base that could not be read (I2)."""
    if chart.base is not None and chart.base.failure:
        yield Finding(
            rule="destructive-change",
            severity="error",
            file=f"{chart.path}/Chart.yaml",
            message=f"The chart was not compared with {chart.base.reference}: {chart.base.failure}",
            why="Without the comparison, destructive changes are not detected.",
            fix="Correct the input `base`, or leave it out.",
        )


def _pairs(
    before: Objects, after: Objects, release_namespace: str
) -> Iterator[tuple[RenderedObject, RenderedObject | None]]:
    current = {
        (*resource.key[:2], resource.namespace or release_namespace, resource.name): resource
        for resource in after
    }
    for resource in before:
        if not is_hook(resource):
            yield (
                resource,
                current.get((*resource.key[:2], resource.namespace or release_namespace, resource.name)),
            )


def _gone(old: RenderedObject) -> Iterator[str]:
    is_kept = any(value in str(annotations_of(old).get(key) or "") for key, value in _KEPT)
    if old.kind in _STATEFUL and not is_kept:
        yield (
            "is removed, with its data"
            if old.kind != "CustomResourceDefinition"
            else "is removed, with every object of its kind"
        )


def _changed(old: RenderedObject, new: RenderedObject) -> Iterator[str]:
    for keys in _IMMUTABLE.get(old.kind, ()):
        first, second = at(old.body, *keys), at(new.body, *keys)
        if keys[-1] == "volumeClaimTemplates":
            first, second = _claims(first), _claims(second)
        if old.kind == "Secret":
            first, second = first or "Opaque", second or "Opaque"
        filled_in = keys[-1] in _FILLED_IN and None in (first, second)
        if first != second and not filled_in:
            yield f"changes {'.'.join(keys)}, which is immutable"
    first, second = at(old.body, "spec", "clusterIP"), at(new.body, "spec", "clusterIP")
    if old.kind == "Service" and first != second and ("None" in (first, second) or (first and second)):
        yield "changes spec.clusterIP, which is immutable"
    pods = at(old.body, "spec", "template"), at(new.body, "spec", "template")
    if old.kind == "Job" and pods[0] != pods[1] and not is_hook(new) and not is_replaced(new):
        yield "changes spec.template, which is immutable"
    sections = ("data", "stringData", "binaryData")
    immutable = old.body.get("immutable") is True and old.kind in ("ConfigMap", "Secret")
    if immutable and any(old.body.get(key) != new.body.get(key) for key in sections):
        yield "changes although it is immutable"
    sizes = _storage(old), _storage(new)
    if sizes[0] is not None and sizes[1] is not None and sizes[1] < sizes[0]:
        yield "makes its storage smaller, which Kubernetes does not allow for a volume claim"
    if old.kind == "CustomResourceDefinition":
        served = [
            {
                v.get("name")
                for v in mappings(at(definition.body, "spec", "versions"))
                if v.get("served") is not False
            }
            for definition in (old, new)
        ]
        for version in sorted(map(str, served[0] - served[1])):
            yield f"drops the version {version}"
    counts = at(old.body, "spec", "replicas"), at(new.body, "spec", "replicas")
    if old.kind in ("StatefulSet", "Deployment") and counts[1] == 0 and counts[0] not in (0, None):
        yield "is scaled to no replicas"


def _claims(templates: object) -> list[tuple[object, ...]]:
    """The fields of claim templates that may not change."""
    return [
        (
            at(template, "metadata", "name"),
            at(template, "spec", "storageClassName"),
            at(template, "spec", "accessModes"),
            at(template, "spec", "resources", "requests", "storage"),
        )
        for template in mappings(templates)
    ]


def _storage(resource: RenderedObject) -> Decimal | None:
    """The storage in bytes that a claim or a database requests."""
    places = (
        ("spec", "resources", "requests", "storage"),
        ("spec", "storage", "size"),
        ("spec", "volume", "size"),
        ("spec", "storage", "volumeClaimTemplate", "spec", "resources", "requests", "storage"),
    )
    for keys in places:
        value = at(resource.body, *keys)
        if value is not None:
            return amount(str(value))
    return None


_CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: more}\n"
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: %s}}}\n"
)

RULE = ChartRule(
    id="destructive-change",
    severity="error",
    about="Compared with the base, no object with data is removed or made smaller, and no immutable "
    "field is changed",
    why=_WHY,
    fix=_FIX,
    check=check,
    check_chart=check_chart,
    bad=Twin(files={"templates/more.yaml": _CLAIM % "1Gi"}, base={"templates/more.yaml": _CLAIM % "8Gi"}),
    good=Twin(files={"templates/more.yaml": _CLAIM % "9Gi"}, base={"templates/more.yaml": _CLAIM % "8Gi"}),
)
