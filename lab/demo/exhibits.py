"""The pages that people read, such as a pull request and a summary."""

from __future__ import annotations

import json
import re
from typing import Any

from lab.act import ActRun
from lab.demo.story import Story
from lab.lab import Lab


def show_promotion(lab: Lab, story: Story, pull: dict[str, Any]) -> None:
    """The gate's verdict, and the content of the pull request, with the rules."""
    statuses = lab.api("octo-lead", "GET", "/commits/v1.1.0/statuses")
    gate = next(s for s in statuses if s["context"] == "stagegate/shop/staging")
    body = str(pull["body"]).split("### May it merge?")[0].rstrip()
    verdict = f"gate: {gate['context']} {gate['state']}: {gate['description']}"
    text = f"{verdict}\n\n#{pull['number']} {pull['title']}\n\n{body}"
    story.tell("\n" + "\n".join(f"      {line}".rstrip() for line in text.splitlines()) + "\n")
    about = "The page that a person reads before 1.1.0 reaches prod, as GitHub would show it."
    story.pages.pull("pull-request.html", "The promotion pull request", about, pull)
    changes = re.findall(
        r"<summary><b>(\w+)</b> (.*?)</summary>|^\| `([^`]+)` \| `([^`]*)` \| `([^`]*)` \|", body, re.M
    )
    lines = [
        f"{change[0]} {change[1]}" if change[0] else f"  {change[2]}: {change[3]} -> {change[4]}"
        for change in changes
    ]
    story.close("What changed in the cluster", "\n".join(lines))


def show_gate(lab: Lab, story: Story, runs: list[ActRun]) -> None:
    """The summary of the gate in staging, and its evidence."""
    about = "The gate in staging for people: the verdict, the checks, and the running release."
    story.pages.markdown("gate.html", "The gate's summary", about, _gate_of(runs))
    deployments = lab.api("octo-lead", "GET", "/deployments?environment=staging&task=stagegate:shop")
    payload = deployments[0]["payload"]
    evidence = json.loads(payload) if isinstance(payload, str) else payload
    story.pages.document(
        "evidence.json", "The evidence", "The record of the gate, bound to exact digests.", evidence
    )


def show_difference(story: Story, runs: list[ActRun]) -> bool:
    """Whether a run kept the page with the complete difference; it is shown."""
    name = "stagegate-difference-shop-prod.html"
    path = next((file for run in runs for file in run.log.parent.glob(f"artifacts/*/{name}")), None)
    if path is not None:
        about = "All objects that differ, from the artifacts of the run."
        story.pages.file("difference.html", "The complete difference", about, path)
    return path is not None


def tampered_reason(lab: Lab, story: Story) -> str:
    """Save the facts of the open promotion, change one recorded digest, decide again; the reason."""
    desk = lab.desk("octo-lead")
    saved = desk / "facts.json"
    arguments = ("--environment", "prod", "--version", "1.1.0", "--dry-run", "true")
    lab.local("octo-lead", "promote_pr", *arguments, "--save-facts", "facts.json")
    facts = json.loads(saved.read_text())
    chart = facts["subject"]["release"]["chart"]
    chart["digest"] = chart["digest"][:-1] + ("0" if chart["digest"][-1] != "0" else "1")
    saved.write_text(json.dumps(facts))
    again = ("--facts", "facts.json", "--report", "refusal.json")
    result = lab.local("octo-lead", "promote_pr", *arguments, *again)
    report = json.loads((desk / "refusal.json").read_text())
    about = "The refusal of a promotion whose chart was tampered with."
    story.pages.markdown("refusal.html", "The refusal", about, lab.summary())
    story.pages.document(
        "refusal.json",
        "The refusal as JSON",
        "The report of a promotion whose chart was tampered with.",
        report,
    )
    message = report["message"]
    story.close(
        "The message of the refusal",
        "\n".join(filter(None, (message["what"], message["why"], message["next"]))),
    )
    return result["reason"]


def show_refused_gate(story: Story, runs: list[ActRun]) -> None:
    """The summary of the gate that the defect failed."""
    about = "A failed gate for people: the check that failed, and the next step."
    story.pages.markdown("defect.html", "The gate of the defect", about, _gate_of(runs))


def _gate_of(runs: list[ActRun]) -> str:
    """The part of the release workflow's summary that the gate wrote."""
    summary = next((run.summary for run in runs if run.workflow == "release.yml"), "")
    parts = re.split(r"(?m)^(?=### )", summary)
    return "".join(part for part in parts if "\nstaging-gate: " in part)


def show_status(lab: Lab, story: Story) -> None:
    """The status of every version, as status-report writes it."""
    result = lab.local("octo-lead", "status_report", "--html", "status.html", "--data", "status.json")
    story.claim("a page with the status of every version", "reported", result["reason"])
    desk = lab.desk("octo-lead")
    about = "The same as status-report writes it to a job summary, with a picture of the road."
    story.pages.markdown("status-summary.html", "The summary of the status", about, lab.summary())
    about = "Apps and environments, the road of each release, and how long each step took."
    story.pages.file("status.html", "Where every version is", about, desk / "status.html")
    story.pages.file("status.json", "The same as JSON", "For dashboards of your own.", desk / "status.json")
