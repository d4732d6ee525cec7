"""`make live REPOSITORY=owner/name`: what only the real GitHub can answer, asked in a scratch repository.

Each check does what an action does and compares the answer with what stagegate relies on. Everything is made under
names of this run's own and removed afterwards; the default branch is never written. The same checks run against
the forge in `make test`. The token comes from GITHUB_TOKEN or GH_TOKEN; a report is written beside.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stagegate.clients import http, hub
from stagegate.clients.hub import ZERO, Hub, RefUpdate, StaleHead
from stagegate.errors import Stop
from stagegate.runner import log

REPORT = "live-report.json"
ENVIRONMENT = "stagegate-live"
_TRIES, _PACE = 20, 0.5  # for what GitHub does after it has answered


Ask = Callable[
    [str, str, Mapping[str, object]], Any
]  # method, path below the repository, body; the answer's JSON


@dataclass
class Scene:
    """The scratch repository and what the checks make there, for those after them and for the clean-up."""

    hub: Hub
    name: str
    start: str
    ask: Ask
    base: str = ""
    head: str = ""
    pull: int = 0
    notes: dict[str, str] = field(default_factory=dict)

    def branch(self, part: str) -> str:
        """A branch name of this run."""
        return f"stagegate-live/{self.name}/{part}"

    def commit(self, part: str, files: Mapping[str, bytes], before: str = "") -> str:
        """A commit on a branch of this run, made by the API."""
        there = before or self.hub.head(self.branch(part)) or ""
        return self.hub.create_commit(self.branch(part), there, "test: live check", "", files)


@dataclass(frozen=True)
class Answer:
    """One check: what we rely on, what GitHub did, whether that agrees."""

    check: str
    expected: str
    seen: str
    held: bool


class Differs(Exception):
    """GitHub answered something else."""


Check = Callable[[Scene], str]
CHECKS: list[tuple[str, Check]] = []


def check(expected: str) -> Callable[[Check], Check]:
    """Register a check with what it expects, in words."""

    def register(function: Check) -> Check:
        CHECKS.append((expected, function))
        return function

    return register


def need(held: bool, seen: object) -> None:
    """Differs with what was seen unless it held."""
    if not held:
        raise Differs(str(seen))


@check("the token has one identity with a database id, the same in GraphQL and in what it writes")
def identity(scene: Scene) -> str:
    me = scene.hub.viewer()
    need(me.id > 0, me)
    return f"{me.kind} {me.id} {me.login}{' (GITHUB_TOKEN)' if scene.hub.is_actions_token() else ''}"


@check("createCommitOnBranch makes a signed commit, and refuses an old head as stale")
def commit_by_api(scene: Scene) -> str:
    scene.hub.create_ref(f"refs/heads/{scene.branch('base')}", scene.start)
    scene.base = scene.commit("base", {"live/pin.yaml": b"version: 1.0.0\r\n"}, scene.start)
    made = scene.hub.commit_info(scene.base)
    need(made is not None and made.verified, f"verified: {made and made.verified}")
    back = scene.hub.files(scene.base, ["live/pin.yaml"])["live/pin.yaml"]
    need(back is not None and back.content == b"version: 1.0.0\r\n", back)
    try:
        scene.commit("base", {"live/other": b"x"}, scene.start)
    except StaleHead:
        return "verified, bytes kept, stale head refused"
    raise Differs("a commit on an old head was accepted")


@check("updateRefs moves and deletes in one step, and refuses all when one ref is not where it was")
def refs(scene: Scene) -> str:
    scene.hub.create_ref(f"refs/heads/{scene.branch('next')}", scene.base)
    scene.head = scene.commit("next", {"live/pin.yaml": b"version: 1.1.0\r\n"}, scene.base)
    move = RefUpdate(name=f"refs/heads/{scene.branch('head')}", before=ZERO, after=scene.head, force=True)
    away = RefUpdate(name=f"refs/heads/{scene.branch('next')}", before=scene.head, after=ZERO, force=True)
    scene.hub.update_refs([move, away])
    found = scene.hub.refs(f"refs/heads/{scene.branch('')}")
    need(move.name in found and away.name not in found, found)
    wrong = RefUpdate(name=move.name, before=scene.base, after=scene.start, force=True)
    fresh = RefUpdate(name=f"refs/heads/{scene.branch('fresh')}", before=ZERO, after=scene.start)
    try:
        scene.hub.update_refs([fresh, wrong])
    except StaleHead:
        found = scene.hub.refs(f"refs/heads/{scene.branch('')}")
        need(fresh.name not in found, "one of two refs moved although the other was refused")
        return "moved and deleted together; refused together"
    raise Differs("a ref moved although it was not where beforeOid said")


@check("a status has its creator, and 140 characters of description are taken")
def statuses(scene: Scene) -> str:
    scene.hub.set_status(scene.head, "stagegate/live", "pending", "x" * 200)
    scene.hub.set_status(scene.head, "stagegate/live", "success", "done")
    statuses = [one for one in scene.hub.statuses(scene.head) if one.context == "stagegate/live"]
    need([one.state for one in statuses] == ["success", "pending"], statuses)
    need(all(scene.hub.viewer().same(one.creator) for one in statuses), [one.creator for one in statuses])
    return f"newest first, creator {statuses[0].creator}, {len(statuses[1].description)} characters"


@check("deployments keep payload and creator; a later success leaves the earlier one as it is")
def deployments(scene: Scene) -> str:
    task = f"stagegate:live-{scene.name}"
    payload = {"schema": "stagegate/evidence/1", "text": "ä" * 2000}
    for number in (1, 2):
        made = scene.hub.create_deployment(scene.head, task, ENVIRONMENT, payload, f"number {number}", True)
        scene.hub.create_deployment_status(made, "success", "passed", "")
    deployments = scene.hub.deployments(task, ENVIRONMENT)
    need(
        len(deployments) == 2 and all(one.payload == payload for one in deployments),
        [one.payload for one in deployments],
    )
    need(
        all(scene.hub.viewer().same(one.creator) for one in deployments), [one.creator for one in deployments]
    )
    states = [one.statuses[0].state for one in deployments]
    need(states == ["success", "success"], states)
    return f"two of two, states {states}"


@check("a mark is a parentless commit on a ref; a second creation is refused; a deleted ref is remembered")
def marks(scene: Scene) -> str:
    ref = f"refs/heads/{scene.branch('mark')}"
    sha = scene.hub.create_orphan_commit({"mark.json": b"{}\n"}, "chore: live mark")
    need(scene.hub.create_ref(ref, sha), "the ref was there before")
    ref_file = scene.hub.ref_files(ref.rpartition("/")[0], "mark.json")[ref]
    need(ref_file.content == b"{}\n", ref_file)
    made = scene.hub.commit_info(sha)
    need(made is not None and not made.parents, made)
    try:
        scene.hub.create_ref(ref, scene.head)
        raise Differs("a ref that exists was created again elsewhere")
    except StaleHead:
        pass
    scene.hub.update_refs([RefUpdate(name=ref, before=sha, after=ZERO, force=True)])
    gone = [one for one in scene.hub.deleted_refs(ref) if one.before == sha]
    return f"refused; deletion {'remembered' if gone else 'not yet (or not at all) in the activity'}"


@check("an annotated tag is made once; the same again is that one, another target is refused")
def tags(scene: Scene) -> str:
    name = f"stagegate-live-{scene.name}"
    first = scene.hub.create_tag(name, scene.head, "live")
    again = scene.hub.create_tag(name, scene.head, "live")
    need(first.annotated and first.target_commit == again.target_commit == scene.head, (first, again))
    try:
        scene.hub.create_tag(name, scene.base, "live")
    except Stop as stop:
        need(stop.reason == "tag-taken", stop.reason)
        return "annotated, adopted, refused as tag-taken"
    raise Differs("a tag moved")


@check("a tag on a commit that changes a workflow: made, or refused with the right that is missing")
def tag_after_workflow(scene: Scene) -> str:
    scene.hub.create_ref(f"refs/heads/{scene.branch('flow')}", scene.base)
    try:
        sha = scene.commit("flow", {".github/workflows/live.yml": b"on: workflow_dispatch\njobs: {}\n"})
    except Stop as stop:
        need(stop.reason == "missing-permission", f"{stop.reason}: {stop.why}")
        return f"not even the commit: {stop.why}"
    try:
        scene.hub.create_tag(f"stagegate-live-{scene.name}-flow", sha, "live")
    except Stop as stop:
        need(stop.reason == "missing-permission", f"{stop.reason}: {stop.why}")
        return f"refused: {stop.why}"
    return "made: this token may change workflows"


@check(
    "one pull request for a branch: the second is the first, an empty one is none, a replaced branch keeps it"
)
def pulls(scene: Scene) -> str:
    base, head = scene.branch("base"), scene.branch("head")
    first = scene.hub.open_pull("test: live check", "body", head, base)
    again = scene.hub.open_pull("test: live check", "body", head, base)
    need(first is not None and again is not None and first.number == again.number, (first, again))
    assert first is not None  # noqa: S101  for the type checker: `need` has seen to it
    scene.pull = first.number
    scene.hub.create_ref(f"refs/heads/{scene.branch('same')}", scene.base)
    need(scene.hub.open_pull("empty", "", scene.branch("same"), base) is None, "an empty one was opened")
    scene.hub.create_ref(f"refs/heads/{scene.branch('next')}", scene.base)
    new = scene.commit("next", {"live/pin.yaml": b"version: 1.2.0\r\n"}, scene.base)
    scene.hub.update_refs(
        [
            RefUpdate(name=f"refs/heads/{head}", before=scene.head, after=new, force=True),
            RefUpdate(name=f"refs/heads/{scene.branch('next')}", before=new, after=ZERO, force=True),
        ]
    )
    scene.head = new
    now = scene.hub.pull(scene.pull)
    need(now is not None and now.state == "open", now)
    comment = scene.hub.comment(scene.pull, "live check")
    scene.hub.edit_comment(comment.id, "live check, edited")
    return f"#{scene.pull} stays open; comment by {comment.author}; reaction {scene.hub.react(comment.id, 'eyes')}"


@check('GitHub\'s "Update branch" makes a merge of two parents, and signs it itself')
def update_branch(scene: Scene) -> str:
    """Why it is nobody's mark, and no work of others on a branch of ours."""
    scene.commit("base", {"live/other": b"x"})
    scene.ask("PUT", f"/pulls/{scene.pull}/update-branch", {"expected_head_sha": scene.head})
    for _ in range(_TRIES):
        if (now := scene.hub.pull(scene.pull)) and now.head_sha != scene.head:
            scene.head = now.head_sha
            break
        time.sleep(_PACE)
    made = scene.hub.commit_info(scene.head)
    need(made is not None and len(made.parents) == 2 and made.verified, made)
    scene.notes["update"] = scene.head
    return "two parents, signed"


