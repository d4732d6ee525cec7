"""An Argo CD in virtual time: one roll-out from 1.0.0 to 1.1.0, phase by phase, with its disturbances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from stagegate.gate import pods
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Judgement
from stagegate.gate.rollout import wait
from stagegate.model import Image
from tests.gate.argo_documents import at, expected, single
from tests.gate.virtual import Clock, VirtualNews, VirtualSource

Json = dict[str, Any]
Change = Callable[[Json], None]
OLD, NEW = "1.0.0", "1.1.0"
SHOP = "ghcr.io/acme/shop"
OLD_DIGEST, NEW_DIGEST, OTHER = ("sha256:" + letter * 64 for letter in "123")
IMAGES = (Image(reference=SHOP, digest=NEW_DIGEST),)
FOREVER = 1e6


class Phase(NamedTuple):
    """What Argo CD shows for some seconds. `answer` in place of a document is a status (None: no answer) and a body.

    `compared`: Argo CD compares when the phase begins and on request; `new`: every pod is of the release;
    `remembered`: a hard refresh ends the phase.
    """

    seconds: float
    change: Change = lambda _: None
    answer: tuple[int | None, Any] | None = None
    compared: bool = True
    remembered: bool = False
    new: bool = False
    healthy: bool = False


def old(document: Json) -> None:
    """The pin was not applied yet."""
    document.update(single(OLD))


def applied(document: Json) -> None:
    """The spec names the release, and the comparison is still with the one before."""
    before = single(OLD)
    document["status"] = before["status"]


def out_of_sync(document: Json) -> None:
    """Compared, and no sync has begun."""
    document["status"]["sync"]["status"] = "OutOfSync"
    document["status"]["operationState"] = single(OLD)["status"]["operationState"]


def requested(document: Json) -> None:
    """A sync is requested."""
    out_of_sync(document)
    document["operation"] = {"sync": {"revision": NEW}}


def running(document: Json) -> None:
    """A sync runs."""
    out_of_sync(document)
    document["status"]["operationState"] = {"phase": "Running", "startedAt": at(0), "operation": {}}


def health(word: str, message: str = "", *objects: Json) -> Change:
    """The Application's health, and that of its objects."""

    def change(document: Json) -> None:
        document["status"]["health"] = {"status": word, "message": message}
        document["status"]["resources"] = list(objects)

    return change


def thing(kind: str, word: str, message: str = "", **more: Any) -> Json:
    """An object of the Application."""
    return {
        "kind": kind,
        "name": "shop",
        "status": "Synced",
        "health": {"status": word, "message": message},
        **more,
    }


def condition(kind: str, message: str, sync: str = "Unknown") -> Change:
    """The condition that Argo CD shows when it cannot compare, or does not sync."""

    def change(document: Json) -> None:
        document["status"]["sync"]["status"] = sync
        document["status"]["conditions"] = [{"type": kind, "message": message}]

    return change


def failed_sync(message: str) -> Change:
    """The sync of these revisions failed."""

    def change(document: Json) -> None:
        document["status"]["sync"]["status"] = "OutOfSync"
        document["status"]["operationState"].update(phase="Failed", message=message)

    return change


def differs(**resource: Any) -> Change:
    """Synced to these revisions, and an object differs again."""

    def change(document: Json) -> None:
        document["spec"]["syncPolicy"] = {"automated": {}}
        document["status"]["sync"]["status"] = "OutOfSync"
        document["status"]["resources"] = [
            {"kind": "ConfigMap", "name": "extra", "status": "OutOfSync", **resource}
        ]

    return change


PROGRESSING = health("Progressing", "1 of 2 updated replicas are available")
BEFORE = (Phase(1.0, old), Phase(0.5, applied, compared=False))
SYNC = (Phase(0.5, out_of_sync), Phase(0.3, requested), Phase(1.0, running))
GOOD = Phase(FOREVER, new=True, healthy=True)


def roll_out(
    *between: Phase, begin: Sequence[Phase] = BEFORE, sync: Sequence[Phase] = SYNC
) -> tuple[Phase, ...]:
    """A roll-out that becomes good, with phases between its sync and its end."""
    return (*begin, *sync, Phase(3.0, PROGRESSING), *between, GOOD)


