"""The steps of the demo, and the claims about them."""

from __future__ import annotations

import json

from lab.demo import exhibits, state
from lab.demo.story import Story
from lab.lab import Lab

JOBS = 10  # of one release over two environments


def tell(lab: Lab, story: Story) -> None:
    """The story: a feature goes to production, a defect does not, and there is a way back."""
    story.claim("prod runs 1.0.0 at the start", "1.0.0", lab.ask("prod")["version"])
    story.claim("the evidence for 1.0.0 in prod", "success", state.verdict(lab, "v1.0.0", "prod"))
    feature(lab)
    runs = lab.settle()
    story.claim("the release workflow", "succeeded", state.result_of(runs, "release.yml"))
    story.claim("the version of the new feature", b"1.1.0", lab.shop.read("v1.1.0", "VERSION").strip())
    story.claim("its image and chart are in the registry", True, state.is_published(lab, "1.1.0"))
    story.claim("staging runs 1.1.0", "1.1.0", lab.ask("staging")["version"])
    story.claim("its tests in staging", "success", state.verdict(lab, "v1.1.0", "staging"))
    pulls = lab.pulls()
    story.claim(
        "a promotion waits for a person", ["stagegate/promote/shop/prod"], [p["head"]["ref"] for p in pulls]
    )
    story.claim("the rules allow the merge", "yes", state.may_merge(lab, pulls[0]))
    story.claim("prod still runs 1.0.0", "1.0.0", lab.ask("prod")["version"])
    exhibits.show_promotion(lab, story, pulls[0])
    exhibits.show_gate(lab, story, runs)
    story.claim(
        "a page with the complete difference in the cluster exists",
        True,
        exhibits.show_difference(story, runs),
    )
    story.claim(
        "the same promotion with one tested digest changed",
        "evidence-mismatch",
        exhibits.tampered_reason(lab, story),
    )
    lab.merge(pulls[0]["number"])
    runs = lab.settle()
    story.claim("the production workflow", "succeeded", state.result_of(runs, "stagegate.yml"))
    story.claim("prod itself reports 1.1.0", "1.1.0", lab.ask("prod")["version"])
    story.claim("its tests in prod", "success", state.verdict(lab, "v1.1.0", "prod"))
    story.claim(
        "the GitHub release is published with", ["shop-1.1.0.tgz"], state.release_assets(lab, "v1.1.0")
    )
    jobs = sum(run.jobs for run in lab.runs)
    story.claim(f"the release took {jobs} jobs, at most {JOBS}", True, jobs <= JOBS)
    story.claim("promoting created no further version; versions", ["v1.0.0", "v1.1.0"], state.tags(lab))
    defect(lab)
    runs = lab.settle()
    story.claim(
        "the release workflow of a feature with a defect", "failed", state.result_of(runs, "release.yml")
    )
    story.claim("its tests in staging", "failure", state.verdict(lab, "v1.1.1", "staging"))
    story.claim("the reason of the failure", ["checks-failed"], state.error_reasons(runs, "release.yml"))
    story.claim("promotions that wait for a person", [], lab.pulls())
    story.claim("prod still runs 1.1.0", "1.1.0", lab.ask("prod")["version"])
    exhibits.show_refused_gate(story, runs)
    way_back(lab, story)
    exhibits.show_status(lab, story)


def way_back(lab: Lab, story: Story) -> None:
    """One command proposes the previous release, and a hold keeps it there."""
    arguments = ("--mode", "rollback", "--environment", "prod", "--reason", "to show a rollback")
    result = lab.local("octo-lead", "promote_pr", *arguments)
    story.claim("one command proposes a rollback to", "1.0.0", result["version"])
    pull = lab.pulls()[0]
    mark = json.loads(lab.pins.read("refs/heads/stagegate/hold/shop/prod", "mark.json"))
    story.claim("a hold stops newer releases, in the name of", "octo-lead", mark["owner"])
    story.claim("the rules allow the merge at once", "yes", state.may_merge(lab, pull))
    story.pages.pull("rollback.html", "The rollback", "The pull request that returns prod to 1.0.0.", pull)
    story.pages.document(
        "hold.json", "The hold", "The mark that stops newer releases until a person lifts it.", mark
    )
    first = str(pull["body"]).split("\n", 1)[0].replace("**", "")
    lift = "/unhold shop/prod allows newer releases again"
    story.close(
        "The way back",
        f"#{pull['number']} {pull['title']}\n{first}\nheld by {mark['owner']}: {mark['reason']}; {lift}",
    )


def feature(lab: Lab) -> str:
    """Push a feature; the sha of its commit."""

    def sell_tea(text: str) -> str:
        return text.replace(
            '    Product("bag-01"', '    Product("tea-01", "Green tea", 450),\n    Product("bag-01"', 1
        )

    return lab.push("octo-dev", "feat: sell tea", {"app/catalogue.py": sell_tea})


def defect(lab: Lab) -> str:
    """Push a defect that the app's own tests do not find; the sha of its commit."""

    def forget_the_star(text: str) -> str:
        return text.replace('query == "*" or ', "", 1)

    return lab.push("octo-dev", "fix: search by name only", {"app/catalogue.py": forget_the_star})
