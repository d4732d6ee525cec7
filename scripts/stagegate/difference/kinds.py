"""The behaviour of the Kubernetes API and its tools for each kind of object, as far as a risk depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagegate.argocd_app import hooks
from stagegate.difference.values import Body, ObjectChange, at, notes

_STATEFUL = ("StatefulSet", "PersistentVolumeClaim", "PersistentVolume")
BUILT_IN = ("", "apps", "batch", "autoscaling", "policy", "networking.k8s.io", "rbac.authorization.k8s.io")
_RUNS_ON_CHANGE = (
    "pre-install",
    "post-install",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
)
_PHASES = (
    *("pre-install", "post-install", "pre-upgrade", "post-upgrade"),
    *("pre-delete", "post-delete", "crd-install"),
)  # of Helm's hooks, those that Argo CD has a phase for
_ARGO_RUNS = ("PreSync", "Sync", "PostSync")

# fields the API server refuses to change on an object that exists; https://kubernetes.io/docs/reference/kubernetes-api/
IMMUTABLE: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "StatefulSet": (
        "spec.selector",
        "spec.serviceName",
        "spec.podManagementPolicy",
        "spec.volumeClaimTemplates",
    ),
    "Job": ("spec.selector", "spec.template", "spec.completions", "spec.completionMode"),
    "Service": ("spec.clusterIP",),
    "PersistentVolumeClaim": (
        "spec.storageClassName",
        "spec.accessModes",
        "spec.selector",
        "spec.volumeMode",
        "spec.volumeName",
        "spec.dataSource",
    ),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Secret": ("type",),
}


def holds_state(one: ObjectChange) -> bool:
    """StatefulSets, claims and volumes; and custom objects (databases) that ask for storage."""
    spec = at(one.before or one.after, "spec")
    own = one.group not in BUILT_IN and isinstance(spec, Mapping)
    return one.kind in _STATEFUL or (
        own and bool({"storage", "volumeClaimTemplates", "persistence"} & set(spec))
    )


def claim_templates(body: Body | None) -> set[str]:
    """Names of the volume claims that a StatefulSet makes for each pod."""
    templates = at(body, "spec", "volumeClaimTemplates")
    return {str(at(item, "metadata", "name")) for item in templates} if isinstance(templates, list) else set()


def is_hook(one: ObjectChange) -> bool:
    """Whether a rollout runs it: hooks for tests and deletion do not count."""
    words = [
        word.strip()
        for body in (one.before, one.after)
        for name in (hooks.HELM, hooks.ARGO)
        for word in str(notes(body).get(name, "")).split(",")
    ]
    return any(word in _RUNS_ON_CHANGE or word in _ARGO_RUNS for word in words)


def restarts(one: ObjectChange) -> bool:
    """Whether the pods of a workload are replaced: anything in its pod template is another, a label too."""
    if one.change != "changed" or one.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
        return False
    return bool(at(one.before, "spec", "template") != at(one.after, "spec", "template"))


def keeps(body: Body | None) -> bool:
    """Whether Argo CD is told not to delete an object: `Prune=false`."""
    options = str(notes(body).get("argocd.argoproj.io/sync-options", ""))
    return "Prune=false" in [word.strip() for word in options.split(",")]


def is_left_out(body: Body) -> bool:
    """Whether Argo CD never applies an object: a Helm hook of which it has no phase, such as `test`.

    https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-hooks
    """
    phases = [word.strip() for word in str(notes(body).get(hooks.HELM, "")).split(",") if word.strip()]
    return bool(phases) and not notes(body).get(hooks.ARGO) and not any(word in _PHASES for word in phases)


def grants(body: Body | None) -> set[str]:
    """Each single permission of a role, as `verb group/resource [name]`."""
    granted: set[str] = set()
    rules = at(body, "rules")
    for rule in rules if isinstance(rules, list) else ():
        urls = [f"{verb} {url}" for verb in _list(rule, "verbs") for url in _list(rule, "nonResourceURLs")]
        granted.update(urls)
        granted.update(
            " ".join(part for part in (verb, f"{group}/{resource}".lstrip("/"), name) if part)
            for verb in _list(rule, "verbs")
            for group in _list(rule, "apiGroups") or [""]
            for resource in _list(rule, "resources")
            for name in _list(rule, "resourceNames") or [""]
        )
    return granted


def crd_versions(body: Body | None) -> set[str]:
    """Names of the versions that a CustomResourceDefinition has."""
    versions = at(body, "spec", "versions")
    return {str(at(item, "name")) for item in versions} if isinstance(versions, list) else set()


def subjects(body: Body | None) -> set[str]:
    """The subjects of a binding, as `Kind namespace/name`."""
    subjects = at(body, "subjects")
    listed = subjects if isinstance(subjects, list) else []
    return {f"{at(s, 'kind')} {at(s, 'namespace') or ''}/{at(s, 'name')}".replace(" /", " ") for s in listed}


def _list(rule: Mapping[str, Any], key: str) -> list[str]:
    listed = rule.get(key)
    return [str(item) for item in listed] if isinstance(listed, list) else []
