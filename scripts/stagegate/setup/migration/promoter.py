"""The settings of an app as objects of GitOps Promoter 0.39 or newer (promoter.argoproj.io/v1alpha1). Pure.

https://gitops-promoter.readthedocs.io/en/stable/crd-specs/
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stagegate.settings import Environment, Freeze, Settings, Window, seconds

GROUP = "promoter.argoproj.io"
API = f"{GROUP}/v1alpha1"
ORDER = "DependentsSuccessfulCommitStatus"  # the gate that keeps the order; each strategy must name one
_DAYS = {"MO": "1", "TU": "2", "WE": "3", "TH": "4", "FR": "5", "SA": "6", "SU": "0"}
_MOST = 20  # windows of one list, in the CRD

Document = dict[str, Any]


class PromoterExport(msgspec.Struct, frozen=True, kw_only=True):
    """The objects, and what Promoter has nothing for, one sentence each."""

    documents: tuple[Document, ...]
    notes: tuple[str, ...]


class PromoterTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where the objects go: a namespace, the pins repository, the number of Promoter's GitHub App, its Secret."""

    namespace: str
    repository: str
    app_id: int
    secret: str
    several: bool = False


def export(settings: Settings, target: PromoterTarget) -> PromoterExport:
    """PromotionStrategy, its gates and its repository for an app."""
    places = _in_line(settings)
    app, owner, name = settings.app, *target.repository.split("/", 1)
    scheduled = [one for one in places if one.freeze or _crons(one)]
    timers = _timers(places)
    health = f"argocd-health-{app}"
    strategy = {
        "gitRepositoryRef": {"name": _name(name)},
        "orderCommitStatusRef": {"group": GROUP, "kind": ORDER, "name": f"order-{app}"},
        **({"activePath": f"apps/{app}"} if target.several else {}),
        "activeCommitStatuses": [{"key": health}, *([{"key": f"timer-{app}"}] if timers else [])],
        "environments": [_environment(one, scheduled, app) for one in places],
    }
    documents = [
        _document("ScmProvider", "github", target, _provider(target)),
        _document("GitRepository", _name(name), target, _repository(owner, name)),
        _document("PromotionStrategy", app, target, strategy),
        _document(
            ORDER,
            f"order-{app}",
            target,
            {"key": f"order-{app}", "promotionStrategyRef": {"name": app}},
        ),
        _document(
            "ArgoCDCommitStatus",
            health,
            target,
            {
                "key": health,
                "promotionStrategyRef": {"name": app},
                "applicationSelector": {"matchLabels": {"app.kubernetes.io/part-of": app}},
            },
        ),
    ]
    if timers:
        spec = {"key": f"timer-{app}", "promotionStrategyRef": {"name": app}, "environments": timers}
        documents.append(_document("TimedCommitStatus", f"timer-{app}", target, spec))
    if scheduled:
        spec = {
            "key": f"schedule-{app}",
            "promotionStrategyRef": {"name": app},
            "environments": [_windows(one) for one in scheduled],
        }
        documents.append(_document("ScheduledCommitStatus", f"schedule-{app}", target, spec))
    return PromoterExport(documents=tuple(documents), notes=tuple(_notes(settings, places)))


def branch(environment: str) -> str:
    """The branch that holds what an environment runs, rendered."""
    return f"environment/{environment}"


def _environment(one: Environment, scheduled: Sequence[Environment], app: str) -> Document:
    merged = one.promotion.strategy == "direct" or one.promotion.merge != "person"
    gates = [{"key": f"schedule-{app}"}] if one in scheduled else []
    return {
        "branch": branch(one.name),
        **({"dependsOn": [branch(name) for name in one.after]} if one.after else {}),
        "autoMerge": merged,
        **({"proposedCommitStatuses": gates} if gates else {}),
    }


