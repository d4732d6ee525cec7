"""The settings of an app as objects of GitOps Promoter 0.39 or newer (promoter.argoproj.io/v1alpha1). Pure.

https://gitops-promoter.readthedocs.io/en/stable/crd-specs/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stagegate.errors import Stop
from stagegate.settings import Environment, Settings, seconds
from stagegate.setup.migration import promoter_windows

GROUP = "promoter.argoproj.io"
API = f"{GROUP}/v1alpha1"
ORDER = "DependentsSuccessfulCommitStatus"  # the gate that keeps the order; each strategy must name one
_LONGEST = 63  # characters of a key, likewise
UNKNOWN_APP = 1  # nobody has named the GitHub App

Document = dict[str, Any]


class PromoterExport(msgspec.Struct, frozen=True, kw_only=True):
    """The objects, and what Promoter has nothing for, one sentence each."""

    documents: tuple[Document, ...]
    notes: tuple[str, ...]


class PromoterTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where the objects go: a namespace, the pins repository, the ID of Promoter's GitHub App, its Secret.

    `domain`: the host of GitHub Enterprise Server, empty for github.com.
    """

    namespace: str
    repository: str
    app_id: int
    secret: str
    several: bool = False
    domain: str = ""


def export(settings: Settings, target: PromoterTarget) -> PromoterExport:
    """PromotionStrategy, its gates and its repository for an app. Stop(bad-settings) for one without any order."""
    _demand_order(settings)
    places = _in_line(settings)
    app, owner, name = settings.app, *target.repository.split("/", 1)
    scheduled = [one for one in places if one.freeze or promoter_windows.crons(one)]
    timers = _timers(places)
    timed = {timer["branch"] for timer in timers}
    health, timer, schedule = (_key(f"{kind}-{app}") for kind in ("argocd-health", "timer", "schedule"))
    order = _key(f"order-{app}")
    strategy = {
        "gitRepositoryRef": {"name": _name(name)},
        "orderCommitStatusRef": {"group": GROUP, "kind": ORDER, "name": order},
        **({"activePath": f"apps/{app}"} if target.several else {}),
        "activeCommitStatuses": [{"key": health}],
        "environments": [
            {
                **_environment(one),
                # Of an environment that a gate does not list, its status is missing, and waited for without end.
                **({"activeCommitStatuses": [{"key": timer}]} if branch(one.name) in timed else {}),
                **({"proposedCommitStatuses": [{"key": schedule}]} if one in scheduled else {}),
            }
            for one in places
        ],
    }
    documents = [
        _document("ScmProvider", "github", target, _provider(target)),
        _document("GitRepository", _name(name), target, _repository(owner, name)),
        _document("PromotionStrategy", app, target, strategy),
        _document(
            ORDER,
            order,
            target,
            {"key": order, "promotionStrategyRef": {"name": app}},
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
        spec = {"key": timer, "promotionStrategyRef": {"name": app}, "environments": timers}
        documents.append(_document("TimedCommitStatus", timer, target, spec))
    if scheduled:
        spec = {
            "key": schedule,
            "promotionStrategyRef": {"name": app},
            "environments": [promoter_windows.of(one, branch(one.name)) for one in scheduled],
        }
        documents.append(_document("ScheduledCommitStatus", schedule, target, spec))
    return PromoterExport(documents=tuple(documents), notes=tuple(_notes(settings, target, places)))


def branch(environment: str) -> str:
    """The branch that holds what an environment runs, rendered."""
    return f"environment/{environment}"


def _demand_order(settings: Settings) -> None:
    """Promoter takes environments without any `dependsOn` for a chain, in the order of the list."""
    names = [one.name for one in settings.environments]
    if len(names) > 1 and not any(one.after for one in settings.environments):
        raise Stop(
            "bad-settings",
            f"{settings.app} has the environments {', '.join(names)}, and none of them has `after`.",
            "stagegate promotes to all of them at once. GitOps Promoter reads such a list as a chain: "
            f"{' -> '.join(names)}. It has nothing for environments without an order.",
            f"Write `after: [{names[0]}]` for {names[1]}, if it follows. Otherwise export each environment from "
            "settings of its own.",
        )


def _key(text: str) -> str:
    """A key of a gate: at most 63 characters, different for different texts."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 7].rstrip('-')}-{digest}"


def _environment(one: Environment) -> Document:
    merged = one.promotion.strategy == "direct" or one.promotion.merge != "person"
    return {
        "branch": branch(one.name),
        **({"dependsOn": [branch(name) for name in one.after]} if one.after else {}),
        "autoMerge": merged,
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


def _notes(settings: Settings, target: PromoterTarget, places: Sequence[Environment]) -> Iterator[str]:
    yield "These objects need GitOps Promoter 0.39 or newer, where a gate keeps the order of environments."
    yield (
        f"The Secret {target.secret} in {target.namespace} has to hold the key of the GitHub App under "
        "githubAppPrivateKey."
    )
    if target.app_id == UNKNOWN_APP:
        yield f"appID {UNKNOWN_APP} is not your App: write the ID of yours, or export again with --app-id."
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
        for kind, count in (("freezes", len(one.freeze)), ("windows", len(promoter_windows.crons(one)))):
            if count > promoter_windows.MOST:
                yield (
                    f"{one.name} has {count} {kind}, and GitOps Promoter takes {promoter_windows.MOST}: the others "
                    "are left out."
                )
        for window in one.window:
            if not promoter_windows.cron(window):
                yield f"The window {window.rrule} of {one.name} cannot be written as cron."
        for freeze in one.freeze:
            yield (
                f"The freeze of {one.name} from {freeze.from_} repeats every year in GitOps Promoter, "
                "because cron has no year."
            )
    yield "Holds, bans, overrides, risk labels and rollbacks with a hold have no counterpart."


def _provider(target: PromoterTarget) -> Document:
    domain = {"domain": target.domain} if target.domain else {}
    return {"github": {"appID": target.app_id, **domain}, "secretRef": {"name": target.secret}}


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
