"""`make demo`: one release from a commit to production, a broken one that stops, and the way back, on this machine.

Every row of the closing table is a claim checked against the forge, the registry or the running process. What
people look at is left as a folder of pages.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import act, pages
from lab.act import ActRun
from lab.lab import Lab
from lab.pages import Pages
from lab.progress import Progress, step_of
from lab.servers import ENVIRONMENTS, SHOP

WIDTH = 66
JOBS = 10  # of one release over two environments
PLAIN = {  # stable words of ours, as somebody reads them who has never seen them
    "success": "passed",
    "failure": "failed",
    "reported": "written",
    "evidence-mismatch": "refused: other bytes",
    "checks-failed": "a check of the shop failed",
    "stagegate/promote/shop/prod": "a pull request for prod",
}


@dataclass(frozen=True)
class Row:
    """One claim: what it says, whether it held, what was seen in words, and how long the step took (seconds)."""

    step: str
    held: bool
    seen: str
    seconds: float


class Broken(Exception):
    """A claim did not hold; the demo ends here, and the table says where."""


class Story:
    """The claims so far, printed by `show` as they are made, and what people look at."""

    def __init__(self, show: Callable[[str], None], shown: Pages) -> None:
        self.rows: list[Row] = []
        self.closing: list[str] = []
        self.pages = shown
        self._show = show
        self._began = time.monotonic()

    def claim(self, step: str, expected: object, seen: object) -> None:
        """Record that `seen` is `expected`. Broken when it is not."""
        seconds = time.monotonic() - self._began
        self._began = time.monotonic()
        held = seen == expected
        self.rows.append(Row(step, held, words(seen), seconds))
        but = "" if held else f" (expected {words(expected)})"
        self._show(f"  {'ok' if held else 'NO'}  {step}: {words(seen)}{but}")
        if not held:
            raise Broken(step)

    def tell(self, text: str) -> None:
        """Show lines as they are."""
        self._show(text)

    def close(self, title: str, text: str) -> None:
        """A paragraph below the closing table."""
        self.closing.append(f"{title}\n" + "\n".join(f"  {line}".rstrip() for line in text.splitlines()))

    def table(self) -> str:
        """All claims as a table, then the paragraphs."""
        lines = [f"{'what was claimed':<{WIDTH}} {'what was seen':<30} seconds", "-" * (WIDTH + 39)]
        lines += [
            f"{r.step[:WIDTH]:<{WIDTH}} {r.seen[:30] if r.held else 'NO: ' + r.seen[:26]:<30} {r.seconds:>7.1f}"
            for r in self.rows
        ]
        return "\n".join([*lines, *(f"\n{text}" for text in self.closing)])


def words(value: object) -> str:
    """What was seen, as a newcomer reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list):
        return ", ".join(map(words, value)) or "none"
    return PLAIN.get(str(value), str(value))


def main() -> int:
    """Run the demo; 0 only if every claim held. `KEEP=1` leaves the lab up until Ctrl-C or an hour later."""
    began = time.monotonic()
    shown = Pages()
    with tempfile.TemporaryDirectory(prefix="stagegate-demo-") as folder:
        runs = Path(folder) / "runs"
        with Progress(lambda: step_of(runs)) as progress, Lab(Path(folder), progress.say) as lab:
            progress.say("recording what runs, as on anybody's first day")
            lab.adopt()
            ready, story = time.monotonic(), Story(progress.print, shown)
            try:
                tell(lab, story)
            except Broken:
                _show_failures(lab.runs, progress.print)
            good = bool(story.rows) and all(row.held for row in story.rows)
            index = shown.write_index("What the demo did", story.table())
            seconds = f"({time.monotonic() - ready:.0f} s after {ready - began:.0f} s of set-up"
            progress.print(f"\n{story.table()}\n")
            progress.print(
                f"{'every claim held' if good else 'a claim did not hold'} {seconds}, "
                f"never more than {progress.longest:.1f} s without a word)"
            )
            progress.print(f"everything people look at: {index}")
            if os.environ.get("KEEP"):
                progress.rest()
                _keep(lab, shown, progress.print)
    return 0 if good else 1


