"""wake-ups: proposals that wait for a time, an approval or the merge queue are evaluated when it arrives."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app.sources import items, mapping
from stagegate.model import Finding
from stagegate.settings import Environment, Notify, seconds
from stagegate.settings.notify import EVENTS
from stagegate.setup.doctor import workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import WorkflowFile

_EVALUATING = ("events.yml", "promote.yml", "promote-pr")
_GUARDING = ("events.yml", "pin-guard.yml", "pin-guard")
_COMMANDING = ("events.yml", "commands.yml", "pr-command")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for triggers that an environment needs, and for missing types of triggers."""
    workflows = workflow_calls.read(facts)
    evaluating = [
        workflow for workflow in workflows if any(call.name in _EVALUATING for call in workflow.calls)
    ]
    guarding = [workflow for workflow in workflows if any(call.name in _GUARDING for call in workflow.calls)]
    if not evaluating or not guarding:
        return  # the check `workflows` reports it
    for config, settings, environment in facts.places:
        if settings.policy:
            continue
        waits = _waits(environment)
        if waits and not _any(evaluating, "schedule"):
            yield finding(
                "warning",
                f"{environment.name} has {waits}, but no workflow evaluates the proposals of this "
                "environment by `schedule`.",
                "When the time is over, the proposal stays unchanged until the next push, comment "
                "or promotion.",
                f'Add `schedule: [{{cron: "23 * * * *"}}]` to the `on:` of {evaluating[0].file}.',
                file=config,
                environment=environment.name,
            )
        merging = {environment.promotion.merge, environment.promotion.rollback_merge}
        if "merge-queue" in merging and not _any(guarding, "merge_group"):
            yield finding(
                "error",
                f"The merge queue merges promotions to {environment.name}, but no workflow checks "
                "the groups of the queue.",
                "Each group needs the status stagegate/pins, but no job would ever set it.",
                f"Add `merge_group:` to the `on:` of {guarding[0].file}.",
                file=guarding[0].file,
                environment=environment.name,
            )
        if (
            "stagegate" in merging
            and environment.promotion.approvals != 0
            and not _any(evaluating, "workflow_run")
        ):
            yield finding(
                "warning",
                f"stagegate merges the proposals for {environment.name}, but an approval starts no workflow.",
                "After an approval, stagegate merges the proposal only at the next push, comment "
                "or schedule.",
                "Add a workflow without permissions on `pull_request_review`, and `workflow_run` of it to the "
                f"`on:` of {evaluating[0].file}; examples/called shows both.",
                file=evaluating[0].file,
                environment=environment.name,
            )
    yield from _unheard(facts, evaluating)
    yield from _left_out(workflows)


def _unheard(facts: DoctorFacts, evaluating: list[WorkflowFile]) -> Iterator[Finding]:
    """Findings for the event `waiting` of a channel, which only a scheduled evaluation detects in time."""
    for config, settings in facts.valid if not _any(evaluating, "schedule") else ():
        hearing = [channel for channel in settings.notify.channels if "waiting" in channel.events]
        if not hearing or settings.policy:
            continue
        wished = settings.notify.waiting_after != Notify().waiting_after or any(
            channel.events != EVENTS for channel in hearing
        )
        yield finding(
            "warning" if wished else "note",
            "No workflow runs by `schedule`, so stagegate may not notice that a proposal of "
            f"{settings.app} waits for longer than {settings.notify.waiting_after}.",
            f"stagegate sends the message `waiting` to {hearing[0].key} only at the next push, "
            "comment or promotion.",
            f'Add `schedule: [{{cron: "23 * * * *"}}]` to the `on:` of {evaluating[0].file}, or leave `waiting` '
            f"out of `events` in {config}.",
            file=config,
        )


def _waits(environment: Environment) -> str:
    named = {
        "a soak": bool(seconds(environment.soak)),
        "a freeze": bool(environment.freeze),
        "a window": bool(environment.window),
    }
    return " and ".join(name for name, is_set in named.items() if is_set)


def _any(workflows: list[WorkflowFile], trigger: str) -> bool:
    return any(trigger in workflow.triggers for workflow in workflows)


def _left_out(workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """Findings for `types` without a needed activity, for which GitHub starts nothing."""
    for workflow in workflows:
        names = {call.name for call in workflow.calls}
        for trigger, callers, needed, why in (
            (
                "pull_request_target",
                _GUARDING,
                ("opened", "reopened", "synchronize"),
                "The status stagegate/pins would be missing on that pull request or commit.",
            ),
            ("issue_comment", _COMMANDING, ("created",), "Commands such as /promote would get no reply."),
        ):
            types = [
                str(activity) for activity in items(mapping(workflow.triggers.get(trigger)).get("types"))
            ]
            missing = (
                [activity for activity in needed if activity not in types]
                if types and names & set(callers)
                else []
            )
            if missing:
                yield finding(
                    "warning",
                    f"{workflow.file} does not list {', '.join(missing)} in the types of `{trigger}`.",
                    why,
                    f"Write `types: [{', '.join([*types, *missing])}]`.",
                    file=workflow.file,
                )


CHECK = DoctorCheck(
    name="wake-ups",
    looks_at="The triggers that start an evaluation of proposals: schedule, approvals, merge queue, types of "
    "events",
    cure="Add the trigger to the workflow.",
    check=check,
)
