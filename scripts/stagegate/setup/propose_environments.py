"""Proposes the environments of an app, and where each is pinned. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from stagegate.settings import PinSettings
from stagegate.setup import environments
from stagegate.setup.apps import DetectedApp
from stagegate.setup.placement import ExistingEnvironment
from stagegate.setup.proposed import EnvironmentProposal, Wish, pin_files

DEFAULT_ENVIRONMENTS = ("staging", "prod")


def of(
    app: DetectedApp, placed: Sequence[ExistingEnvironment], wish: Wish, config: str, notes: list[str]
) -> tuple[EnvironmentProposal, ...]:
    """The environments of an app in the order of the road, existing and new ones.

    What a person has to correct is added to `notes`.
    """
    names = environments.in_order((*(wish.environments or ()), *(environment.name for environment in placed)))
    is_new = not names
    if app.chart is None:
        names = tuple(name for name in names if name in {environment.name for environment in placed})
    elif is_new:
        names = DEFAULT_ENVIRONMENTS
    existing = {environment.name: environment for environment in placed}
    proposals = []
    for name in names:
        detected = existing.get(name)
        after = environments.before(name, names)
        if detected is not None and detected.trouble and not detected.pins:
            notes.append(f"{app.name} in {name} was left out: {detected.trouble}")
            continue
        if detected is not None and not detected.exact:
            notes.append(
                f"{app.name} in {name} follows a branch or a range in {pin_files(detected.pins)}: write an exact "
                "version there, because a promotion can only replace an exact version."
            )
        if detected is not None and detected.generated and not detected.applications:
            notes.append(
                f"The Applications of {app.name} in {name} are named after clusters, which this repository "
                "does not list: correct `argocd.applications`."
            )
        if not environments.is_known(name):
            notes.append(
                f"The place of {name} among the environments is a guess: correct `after` of {app.name}."
            )
        is_first = not after and environments.rank(name) < environments.PRODUCTION
        proposals.append(
            EnvironmentProposal(
                name=name,
                after=tuple(
                    other for other in after if other in existing or is_new or other in wish.environments
                ),
                pins=detected.pins if detected else _new_pins(name, names, config),
                applications=(detected.applications if detected else ()) or (f"{app.name}-{name}",),
                parent=detected.parent if detected else f"{app.name}-root",
                direct=is_first,
                made=detected is None,
                exact=detected.exact if detected else True,
                value=detected.value if detected else "",
            )
        )
    return tuple(proposals)


def _new_pins(name: str, names: Sequence[str], config: str) -> tuple[str | PinSettings, ...]:
    """The Application that init writes for an environment.

    Environments with the same rank share an ApplicationSet.
    """
    alike = [other for other in names if environments.rank(other) == environments.rank(name)]
    folder = posixpath.join(posixpath.dirname(config), "deploy", "argocd")
    return (f"{folder}/{'clusters' if len(alike) > 1 else name}.yaml",)
