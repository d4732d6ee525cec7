"""What really runs: images of pods against the release's digests, Argo CD's manifests against our render. Pure.

A pod's digest may be that of the index or of one platform in it, whichever the runtime reports
(kubernetes#108689), so relatives of the recorded digest count as it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stagegate.model import DIGEST, Image

Json = dict[str, Any]
Key = tuple[str, str, str, str]
_OWN_METADATA = ("annotations", "labels")
_TRACKING = ("argocd.argoproj.io/", "app.kubernetes.io/instance")


class PodImage(msgspec.Struct, frozen=True, kw_only=True):
    """One container's image: as written, and the digest that runs (empty: nobody could read it)."""

    pod: str
    container: str
    written: str
    digest: str = ""
    over: bool = False

    @property
    def repository(self) -> str:
        """Without tag and digest."""
        return re.sub(r":[^/]*$", "", self.written.split("@", 1)[0])

    @property
    def tag(self) -> str:
        """The tag, or nothing."""
        return self.written.split("@", 1)[0].removeprefix(self.repository).removeprefix(":")


class Images(msgspec.Struct, frozen=True, kw_only=True):
    """What the pods say of the release's images.

    `old` run another tag and will be replaced; `wrong` have the release's tag, or no other to come, and other
    content; `by_tag` have the right tag and a digest nobody could read; `proven` are digests found right.
    """

    old: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    by_tag: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()


def of_tree(tree: Json) -> Iterator[Json]:
    """The pods among a resource tree's nodes."""
    for node in tree.get("nodes") or ():
        if isinstance(node, dict) and node.get("kind") == "Pod" and not node.get("group"):
            yield node


def of_pod(live: Json, node: Json) -> tuple[PodImage, ...]:
    """Every container of a pod: from the live object, else from the tree, which knows only what is written.

    A pod that is being deleted is on its way out and not judged.
    """
    name = str(node.get("name", "?"))
    if not live:
        images = [image for image in node.get("images") or () if isinstance(image, str)]
        return tuple(PodImage(pod=name, container="?", written=image) for image in images)
    metadata, spec, status = (live.get(key) or {} for key in ("metadata", "spec", "status"))
    if metadata.get("deletionTimestamp"):
        return ()
    over = status.get("phase") in ("Succeeded", "Failed")
    running = {
        str(item.get("name")): str(item.get("imageID") or "")
        for group in ("initContainerStatuses", "containerStatuses")
        for item in status.get(group) or ()
    }
    found = []
    for group in ("initContainers", "containers"):
        for item in spec.get(group) or ():
            container, written = str(item.get("name", "?")), str(item.get("image", ""))
            digest = DIGEST.search(running.get(container, ""))
            found.append(
                PodImage(
                    pod=name,
                    container=container,
                    written=written,
                    digest=digest[0] if digest else "",
                    over=over,
                )
            )
    return tuple(found)


def judge_images(
    pods: Iterable[PodImage],
    images: Sequence[Image],
    tags: Sequence[str],
    relatives: Callable[[str, str], bool],
) -> Images:
    """Compare what runs with what is recorded.

    `tags` are those this release's images carry; `relatives(recorded reference, running digest)` says whether
    a digest is the recorded one, in its index, or an index that holds it. Images that are not the release's
    are not judged.
    """
    recorded = {image.reference: image for image in images}
    old, wrong, by_tag, proven = [], [], [], []
    for pod in pods:
        image = recorded.get(pod.repository)
        if image is None:
            continue
        where = f"{pod.pod}/{pod.container}"
        pinned = DIGEST.search(pod.written.partition("@")[2])
        running = pod.digest or (pinned[0] if pinned else "")
        if running and relatives(image.reference, running):
            proven.append(f"{image.reference}@{running}")
        elif pod.over and pod.tag not in tags:
            continue  # a finished Job of an earlier release
        elif running and (pod.tag in tags or pinned):
            wrong.append(f"{where} runs {running}, released is {image.digest} of {image.reference}")
        elif not running and pod.tag in tags:
            by_tag.append(f"{where} has {pod.written}")
        else:
            old.append(f"{where} has {pod.written}")
    return Images(old=tuple(old), wrong=tuple(wrong), by_tag=tuple(by_tag), proven=tuple(sorted(set(proven))))


def differences(theirs: Sequence[Json], ours: Sequence[Json], namespace: str) -> tuple[str, ...]:
    """Objects in which Argo CD's manifests are not our render, by name; empty when they are equal.

    What Argo CD adds to track objects is nothing, values of Secrets are not compared (Argo CD hides them),
    and an object without a namespace lands in the Application's.
    """
    left = {_key(item, namespace): _plain(item) for item in theirs if item}
    right = {_key(item, namespace): _plain(item) for item in ours if item}
    found = []
    for key in sorted({*left, *right}):
        name = "/".join(part for part in (key[1], key[2], key[3]) if part)
        if key not in right:
            found.append(f"{name} is only in Argo CD")
        elif key not in left:
            found.append(f"{name} is not in Argo CD")
        elif left[key] != right[key]:
            found.append(f"{name} differs in {_first(left[key], right[key])}")
    return tuple(found)


def _key(item: Json, namespace: str) -> Key:
    metadata = item.get("metadata") or {}
    group = str(item.get("apiVersion", "")).rpartition("/")[0]
    where = str(metadata.get("namespace") or namespace)
    return group, str(item.get("kind", "")), where, str(metadata.get("name", ""))


def _plain(item: Json) -> Json:
    metadata = {
        k: v for k, v in (item.get("metadata") or {}).items() if k not in ("namespace", "creationTimestamp")
    }
    for part in _OWN_METADATA:
        kept = {k: v for k, v in (metadata.get(part) or {}).items() if not k.startswith(_TRACKING)}
        metadata.pop(part, None)
        if kept:
            metadata[part] = kept
    plain = {**item, "metadata": metadata}
    plain.pop("status", None)
    if item.get("kind") == "Secret":
        keys = {key for part in ("data", "stringData") for key in item.get(part) or ()}
        plain = {k: v for k, v in plain.items() if k not in ("data", "stringData")} | {"data": sorted(keys)}
    return dict(_pruned(plain))


def _pruned(value: Any) -> Any:
    """Without nulls and empty maps, which come and go on the way through an API."""
    if isinstance(value, Mapping):
        kept = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item != {}}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _first(left: Any, right: Any, path: str = "") -> str:
    """The path of the first difference; never the values."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({*left, *right}):
            if left.get(key) != right.get(key):
                return _first(left.get(key), right.get(key), f"{path}.{key}" if path else str(key))
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            if one != other:
                return _first(one, other, f"{path}[{index}]")
    return path or "everything"
