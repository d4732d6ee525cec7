"""Every shipped job that renders a difference keeps the complete one as an artifact, which bodies and comments link."""

from __future__ import annotations

import pytest

from tests.contract.test_permissions import JOBS

RENDERING = frozenset({"promote-pr", "pr-command", "pin-guard"})


@pytest.mark.parametrize("name", [name for name, (_, used) in JOBS.items() if RENDERING.intersection(used)])
def test_every_job_that_renders_a_difference_uploads_its_page(name: str) -> None:
    steps = JOBS[name][0]["steps"]
    rendering = [n for n, step in enumerate(steps) if step.get("uses", "").rpartition("/")[2] in RENDERING]
    kept = [
        n for n, step in enumerate(steps) if "stagegate-difference-" in str(step.get("with", {}).get("path"))
    ]
    assert kept, f"{name} has no step that uploads stagegate-difference-*.html"
    assert kept[-1] > rendering[-1]
    assert steps[kept[-1]]["if"] == "!cancelled()", "also when the promotion was refused"
