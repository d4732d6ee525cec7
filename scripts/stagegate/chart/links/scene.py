"""The objects of a rendering to which links may refer, and broken links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from stagegate.chart.objects import RenderedObject
from stagegate.chart.pods import Pod, all_pods, labels_change, matches, others_make_pods
from stagegate.chart.rule import Rendered
from stagegate.chart.walk import is_test
from stagegate.model import Severity


class BrokenLink(NamedTuple):
    """A link to something that does not exist: the object with the link, the problem, and its effect."""

    object: RenderedObject
    text: str
    why: str
    severity: Severity = "error"


class Scene(NamedTuple):
    """The objects of a rendering to which links may refer; `namespace` is that of the release."""

    namespace: str
    objects: tuple[RenderedObject, ...]
    pods: list[Pod]
    foreign_pods: bool
    moving_labels: bool

    @classmethod
    def of(cls, rendered: Rendered) -> Scene:
        """The objects of this rendering, without test hooks."""
        return cls(
            namespace=rendered.namespace,
            objects=tuple(resource for resource in rendered.objects or () if not is_test(resource)),
            pods=all_pods(rendered),
            foreign_pods=others_make_pods(rendered),
            moving_labels=labels_change(rendered),
        )

    def space(self, resource: RenderedObject) -> str:
        """The namespace an object is deployed to."""
        return resource.namespace or self.namespace

    def find(self, kind: str, name: object, space: str) -> RenderedObject | None:
        """The rendered object of this kind and name, or None."""
        return next(
            (o for o in self.objects if o.kind == kind and o.name == name and self.space(o) == space), None
        )


def any_pod(selector: Mapping[str, Any], resource: RenderedObject, scene: Scene) -> bool:
    """Whether a label selector of an object matches a pod; true when the pods are unknown."""
    inside = [pod for pod in scene.pods if pod.namespace == scene.space(resource)]
    return (
        not scene.pods
        or any(matches(pod.labels, selector) for pod in inside)
        or scene.space(resource) != scene.namespace
    )


def doubt(labels: Mapping[str, Any], scene: Scene) -> Severity:
    """A note when an operator may make the pods, or a leader may get the missing label at run time.

    Else an error.
    """
    may_fit = scene.moving_labels and any(
        all(str(pod.labels[key]) == str(value) for key, value in labels.items() if key in pod.labels)
        for pod in scene.pods
    )
    return "note" if scene.foreign_pods or may_fit else "error"


def label_text(labels: Mapping[str, Any]) -> str:
    """Labels as a message names them."""
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "no labels"
