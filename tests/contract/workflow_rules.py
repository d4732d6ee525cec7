"""The rules for every workflow and action file, one function each: `(file, all files) -> mistakes`.

zizmor looks at files one by one and act ignores half of what GitHub enforces (filters, permissions, environments,
required inputs, unmapped runners); these rules cover what neither sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.act import PLATFORMS
from lab.triggers import matches

TOOLKIT = re.compile(r"(?:\$|acme/stagegate)/(?P<path>[^@\s]+)(?:@(?P<ref>\S+))?")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
OWN_RUNNERS = (*PLATFORMS, "macos-14", "${{ matrix.system }}")
GIVEN_RUNNER = "${{ fromJSON(inputs.runs-on) }}"
RUN_GROUP = {"group": "run-${{ github.run_id }}", "cancel-in-progress": False}
GUARDED = ["opened", "reopened", "synchronize", "edited", "labeled", "unlabeled"]
FOREIGN = ("issue_comment", "pull_request_target", "workflow_run")
LAID_OVER = {"examples/called/": "examples/shop/"}  # its files take the place of the shop's
EMPTY: dict[str, Any] = {}


@dataclass(frozen=True)
class File:
    """A workflow or action file: its path in the repository, its text, and what YAML makes of it."""

    path: str
    text: str
    document: Mapping[str, Any]
    tracked: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_action(self) -> bool:
        return "runs" in self.document

    @property
    def on(self) -> Mapping[str, Any]:
        triggers = self.document.get("on") or {}
        return {triggers: None} if isinstance(triggers, str) else triggers

    @property
    def is_reusable(self) -> bool:
        return "workflow_call" in self.on

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        return self.document.get("jobs") or {}

    def steps(self, job: str = "") -> Iterator[Mapping[str, Any]]:
        if self.is_action:
            yield from self.document["runs"].get("steps", [])
        for name, about in self.jobs.items():
            if not job or job == name:
                yield from about.get("steps", [])

    def uses(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every `uses` with what it is given, of steps and of jobs."""
        for part in (*self.steps(), *self.jobs.values()):
            if "uses" in part:
                yield part["uses"], part

    def job_text(self, name: str) -> str:
        """A job's own lines."""
        match = re.search(rf"(?ms)^  {re.escape(name)}:\n(.*?)(?=^  [\w-]+:\s*$|\Z)", self.text)
        return match[1] if match else ""


Files = Mapping[str, File]
Rule = Callable[[File, Files], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__.replace("_", "-")] = function
    return function


def target(uses: str) -> str:
    """The path in the toolkit that `uses` names, or empty for another repository."""
    match = TOOLKIT.fullmatch(uses)
    return match["path"] if match else ""


def called(uses: str, files: Files) -> File | None:
    """The file of the toolkit behind a `uses`."""
    path = target(uses)
    return files.get(path if path.endswith(".yml") else f"{path}/action.yml") if path else None


@rule
def no_interpolation_in_run(file: File, _: Files) -> Iterator[str]:
    yield from (f"${{{{ }}}} in run: {s['run']!r}" for s in file.steps() if "${{" in s.get("run", ""))


@rule
def uses_are_pinned(file: File, files: Files) -> Iterator[str]:
    for line in re.findall(r"(?m)^\s*(?:- )?uses: (.+?)\s*$", file.text):
        word = line.split()[0]
        if not target(word):
            if not PINNED.fullmatch(line):
                yield f"{line} is not pinned to a full commit with its version beside it"
        elif called(word, files) is None:
            yield f"{word}: the toolkit has no such file"


@rule
def toolkit_names_itself(file: File, _: Files) -> Iterator[str]:
    """Reusable files and examples are read in other repositories: `./` would mean theirs."""
    inside = not file.path.startswith("examples/")
    for uses, _about in file.uses():
        if uses.startswith("./") or (target(uses) and uses.startswith("$/") != inside):
            yield f"{uses} must be written {'$/…' if inside else 'acme/stagegate/…@v…'} here"


@rule
def permissions_are_least_and_explained(file: File, _: Files) -> Iterator[str]:
    if file.is_action:
        return
    if file.document.get("permissions") != {}:
        yield "the workflow itself must have `permissions: {}`"
    for name, job in file.jobs.items():
        rights = job.get("permissions")
        if not isinstance(rights, Mapping):
            yield f"{name} has no permissions of its own"
            continue
        for right, level in rights.items():
            if not re.search(rf"(?m)^      {right}: {level} # \S", file.job_text(name)):
                yield f"{name}: {right}: {level} has no reason beside it"