def tell(lab: Lab, story: Story) -> None:
    """The story: a feature goes to production, a defect does not, and there is a way back."""
    story.claim("prod runs 1.0.0 before we begin", "1.0.0", lab.ask("prod")["version"])
    story.claim("that is on record", "success", _verdict(lab, "v1.0.0", "prod"))
    _feature(lab)
    runs = lab.settle()
    story.claim("the release workflow", "succeeded", _ended(runs, "release.yml"))
    story.claim("the new feature became version", b"1.1.0", lab.shop.read("v1.1.0", "VERSION").strip())
    story.claim("its image and chart are in the registry", True, _published(lab, "1.1.0"))
    story.claim("staging runs 1.1.0", "1.1.0", lab.ask("staging")["version"])
    story.claim("its tests in staging", "success", _verdict(lab, "v1.1.0", "staging"))
    pulls = lab.pulls()
    story.claim("waiting for a person", ["stagegate/promote/shop/prod"], [p["head"]["ref"] for p in pulls])
    story.claim("its rules let it be merged", "yes", _may_merge(lab, pulls[0]))
    story.claim("prod still runs 1.0.0", "1.0.0", lab.ask("prod")["version"])
    _show_promotion(lab, story, pulls[0])
    _show_gate(lab, story, runs)
    story.claim("everything that differs in the cluster is kept as a page", True, _artifact(story, runs))
    story.claim(
        "the same promotion with one tested digest changed", "evidence-mismatch", _tampered(lab, story)
    )
    lab.merge(pulls[0]["number"])
    runs = lab.settle()
    story.claim("the production workflow", "succeeded", _ended(runs, "stagegate.yml"))
    story.claim("prod itself answers 1.1.0", "1.1.0", lab.ask("prod")["version"])
    story.claim("its tests in prod", "success", _verdict(lab, "v1.1.0", "prod"))
    story.claim("the GitHub release is published, with", ["shop-1.1.0.tgz"], _release(lab, "v1.1.0"))
    jobs = sum(run.jobs for run in lab.runs)
    story.claim(f"all of that took {jobs} jobs, not more than {JOBS}", True, jobs <= JOBS)
    story.claim("promoting made no further version; versions", ["v1.0.0", "v1.1.0"], _tags(lab))
    _defect(lab)
    runs = lab.settle()
    story.claim("the release workflow of a feature with a defect", "failed", _ended(runs, "release.yml"))
    story.claim("its tests in staging", "failure", _verdict(lab, "v1.1.1", "staging"))
    story.claim("with one clear reason", ["checks-failed"], _reasons(runs, "release.yml"))
    story.claim("waiting for a person", [], lab.pulls())
    story.claim("prod still runs 1.1.0", "1.1.0", lab.ask("prod")["version"])
    _show_refused_gate(story, runs)
    _way_back(lab, story)
    _show_status(lab, story)


def _way_back(lab: Lab, story: Story) -> None:
    """One command proposes the release before, and a hold keeps it there."""
    arguments = ("--mode", "rollback", "--environment", "prod", "--reason", "to show the way back")
    told = lab.local("octo-lead", "promote_pr", *arguments)
    story.claim("one command proposes the way back, to", "1.0.0", told["version"])
    pull = lab.pulls()[0]
    mark = json.loads(lab.pins.read("refs/heads/stagegate/hold/shop/prod", "mark.json"))
    story.claim("a hold keeps prod there, in the name of", "octo-lead", mark["owner"])
    story.claim("its rules let it be merged at once", "yes", _may_merge(lab, pull))
    story.pages.pull(
        "rollback.html", "The rollback", "The pull request that brings 1.0.0 back to prod.", pull
    )
    story.pages.document(
        "hold.json", "The hold", "The mark that keeps prod there until somebody lifts it.", mark
    )
    first = str(pull["body"]).split("\n", 1)[0].replace("**", "")
    lift = "/unhold shop/prod lets newer releases in again"
    story.close(
        "The way back",
        f"#{pull['number']} {pull['title']}\n{first}\nheld by {mark['owner']}: {mark['reason']}; {lift}",
    )


# --- what people do ----------------------------------------------------------------------------------------


def _feature(lab: Lab) -> str:
    def sell_tea(text: str) -> str:
        return text.replace(
            '    Product("bag-01"', '    Product("tea-01", "Green tea", 450),\n    Product("bag-01"', 1
        )

    return lab.push("octo-dev", "feat: sell tea", {"app/catalogue.py": sell_tea})