@check("a merge with an old head is refused as stale; with the present one it merges")
def merging(scene: Scene) -> str:
    try:
        scene.hub.merge(scene.pull, scene.base, "squash", "test: live check", "")
        raise Differs("a head that is not the pull request's was merged")
    except StaleHead:
        pass
    sha = scene.hub.merge(scene.pull, scene.head, "squash", "test: live check", "")
    now = scene.hub.pull(scene.pull)
    need(now is not None and now.merged, now)
    scene.notes["squash"] = sha
    return f"refused, then merged as {sha[:12]}"


@check("a squash has a parent and GitHub's signature, whoever its author is; the activity names who merged")
def squash(scene: Scene) -> str:
    """Why a squash of an App's pull request into the branch of a mark is no mark of the App."""
    made = scene.hub.commit_info(scene.notes["squash"])
    need(made is not None and len(made.parents) == 1 and made.verified, made)
    move = scene.hub.pushed(scene.branch("base"), scene.hub.repository, scene.notes["squash"])
    need(move is not None and scene.hub.viewer().same(move.by), move)
    return f"author {made.author.login if made and made.author else 'unknown'}, moved by {move.by if move else '?'}"


@check("a commit by POST git/commits is signed for an App and for GITHUB_TOKEN, and not for a person")
def signatures(scene: Scene) -> str:
    """Who counts as having made a mark rests on this."""
    ref = f"refs/heads/{scene.branch('signed')}"
    sha = scene.hub.create_orphan_commit({"mark.json": b"{}\n"}, "chore: live signature")
    scene.hub.create_ref(ref, sha)
    ref_file = scene.hub.ref_files(ref.rpartition("/")[0], "mark.json")[ref]
    me = scene.hub.viewer()
    need(ref_file.signed is (me.kind != "User"), f"{me.kind}: signed {ref_file.signed}")
    need(me.same(ref_file.author) and ref_file.alone and not ref_file.parents, ref_file)
    move = scene.hub.pushed(scene.branch("signed"), scene.hub.repository, sha)
    need(move is not None and me.same(move.by), f"the activity names {move}")
    renewed = scene.hub.create_orphan_commit({"mark.json": b'{"n": 2}\n'}, "chore: live renewal")
    scene.hub.update_refs([RefUpdate(name=ref, before=sha, after=renewed, force=True)])
    move = scene.hub.pushed(scene.branch("signed"), scene.hub.repository, renewed)
    need(move is not None and me.same(move.by), f"after the renewal the activity names {move}")
    scene.notes["mark"] = renewed
    return f"{me.kind}: {'signed' if ref_file.signed else 'not signed'}; the activity names {me.login}, twice"


