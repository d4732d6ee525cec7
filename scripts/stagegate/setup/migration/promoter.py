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
    """The objects, and notes on settings without counterpart in Promoter."""

    documents: tuple[Document, ...]
    notes: tuple[str, ...]


class PromoterTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The target of the objects: a namespace, the pins repository, the ID of Promoter's GitHub App, its Secret.

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
    scheduled = [
        environment for environment in places if environment.freeze or promoter_windows.crons(environment)
    ]
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
                **_environment(environment),
                # Of an environment that a gate does not list, its status is missing, and waited for without end.
                **({"activeCommitStatuses": [{"key": timer}]} if branch(environment.name) in timed else {}),
                **({"proposedCommitStatuses": [{"key": schedule}]} if environment in scheduled else {}),
            }
            for environment in places
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
            "environments": [
                promoter_windows.of(environment, branch(environment.name)) for environment in scheduled
            ],
        }
        documents.append(_document("ScheduledCommitStatus", schedule, target, spec))
    return PromoterExport(documents=tuple(documents), notes=tuple(_notes(settings, target, places)))


def branch(environment: str) -> str:
    """The branch that holds what an environment runs, rendered."""
    return f"environment/{environment}"


def _demand_order(settings: Settings) -> None:
    """Stop(bad-settings) for environments without any `after`, which Promoter would treat as a chain."""
    names = [environment.name for environment in settings.environments]
    if len(names) > 1 and not any(environment.after for environment in settings.environments):
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


def _environment(environment: Environment) -> Document:
    merged = environment.promotion.strategy == "direct" or environment.promotion.merge != "person"
    return {
        "branch": branch(environment.name),
        **({"dependsOn": [branch(name) for name in environment.after]} if environment.after else {}),
        "autoMerge": merged,
    }


def _timers(places: Sequence[Environment]) -> list[Document]:
    """The time that a release must be healthy in an environment: the longest soak of the following ones."""
    longest: dict[str, int] = {}
    for environment in places:
        for before in environment.after:
            longest[before] = max(longest.get(before, 0), seconds(environment.soak))
    return [
        {"branch": branch(environment.name), "duration": f"{longest[environment.name]}s"}
        for environment in places
        if longest.get(environment.name)
    ]


def _in_line(settings: Settings) -> tuple[Environment, ...]:
    """The environments, each after those in its `after`."""
    remaining = list(settings.environments)
    ordered: list[Environment] = []
    while remaining:
        names = {environment.name for environment in ordered}
        following = next(
            (environment for environment in remaining if set(environment.after) <= names), remaining[0]
        )
        ordered.append(following)
        remaining.remove(following)
    return tuple(ordered)


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
        branch(environment.name) for environment in places
    )
    if any(environment.gate.scenarios or environment.gate.command for environment in places):
        yield (
            "GitOps Promoter has no gate for scenarios. Run the scenarios in a workflow that "
            "writes a CommitStatus, or poll a check with a WebRequestCommitStatus."
        )
    for environment in places:
        for kind, count in (
            ("freezes", len(environment.freeze)),
            ("windows", len(promoter_windows.crons(environment))),
        ):
            if count > promoter_windows.MOST:
                yield (
                    f"{environment.name} has {count} {kind}, but GitOps Promoter accepts at most "
                    f"{promoter_windows.MOST}: "
                    "the others "
                    "are left out."
                )
        for window in environment.window:
            if not promoter_windows.cron(window):
                yield f"The window {window.rrule} of {environment.name} cannot be written as a cron schedule."
        for freeze in environment.freeze:
            yield (
                f"The freeze of {environment.name} from {freeze.from_} repeats every year in GitOps Promoter, "
                "because cron has no year."
            )
    yield (
        "GitOps Promoter has nothing that corresponds to holds, bans, overrides, risk labels and "
        "rollbacks with a hold."
    )


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