@rule
def names_are_those_of_files(file: File, _: Files) -> Iterator[str]:
    """`workflow_run` and people use the name of a workflow, `dispatch` that of its file."""
    if not file.is_action and f"/{file.document.get('name')}.yml" not in f"/{file.path}":
        yield f"the name is {file.document.get('name')!r}"


@rule
def comments_only_when_created(file: File, files: Files) -> Iterator[str]:
    """By the event, or in every job of the called workflow that carries out commands."""
    if "issue_comment" not in file.on or (file.on["issue_comment"] or {}).get("types") == ["created"]:
        return
    for uses, _about in file.uses():
        callee = called(uses, files)
        for job in callee.jobs.values() if callee else ():
            obeys = any(step.get("uses", "").endswith("/pr-command") for step in job.get("steps", ()))
            if obeys and "github.event.action == 'created'" not in job.get("if", ""):
                yield "an edited comment is not what was authorised: only created ones may reach pr-command"


@rule
def guard_sees_every_change(file: File, _: Files) -> Iterator[str]:
    if "pull_request_target" in file.on:
        given = file.on["pull_request_target"] or {}
        if given.get("types") != GUARDED or given.keys() & {"branches", "paths", "paths-ignore"}:
            yield f"pull_request_target must have exactly the types {GUARDED} and no filter"


@rule
def groups_never_cancel_or_collide(file: File, _: Files) -> Iterator[str]:
    if file.is_action:
        return
    group = file.document.get("concurrency")
    if file.is_reusable and group is not None:
        yield "a called workflow with a group of its run waits for its own caller for ever"
    if not file.is_reusable and group not in (None, RUN_GROUP):
        yield f"the workflow's concurrency must be {RUN_GROUP}, or absent"
    for name, job in file.jobs.items():
        shared = job.get("concurrency")
        if shared is None:
            continue
        if not isinstance(shared, Mapping) or shared.get("cancel-in-progress") is not False:
            yield f"{name}: a shared group must have cancel-in-progress: false"
        if "queue" in shared:
            yield f"{name}: `queue` keeps the whole file from running on GitHub Enterprise Server"
        if "environment" in job or job.get("timeout-minutes", 360) > 10:
            yield f"{name}: a shared group may only sit on a short job that waits for nobody"


@rule
def jobs_end_in_time(file: File, _: Files) -> Iterator[str]:
    for name, job in file.jobs.items():
        if "uses" not in job and not 0 < job.get("timeout-minutes", 0) <= 60:
            yield f"{name} has no timeout-minutes of at most an hour"


@rule
def nothing_enters_later_steps(file: File, _: Files) -> Iterator[str]:
    for word in re.findall(
        r"GITHUB_ENV|GITHUB_PATH|::set-env|::add-path|::set-output|\bINPUT_[A-Z]\w*", file.text
    ):
        yield f"{word} must not be used"


@rule
def conditions_are_bare(file: File, _: Files) -> Iterator[str]:
    for part in (*file.steps(), *file.jobs.values()):
        condition = str(part.get("if", ""))
        if "${{" in condition or "\n" in condition:
            yield f"if: {condition!r} is text, which is always true; write the bare expression"


@rule
def secrets_are_declared_and_mapped(file: File, files: Files) -> Iterator[str]:
    used = set(re.findall(r"\bsecrets\.(\w+)", file.text)) - {"GITHUB_TOKEN"}
    if re.search(r"\bsecrets\[|toJSON\(secrets\)", file.text):
        yield "secrets must be named one by one"
    if file.is_reusable:
        declared = set((file.on["workflow_call"] or EMPTY).get("secrets") or ())
        yield from (f"secret {name} is used and not declared" for name in sorted(used - declared))
        yield from (f"secret {name} is declared and not used" for name in sorted(declared - used))
    for uses, job in file.uses():
        callee = called(uses, files)
        if callee is None or not callee.is_reusable:
            continue
        about = (callee.on["workflow_call"] or EMPTY).get("secrets") or {}
        declared, required = (
            set(about),
            {name for name, one in about.items() if (one or EMPTY).get("required")},
        )
        given = job.get("secrets") or {}
        if not isinstance(given, Mapping):
            yield f"{uses}: secrets must be mapped by name, not {given!r}"
            continue
        yield from (f"{uses}: secret {name} is not mapped" for name in sorted(required - given.keys()))
        yield from (
            f"{uses}: secret {name} is not declared there" for name in sorted(given.keys() - declared)
        )
        for name, value in given.items():
            if value != f"${{{{ secrets.{name} }}}}":
                yield f"{uses}: {name} is {value}; an environment fills only a secret of the same name"


