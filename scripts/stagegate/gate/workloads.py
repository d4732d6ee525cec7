"""The source `kubernetes`: waits until the workloads run exactly this release, as the API server reports.

The words are those of `rollout_reasons.REASONS`; what a workload shows is judged as `kubectl rollout status` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from stagegate.argocd_app.json_fields import mapping, rows, text
from stagegate.errors import Stop
from stagegate.gate import ending, images
from stagegate.gate.expected import Expected
from stagegate.gate.order import Order, Rollout
from stagegate.gate.pin import Pin
from stagegate.gate.plan import Observed, Ready, Superseded, Waiting, added, decide
from stagegate.gate.progress import Progress, Teller
from stagegate.gate.rolled_out import WorkloadsFound, images_of
from stagegate.gate.trouble import PASSING, PATIENCE_FIRST
from stagegate.model import ApplicationSeen, Image, full_name

Json = dict[str, Any]
POLL = 1.0  # seconds between two looks
_PLACES = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}
_PODS = "/api/v1/namespaces/{}/pods"


class Reader(Protocol):
    """The reader of the cluster."""

    def get(self, path: str) -> Json | None: ...
    def objects(self, path: str, selector: str = "") -> list[Json]: ...


class WorkloadSource:
    """The workloads of one namespace: those of `names` (`deployment/shop`), else those with the labels of
    `selector`, else those that run an image of `release`. To the look at pods it is what Argo CD's tree is."""

    def __init__(
        self,
        cluster: Reader,
        namespace: str,
        *,
        names: Sequence[str] = (),
        selector: str = "",
        release: Sequence[Image] = (),
    ) -> None:
        self._cluster, self.namespace, self._selector = cluster, namespace, selector
        self._names = tuple(_kind_and_name(name) for name in names)
        self._images = {full_name(image.reference) for image in release}
        self._pods: dict[str, Json] = {}

    def find(self) -> WorkloadsFound:
        """The workloads as they are now."""
        if self._names:
            resources = [(f"{kind}/{name}", self._get(kind, name)) for kind, name in self._names]
            return WorkloadsFound(
                workloads=tuple(body for _, body in resources if body is not None),
                missing=tuple(name for name, body in resources if body is None),
            )
        listed = [
            {"kind": kind, **item}
            for kind, place in _PLACES.items()
            for item in self._cluster.objects(place.format(self.namespace), self._selector)
        ]
        free = (
            workload for workload in listed if not rows(mapping(workload, "metadata").get("ownerReferences"))
        )
        chosen = (workload for workload in free if self._selector or any(images_of(workload, self._images)))
        return WorkloadsFound(workloads=tuple(chosen))

    def _get(self, kind: str, name: str) -> Json | None:
        body = self._cluster.get(f"{_PLACES[kind].format(self.namespace)}/{name}")
        return None if body is None else {"kind": kind, **body}

    def tree(self, name: str) -> Json:  # noqa: ARG002  one namespace is one environment
        """The pods of the workloads, as nodes of a resource tree."""
        selectors = [mapping(mapping(workload, "spec"), "selector") for workload in self.find().workloads]
        labels = [
            mapping(workload, "matchLabels") for workload in selectors if mapping(workload, "matchLabels")
        ]
        pods = [
            pod
            for pod in self._cluster.objects(_PODS.format(self.namespace))
            if any(_has_labels(pod, labels_of_workload) for labels_of_workload in labels)
        ]
        self._pods = {text(mapping(pod, "metadata"), "name"): pod for pod in pods}
        return {"nodes": [_node(pod) for pod in pods]}

    def resource(self, name: str, node: Json) -> Json:  # noqa: ARG002
        """The pod of a node of the tree."""
        return self._pods.get(str(node.get("name")), {})


