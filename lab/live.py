"""`make live REPOSITORY=owner/name`: checks behaviour that only the real GitHub has, in a scratch repository.

Each check does what an action does and compares the response with the behaviour that stagegate relies on. All refs
have names of this run and are removed afterwards; the default branch is never written. The same checks run against
the forge in `make test`. The token comes from GITHUB_TOKEN or GH_TOKEN; a report is written, too.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.github_live import authors, objects, pulls
from lab.github_live.scene import Ask, Check, Differs, Scene
from stagegate.clients import http, hub
from stagegate.clients.hub import ZERO, Hub, RefUpdate
from stagegate.errors import Stop
from stagegate.runner import log

REPORT = "live-report.json"
CHECKS = (  # in this order, because later checks use refs of earlier ones
    objects.identity, objects.commit_by_api, objects.refs, objects.statuses, objects.deployments, objects.marks,
    objects.tags, objects.tag_after_workflow,
    pulls.pulls, pulls.update_branch, pulls.merging, pulls.squash,
    authors.signatures, authors.committers, authors.people,
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """One check: the expected behaviour, the actual one, and whether they agree."""

    check: str
    expected: str
    seen: str
    held: bool


def run(github: Hub, name: str, ask: Ask) -> tuple[Answer, ...]:
    """All checks in their order, then the clean-up. A check that depends on an earlier one fails without it."""
    start = github.head(github.default_branch()) or ""
    scene = Scene(hub=github, name=name, start=start, ask=ask)
    answers = []
    try:
        for check in CHECKS:
            answers.append(_answer(scene, check))
    finally:
        clean(scene)
    return tuple(answers)


def clean(scene: Scene) -> None:
    """Close open pull requests and delete every ref of this run."""
    if scene.pull and (pull := scene.hub.pull(scene.pull)) and pull.state == "open":
        scene.hub.update_pull(scene.pull, state="closed")
    prefixes = (f"refs/heads/{scene.branch('')}", f"refs/tags/stagegate-live-{scene.name}")
    for prefix in prefixes:
        for ref, sha in scene.hub.refs(prefix).items():
            scene.hub.update_refs([RefUpdate(name=ref, before=sha, after=ZERO, force=True)])


def _answer(scene: Scene, check: Check) -> Answer:
    try:
        seen, held = check.run(scene), True
    except Differs as other:
        seen, held = str(other), False
    except Stop as stop:
        seen, held = f"{stop.reason}: {stop.what} {stop.why}", False
    return Answer(check.name, check.expected, log.redact(seen), held)


def _asking(root: str, token: str) -> Ask:
    """Requests that only these checks make."""
    session = http.session()
    session.headers["Authorization"] = f"Bearer {token}"

    def ask(method: str, path: str, body: Mapping[str, object]) -> Any:
        response = session.request(method, root + path, json=body or None)
        if not response.ok:
            raise Differs(f"{method} {path} answered {response.status_code}: {response.text[:200]}")
        return response.json()

    return ask


def lines(answers: Sequence[Answer]) -> Iterator[str]:
    """The results as a table."""
    for answer in answers:
        yield f"{'as expected' if answer.held else 'OTHERWISE  '}  {answer.check}: {answer.seen}"
        if not answer.held:
            yield f"             expected: {answer.expected}"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """0 when GitHub behaves as expected, 1 otherwise, 2 without repository or token."""
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or ""
    if len(arguments) != 1 or not token:
        print(
            "usage: GITHUB_TOKEN=... make live REPOSITORY=owner/name   (a scratch repository, see docs/live.md)"
        )
        return 2
    api = environ.get("GITHUB_API_URL") or "https://api.github.com"
    try:
        github = hub.connect(
            arguments[0],
            token,
            api_url=api,
            graphql_url=environ.get("GITHUB_GRAPHQL_URL") or f"{api.removesuffix('/v3')}/graphql",
            server_url=environ.get("GITHUB_SERVER_URL") or "https://github.com",
        )
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        answers = run(github, name, _asking(f"{api}/repos/{arguments[0]}", token))
    except Stop as stop:
        print(log.redact(f"{stop.what} {stop.why} {stop.next}"))
        return 2
    print("\n".join(lines(answers)))
    report = {"schema": "stagegate/live/1", "api": api, "answers": [asdict(answer) for answer in answers]}
    Path(REPORT).write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{sum(a.held for a in answers)} of {len(answers)} as expected; the report is {REPORT}")
    return 0 if all(answer.held for answer in answers) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
