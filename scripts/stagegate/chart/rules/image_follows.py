"""image-follows: an image of ours that keeps its tag when the release's is set: staging then tests old software."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.chart.rules.ground import CheckFacts, Rendered, finding, is_definition, leaves
from stagegate.chart.rules.images import allowed
from stagegate.model import Finding

RULE = "image-follows"
_WHY = "A release sets this one value; what does not follow it stays at old software."


def check(rendered: Rendered, ground: CheckFacts) -> Iterator[Finding]:
    """First-party images anywhere in a rendering whose image tag value is the probe."""
    repositories = [name for name in ground.images if not allowed(name, ground.checks.allow_images)]
    if not repositories or rendered.objects is None:
        return
    if not ground.image_tag_value:
        yield _untried(
            rendered, ground, "chart.image-tag-value is not set.", "Name the value in the settings."
        )
        return
    probed = rendered.probes.get(ground.image_tag_value)
    if probed is None:
        return  # that it does not render is a finding already
    for repository in repositories:
        found = re.compile(rf"(?<![\w./-]){re.escape(repository)}(?P<rest>[:@][\w.@:+-]+)?(?![\w/-])")
        seen = False
        for one in probed:
            if is_definition(one):
                continue
            for path, text in leaves(one.body):
                for match in found.finditer(text):
                    rest = match["rest"] or ""
                    if not rest and path.rpartition(".")[2] != "image":
                        continue  # the bare name of a repository, not a reference to run
                    seen = True
                    if rest.rstrip(".:") != f":{ground.probe}":
                        yield finding(
                            RULE,
                            one,
                            rendered,
                            ground,
                            message=f"{repository}{rest} at {path} does not follow {ground.image_tag_value}.",
                            why=_WHY,
                            fix=f"Make its tag {{{{ .Values.{ground.image_tag_value} }}}} (tpl for files),"
                            " or list the image under chart.checks.allow-images.",
                        )
        if not seen:
            why = f"No object has the image {repository}."
            yield _untried(rendered, ground, why, "Correct `images`, or the registry in the values.")


def _untried(rendered: Rendered, ground: CheckFacts, why: str, fix: str) -> Finding:
    """What was not looked at is said: silence would look like a pass."""
    return Finding(
        rule=RULE,
        severity="note",
        environment=rendered.environment,
        file=ground.place(""),
        message=f"Whether our images follow the release was not tried: {why}",
        why=_WHY,
        fix=fix,
    )