@check("what GitHub commits itself has the committer web-flow; a mark of a person has that person, unsigned")
def committers(scene: Scene) -> str:
    """One line for each way to make a commit: author, committer, and what GitHub says of the signature."""
    me, lines_ = scene.hub.viewer(), []
    made = {"createCommitOnBranch": scene.base, "update-branch": scene.notes.get("update", "")}
    made |= {"squash": scene.notes.get("squash", ""), "git/commits": scene.notes.get("mark", "")}
    for how, sha in made.items():
        need(bool(sha), f"{how} made no commit")
        response = scene.ask("GET", f"/commits/{sha}", {})
        author, committer = ((response[who] or {}).get("login", "nobody") for who in ("author", "committer"))
        verification = response["commit"]["verification"]
        lines_.append(f"{how}: author {author}, committer {committer}, {verification['reason']}")
        by_github = how != "git/commits" or me.kind != "User"
        expected = ("web-flow", True) if by_github else (me.login, False)
        need((committer, verification["verified"]) == expected, lines_[-1])
    return "; ".join(lines_)


@check("the permission of a person can be asked, and the rules of a branch read or refused")
def people(scene: Scene) -> str:
    me = scene.hub.viewer()
    right = scene.hub.permission(me.login) if me.kind == "User" else "not asked for a bot"
    rules = scene.hub.branch_rules(scene.hub.default_branch())
    return f"{right}; {'rules unreadable' if rules is None else f'{len(rules)} rules'}"