def _defect(lab: Lab) -> str:
    def forget_the_star(text: str) -> str:
        return text.replace('query == "*" or ', "", 1)

    return lab.push("octo-dev", "fix: search by name only", {"app/catalogue.py": forget_the_star})


# --- what is there -----------------------------------------------------------------------------------------


def _published(lab: Lab, version: str) -> bool:
    return bool(
        lab.registry.digest("acme/shop", f"v{version}") and lab.registry.digest("acme/charts/shop", version)
    )


def _verdict(lab: Lab, tag: str, environment: str) -> str:
    return _status(lab, f"{tag}", f"stagegate/shop/{environment}")


def _status(lab: Lab, ref: str, context: str) -> str:
    statuses = lab.api("octo-lead", "GET", f"/commits/{ref}/statuses?per_page=100")
    return next((str(s["state"]) for s in statuses if s["context"] == context), "none")


def _may_merge(lab: Lab, pull: dict[str, Any]) -> str:
    state = _status(lab, pull["head"]["sha"], "stagegate/pins")
    return "yes" if state == "success" else state


def _release(lab: Lab, tag: str) -> list[str]:
    release = lab.api("octo-lead", "GET", f"/releases/tags/{tag}")
    return [asset["name"] for asset in release["assets"] if asset["name"].endswith(".tgz")]


def _tags(lab: Lab) -> list[str]:
    tags = lab.api("octo-lead", "GET", "/git/matching-refs/tags/")
    return sorted(str(ref["ref"]).removeprefix("refs/tags/") for ref in tags)


def _tampered(lab: Lab, story: Story) -> str:
    """Save the facts of the open promotion, change one recorded digest, ask again; the reason given."""
    desk = lab.desk("octo-lead")
    saved = desk / "facts.json"
    arguments = ("--environment", "prod", "--version", "1.1.0", "--dry-run", "true")
    lab.local("octo-lead", "promote_pr", *arguments, "--save-facts", "facts.json")
    facts = json.loads(saved.read_text())
    chart = facts["subject"]["release"]["chart"]
    chart["digest"] = chart["digest"][:-1] + ("0" if chart["digest"][-1] != "0" else "1")
    saved.write_text(json.dumps(facts))
    again = ("--facts", "facts.json", "--report", "refusal.json")
    told = lab.local("octo-lead", "promote_pr", *arguments, *again)
    report = json.loads((desk / "refusal.json").read_text())
    about = "What a person reads when the promotion of a chart that was tampered with is refused."
    story.pages.markdown("refusal.html", "The refusal", about, lab.summary())
    story.pages.document(
        "refusal.json",
        "The refusal as JSON",
        "The report of a promotion whose chart was tampered with.",
        report,
    )
    message = report["message"]
    story.close(
        "What the refusal said", "\n".join(filter(None, (message["what"], message["why"], message["next"])))
    )
    return told["reason"]


def _ended(runs: list[ActRun], workflow: str) -> str:
    code = next((run.code for run in runs if run.workflow == workflow), None)
    return "did not run" if code is None else "failed" if code else "succeeded"


def _reasons(runs: list[ActRun], workflow: str) -> list[str]:
    """The reason in the title of every error annotation of a workflow's run."""
    text = next((run.text for run in runs if run.workflow == workflow), "")
    return re.findall(r"::error title=[\w-]+%3A ([\w-]+)::", text)


# --- the show ----------------------------------------------------------------------------------------------


def _show_promotion(lab: Lab, story: Story, pull: dict[str, Any]) -> None:
    """The gate's verdict, and what the pull request tells its reader, down to the rules."""
    statuses = lab.api("octo-lead", "GET", "/commits/v1.1.0/statuses")
    gate = next(s for s in statuses if s["context"] == "stagegate/shop/staging")
    body = str(pull["body"]).split("### May it merge?")[0].rstrip()
    verdict = f"gate: {gate['context']} {gate['state']}: {gate['description']}"
    text = f"{verdict}\n\n#{pull['number']} {pull['title']}\n\n{body}"
    story.tell("\n" + "\n".join(f"      {line}".rstrip() for line in text.splitlines()) + "\n")
    about = "What a person reads before 1.1.0 goes to prod, as GitHub would show it."
    story.pages.pull("pull-request.html", "The promotion pull request", about, pull)
    changes = re.findall(
        r"<summary><b>(\w+)</b> (.*?)</summary>|^\| `([^`]+)` \| `([^`]*)` \| `([^`]*)` \|", body, re.M
    )
    lines = [f"{one[0]} {one[1]}" if one[0] else f"  {one[2]}: {one[3]} -> {one[4]}" for one in changes]
    story.close("What changed in the cluster", "\n".join(lines))


