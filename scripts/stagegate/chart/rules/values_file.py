"""values-file: a values file that lies in the chart's folder but not in its package, where Argo CD looks for it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from stagegate.chart.rules.ground import CheckFacts, Rendered
from stagegate.model import Finding

RULE = "values-file"


def check(rendered: Rendered, ground: CheckFacts) -> Iterator[Finding]:
    """Values files that an Application names beside the chart's own; those of repositories are read before."""
    for name in rendered.values:
        if posixpath.normpath(name) not in ground.packaged:
            yield Finding(
                rule=RULE,
                severity="error",
                environment=rendered.environment,
                object=f"Application/{rendered.application}",
                file=rendered.file,
                message=f"The packaged chart holds no {name}, which Application {rendered.application} names.",
                why="Argo CD reads it from the published package; .helmignore can keep a file out of it.",
                fix="Correct the name, put the file into the chart, or take it out of .helmignore.",
            )
