"""What links of one rendering may lead to, and a link that leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from stagegate.chart.objects import RenderedObject
from stagegate.chart.pods import Pod, all_pods, labels_change, matches, others_make_pods
from stagegate.chart.rule import Rendered
from stagegate.chart.walk import is_test
from stagegate.model import Severity


class BrokenLink(NamedTuple):
    """A link that leads nowhere: the object it begins at, what is wrong, and what happens then."""

    object: RenderedObject
    text: str
    why: str
    severity: Severity = "error"


class Scene(NamedTuple):
    """The objects of a rendering that links may refer to."""

    own: str
    objects: tuple[RenderedObject, ...]
    pods: list[Pod]
    foreign_pods: bool
    moving_labels: bool

    @classmethod
    def of(cls, rendered: Rendered) -> Scene:
        """The objects of this rendering that links may refer to, without test hooks."""
        return cls(
            own=rendered.namespace,
            objects=tuple(one for one in rendered.objects or () if not is_test(one)),
            pods=all_pods(rendered),
            foreign_pods=others_make_pods(rendered),
            moving_labels=labels_change(rendered),
        )

    def space(self, one: RenderedObject) -> str:
        """The namespace an object is deployed to."""
        return one.namespace or self.own

    def find(self, kind: str, name: object, space: str) -> RenderedObject | None:
        """The rendered object of this kind and name, if there is one."""
        return next(
            (o for o in self.objects if o.kind == kind and o.name == name and self.space(o) == space), None
        )


def any_pod(selector: Mapping[str, Any], one: RenderedObject, scene: Scene) -> bool:
    """Whether a label selector of an object matches a pod, or this is unknown."""
    inside = [pod for pod in scene.pods if pod.namespace == scene.space(one)]
    return (
        not scene.pods
        or any(matches(pod.labels, selector) for pod in inside)
        or scene.space(one) != scene.own
    )


def doubt(wanted: Mapping[str, Any], scene: Scene) -> Severity:
    """An operator may make the pods, or a pod gets a label that it has not yet when it leads."""
    may_fit = scene.moving_labels and any(
        all(str(pod.labels[key]) == str(value) for key, value in wanted.items() if key in pod.labels)
        for pod in scene.pods
    )
    return "note" if scene.foreign_pods or may_fit else "error"


def label_text(labels: Mapping[str, Any]) -> str:
    """Labels as a message names them."""
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "no labels"
