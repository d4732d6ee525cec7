"""The lab changes only those lines of workflow files that act does not support."""

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
    (
        re.compile(r"\b(vars|secrets)\.\w+|github\.token"),
        re.compile(r"fromJSON\((vars\.LAB|secrets\.LAB(_TOKENS)?)\)\["),
    ),
    (
        re.compile(r"^      (\w+): \$\{\{ secrets\.\1 \}\}$"),
        re.compile(r"^      (\w+): \$\{\{ secrets\.\1 \|\| 'mapped' \}\}$"),
    ),
)
ADDED = re.compile(
    r"          token: \$\{\{ fromJSON\(secrets\.LAB_TOKENS\)\['[\w-]+\.yml/[\w-]+'\] \}\}"
    r"|      (LAB|LAB_TOKENS): \$\{\{ secrets\.\1 \}\}|        with:|    secrets:|"
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-4]}/{file.name}")
def test_only_the_listed_lines_change(file: Path) -> None:
    before = file.read_text().splitlines()
    after = for_act(file.read_text(), "acme/stagegate@v0.1.0", file.name).splitlines()
    after = [line for line in after if not ADDED.fullmatch(line)]
    matcher = difflib.SequenceMatcher(a=before, b=after)
    for kind, first, last, begin, end in matcher.get_opcodes():
        old = [line for line in before[first:last] if not ADDED.fullmatch(line)]
        new = after[begin:end]
        if kind == "equal":
            continue
        assert len(old) == len(new), f"{old} became {new}"
        for one, other in zip(old, new, strict=True):
            assert one == other or any(a.search(one) and b.search(other) for a, b in ALLOWED), (
                f"{one!r} became {other!r}"
            )


def test_the_server_copy_keeps_variables_and_secrets() -> None:
    text = "jobs:\n  a:\n    environment: {name: prod, deployment: false}\n    steps:\n      - uses: $/actions/x\n        with: {t: '${{ secrets.T }}'}\n"
    after = for_server(text, "me/fork@v9")
    changed = [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line[0] == "+"]
    assert changed == ["+     environment: prod", "+       - uses: me/fork/actions/x@v9"]


def test_environments_get_their_own_values_under_act() -> None:
    text = "on: push\njobs:\n  a:\n    environment: {name: prod, deployment: false}\n    env: {U: '${{ vars.URL }}', T: '${{ secrets.GITHUB_TOKEN }}'}\n  b:\n    env: {U: '${{ vars.URL }}'}\n"
    after = for_act(text, "x/y@z", "f.yml")
    assert "fromJSON(vars.LAB)['prod'].URL" in after
    assert "secrets.GITHUB_TOKEN" in after
    assert after.endswith("  b:\n    env: {U: '${{ vars.URL }}'}\n")


def test_a_called_job_reads_a_secret_of_its_environment_only_where_it_is_mapped() -> None:
    text = 'on:\n  workflow_call:\njobs:\n  a:\n    environment: {name: "${{ matrix.place }}", deployment: false}\n    env: {T: "${{ secrets.T }}"}\n'
    assert "(secrets.T && fromJSON(secrets.LAB)[matrix.place].T)" in for_act(text, "x/y@z", "f.yml")
    call = "on: push\njobs:\n  a:\n    uses: acme/stagegate/.github/workflows/road.yml@v0.1.0\n    secrets:\n      T: ${{ secrets.T }}\n"
    after = for_act(call, "x/y@z", "f.yml")
    assert "      T: ${{ secrets.T || 'mapped' }}\n" in after
    assert "      LAB: ${{ secrets.LAB }}\n" in after


def test_every_step_of_the_toolkit_gets_the_token_of_its_job() -> None:
    text = "on: push\njobs:\n  a:\n    steps:\n      - uses: $/actions/x\n      - uses: actions/checkout@1\n        with:\n          ref: y\n      - run: echo ${{ github.token }}\n"
    token = "${{ fromJSON(secrets.LAB_TOKENS)['f.yml/a'] }}"
    after = for_act(text, "x/y@z", "f.yml")
    assert after.count(f"          token: {token}\n") == 2
    assert f"echo {token}" in after


def test_a_snapshot_has_what_git_would_commit(tmp_path: Path) -> None:
    snapshot(ROOT, tmp_path, lambda text, _: text, "examples/shop")
    assert (tmp_path / "stagegate.yaml").read_bytes() == (ROOT / "examples/shop/stagegate.yaml").read_bytes()
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_job_with_a_comment_behind_its_name_is_a_job_of_its_own() -> None:
    checkout = "    steps:\n      - uses: actions/checkout@c0ffee\n"
    call = "    uses: acme/stagegate/.github/workflows/publish.yml@v0.1.0\n"
    text = f"on: push\njobs:\n  build:\n{checkout}  publish: # what was built\n{call}"
    after = for_act(text, "x/y@z", "f.yml")
    assert "token: ${{ fromJSON(secrets.LAB_TOKENS)['f.yml/build'] }}" in after