def _timers(places: Sequence[Environment]) -> list[Document]:
    """How long a release has to be good in an environment: the longest soak of those that come after it."""
    longest: dict[str, int] = {}
    for one in places:
        for before in one.after:
            longest[before] = max(longest.get(before, 0), seconds(one.soak))
    return [
        {"branch": branch(one.name), "duration": f"{longest[one.name]}s"}
        for one in places
        if longest.get(one.name)
    ]


def _windows(one: Environment) -> Document:
    excluded = [_excluded(freeze) for freeze in one.freeze][:_MOST]
    allowed = _crons(one)[:_MOST]
    return {
        "branch": branch(one.name),
        **({"allow": allowed} if allowed else {}),
        **({"exclude": excluded} if excluded else {}),
    }


def _excluded(freeze: Freeze) -> Document:
    days = (freeze.to - freeze.from_ + dt.timedelta(days=1)).days
    return {
        "cron": f"0 0 {freeze.from_.day} {freeze.from_.month} *",
        "duration": f"{days * 24}h",
        "timezone": freeze.timezone,
        "description": freeze.reason[:256],
    }


def _crons(one: Environment) -> list[Document]:
    windows = ((window, _cron(window)) for window in one.window)
    return [
        {"cron": cron, "duration": f"{seconds(window.duration)}s", "timezone": window.timezone}
        for window, cron in windows
        if cron
    ]


def _cron(window: Window) -> str:
    """An RFC 5545 rule as cron; nothing for one that cron cannot say."""
    rule = dict(part.split("=", 1) for part in window.rrule.upper().split(";") if "=" in part)
    frequency = rule.pop("FREQ", "")
    days = rule.pop("BYDAY", "")
    hours, minutes = rule.pop("BYHOUR", "0"), rule.pop("BYMINUTE", "0")
    rule.pop("BYSECOND", None)
    known = all(day in _DAYS for day in days.split(",")) if days else frequency == "DAILY"
    if rule or frequency not in ("DAILY", "WEEKLY") or not known:
        return ""
    return f"{minutes} {hours} * * {','.join(_DAYS[day] for day in days.split(',')) if days else '*'}"


def _in_line(settings: Settings) -> tuple[Environment, ...]:
    """The environments, each after those that it names in `after`."""
    left = list(settings.environments)
    done: list[Environment] = []
    while left:
        names = {one.name for one in done}
        following = next((one for one in left if set(one.after) <= names), left[0])
        done.append(following)
        left.remove(following)
    return tuple(done)


def _notes(settings: Settings, places: Sequence[Environment]) -> Iterator[str]:
    yield "These objects need GitOps Promoter 0.39 or newer, where a gate keeps the order of environments."
    yield "Label the Applications of each environment app.kubernetes.io/part-of: " + settings.app + "."
    yield "Promoter promotes rendered branches: set up Argo CD's Source Hydrator for " + ", ".join(
        branch(one.name) for one in places
    )
    if any(one.gate.scenarios or one.gate.command for one in places):
        yield (
            "GitOps Promoter has no gate for scenarios. Run them in a workflow that writes a "
            "CommitStatus, or poll its "
            "check by a WebRequestCommitStatus."
        )
    for one in places:
        for window in one.window:
            if not _cron(window):
                yield f"The window {window.rrule} of {one.name} cannot be written as cron."
        for freeze in one.freeze:
            yield (
                f"The freeze of {one.name} from {freeze.from_} repeats every year in GitOps Promoter, "
                "because cron has no year."
            )
    yield "Holds, bans, overrides, risk labels and rollbacks with a hold have no counterpart."


def _provider(target: PromoterTarget) -> Document:
    return {"github": {"appID": target.app_id}, "secretRef": {"name": target.secret}}


def _repository(owner: str, name: str) -> Document:
    return {
        "github": {"owner": owner, "name": name},
        "scmProviderRef": {"kind": "ScmProvider", "name": "github"},
    }


def _document(kind: str, name: str, target: PromoterTarget, spec: Mapping[str, Any]) -> Document:
    metadata = {"name": name, "namespace": target.namespace}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "repository"
