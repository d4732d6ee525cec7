"""The result of promote-pr: outputs and summary; and facts in a file, to repeat the decision."""

from __future__ import annotations

from datetime import datetime

import msgspec

from stagegate.errors import VERDICTS, Stop
from stagegate.model import Calls, Message, PullRequestText, Result, to_json
from stagegate.policy import decide
from stagegate.policy.decide import Decision
from stagegate.policy.facts import PromotionFacts
from stagegate.promotion.request import PromotionRequest
from stagegate.proposal import write
from stagegate.proposal.write import Applied
from stagegate.report.render import render
from stagegate.runner import artifact
from stagegate.runner.context import Context

NO_CALLS = Calls()
OUTPUTS = ("pr-number", "pr-url", "changed", "plan", "version", "environment", "commit", "next-at", "page")


def save(context: Context, path: str, facts: PromotionFacts) -> None:
    """Write the facts to a file of the workspace, for `facts`."""
    if path:
        target = context.inside(path, what="save-facts")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(msgspec.json.format(to_json(facts), indent=1) + b"\n")


def load(context: Context, path: str) -> PromotionFacts:
    """Facts from a file. Stop(missing-file), Stop(bad-input) when it is not such a file."""
    target = context.inside(path, what="facts")
    try:
        return msgspec.json.decode(target.read_bytes(), type=PromotionFacts)
    except OSError as error:
        raise Stop(
            "missing-file",
            f"{path} cannot be read.",
            f"{error.strerror}.",
            "Write the file with `save-facts` first.",
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Stop(
            "bad-input",
            f"{path} is not a file of facts.",
            f"{error}.",
            "Write the file with `save-facts` and the same version of stagegate.",
        ) from error


def show(context: Context, request: PromotionRequest, app: str, page: str) -> str:
    """Write the page with the difference where there is one and a place for it; its path, or nothing."""
    target = artifact.place(
        context, request.html, f"stagegate-difference-{app}-{request.environment}.html", what="html"
    )
    if not page or target is None:
        return ""
    artifact.write(target, page)
    return str(target)


def result(
    facts: PromotionFacts,
    decision: Decision,
    done: Applied,
    now: datetime,
    request: PromotionRequest,
    *,
    text: PullRequestText | None = None,
    rest: str = "",
    calls: Calls = NO_CALLS,
) -> Result:
    """The result of a promotion or rollback, written or only planned."""
    subject = facts.subject
    version = subject.version if subject else facts.standing(facts.environment).version
    document = msgspec.structs.replace(decide.plan(facts, decision, now), pull_request=text)
    written = any(change.done for change in done.changes)
    values = {
        "pr-number": str(done.number or (facts.proposal.number if facts.proposal else "")),
        "pr-url": done.url or (facts.proposal.url if facts.proposal else ""),
        "changed": str(written).lower(),
        "plan": to_json(document).decode(),
        "version": version,
        "environment": facts.environment,
        "commit": done.commit,
        "next-at": decision.verdict.next_at if subject else "",
        "page": "",
    }
    return Result(
        reason=done.reason,
        message=_message(facts, decision, done),
        outputs=values,
        summary=summary(facts, decision, done) + rest,
        fails=request.fail_on_waiting and VERDICTS[done.reason].outcome == "waiting",
        app=facts.app,
        environment=facts.environment,
        version=version,
        dry_run=request.dry_run,
        trust=facts.trust,
        changes=done.changes,
        rules=decision.rules,
        calls=calls,
    )


def planned(facts: PromotionFacts, decision: Decision) -> Applied:
    """The message of a dry run or a replay."""
    return Applied(
        reason="planned" if decision.write else decision.reason, changes=write.intended(facts, decision)
    )


def summary(facts: PromotionFacts, decision: Decision, done: Applied) -> str:
    """The step summary: every rule with its state and when it passes."""
    return render(
        "promote_pr.md.j2",
        facts=facts,
        subject=facts.subject,
        decision=decision,
        done=done,
        overridden=[result.rule for result in decision.rules if result.override],
        waiting=[result for result in decision.rules if result.state != "pass" or result.override],
    )


def _message(facts: PromotionFacts, decision: Decision, done: Applied) -> Message:
    subject = facts.subject
    if subject is None or done.reason == decision.reason:
        return decision.message
    moved = f"{facts.app} {subject.before or 'nothing'} -> {subject.version}"
    if done.not_started is not None:
        message = done.not_started
        what = (
            f"{moved} is committed for {subject.environment} ({done.commit[:12]}), but the release was "
            "not verified."
        )
        why = f"The workflow that verifies the change could not be started: {message.what} {message.why}"
        return Message(what=what, why=why, next=f"{message.next} Then start the verifying workflow by hand.")
    open_ = f"pull request #{done.number}: {done.url}"
    status = f"The status of the pull request is {decision.verdict.state}: {decision.verdict.description}."
    go_on = {
        "success": "Review and merge the pull request.",
        "pending": "The pull request may "
        f"merge{f' from {decision.verdict.next_at}' if decision.verdict.next_at else ' later'}.",
        "failure": "Read which rule fails, solve the problem, then run promote-pr again.",
    }.get(decision.verdict.state, "Run it again.")
    return {
        "planned": Message(
            what=f"{moved} would enter {subject.environment}.", why=status, next="Nothing was written."
        ),
        "committed": Message(
            what=f"{moved} is committed for {subject.environment} ({done.commit[:12]}).",
            next="The gate of the environment runs next.",
        ),
        "proposed": Message(
            what=f"{moved} is proposed for {subject.environment}, {open_}.", why=status, next=go_on
        ),
        "updated": Message(
            what=f"{moved} is proposed for {subject.environment}, {open_}.", why=status, next=go_on
        ),
        "already-proposed": Message(
            what=f"{moved} is proposed for {subject.environment} already, {open_}.", why=status, next=go_on
        ),
    }.get(
        done.reason, Message(what=f"{moved}: {done.reason} ({subject.environment}).", why=status, next=go_on)
    )
