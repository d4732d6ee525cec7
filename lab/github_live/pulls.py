"""GitHub's behaviour with pull requests: opening, replacing the branch, updating, merging."""

from __future__ import annotations

import time

from lab.github_live.scene import Differs, Scene, check, need
from stagegate.clients.hub import ZERO, RefUpdate, StaleHead

_TRIES, _PACE = 20, 0.5  # for effects that GitHub applies after its response


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
    """Why an update of a branch is neither a mark nor foreign work."""
    scene.commit("base", {"live/other": b"x"})
    scene.ask("PUT", f"/pulls/{scene.pull}/update-branch", {"expected_head_sha": scene.head})
    for _ in range(_TRIES):
        if (now := scene.hub.pull(scene.pull)) and now.head_sha != scene.head:
            scene.head = now.head_sha
            break
        time.sleep(_PACE)
    commit = scene.hub.commit_info(scene.head)
    need(commit is not None and len(commit.parents) == 2 and commit.verified, commit)
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
    """Why a squash of an App's pull request into the branch of a mark is not a mark by the App."""
    commit = scene.hub.commit_info(scene.notes["squash"])
    need(commit is not None and len(commit.parents) == 1 and commit.verified, commit)
    move = scene.hub.pushed(scene.branch("base"), scene.hub.repository, scene.notes["squash"])
    need(move is not None and scene.hub.viewer().same(move.by), move)
    author = commit.author.login if commit and commit.author else "unknown"
    return f"author {author}, moved by {move.by if move else '?'}"
