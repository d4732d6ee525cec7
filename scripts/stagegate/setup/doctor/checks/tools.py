"""tools: the programs that the actions run are on PATH."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_HELM = "Add the step `uses: azure/setup-helm`, or install it: https://helm.sh/docs/intro/install/"
_KUSTOMIZE = "Install kustomize or kubectl in an earlier step; GitHub's runners have both."


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """git always, helm for charts, kustomize or kubectl for kustomizations."""
    if not facts.tools.get("git"):
        yield finding(
            "error", "git is not on PATH.", "stagegate reads versions and commits with git.", "Install git."
        )
    charts = any(settings.chart_reference for _, settings in facts.valid)
    if charts and not facts.tools.get("helm"):
        yield finding(
            "error" if facts.in_job else "warning",
            "helm is not on PATH.",
            "stagegate checks and renders charts with helm.",
            _HELM,
        )
    pinned = {pin_files.file_of(pin) for _, _, place in facts.places for pin in place.pins}
    if any(pin_files.is_kustomization(file) for file in pinned) and not (
        facts.tools.get("kustomize") or facts.tools.get("kubectl")
    ):
        yield finding(
            "warning",
            "Neither kustomize nor kubectl is on PATH.",
            "Kustomizations are then not rendered, and a person must put the label "
            "`stagegate/risk:not-rendered` on every pull request that changes a kustomization.",
            _KUSTOMIZE,
        )


CHECK = DoctorCheck(
    name="tools",
    looks_at="git, helm, and kustomize or kubectl on PATH",
    cure="Install the program in an earlier step.",
    check=check,
)
