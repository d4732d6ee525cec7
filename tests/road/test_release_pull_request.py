"""version.yml with `mode: pull-request`: a release pull request first, and its merge is tagged and built."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.lab import Lab

pytestmark = pytest.mark.road

CALL = "    uses: acme/stagegate/.github/workflows/version.yml@v0.1.0\n"


def by_pull_request(text: str) -> str:
    """release.yml in that mode; its build only reports the version that it would build."""
    assert CALL in text
    head, _, build = text.replace(CALL, f"{CALL}    with: {{mode: pull-request}}\n").partition("  build:\n")
    release, _, _ = build.partition("    steps:\n")
    steps = '    steps:\n      - run: echo "::notice::building $VERSION"\n        env:\n'
    return f"{head}  build:\n{release}{steps}          VERSION: ${{{{ needs.version.outputs.version }}}}\n"


def released(lab: Lab) -> str:
    """The output of the one successful run of release.yml."""
    (run,) = [run for run in lab.settle() if run.workflow == "release.yml"]
    assert run.code == 0, run.text[-3000:]
    return run.text


def test_a_merged_release_pull_request_is_tagged_and_built(tmp_path: Path) -> None:
    with Lab(tmp_path) as lab:
        lab.push("octo-dev", "feat: tea", {".github/workflows/release.yml": by_pull_request})
        assert "building" not in released(lab)
        (pull,) = lab.api("octo-lead", "GET", "/pulls?state=open")
        assert pull["title"] == "chore(release): shop 1.1.0"
        assert [tag["name"] for tag in lab.api("octo-lead", "GET", "/tags")] == ["v1.0.0"]

        lab.api("octo-lead", "PUT", f"/pulls/{pull['number']}/merge", merge_method="squash")
        assert "building 1.1.0" in released(lab)
        assert "v1.1.0" in [tag["name"] for tag in lab.api("octo-lead", "GET", "/tags")]