def _show_gate(lab: Lab, story: Story, runs: list[ActRun]) -> None:
    """The summary of the gate in staging, and its evidence."""
    about = "What a person sees of the gate in staging: the verdict, the checks, what runs."
    story.pages.markdown("gate.html", "The gate's summary", about, _gate_of(runs))
    deployments = lab.api("octo-lead", "GET", "/deployments?environment=staging&task=stagegate:shop")
    payload = deployments[0]["payload"]
    evidence = json.loads(payload) if isinstance(payload, str) else payload
    story.pages.document(
        "evidence.json", "The evidence", "The record of the gate, bound to exact digests.", evidence
    )


def _artifact(story: Story, runs: list[ActRun]) -> bool:
    """Whether a run kept the page with the complete difference; it is shown."""
    name = "stagegate-difference-shop-prod.html"
    path = next((file for run in runs for file in run.log.parent.glob(f"artifacts/*/{name}")), None)
    if path is not None:
        about = "All objects that differ, as the run kept them among its artifacts."
        story.pages.file("difference.html", "The complete difference", about, path)
    return path is not None


def _show_refused_gate(story: Story, runs: list[ActRun]) -> None:
    about = "What a person sees of a gate that failed: which check, and what to do."
    story.pages.markdown("defect.html", "The gate of the defect", about, _gate_of(runs))


def _gate_of(runs: list[ActRun]) -> str:
    """The part of the release workflow's summary that the gate wrote."""
    summary = next((run.summary for run in runs if run.workflow == "release.yml"), "")
    parts = re.split(r"(?m)^(?=### )", summary)
    return "".join(part for part in parts if "\nstaging-gate: " in part)


def _show_status(lab: Lab, story: Story) -> None:
    """Where every version is, as status-report writes it."""
    told = lab.local("octo-lead", "status_report", "--html", "status.html", "--data", "status.json")
    story.claim("a page with where every version is", "reported", told["reason"])
    desk = lab.desk("octo-lead")
    about = "The same as status-report writes it to a job summary, with a picture of the road."
    story.pages.markdown("status-summary.html", "The summary of the status", about, lab.summary())
    about = "Apps and environments, the road of each release, where the time went."
    story.pages.file("status.html", "Where every version is", about, desk / "status.html")
    story.pages.file("status.json", "The same as JSON", "For dashboards of your own.", desk / "status.json")


def _show_failures(runs: list[ActRun], show: Callable[[str], None]) -> None:
    """The errors of every run that failed, for the person who has to find out why."""
    for run in runs:
        if run.code:
            show(f"\n{run.workflow} (run {run.id}) ended with {run.code}; its log says:")
            for line in act.failures(run.text.splitlines())[-12:] or run.text.splitlines()[-5:]:
                show(f"    {line}")


def _keep(lab: Lab, shown: Pages, show: Callable[[str], None]) -> None:
    """Leave the lab up, and print addresses that a browser opens."""

    def applications() -> str:
        return pages.argocd_view([lab.argocd.application(name) for name in ENVIRONMENTS.values()])

    with shown.served(applications) as url:
        show("\nthe lab stays up for an hour, or until Ctrl-C; open in a browser:")
        show(f"  everything    {url}/index.html")
        show(f"  pull request  {url}/pull-request.html")
        show(f"  status page   {url}/status.html")
        show(f"  Argo CD       {url}/argocd")
        for environment, application in ENVIRONMENTS.items():
            show(f"  {environment:<12}  {lab.argocd.front(application)}/health")
        show(
            f"for programs: the API of GitHub for {SHOP} at {lab.forge.url}, the registry at {lab.registry.url},"
        )
        show(f"Argo CD's API at {lab.argocd.url}; logs of the runs in {lab.root / 'runs'}")
        try:
            time.sleep(3600)
        except KeyboardInterrupt:
            show("")


if __name__ == "__main__":
    sys.exit(main())
