"""`make demo`: one release from a commit to production, and a broken one that stops, on this machine.

Every row of the closing table is a claim checked against the forge, the registry or the running process.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import act
from lab.act import ActRun
from lab.lab import ENVIRONMENTS, SHOP, Lab

WIDTH = 62
JOBS = 10  # of one release over two environments


@dataclass(frozen=True)
class Row:
    """One claim: what it says, whether it held, and how long the step took (seconds)."""

    step: str
    held: bool
    seen: str
    seconds: float


class Broken(Exception):
    """A claim did not hold; the demo ends here, and the table says where."""


class Story:
    """The claims so far, printed as they are made."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._began = time.monotonic()

    def claim(self, step: str, expected: object, seen: object) -> None:
        """Record that `seen` is `expected`. Broken when it is not."""
        seconds = time.monotonic() - self._began
        self._began = time.monotonic()
        held = seen == expected
        self.rows.append(Row(step, held, str(seen), seconds))
        print(
            f"  {'ok' if held else 'NO'}  {step}: {seen}" + ("" if held else f" (expected {expected})"),
            flush=True,
        )
        if not held:
            raise Broken(step)

    def table(self) -> str:
        """All claims as a table."""
        lines = [f"{'step':<{WIDTH}} {'result':<34} seconds", "-" * (WIDTH + 43)]
        lines += [
            f"{r.step[:WIDTH]:<{WIDTH}} {r.seen[:34] if r.held else 'NO: ' + r.seen[:30]:<34} {r.seconds:>7.1f}"
            for r in self.rows
        ]
        return "\n".join(lines)


def main() -> int:
    """Run the demo; 0 only if every claim held. `KEEP=1` leaves the lab up until Ctrl-C or an hour later."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stagegate-demo-") as folder, Lab(Path(folder), _say) as lab:
        _say("recording what runs, as on anybody's first day")
        lab.adopt()
        ready, story = time.monotonic(), Story()
        try:
            tell(lab, story)
        except Broken:
            _show_failures(lab.runs)
        print("\n" + story.table())
        good = bool(story.rows) and all(row.held for row in story.rows)
        print(
            f"\n{'every claim held' if good else 'a claim did not hold'} "
            f"({time.monotonic() - ready:.0f} s after {ready - began:.0f} s of set-up)",
            flush=True,
        )
        if os.environ.get("KEEP"):
            _keep(lab)
    return 0 if good else 1


def tell(lab: Lab, story: Story) -> None:
    """The story: a feature goes to production, a defect does not."""
    story.claim("prod runs 1.0.0 before we begin", "1.0.0", lab.ask("prod")["version"])
    story.claim("it is recorded as what runs there", "success", _verdict(lab, "v1.0.0", "prod"))
    _feature(lab)
    runs = lab.settle()
    story.claim("release.yml ends well", 0, _code(runs, "release.yml"))
    story.claim(
        "the commit became version 1.1.0, tagged", b"1.1.0", lab.shop.read("v1.1.0", "VERSION").strip()
    )
    story.claim("image and chart are in the registry", True, _published(lab, "1.1.0"))
    story.claim("staging runs 1.1.0", "1.1.0", lab.ask("staging")["version"])
    story.claim("the gate's verdict is a status on the commit", "success", _verdict(lab, "v1.1.0", "staging"))
    pulls = lab.pulls()
    story.claim(
        "one promotion waits for a person", ["stagegate/promote/shop/prod"], [p["head"]["ref"] for p in pulls]
    )
    story.claim("it may be merged", "success", _status(lab, pulls[0]["head"]["sha"], "stagegate/pins"))
    story.claim("prod still runs 1.0.0", "1.0.0", lab.ask("prod")["version"])
    story.claim("with one digest changed the promotion is refused", "evidence-mismatch", _tampered(lab))
    _show_promotion(lab, pulls[0])
    lab.merge(pulls[0]["number"])
    runs = lab.settle()
    story.claim("stagegate.yml ends well", 0, _code(runs, "stagegate.yml"))
    story.claim("prod itself says 1.1.0", "1.1.0", lab.ask("prod")["version"])
    story.claim("prod's gate passed", "success", _verdict(lab, "v1.1.0", "prod"))
    story.claim("the release is published with its chart", ["shop-1.1.0.tgz"], _release(lab, "v1.1.0"))
    jobs = sum(run.jobs for run in lab.runs)
    story.claim(f"the release took {jobs} runner jobs, at most {JOBS}", True, jobs <= JOBS)
    story.claim("promoting caused no further release", ["v1.0.0", "v1.1.0"], _tags(lab))
    _defect(lab)
    runs = lab.settle()
    story.claim("a defect ends release.yml", 1, _code(runs, "release.yml"))
    story.claim("its gate says failure", "failure", _verdict(lab, "v1.1.1", "staging"))
    story.claim("with one clear reason", ["checks-failed"], _reasons(runs, "release.yml"))
    story.claim("no promotion is proposed", [], lab.pulls())
    story.claim("prod still runs 1.1.0", "1.1.0", lab.ask("prod")["version"])


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


def _release(lab: Lab, tag: str) -> list[str]:
    release = lab.api("octo-lead", "GET", f"/releases/tags/{tag}")
    return [asset["name"] for asset in release["assets"] if asset["name"].endswith(".tgz")]


def _tags(lab: Lab) -> list[str]:
    found = lab.api("octo-lead", "GET", "/git/matching-refs/tags/")
    return sorted(str(ref["ref"]).removeprefix("refs/tags/") for ref in found)


def _tampered(lab: Lab) -> str:
    """Save the facts of the open promotion, change one recorded digest, ask again; the reason given."""
    saved = lab.desk("octo-lead") / "facts.json"
    arguments = ("--environment", "prod", "--version", "1.1.0", "--dry-run", "true")
    lab.local("octo-lead", "promote_pr", *arguments, "--save-facts", "facts.json")
    facts = json.loads(saved.read_text())
    chart = facts["subject"]["release"]["chart"]
    chart["digest"] = chart["digest"][:-1] + ("0" if chart["digest"][-1] != "0" else "1")
    saved.write_text(json.dumps(facts))
    return lab.local("octo-lead", "promote_pr", *arguments, "--facts", "facts.json")["reason"]


def _code(runs: list[ActRun], workflow: str) -> int | None:
    return next((run.code for run in runs if run.workflow == workflow), None)


def _reasons(runs: list[ActRun], workflow: str) -> list[str]:
    """The reason in the title of every error annotation of a workflow's run."""
    text = next((run.text for run in runs if run.workflow == workflow), "")
    return re.findall(r"::error title=[\w-]+%3A ([\w-]+)::", text)


