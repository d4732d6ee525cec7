"""values-file-packaged: the values files that an Application names exist where Argo CD reads them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin
from stagegate.model import Finding

_WHY = (
    "Argo CD reads these files from the published package, and .helmignore can exclude a file from the "
    "package."
)
_FIX = "Correct the name, add the file to the chart, or remove the file from .helmignore."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Values files of the Application that are missing in the package or in the repository."""
    for name in rendered.values:
        if posixpath.normpath(name) not in chart.packaged:
            yield Finding(
                rule="values-file-packaged",
                severity="error",
                environment=rendered.environment,
                object=f"Application/{rendered.application}",
                file=rendered.file,
                message=f"The packaged chart has no file {name}, but the Application "
                f"{rendered.application} names this file.",
                why=_WHY,
                fix=_FIX,
            )
    if rendered.missing is not None:
        yield Finding(
            rule="values-file-packaged",
            severity="error",
            environment=rendered.environment,
            object=f"Application/{rendered.application}" if rendered.application else "",
            file=rendered.file or rendered.missing.file,
            message=rendered.missing.what,
            why=rendered.missing.why,
            fix="Correct the name in the Application, or add the file.",
        )


_PINS = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: kiosk}
spec:
  destination: {namespace: kiosk}
  source:
    repoURL: ghcr.io/acme/charts
    chart: kiosk
    targetRevision: 1.4.0
    helm: {valueFiles: [values-prod.yaml]}
"""

RULE = ChartRule(
    id="values-file-packaged",
    severity="error",
    about="Every values file that an Application names exists, in the package where it is read from there",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"values-prod.yaml": "replicas: 3\n", ".helmignore": "values-prod.yaml\n"}, pins=_PINS),
    good=Twin(files={"values-prod.yaml": "replicas: 3\n"}, pins=_PINS),
)
