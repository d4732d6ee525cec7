"""Compares the images of running pods with the release's digests. Pure.

A pod's digest may be that of the index or of one platform in it, whichever the runtime reports
(kubernetes#108689), so relatives of the recorded digest count as it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from stagegate.argocd_app.json_fields import mapping, rows, text, texts
from stagegate.gate.order import StuckPod
from stagegate.model import DIGEST, Image, full_name

Json = dict[str, Any]
_STUCK = re.compile(
    r"BackOff$|^Err|Error$|^InvalidImageName$|^OOMKilled$"
)  # the name that Argo CD gives a pod's reason
_GONE = re.compile(r"not found|manifest unknown|invalid reference format|InvalidImageName", re.IGNORECASE)


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
        """The repository, without tag and digest."""
        return re.sub(r":[^/]*$", "", self.written.split("@", 1)[0])

    @property
    def tag(self) -> str:
        """The tag, or nothing."""
        return self.written.split("@", 1)[0].removeprefix(self.repository).removeprefix(":")


class Images(msgspec.Struct, frozen=True, kw_only=True):
    """The release's images, as the pods report them.

    `old` run another tag and will be replaced; `wrong` have the release's tag, or no other to come, and other
    content; `by_tag` have the right tag and a digest nobody could read; `proven` are digests found right, and
    `recognised` how those images are written; `untested` are written images that carry a tag of the release and are
    no part of it.
    """

    old: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    by_tag: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()


def of_tree(tree: Json) -> Iterator[Json]:
    """The pods in a resource tree."""
    for node in rows(tree.get("nodes")):
        if node.get("kind") == "Pod" and not node.get("group"):
            yield node


def of_pod(live: Json, node: Json) -> tuple[PodImage, ...]:
    """Every container of a pod: from the live object, else from the tree, which has only what is written.

    A pod that is being deleted is on its way out and not judged.
    """
    name = str(node.get("name", "?"))
    if not live:
        return tuple(
            PodImage(pod=name, container="?", written=reference) for reference in texts(node.get("images"))
        )
    metadata, spec, status = (mapping(live, key) for key in ("metadata", "spec", "status"))
    if metadata.get("deletionTimestamp"):
        return ()
    owners = [*rows(node.get("parentRefs")), *rows(metadata.get("ownerReferences"))]
    of_job = any(owner.get("kind") == "Job" for owner in owners)
    over = status.get("phase") in ("Succeeded", "Failed")
    running = {
        text(item, "name"): text(item, "imageID")
        for group in ("initContainerStatuses", "containerStatuses")
        for item in rows(status.get(group))
    }
    return tuple(
        _container(name, item, running.get(text(item, "name"), ""), over=over, of_job=of_job)
        for group in ("initContainers", "containers")
        for item in rows(spec.get(group))
    )


def _container(pod: str, item: Json, image_id: str, *, over: bool, of_job: bool) -> PodImage:
    digest = DIGEST.search(image_id)
    return PodImage(
        pod=pod,
        container=text(item, "name") or "?",
        written=text(item, "image"),
        digest=digest[0] if digest else "",
        over=over,
        source=image_id.split("://", 1)[-1].rpartition("@")[0],
        of_job=of_job,
    )


def judge_images(
    pods: Iterable[PodImage],
    images: Sequence[Image],
    tags: Sequence[str],
    relatives: Callable[[str, str], bool],
) -> Images:
    """Compare what runs with what is recorded.

    `tags` are those this release's images carry; `relatives(recorded reference, running digest)` says whether
    a digest is the recorded one, in its index, an index that holds it, or the image id of one of them.
    """
    old, wrong, by_tag, proven, recognised, untested = [], [], [], set(), set(), set()
    for pod in pods:
        pinned = DIGEST.search(pod.written.partition("@")[2])
        running = pod.digest or (pinned[0] if pinned else "")
        image = next((i for i in images if full_name(i.reference) == full_name(pod.repository)), None)
        mirrored = image is None
        if mirrored and running:  # a mirror keeps the last part of the name, and the digest proves it
            last = pod.repository.rpartition("/")[2]
            image = next((i for i in images if i.reference.rpartition("/")[2] == last), None)
        where = f"{pod.pod}/{pod.container}"
        if image is not None and running and relatives(image.reference, running):
            proven.add(f"{image.reference}@{running}")
            recognised.add(pod.written)
        elif image is None or mirrored:  # not an image of this release, whatever its tag claims
            untested |= {pod.written} if pod.tag in tags else set()
        elif (pod.of_job or pod.over) and pod.tag not in tags:
            continue  # a Job of an earlier release, which ends by itself
        elif pod.tag not in tags:
            old.append(f"{where} has {pod.written}")
        elif not running or (pod.digest and full_name(pod.source) != full_name(image.reference)):
            by_tag.append(f"{where} has {pod.written}")  # an image id, or a digest of another repository
        else:
            wrong.append(f"{where} runs {running}, but the release has {image.digest} of {image.reference}")
    return Images(
        old=tuple(old),
        wrong=tuple(wrong),
        by_tag=tuple(by_tag),
        proven=tuple(sorted(proven)),
        recognised=tuple(sorted(recognised)),
        untested=tuple(sorted(untested)),
    )


def untested_references(
    written: Iterable[str], images: Sequence[Image], tags: Sequence[str], allowed: Collection[str]
) -> tuple[str, ...]:
    """References with the release's tag whose repository is neither in its record nor allowed."""
    expected_names = {full_name(name) for name in (*(image.reference for image in images), *allowed)}
    references = (PodImage(pod="", container="", written=image) for image in written)
    return tuple(
        dict.fromkeys(
            image.written
            for image in references
            if image.tag in tags and full_name(image.repository) not in expected_names
        )
    )


def written_in(objects: Any) -> Iterator[str]:
    """Every image of containers in rendered objects, at any depth."""
    if isinstance(objects, dict):
        for key in ("containers", "initContainers"):
            yield from (text(row, "image") for row in rows(objects.get(key)) if text(row, "image"))
        objects = list(objects.values())
    if isinstance(objects, list | tuple):
        for item in objects:
            yield from written_in(item)


def stuck_pod(tree: Json, images: Sequence[Image], tags: Sequence[str]) -> StuckPod:
    """The first pod of the release in a resource tree that does not start, in Argo CD's words."""
    own_names = {full_name(image.reference) for image in images}
    digests = {image.digest for image in images}
    for node in of_tree(tree):
        written = [PodImage(pod="", container="", written=image) for image in texts(node.get("images"))]
        of_release = [
            image for image in written
            if full_name(image.repository) in own_names and (image.tag in tags or image.written[-71:] in digests)
        ]  # fmt: skip
        reason = next(
            (text(i, "value") for i in rows(node.get("info")) if i.get("name") == "Status Reason"), ""
        )
        if not of_release or not _STUCK.search(reason):
            continue
        message = " ".join(text(mapping(node, "health"), "message").split())[:200]
        problem = f"pod {text(node, 'name')} does not start: {reason}" + (f", {message}" if message else "")
        pulled = reason in ("ImagePullBackOff", "ErrImagePull", "InvalidImageName")
        backed_off = reason != "ErrImagePull"
        return StuckPod(text=problem, for_good=pulled and backed_off and bool(_GONE.search(problem)))
    return StuckPod()