def wait(
    source: WorkloadSource,
    expected: Expected,
    order: Order,
    observe: Callable[[WorkloadsFound], Observed],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Rollout:
    """Look at the workloads until a verdict. Stop for what a person must cure, or when the API server is away."""
    began = clock()
    (name,) = order.names
    state = Progress(name=name)
    pin, teller = Pin(expected.version, order.pinned), Teller(order.timeout, began)
    while True:
        _look(source, state, order, observe, clock(), expected.patience)
        teller.tell({name: state}, clock())
        ended = ending.verdict({name: state}, order, clock() - began)
        late = state.judgement.reason == "old-revision"
        last_word = ended is not None and ended.outcome != "ready"
        if (late or last_word) and pin.moved(clock(), [state.judgement.reason], final=last_word):
            newer = Superseded(detail=f"the pin in Git now names {pin.version}")
            ended = ending.ended("superseded", newer, {name: state}, clock() - began)
        if ended is not None:
            application = ApplicationSeen(source="kubernetes", name=name, revision=expected.version)
            return msgspec.structs.replace(ended, seen=(application,), documents=())
        sleep(POLL)


def _look(
    source: WorkloadSource,
    state: Progress,
    order: Order,
    observe: Callable[[WorkloadsFound], Observed],
    now: float,
    patience: float,
) -> None:
    try:
        observed = observe(source.find())
        state.judgement = decide(observed, state.history, now)
        state.history = added(state.history, observed, now)
        if observed.reason in ("progressing", "degraded"):
            state.stuck = order.stuck(state.name)
            detail = f"{state.judgement.detail}; {state.stuck.text}".removesuffix("; ")
            state.judgement = msgspec.structs.replace(state.judgement, detail=detail)
        if isinstance(state.judgement, Ready):
            pods = order.pods(state.name)
            state.judgement = state.judgement if isinstance(pods, Ready) else pods
        state.trouble = None
        state.document = {"kind": "List"}  # it has answered once
    except Stop as trouble:
        state.trouble_since = state.trouble_since if state.trouble else now
        state.trouble = trouble
        endured = patience if state.document else PATIENCE_FIRST
        if trouble.reason not in PASSING or now - state.trouble_since > endured:
            raise
        state.judgement = Waiting(reason="no-status", detail=trouble.what)
        state.history = msgspec.structs.replace(state.history, reason="", looks=0)


def _node(pod: Json) -> Json:
    """A pod as a node of Argo CD's resource tree: its images, and why it does not start."""
    metadata, status = mapping(pod, "metadata"), mapping(pod, "status")
    groups = ("initContainerStatuses", "containerStatuses")
    states = [mapping(c, "state") for group in groups for c in rows(status.get(group))]
    waiting = next((mapping(s, "waiting") for s in states if mapping(s, "waiting")), {})
    return {
        "kind": "Pod",
        "name": text(metadata, "name"),
        "namespace": text(metadata, "namespace"),
        "images": list(images.written_in(mapping(pod, "spec"))),
        "info": [{"name": "Status Reason", "value": text(waiting, "reason") or text(status, "phase")}],
        "health": {"message": text(waiting, "message")},
        "parentRefs": rows(metadata.get("ownerReferences")),
    }


def _has_labels(pod: Json, required: Json) -> bool:
    labels = mapping(mapping(pod, "metadata"), "labels")
    return all(labels.get(key) == value for key, value in required.items())


def _kind_and_name(written: str) -> tuple[str, str]:
    """`deployment/shop` as a kind and a name. Stop(bad-settings) for a kind that is not looked at."""
    kind, _, name = written.partition("/")
    resource = next(
        (place for place in _PLACES if kind.lower() in (place.lower(), f"{place.lower()}s")), None
    )
    if resource is None or not name:
        raise Stop(
            "bad-settings",
            f"argocd.applications names {written!r}, which is not a workload.",
            f"With `source: kubernetes`, argocd.applications lists workloads of the kinds {', '.join(_PLACES)}.",
            "Write the kind and the name of a workload, such as deployment/shop.",
        )
    return resource, name
