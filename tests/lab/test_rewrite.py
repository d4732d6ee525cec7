"""What the lab changes in workflow files, line by line: nothing but what act does not know."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

from lab.rewrite import for_act, for_server, snapshot

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/**/.github/workflows/*.yml")])
ALLOWED = (
    (re.compile(r"uses: \$/"), re.compile(r"uses: acme/stagegate/\S+@v0\.1\.0$")),
    (re.compile(r"environment: \{name: .+, deployment: false\}"), re.compile(r"environment: \S.*")),
    (re.compile(r"\b(vars|secrets)\.\w+"), re.compile(r"\b(vars|secrets)(\.\w+_\w+|\[format\()")),
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-4]}/{file.name}")
def test_only_the_listed_lines_change(file: Path) -> None:
    before, after = file.read_text(), for_act(file.read_text(), "acme/stagegate@v0.1.0")
    assert before.count("\n") == after.count("\n")
    for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
        if old != new:
            assert any(a.search(old) and b.search(new) for a, b in ALLOWED), f"{old!r} became {new!r}"


def test_the_server_copy_keeps_variables_and_secrets() -> None:
    text = "jobs:\n  a:\n    environment: {name: prod, deployment: false}\n    steps:\n      - uses: $/actions/x\n        with: {t: '${{ secrets.T }}'}\n"
    after = for_server(text, "me/fork@v9")
    changed = [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line[0] == "+"]
    assert changed == ["+     environment: prod", "+       - uses: me/fork/actions/x@v9"]


def test_environments_get_their_own_values_under_act() -> None:
    text = "on: push\njobs:\n  a:\n    environment: {name: prod, deployment: false}\n    env: {U: '${{ vars.URL }}', T: '${{ secrets.GITHUB_TOKEN }}'}\n  b:\n    env: {U: '${{ vars.URL }}'}\n"
    after = for_act(text, "x/y@z")
    assert "vars.prod_URL" in after
    assert "secrets.GITHUB_TOKEN" in after
    assert after.endswith("  b:\n    env: {U: '${{ vars.URL }}'}\n")


@pytest.mark.parametrize(
    ("file", "given", "name"),
    [
        ("promote.yml", "prod", "secrets.stagegate_T"),
        ("production.yml", "prod", "secrets.prod_T"),
        ("production.yml", "${{ inputs.place }}", "secrets[format('{0}_T', inputs.place)]"),
        ("chart-checks.yml", "prod", "secrets.T"),
    ],
)
def test_a_caller_maps_the_secrets_of_the_environment_inside(file: str, given: str, name: str) -> None:
    call = (
        f"    uses: acme/stagegate/.github/workflows/{file}@v0.1.0\n    with:\n      environment: {given}\n"
    )
    text = f"on: push\njobs:\n  a:\n{call}    secrets:\n      T: ${{{{ secrets.T }}}}\n"
    assert for_act(text, "x/y@z") == text.replace("secrets.T", name)


def test_a_snapshot_has_what_git_would_commit(tmp_path: Path) -> None:
    snapshot(ROOT, tmp_path, lambda text: text, "examples/shop")
    assert (tmp_path / "stagegate.yaml").read_bytes() == (ROOT / "examples/shop/stagegate.yaml").read_bytes()
    assert not list(tmp_path.rglob("__pycache__"))
