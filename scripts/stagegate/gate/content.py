"""Compares Argo CD's manifests with our render. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str, str, str]
_OWN_METADATA = ("annotations", "labels")
_TRACKING = (
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/instance",
    "app.kubernetes.io/instance",
)
_DECIDING = ("argocd.argoproj.io/", "helm.sh/")  # annotations that decide what Argo CD does with an object


def differences(argocd_objects: Sequence[Json], rendered: Sequence[Json], namespace: str) -> tuple[str, ...]:
    """The differences between Argo CD's manifests and our render, by object; empty when they are equal.

    Argo CD's tracking labels and annotations are ignored, and values of Secrets, which Argo CD hides. An object
    without a namespace gets that of the Application.
    """
    instance_labels = _instance_labels(argocd_objects, rendered)
    in_argocd = {_key(item, namespace): _plain(item, instance_labels) for item in argocd_objects if item}
    in_render = {_key(item, namespace): _plain(item, instance_labels) for item in rendered if item}
    differing = []
    for key in sorted({*in_argocd, *in_render}):
        name = "/".join(part for part in (key[1], key[2], key[3]) if part)
        if key not in in_render:
            differing.append(f"{name} is only in Argo CD")
        elif key not in in_argocd:
            differing.append(f"{name} is not in Argo CD")
        elif in_argocd[key] != in_render[key]:
            differing.append(f"{name} differs in {_first(in_argocd[key], in_render[key])}")
    return tuple(differing)


def _key(item: Json, namespace: str) -> Key:
    metadata = item.get("metadata") or {}
    group = str(item.get("apiVersion", "")).rpartition("/")[0]
    where = str(metadata.get("namespace") or namespace)
    return group, str(item.get("kind", "")), where, str(metadata.get("name", ""))


def _instance_labels(argocd_objects: Sequence[Json], rendered: Sequence[Json]) -> tuple[str, ...]:
    """Label keys by which Argo CD tracks: one key with one value on all of its objects, on none of ours.

    An administrator may choose the key (`application.instanceLabelKey`).
    """

    def labels(item: Json) -> set[tuple[str, str]]:
        return {(str(k), str(v)) for k, v in ((item.get("metadata") or {}).get("labels") or {}).items()}

    on_all = (
        set[tuple[str, str]].intersection(*(labels(item) for item in argocd_objects if item))
        if any(argocd_objects)
        else set()
    )
    written = {key for item in rendered for key, _ in labels(item)}
    return tuple(key for key, _ in on_all if key not in written)


def _plain(item: Json, instance_labels: tuple[str, ...] = ()) -> Json:
    metadata = {
        k: v for k, v in (item.get("metadata") or {}).items() if k not in ("namespace", "creationTimestamp")
    }
    for part in _OWN_METADATA:
        values = (metadata.get(part) or {}).items()
        entries = {
            k: v for k, v in values if k not in _TRACKING and not (part == "labels" and k in instance_labels)
        }
        if part == "annotations" and item.get("kind") == "Secret":
            # Argo CD masks the annotations in `resource.sensitive.mask.annotations`.
            entries = {k: v if k.startswith(_DECIDING) else "" for k, v in entries.items()}
        metadata.pop(part, None)
        if entries:
            metadata[part] = entries
    plain = {**item, "metadata": metadata}
    plain.pop("status", None)
    if item.get("kind") == "Secret":
        keys = {key for part in ("data", "stringData") for key in item.get(part) or ()}
        plain = {k: v for k, v in plain.items() if k not in ("data", "stringData")} | {"data": sorted(keys)}
    return dict(_pruned(plain))


def _pruned(value: Any) -> Any:
    """The value without nulls and empty maps, which an API may add or remove."""
    if isinstance(value, Mapping):
        entries = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in entries.items() if item is not None and item != {}}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _first(left: Any, right: Any, path: str = "") -> str:
    """The path of the first difference, without values."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({*left, *right}):
            if left.get(key) != right.get(key):
                return _first(left.get(key), right.get(key), f"{path}.{key}" if path else str(key))
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (left_item, right_item) in enumerate(zip(left, right, strict=True)):
            if left_item != right_item:
                return _first(left_item, right_item, f"{path}[{index}]")
    return path or "everything"