# --- the show ----------------------------------------------------------------------------------------------


def _say(text: str) -> None:
    print(f"  ..  {text}", flush=True)


def _show_promotion(lab: Lab, pull: dict[str, Any]) -> None:
    """The gate's verdict, and what the pull request tells its reader, down to the rules."""
    statuses = lab.api("octo-lead", "GET", "/commits/v1.1.0/statuses")
    gate = next(s for s in statuses if s["context"] == "stagegate/shop/staging")
    body = str(pull["body"]).split("### May it merge?")[0].rstrip()
    verdict = f"gate: {gate['context']} {gate['state']}: {gate['description']}"
    text = f"{verdict}\n\n#{pull['number']} {pull['title']}\n\n{body}"
    print("\n" + "\n".join(f"      {line}".rstrip() for line in text.splitlines()) + "\n", flush=True)


def _show_failures(runs: list[ActRun]) -> None:
    """The errors of every run that failed, for the person who has to find out why."""
    for run in runs:
        if run.code:
            print(f"\n{run.workflow} (run {run.id}) ended with {run.code}; its log says:", flush=True)
            for line in act.failures(run.text.splitlines())[-12:] or run.text.splitlines()[-5:]:
                print(f"    {line}")


def _keep(lab: Lab) -> None:
    print(f"\nthe lab stays up for an hour, or until Ctrl-C; repository {SHOP}:")
    print(f"  forge     {lab.forge.url}\n  registry  {lab.registry.url}\n  Argo CD   {lab.argocd.url}")
    for environment, application in ENVIRONMENTS.items():
        print(f"  {environment:<9} {lab.argocd.front(application)}/health")
    print(f"  logs      {lab.root / 'runs'}", flush=True)
    try:
        time.sleep(3600)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())