class Simulated:
    """A World that goes through phases. `lost`: how many refreshes have no effect; `windows`: its sync windows;
    `pod`: the image and image id of the release's pod, where that is not the recorded digest under its tag."""

    def __init__(
        self,
        phases: Iterable[Phase],
        *,
        lost: int = 0,
        windows: Json | None = None,
        streams: bool = True,
        pod: tuple[str, str] = (f"{SHOP}:v{NEW}", f"{SHOP}@{NEW_DIGEST}"),
        stuck: tuple[str, str] = ("", ""),
    ) -> None:
        self._lost, self._windows, self._streams, self._pod, self._stuck = (
            lost,
            windows or {},
            streams,
            pod,
            stuck,
        )
        self._refreshed: list[float] = []
        self.hard_refreshes: list[float] = []
        self._phases: list[tuple[float, float, Phase]] = []
        begin = 0.0
        for phase in phases:
            self._phases.append((begin, begin + phase.seconds, phase))
            begin += phase.seconds

    def _phase(self, t: float) -> tuple[float, Phase]:
        forgot = self.hard_refreshes
        left = (p for p in self._phases if not (p[2].remembered and any(p[0] <= at <= t for at in forgot)))
        return next((begin, phase) for begin, end, phase in left if t < end)

    def application(self, name: str, t: float) -> tuple[int | None, Any]:
        begin, phase = self._phase(t)
        if phase.answer is not None:
            return phase.answer
        document = single(NEW)
        status = document["status"]
        status["operationState"].update(startedAt=at(0), finishedAt=at(0))
        phase.change(document)
        document["metadata"]["name"] = name
        looked = max((r for r in self._refreshed if r <= t), default=0.0)
        if phase.compared:
            status = document["status"]
            status["reconciledAt"] = at(max(begin, looked))
            if status.get("health"):
                status["health"]["lastTransitionTime"] = at(begin)
        return 200, document

    def answered_at(self, name: str, t: float) -> float:  # noqa: ARG002
        return t + 0.3

    def refresh(self, name: str, t: float, *, hard: bool = False) -> None:  # noqa: ARG002
        self.hard_refreshes += [t] if hard else []
        if self._lost:
            self._lost -= 1
        elif self._phase(t)[1].answer is None:
            self._refreshed.append(t)

    def stream(self, name: str) -> list[tuple[float, Json]]:
        """An event at the beginning of every phase that has a document."""
        if not self._streams:
            return []
        begun = (begin for begin, _, phase in self._phases if phase.answer is None)
        return [(begin, self.application(name, begin)[1]) for begin in begun]

    def pods(self, name: str, t: float) -> tuple[Json, list[Json]]:  # noqa: ARG002
        _, phase = self._phase(t)
        written, image_id = self._pod if phase.new else (f"{SHOP}:v{OLD}", f"{SHOP}@{OLD_DIGEST}")
        node: Json = {"kind": "Pod", "name": "shop-1", "namespace": "shop", "images": [written]}
        reason, message = self._stuck
        if reason and not phase.new:
            node |= {
                "images": [f"{SHOP}:v{NEW}"],
                "info": [{"name": "Status Reason", "value": reason}],
                "health": {"status": "Degraded", "message": message},
            }
        live = {
            "metadata": {"name": "shop-1"},
            "spec": {"containers": [{"name": "shop", "image": written}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "shop", "imageID": image_id}]},
        }
        return {"nodes": [node]}, [live]

    def windows(self, name: str, t: float) -> Json:  # noqa: ARG002
        return self._windows


def waited(
    *worlds: Simulated,
    timeout: float = 1200.0,
    pins: Sequence[tuple[float, str]] = ((0.0, NEW),),
    minimum: int = 0,
    related: Callable[[str, str], bool] = lambda _, running: running == NEW_DIGEST,
    **release: Any,
) -> tuple[Rollout, float]:
    """How the wait ends, and after how many seconds. Stop as the wait raises it."""
    names = tuple(f"shop-{number}" for number, _ in enumerate(worlds))
    world, clock = Several(dict(zip(names, worlds, strict=True))), Clock()
    source = VirtualSource(world, clock)
    limits = {"patience": 300.0, "degraded_after": 120.0, "chart_digest": "", "pinned": NEW, **release}

    def judged(name: str) -> Judgement:
        return pods.look(source, name, IMAGES, (f"v{NEW}",), related).judgement

    order = Order(
        environment="staging",
        names=names,
        minimum=minimum,
        timeout=timeout,
        commit=lambda *_: "current",
        pods=judged,
        stuck=lambda name: pods.stuck(source, name, IMAGES, (f"v{NEW}",)),
        pinned=lambda: [version for since, version in pins if since <= clock.now][-1],
    )
    rollout = wait(source, expected(NEW, **limits), order, clock=clock, following=VirtualNews(source))
    return rollout, clock.now


class Several:
    """Several Applications, each a world of its own."""

    def __init__(self, worlds: dict[str, Simulated]) -> None:
        self._worlds = worlds

    def application(self, name: str, t: float) -> tuple[int | None, Any]:
        return self._worlds[name].application(name, t)

    def answered_at(self, name: str, t: float) -> float:
        return self._worlds[name].answered_at(name, t)

    def refresh(self, name: str, t: float, *, hard: bool = False) -> None:
        self._worlds[name].refresh(name, t, hard=hard)

    def stream(self, name: str) -> list[tuple[float, Json]]:
        return self._worlds[name].stream(name)

    def pods(self, name: str, t: float) -> tuple[Json, list[Json]]:
        return self._worlds[name].pods(name, t)

    def windows(self, name: str, t: float) -> Json:
        return self._worlds[name].windows(name, t)
