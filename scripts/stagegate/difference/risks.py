"""Classes of change that need a review by a person: each is one pure function of a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from stagegate.chart.kubernetes.quantities import shrinks
from stagegate.difference import hook_jobs, kinds
from stagegate.difference.hook_jobs import IRREVERSIBLE, is_marked
from stagegate.difference.values import Difference, ImageChange, ObjectChange, at


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """A risky change: its class, the object and a sentence."""

    kind: str
    object: str
    detail: str


def risks(difference: Difference) -> tuple[Risk, ...]:
    """Every risk, class by class. A first installation, with nothing before, has none."""
    if not difference.objects[0]:
        return ()
    return tuple(
        Risk(kind=kind, object=label, detail=detail)
        for kind, find in CLASSES.items()
        for label, detail in dict.fromkeys(find(difference))
    )


def irreversible(difference: Difference) -> tuple[str, ...]:
    """Why going back over this difference may not undo it: `stagegate/irreversible`, and versions of CRDs that go.

    A hook Job without that annotation is no reason: most migrations can run again, and the body warns of it.
    """
    reasons = [f"{label} {detail}" for label, detail in _crd_versions_gone(difference)]
    reasons += [f"{one.label} is marked {IRREVERSIBLE}" for one in difference.changes if is_marked(one)]
    return tuple(dict.fromkeys(reasons))


Found = Iterator[tuple[str, str]]


def stateful_removed(difference: Difference) -> Found:
    """A StatefulSet, claim, volume or custom object with storage is removed."""
    for one in difference.changes:
        if one.change == "removed" and kinds.keeps(one.before):
            continue
        if one.change == "removed" and kinds.holds_state(one):
            yield one.label, "is removed, and its data with it where Argo CD prunes"
        elif one.change == "changed" and kinds.claim_templates(one.before) - kinds.claim_templates(one.after):
            gone = ", ".join(sorted(kinds.claim_templates(one.before) - kinds.claim_templates(one.after)))
            yield one.label, f"no longer has the volume claim {gone}"


def stateful_shrunk(difference: Difference) -> Found:
    """Storage becomes smaller, or something that keeps state gets fewer members."""
    for one in _changed(difference):
        for field in one.fields:
            last = field.path.rpartition(".")[2]
            is_storage = last == "storage" or (last == "size" and "storage" in field.path.lower())
            is_members = kinds.holds_state(one) and field.path in ("spec.replicas", "spec.instances")
            if (is_storage or is_members) and shrinks(field.before, field.after):
                yield one.label, f"{field.path} decreases from {field.before} to {field.after or 'nothing'}"


def immutable_field(difference: Difference) -> Found:
    """A field that the API server will not change: the sync fails, or the object is replaced."""
    for one in _changed(difference):
        if one.kind == "Job" and kinds.is_hook(one):
            continue
        for path in (
            kinds.IMMUTABLE.get(one.kind, ()) if one.group in (*kinds.BUILT_IN, "storage.k8s.io") else ()
        ):
            keys = path.split(".")
            if at(one.before, *keys) != at(one.after, *keys) and at(one.before, *keys) is not None:
                yield one.label, f"{path} cannot be changed on an object that exists"
        if at(one.before, "immutable") is True and any(at(one.before, k) != at(one.after, k) for k in _DATA):
            yield one.label, "is immutable, but its content changes"


def crd_changed(difference: Difference) -> Found:
    """A CustomResourceDefinition is removed (and all its objects with it) or changed."""
    for one in difference.changes:
        if one.kind == "CustomResourceDefinition" and one.change != "added":
            yield (
                one.label,
                "is removed together with every object of this kind"
                if one.change == "removed"
                else "changes",
            )


def _crd_versions_gone(difference: Difference) -> Found:
    """A CustomResourceDefinition, or a version of it in which objects may be stored, is removed."""
    for one in difference.changes:
        if one.kind != "CustomResourceDefinition" or one.change == "added":
            continue
        gone = sorted(kinds.crd_versions(one.before) - kinds.crd_versions(one.after))
        if one.change == "removed":
            yield one.label, "is removed together with every object of this kind"
        elif gone:
            yield (
                one.label,
                (
                    f"no longer has the version {_few(gone)}, but existing objects may be stored in this "
                    "version"
                ),
            )


def rbac_widened(difference: Difference) -> Found:
    """A role may do more, or more subjects have it."""
    for one in difference.changes:
        if one.group == "argoproj.io" and one.kind == "AppProject" and one.change != "removed":
            yield one.label, "changes, and decides what Applications may deploy and from where"
        if one.group != "rbac.authorization.k8s.io" or one.change == "removed":
            continue
        if one.kind in ("Role", "ClusterRole"):
            more = sorted(kinds.grants(one.after) - kinds.grants(one.before))
            if more or at(one.before, "aggregationRule") != at(one.after, "aggregationRule"):
                yield one.label, f"gives more permissions: {_few(more) or 'by aggregation'}"
        elif one.kind in ("RoleBinding", "ClusterRoleBinding"):
            more = sorted(kinds.subjects(one.after) - kinds.subjects(one.before))
            if more or at(one.before, "roleRef") != at(one.after, "roleRef"):
                yield one.label, f"gives {at(one.after, 'roleRef', 'name')} to {_few(more) or 'its subjects'}"


def replicas_zero(difference: Difference) -> Found:
    """A workload is scaled to zero."""
    for one in _changed(difference):
        for keys in (("spec", "replicas"), ("spec", "instances"), ("spec", "minReplicas")):
            if at(one.after, *keys) == 0 and at(one.before, *keys) != 0:
                yield one.label, f"{'.'.join(keys)} changes to 0"


def new_registry(difference: Difference) -> Found:
    """An image comes from a host that no image used before."""
    for image in difference.images:
        if image.after and difference.registries and image.registry not in difference.registries:
            yield _where(image), f"runs {image.repository}, the first image from {image.registry}"


def secret_regenerated(difference: Difference) -> Found:
    """A value of a Secret that exists becomes another one."""
    for one in _changed(difference):
        if one.kind == "Secret":
            keys = sorted(
                {field.path for field in one.fields if field.path.split(".")[0].split("[")[0] in _DATA}
            )
            if keys:
                yield one.label, f"{_few(keys)} changes"


def hook_job(difference: Difference) -> Found:
    """A Job that runs while the release rolls out (a migration) is new, or more than its image changes."""
    return hook_jobs.risky(difference)


def service_account(difference: Difference) -> Found:
    """A workload runs under another account, or a service account changes or is removed."""
    for one in difference.changes:
        if one.kind == "ServiceAccount" and one.change != "added":
            yield one.label, one.change
        for field in one.fields if one.change == "changed" else ():
            if field.path.endswith((".serviceAccountName", ".serviceAccount")):
                yield one.label, f"runs as {field.after or 'default'} instead of {field.before or 'default'}"


def namespace(difference: Difference) -> Found:
    """An object moves to another namespace, or a Namespace changes or is removed."""
    removed = {(one.group, one.kind, one.name): one for one in difference.changes if one.change == "removed"}
    for one in difference.changes:
        old = removed.get((one.group, one.kind, one.name))
        if one.change == "added" and old is not None and old.namespace != one.namespace:
            yield (
                one.label,
                f"moves from {old.namespace or 'the default namespace'} to {one.namespace or 'it'}",
            )
        if one.kind == "Namespace" and one.group == "" and one.change != "added":
            yield (
                one.label,
                "is removed together with every object in the namespace"
                if one.change == "removed"
                else "changes",
            )


CLASSES: Mapping[str, Callable[[Difference], Found]] = {
    "stateful-removed": stateful_removed,
    "stateful-shrunk": stateful_shrunk,
    "immutable-field": immutable_field,
    "crd-changed": crd_changed,
    "rbac-widened": rbac_widened,
    "replicas-zero": replicas_zero,
    "new-registry": new_registry,
    "secret-regenerated": secret_regenerated,
    "hook-job": hook_job,
    "service-account": service_account,
    "namespace": namespace,
}
_DATA = ("data", "stringData", "binaryData")


def _changed(difference: Difference) -> Iterator[ObjectChange]:
    return (one for one in difference.changes if one.change == "changed")


def _few(items: list[str]) -> str:
    more = f" and {len(items) - 3} more" if len(items) > 3 else ""
    return ", ".join(items[:3]) + more


def _where(image: ImageChange) -> str:
    return image.objects[0] if image.objects else image.repository