@rule
def secrets_come_from_environments(file: File, _: Files) -> Iterator[str]:
    for name, job in file.jobs.items():
        used = set(re.findall(r"\bsecrets\.(\w+)", file.job_text(name))) - {"GITHUB_TOKEN"}
        if (
            name == "check"
        ):  # runs a pull request's files: it gets no environment, and only a login that reads
            used -= {"REGISTRY_USERNAME", "REGISTRY_PASSWORD"}
        if used and "environment" not in job and "uses" not in job:
            yield f"{name} uses {', '.join(sorted(used))} without an environment"


@rule
def environments_make_no_deployment(file: File, _: Files) -> Iterator[str]:
    for name, job in file.jobs.items():
        if "environment" in job and not re.search(
            r"(?m)^    environment: \{name: .+, deployment: false\}$", file.job_text(name)
        ):
            yield f"{name}: write `environment: {{name: …, deployment: false}}` on one line"


@rule
def checkout_leaves_no_credentials(file: File, _: Files) -> Iterator[str]:
    for uses, step in file.uses():
        if (
            uses.startswith("actions/checkout@")
            and step.get("with", {}).get("persist-credentials") is not False
        ):
            yield "actions/checkout without persist-credentials: false"


@rule
def nothing_is_restored(file: File, _: Files) -> Iterator[str]:
    for uses, step in file.uses():
        given = step.get("with") or {}
        if "cache" in uses.partition("@")[0] or any("cache" in key for key in given):
            yield f"{uses} restores what another run left behind"


@rule
def runners_are_known(file: File, _: Files) -> Iterator[str]:
    known: tuple[str, ...] = (
        OWN_RUNNERS if file.path.endswith(("/ci.yml", "/release.yml")) else ("ubuntu-latest",)
    )
    if file.path.startswith("examples/"):
        known = PLATFORMS
    for name, job in file.jobs.items():
        if file.is_reusable and job.get("runs-on") != GIVEN_RUNNER:
            yield f"{name} must run on the input `runs-on`"
        if "uses" not in job and not file.is_reusable and job.get("runs-on") not in known:
            yield f"{name} runs on {job.get('runs-on')}, which the lab does not know: act would skip it"


@rule
def calls_are_one_level(file: File, _: Files) -> Iterator[str]:
    if file.is_reusable:
        yield from (f"{name} calls another workflow" for name, job in file.jobs.items() if "uses" in job)


@rule
def inputs_fit(file: File, files: Files) -> Iterator[str]:
    for uses, part in file.uses():
        callee = called(uses, files)
        if callee is None:
            continue
        about = callee.document if callee.is_action else callee.on["workflow_call"] or {}
        declared: Mapping[str, Any] = about.get("inputs") or {}
        given = part.get("with") or {}
        yield from (f"{uses} has no input {name}" for name in given if name not in declared)
        for name, one in declared.items():
            if one.get("required") and name not in given:
                yield f"{uses} needs {name}"


@rule
def inputs_are_declared(file: File, files: Files) -> Iterator[str]:
    events = [file.on.get(name) or {} for name in ("workflow_dispatch", "workflow_call")]
    declared = set().union(*(event.get("inputs") or {} for event in events))
    declared |= set(file.document.get("inputs") or {})
    for name in sorted(set(re.findall(r"(?<!event\.)\binputs\.([\w-]+)", file.text)) - declared):
        yield f"inputs.{name} is not declared"
    used = set(re.findall(r"\binputs\.([\w-]+)", file.text)) | _read_by_called(file, files)
    if not file.path.startswith("lab/"):  # a stand-in takes what the real action takes
        yield from (f"input {name} is declared and not used" for name in sorted(declared - used))


def _read_by_called(file: File, files: Files) -> set[str]:
    """Inputs of the dispatch that the called workflows read from the event."""
    texts = [callee.text for uses, _ in file.uses() if (callee := called(uses, files))]
    if any("toJSON(github.event.inputs)" in text for text in texts):
        return set((file.on.get("workflow_dispatch") or EMPTY).get("inputs") or ())
    return {name for text in texts for name in re.findall(r"github\.event\.inputs\.([\w-]+)", text)}