def run(github: Hub, name: str, ask: Ask) -> tuple[Answer, ...]:
    """All checks in their order, then the clean-up. A check that needs one before it says so by failing."""
    start = github.head(github.default_branch()) or ""
    scene = Scene(hub=github, name=name, start=start, ask=ask)
    answers = []
    try:
        for expected, function in CHECKS:
            answers.append(_ask(scene, expected, function))
    finally:
        clean(scene)
    return tuple(answers)


def clean(scene: Scene) -> None:
    """Close what is open and delete every ref of this run."""
    if scene.pull and (pull := scene.hub.pull(scene.pull)) and pull.state == "open":
        scene.hub.update_pull(scene.pull, state="closed")
    prefixes = (f"refs/heads/{scene.branch('')}", f"refs/tags/stagegate-live-{scene.name}")
    for prefix in prefixes:
        for ref, sha in scene.hub.refs(prefix).items():
            scene.hub.update_refs([RefUpdate(name=ref, before=sha, after=ZERO, force=True)])


def _ask(scene: Scene, expected: str, function: Check) -> Answer:
    name = function.__name__.replace("_", "-")
    try:
        return Answer(name, expected, log.redact(function(scene)), True)
    except Differs as other:
        return Answer(name, expected, log.redact(str(other)), False)
    except Stop as stop:
        return Answer(name, expected, log.redact(f"{stop.reason}: {stop.what} {stop.why}"), False)


def _asking(root: str, token: str) -> Ask:
    """Requests that no action makes, so that the hub has none of them."""
    session = http.session()
    session.headers["Authorization"] = f"Bearer {token}"

    def ask(method: str, path: str, body: Mapping[str, object]) -> Any:
        response = session.request(method, root + path, json=body or None)
        if not response.ok:
            raise Differs(f"{method} {path} answered {response.status_code}: {response.text[:200]}")
        return response.json()

    return ask


def lines(answers: Sequence[Answer]) -> Iterator[str]:
    """The answers as a table."""
    for answer in answers:
        yield f"{'as expected' if answer.held else 'OTHERWISE  '}  {answer.check}: {answer.seen}"
        if not answer.held:
            yield f"             expected: {answer.expected}"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """0 when GitHub answered everything as expected, 1 otherwise, 2 without repository or token."""
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
