"""Every workflow and action file keeps every rule, and every rule can fail."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lab import github_yaml
from tests.contract.workflow_rules import RULES, File

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"


def parse(path: str, text: str, tracked: tuple[str, ...] = ()) -> File:
    return File(path, text, github_yaml.load(text), tracked)


def load() -> dict[str, File]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    tracked = tuple(sorted(name for name in listed if name and (ROOT / name).is_file()))
    wanted = re.compile(r"(.*/)?\.github/workflows/[^/]+\.ya?ml|(.*/)?action\.ya?ml")
    return {
        name: parse(name, (ROOT / name).read_text(), tracked) for name in tracked if wanted.fullmatch(name)
    }


FILES = load()

CALLER = """\
name: caller
on:
  push:
    branches: [main]
    paths: [deploy/**]
  workflow_dispatch:
    inputs:
      environment:
        description: Where
permissions: {}
concurrency:
  group: run-${{ github.run_id }}
  cancel-in-progress: false
jobs:
  build:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      contents: read # the source
    concurrency: {group: build, cancel-in-progress: false}
    outputs:
      version: ${{ steps.bump.outputs.version }}
    steps:
      - uses: CHECKOUT
        with:
          persist-credentials: false
      - id: bump
        uses: acme/stagegate/actions/bump@v0.1.0
        with:
          config: x
      - if: github.ref == 'refs/heads/main'
        run: echo "$WHO"
        env:
          WHO: ${{ github.actor }}
  gate:
    needs: build
    permissions:
      contents: read # the source
      statuses: write # the verdict
    uses: acme/stagegate/.github/workflows/callee.yml@v0.1.0
    with:
      environment: ${{ inputs.environment }}
      version: ${{ needs.build.outputs.version }}
    secrets:
      KEY: ${{ secrets.KEY }}
  all-green:
    needs: [build, gate]
    if: always()
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions: {}
    steps:
      - run: test "$RESULT" = success
        env:
          RESULT: ${{ needs.gate.result }}
""".replace("CHECKOUT", CHECKOUT)

CALLEE = """\
name: callee
on:
  workflow_call:
    inputs:
      environment:
        required: true
      version:
        default: ""
      runs-on:
        default: '"ubuntu-latest"'
    secrets:
      KEY:
        required: true
permissions: {}
jobs:
  look:
    runs-on: ${{ fromJSON(inputs.runs-on) }}
    timeout-minutes: 10
    permissions:
      statuses: write # the verdict
    environment: {name: "${{ inputs.environment }}", deployment: false}
    steps:
      - uses: $/actions/bump
        with:
          config: ${{ inputs.version }}
          token: ${{ secrets.KEY }}
"""

WAKER = """\
name: waker
on:
  issue_comment:
    types: [created]
  pull_request_target:
    types: [opened, reopened, synchronize, edited, labeled, unlabeled]
  workflow_run:
    workflows: [caller]
permissions: {}
concurrency:
  group: run-${{ github.run_id }}
  cancel-in-progress: false
jobs:
  look:
    permissions:
      statuses: write # the verdict
    uses: acme/stagegate/.github/workflows/callee.yml@v0.1.0
    with:
      environment: prod
    secrets:
      KEY: ${{ secrets.KEY }}
  command:
    permissions:
      contents: write # marks
    uses: acme/stagegate/.github/workflows/command.yml@v0.1.0
"""

COMMAND = """\
name: command
on:
  workflow_call:
    inputs:
      runs-on:
        default: '"ubuntu-latest"'
permissions: {}
jobs:
  command:
    runs-on: ${{ fromJSON(inputs.runs-on) }}
    timeout-minutes: 10
    permissions:
      contents: write # marks
    steps:
      - uses: $/actions/pr-command
"""

ACTION = """\
name: bump
description: x
inputs:
  config:
    required: true
  token:
    default: ""
outputs:
  version:
    value: ${{ steps.run.outputs.version }}
runs:
  using: composite
  steps:
    - id: run
      shell: bash
      run: '"$GITHUB_ACTION_PATH/../../scripts/run" bump'
      env:
        SG_CONFIG: ${{ inputs.config }}
        SG_TOKEN: ${{ inputs.token }}
"""

SAMPLES = {
    "examples/shop/.github/workflows/caller.yml": CALLER,
    "examples/shop/.github/workflows/waker.yml": WAKER,
    ".github/workflows/callee.yml": CALLEE,
    ".github/workflows/command.yml": COMMAND,
    "actions/bump/action.yml": ACTION,
    "actions/pr-command/action.yml": ACTION.replace("    required: true\n", "    default: x\n"),
}

# rule, file, what is good in it, what is bad instead
BAD = [
    ("no-interpolation-in-run", "caller", 'run: echo "$WHO"', 'run: echo "${{ github.actor }}"'),
    ("no-interpolation-in-run", "bump/action", "scripts/run\" bump'", "scripts/run\" ${{ inputs.config }}'"),
    ("uses-are-pinned", "caller", CHECKOUT, "actions/checkout@v5"),
    ("uses-are-pinned", "caller", CHECKOUT, CHECKOUT.partition(" #")[0]),
    ("uses-are-pinned", "callee", "$/actions/bump", "$/actions/bumb"),
    ("toolkit-names-itself", "callee", "$/actions/bump", "./actions/bump"),
    ("toolkit-names-itself", "caller", "acme/stagegate/actions/bump@v0.1.0", "$/actions/bump"),
    ("permissions-are-least-and-explained", "caller", "permissions: {}\nconcurrency", "concurrency"),
    ("permissions-are-least-and-explained", "caller", "contents: read # the source", "contents: read"),
    ("permissions-are-least-and-explained", "caller", "    permissions:\n      contents: read # the source\n    conc", "    permissions: write-all\n    conc"),
    ("permissions-are-least-and-explained", "callee", "    permissions:\n      statuses: write # the verdict\n", ""),
    ("names-are-those-of-files", "caller", "name: caller", "name: Caller"),
    ("comments-only-when-created", "waker", "types: [created]", "types: [created, edited]"),
    ("comments-only-when-created", "waker", "  issue_comment:\n    types: [created]\n", "  issue_comment:\n"),
    ("guard-sees-every-change", "waker", "synchronize, edited, ", "synchronize, "),
    ("guard-sees-every-change", "waker", "unlabeled]\n", "unlabeled]\n    paths: [deploy/**]\n"),
    ("groups-never-cancel-or-collide", "waker", "cancel-in-progress: false", "cancel-in-progress: true"),
    ("groups-never-cancel-or-collide", "waker", "run-${{ github.run_id }}", "promote"),
    ("groups-never-cancel-or-collide", "caller", "{group: build, cancel-in-progress: false}", "build"),
    ("groups-never-cancel-or-collide", "caller", "{group: build, ", "{queue: max, group: build, "),
    ("groups-never-cancel-or-collide", "caller", "timeout-minutes: 10", "timeout-minutes: 30"),
    ("groups-never-cancel-or-collide", "callee", "jobs:\n", "concurrency:\n  group: run-${{ github.run_id }}\n  cancel-in-progress: false\njobs:\n"),
    ("jobs-end-in-time", "callee", "    timeout-minutes: 10\n", ""),
    ("jobs-end-in-time", "callee", "timeout-minutes: 10", "timeout-minutes: 360"),
    ("nothing-enters-later-steps", "caller", 'run: echo "$WHO"', 'run: echo "$WHO" >> "$GITHUB_ENV"'),
    ("nothing-enters-later-steps", "bump/action", "scripts/run\" bump'", "scripts/run\" $INPUT_CONFIG'"),
    ("conditions-are-bare", "caller", "if: github.ref == 'refs/heads/main'", "if: ${{ github.ref == 'refs/heads/main' }}"),
    ("conditions-are-bare", "caller", "if: always()", "if: |\n      always()"),
    ("secrets-are-declared-and-mapped", "caller", "    secrets:\n      KEY: ${{ secrets.KEY }}\n", ""),
    ("secrets-are-declared-and-mapped", "caller", "    secrets:\n      KEY: ${{ secrets.KEY }}\n", "    secrets: inherit\n"),
    ("secrets-are-declared-and-mapped", "caller", "KEY: ${{ secrets.KEY }}", "KEY: ${{ secrets.OTHER }}"),
    ("secrets-are-declared-and-mapped", "caller", "KEY: ${{ secrets.KEY }}", "KEY: ${{ secrets.KEY }}\n      MORE: ${{ secrets.MORE }}"),
    ("secrets-are-declared-and-mapped", "callee", "token: ${{ secrets.KEY }}", "token: ${{ secrets.KEY || secrets.OTHER }}"),
    ("secrets-are-declared-and-mapped", "callee", "token: ${{ secrets.KEY }}", "token: x"),
    ("secrets-come-from-environments", "caller", "WHO: ${{ github.actor }}", "WHO: ${{ secrets.WHO }}"),
    ("environments-make-no-deployment", "callee", ', deployment: false}', "}"),
    ("environments-make-no-deployment", "callee", 'environment: {name: "${{ inputs.environment }}", deployment: false}', "environment: ${{ inputs.environment }}"),
    ("checkout-leaves-no-credentials", "caller", "persist-credentials: false", "persist-credentials: true"),
    ("checkout-leaves-no-credentials", "caller", "        with:\n          persist-credentials: false\n", ""),
    ("nothing-is-restored", "caller", "      - id: bump\n", f"      - uses: {CHECKOUT.replace('checkout', 'cache')}\n      - id: bump\n"),
    ("nothing-is-restored", "caller", "persist-credentials: false", "persist-credentials: false\n          cache: pip"),
    ("runners-are-known", "callee", "${{ fromJSON(inputs.runs-on) }}", "ubuntu-latest"),
    ("runners-are-known", "caller", "runs-on: ubuntu-latest", "runs-on: ubuntu-99.04"),
    ("calls-are-one-level", "callee", "    timeout-minutes: 10", "    uses: $/.github/workflows/command.yml\n    timeout-minutes: 10"),
    ("inputs-fit", "caller", "config: x", "config: x\n          colour: red"),
    ("inputs-fit", "caller", "config: x", "token: x"),
    ("inputs-fit", "waker", "    with:\n      environment: prod\n", ""),
    ("inputs-are-declared", "caller", "      environment:\n        description: Where\n", "      other:\n        description: x\n"),
    ("inputs-are-declared", "bump/action", "SG_TOKEN: ${{ inputs.token }}", "SG_TOKEN: x"),
    ("callers-give-the-rights", "caller", "statuses: write # the verdict", "statuses: read # the verdict"),
    ("callers-give-the-rights", "waker", "    permissions:\n      statuses: write # the verdict\n", "    permissions: {}\n"),
    ("results-exist", "caller", "    needs: build\n", ""),
    ("results-exist", "caller", "version: ${{ needs.build.outputs.version }}", "version: ${{ needs.build.outputs.verison }}"),
    ("results-exist", "caller", "version: ${{ steps.bump.outputs.version }}", "version: ${{ steps.bump.outputs.tag }}"),
    ("results-exist", "caller", "id: bump", "id: bumb"),
    ("filters-match-something", "caller", "paths: [deploy/**]", "paths: [deployment/**]"),
    ("filters-match-something", "caller", "    branches: [main]\n", ""),
    ("filters-match-something", "waker", "workflows: [caller]", "workflows: [callre]"),
    ("foreign-code-is-never-fetched", "callee", "config: ${{ inputs.version }}", "config: ${{ github.event.pull_request.head.sha }}"),
    ("foreign-code-is-never-fetched", "waker", "    uses: acme/stagegate/.github/workflows/callee.yml@v0.1.0", "    runs-on: ubuntu-latest\n    steps:\n      - run: make"),
    ("commands-and-guard-need-no-checkout", "command.yml", "    steps:\n", f"    steps:\n      - uses: {CHECKOUT}\n"),
    ("last-job-needs-all", "caller", "needs: [build, gate]", "needs: [gate]"),
]  # fmt: skip


def samples(changes: dict[str, str] | None = None) -> dict[str, File]:
    tracked = ("examples/shop/deploy/prod.yaml", *SAMPLES)
    return {path: parse(path, (changes or {}).get(path, text), tracked) for path, text in SAMPLES.items()}


def test_no_file_is_forgotten() -> None:
    assert {path.partition("/")[0] for path in FILES} >= {
        ".github",
        "actions",
        "examples",
        "lab",
        "action.yml",
    }
    kinds = {file.is_action for file in FILES.values()}, {file.is_reusable for file in FILES.values()}
    assert kinds == ({True, False}, {True, False})


@pytest.mark.parametrize("name", RULES)
def test_every_file_keeps_every_rule(name: str) -> None:
    found = {path: list(RULES[name](file, FILES)) for path, file in FILES.items()}
    assert {path: mistakes for path, mistakes in found.items() if mistakes} == {}


@pytest.mark.parametrize("name", RULES)
def test_good_samples_keep_every_rule(name: str) -> None:
    files = samples()
    assert [mistake for file in files.values() for mistake in RULES[name](file, files)] == []


@pytest.mark.parametrize(("name", "file", "good", "bad"), BAD)
def test_bad_samples_break_their_rule(name: str, file: str, good: str, bad: str) -> None:
    (path,) = [path for path in SAMPLES if file in path]
    assert good in SAMPLES[path]
    files = samples({path: SAMPLES[path].replace(good, bad, 1)})
    assert list(RULES[name](files[path], files)), f"{name} does not find it"


def test_every_rule_has_a_bad_sample() -> None:
    assert {name for name, *_ in BAD} == set(RULES)


def test_only_three_findings_of_zizmor_are_ignored() -> None:
    ignored = [
        (path, line.split(":")[0].strip())
        for path, file in FILES.items()
        for line in file.text.splitlines()
        if "zizmor: ignore" in line
    ]
    assert {trigger for _, trigger in ignored} == {"issue_comment", "pull_request_target", "workflow_run"}
    assert all(path.startswith("examples/") for path, _ in ignored)
    for _, file in FILES.items():
        for line in re.findall(r"zizmor: ignore.*", file.text):
            assert re.fullmatch(r"zizmor: ignore\[dangerous-triggers\] \w.{20,}", line), "no reason given"


# Jobs that two files have, because a called workflow calls no other: (file, job) and where its twin is.
TWINS = [
    ("events.yml", "guard", "pin-guard.yml"),
    ("events.yml", "command", "commands.yml"),
    ("events.yml", "promote", "promote.yml"),
    ("events.yml", "moved", "production.yml"),
    ("events.yml", "gate", "production.yml"),
    ("publish.yml", "publish", "road.yml"),
]
# What an input of the separate file may be: here it only comes from the event.
GIVEN = re.compile(
    r"inputs\.(app|environment|version|mode|reason|until|rules|dry-run) \|\| (?=github\.event\.inputs)"
)


@pytest.mark.parametrize(("file", "job", "twin"), TWINS)
def test_a_job_that_two_files_have_is_the_same_in_both(file: str, job: str, twin: str) -> None:
    one, other = (dict(FILES[f".github/workflows/{name}"].jobs[job]) for name in (file, twin))
    one.pop("if", None), other.pop("if", None)
    texts = [GIVEN.sub("", str(each)).replace("'evaluate'", "'promote'") for each in (one, other)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.startswith(".github/workflows/")))
def test_every_job_that_may_notify_gets_the_addresses(name: str) -> None:
    notifying = re.compile(r"\$/actions/(promote-pr|staging-gate|pr-command|publish-release)")
    for job, definition in FILES[name].document.get("jobs", {}).items():
        if any(notifying.fullmatch(step.get("uses", "")) for step in definition.get("steps", ())):
            passed = {"STAGEGATE_VARIABLES", "STAGEGATE_HOSTS"} & definition.get("env", {}).keys()
            assert len(passed) == 2, f"{name} {job}"