@rule
def callers_give_the_rights(file: File, files: Files) -> Iterator[str]:
    levels = {None: 0, "none": 0, "read": 1, "write": 2}
    for name, job in file.jobs.items():
        callee = called(job.get("uses", ""), files)
        given = job.get("permissions") or {}
        for inner in callee.jobs.values() if callee else ():
            for right, level in (inner.get("permissions") or {}).items():
                if levels[level] > levels[given.get(right)]:
                    yield f"{name} gives {job['uses']} no {right}: {level}: GitHub refuses to start it"


@rule
def results_exist(file: File, files: Files) -> Iterator[str]:
    """Every result that is read is written; act reads a missing one as an empty string."""
    for name, job in file.jobs.items():
        text = file.job_text(name)
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        for other, output in set(re.findall(r"\bneeds\.([\w-]+)\.outputs\.([\w-]+)", text)):
            if other not in needs:
                yield f"{name} reads needs.{other} and does not need it"
            elif output not in _outputs_of_job(file.jobs.get(other, EMPTY), files):
                yield f"{name} reads needs.{other}.outputs.{output}, which nobody writes"
        steps = {step["id"]: step for step in job.get("steps", []) if "id" in step}
        for step, output in set(re.findall(r"\bsteps\.([\w-]+)\.outputs\.([\w-]+)", text)):
            action = called(steps.get(step, EMPTY).get("uses", ""), files)
            if step not in steps or (action and output not in (action.document.get("outputs") or {})):
                yield f"{name} reads steps.{step}.outputs.{output}, which nobody writes"


def _outputs_of_job(job: Mapping[str, Any], files: Files) -> Mapping[str, Any]:
    callee = called(job.get("uses", ""), files)
    if callee is not None:
        outputs: Mapping[str, Any] = (callee.on["workflow_call"] or EMPTY).get("outputs") or {}
        return outputs
    return job.get("outputs") or {}


@rule
def filters_match_something(file: File, files: Files) -> Iterator[str]:
    push = file.on.get("push")
    if "push" in file.on and not (push or EMPTY).keys() & {"branches", "tags"}:
        yield "push without branches or tags also runs for every branch of a promotion"
    folder = file.path.partition(".github/")[0]
    home = LAID_OVER.get(folder, folder)
    paths = [path.removeprefix(home) for path in file.tracked if path.startswith(home)]
    given = [(push or EMPTY).get(key, ()) for key in ("paths", "paths-ignore")]
    for pattern in [p for one in given for p in ([one] if isinstance(one, str) else one)]:
        if not any(matches(path, [pattern]) for path in paths):
            yield f"{pattern} matches no file"
    names = {
        other.document.get("name") for other in files.values() if other.path.startswith(f"{folder}.github/")
    }
    for name in (file.on.get("workflow_run") or EMPTY).get("workflows", ()):
        if name not in names:
            yield f"no workflow is called {name}"


@rule
def foreign_code_is_never_fetched(file: File, _: Files) -> Iterator[str]:
    if file.on.keys() & set(FOREIGN) or file.is_reusable:
        for word in re.findall(
            r"github\.head_ref|pull_request\.head\.\w+|workflow_run\.head_\w+|refs/pull/\S*", file.text
        ):
            yield f"{word}: a file that runs with rights for anybody's event must not touch anybody's code"
    if file.on.keys() & set(FOREIGN):
        for name, job in file.jobs.items():
            if "uses" not in job:
                yield f"{name}: on this event only the toolkit's workflow may run"


@rule
def commands_and_guard_need_no_checkout(file: File, _: Files) -> Iterator[str]:
    for name in file.jobs:
        uses = [step.get("uses", "") for step in file.steps(name)]
        own = [n for n, word in enumerate(uses) if word.endswith(("/pr-command", "/pin-guard"))]
        beside = [word for word in uses[1:] if not word.startswith("actions/upload-artifact@")]
        if own and (own != [0] or beside):
            yield f"{name} must begin with that one step, and then only keep what it wrote"


@rule
def last_job_needs_all(file: File, _: Files) -> Iterator[str]:
    job = file.jobs.get("all-green")
    if job and set(job.get("needs", ())) != set(file.jobs) - {"all-green"}:
        yield "all-green must need every other job"
