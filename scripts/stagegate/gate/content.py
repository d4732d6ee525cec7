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
_TRACKING = (
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/installation-id",
    "argocd.argoproj.io/instance",
    "app.kubernetes.io/instance",
)
_DECIDING = ("argocd.argoproj.io/", "helm.sh/")  # annotations that decide what Argo CD does with an object


class PodImage(msgspec.Struct, frozen=True, kw_only=True):
    """One container's image: as written, and the digest that runs (empty: nobody could read it).

    `source` is the repository whose digest it is (empty: the runtime gave the image's own id, or none).
    """

    pod: str
    container: str
    written: str
    digest: str = ""
    over: bool = False
    source: str = ""
    of_job: bool = False

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
    of_job = any(
        owner.get("kind") == "Job" for owner in node.get("parentRefs") or () if isinstance(owner, dict)
    )
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
            source = running.get(container, "").split("://", 1)[-1].rpartition("@")[0]
            found.append(
                PodImage(
                    pod=name,
                    container=container,
                    written=written,
                    digest=digest[0] if digest else "",
                    over=over,
                    source=source,
                    of_job=of_job,
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
    old, wrong, by_tag, proven = [], [], [], []
    for pod in pods:
        pinned = DIGEST.search(pod.written.partition("@")[2])
        running = pod.digest or (pinned[0] if pinned else "")
        image = next((i for i in images if full_name(i.reference) == full_name(pod.repository)), None)
        mirrored = image is None
        if mirrored and running:  # a mirror keeps the last part of the name, and the digest proves it
            last = pod.repository.rpartition("/")[2]
            image = next((i for i in images if i.reference.rpartition("/")[2] == last), None)
        if image is None:
            continue
        where = f"{pod.pod}/{pod.container}"
        if running and relatives(image.reference, running):
            proven.append(f"{image.reference}@{running}")
        elif mirrored or ((pod.of_job or pod.over) and pod.tag not in tags):
            continue  # not an image of this release, or a Job of an earlier one, which ends by itself
        elif pod.tag not in tags:
            old.append(f"{where} has {pod.written}")
        elif not running or (pod.digest and full_name(pod.source) != full_name(image.reference)):
            by_tag.append(f"{where} has {pod.written}")  # an image id, or a digest of another repository
        else:
            wrong.append(f"{where} runs {running}, released is {image.digest} of {image.reference}")
    return Images(old=tuple(old), wrong=tuple(wrong), by_tag=tuple(by_tag), proven=tuple(sorted(set(proven))))


def full_name(repository: str) -> str:
    """An image's repository with the host that Docker means where none is written."""
    first, slash, _ = repository.partition("/")
    if not repository or (slash and ("." in first or ":" in first or first == "localhost")):
        return repository.replace("index.docker.io/", "docker.io/", 1)
    return f"docker.io/{repository}" if slash else f"docker.io/library/{repository}"


def differences(theirs: Sequence[Json], ours: Sequence[Json], namespace: str) -> tuple[str, ...]:
    """Objects in which Argo CD's manifests are not our render, by name; empty when they are equal.

    What Argo CD adds to track objects is nothing, values of Secrets are not compared (Argo CD hides them),
    and an object without a namespace lands in the Application's.
    """
    own = _instance_labels(theirs, ours)
    left = {_key(item, namespace): _plain(item, own) for item in theirs if item}
    right = {_key(item, namespace): _plain(item, own) for item in ours if item}
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


def _instance_labels(theirs: Sequence[Json], ours: Sequence[Json]) -> tuple[str, ...]:
    """Label keys by which Argo CD tracks: one key with one value on all of its objects, on none of ours.

    An administrator may choose the key (`application.instanceLabelKey`).
    """

    def labels(item: Json) -> set[tuple[str, str]]:
        return {(str(k), str(v)) for k, v in ((item.get("metadata") or {}).get("labels") or {}).items()}

    on_all = (
        set[tuple[str, str]].intersection(*(labels(item) for item in theirs if item))
        if any(theirs)
        else set()
    )
    written = {key for item in ours for key, _ in labels(item)}
    return tuple(key for key, _ in on_all if key not in written)


def _plain(item: Json, own: tuple[str, ...] = ()) -> Json:
    metadata = {
        k: v for k, v in (item.get("metadata") or {}).items() if k not in ("namespace", "creationTimestamp")
    }
    for part in _OWN_METADATA:
        values = (metadata.get(part) or {}).items()
        kept = {k: v for k, v in values if k not in _TRACKING and not (part == "labels" and k in own)}
        if part == "annotations" and item.get("kind") == "Secret":
            # Argo CD masks what `resource.sensitive.mask.annotations` names.
            kept = {k: v if k.startswith(_DECIDING) else "" for k, v in kept.items()}
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
