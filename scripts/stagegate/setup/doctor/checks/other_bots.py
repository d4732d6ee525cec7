"""other-bots: Renovate and Dependabot leave the pins to stagegate."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import clean
from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_RENOVATE = (
    *(f"{folder}renovate.json{suffix}" for folder in ("", ".github/", ".gitlab/") for suffix in ("", "5")),
    ".renovaterc",
    ".renovaterc.json",
)
_DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
_MOVING = ("docker", "helm")  # ecosystems of Dependabot that change manifests, values and charts
_WHY = "Its pull requests are no promotions. pin-guard stops those that do not pass the rules, and new ones follow."
_PRESET = "/presets/pins("


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Renovate without the preset for the pins, then ecosystems of Dependabot in a folder of pins."""
    pins = {
        pin_files.file_of(pin)
        for _, settings, environment in facts.places
        if not settings.policy
        for pin in environment.pins
    }
    if not pins:
        return
    for file in _RENOVATE:
        text = (facts.tree.file(file) or b"").decode("utf-8", "replace")
        if text and _PRESET not in text and "ignorePaths" not in text:
            yield finding(
                "warning",
                f"{file} lets Renovate move the pins, too.",
                _WHY,
                "Add `github>owner/stagegate//presets/pins(<folder of the pins>/**)` to `extends`; docs/upgrade.md "
                "shows it.",
                file=file,
            )
    for file in _DEPENDABOT:
        yield from _dependabot(facts, file, pins)


def _dependabot(facts: DoctorFacts, file: str, pins: set[str]) -> Iterator[Finding]:
    try:
        document = mapping(yaml_1_1.load(facts.tree.file(file) or b""))
    except (yaml.YAMLError, ValueError):
        return  # GitHub reports it on the page of Dependabot
    for update in map(mapping, items(document.get("updates"))):
        listed = [*items(update.get("directories")), *filter(None, [update.get("directory")])]
        folders = {clean(str(folder)) for folder in listed}
        moved = sorted(pin for pin in pins if posixpath.dirname(pin) in folders)
        if update.get("package-ecosystem") in _MOVING and moved:
            yield finding(
                "warning",
                f"{file} lets Dependabot move {moved[0]}, too.",
                _WHY,
                f"Delete the folder of {moved[0]} from the ecosystem {update.get('package-ecosystem')}.",
                file=file,
            )


CHECK = DoctorCheck(
    name="other-bots",
    looks_at="Renovate and Dependabot: whether they move the pins, too",
    cure="Exclude the folders of the pins from the bot.",
    check=check,
)
