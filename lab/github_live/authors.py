"""The author, committer and signer that GitHub names, and its data about people."""

from __future__ import annotations

from lab.github_live.scene import Scene, check, need
from stagegate.clients.hub import RefUpdate


@check("a commit by POST git/commits is signed for an App and for GITHUB_TOKEN, and not for a person")
def signatures(scene: Scene) -> str:
    """The identity of a mark's author depends on this."""
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
    """One line for each way to make a commit: author, committer, and GitHub's verdict on the signature."""
    me, lines_ = scene.hub.viewer(), []
    commits = {"createCommitOnBranch": scene.base, "update-branch": scene.notes.get("update", "")}
    commits |= {"squash": scene.notes.get("squash", ""), "git/commits": scene.notes.get("mark", "")}
    for how, sha in commits.items():
        need(bool(sha), f"{how} made no commit")
        response = scene.ask("GET", f"/commits/{sha}", {})
        author, committer = (
            (response[role] or {}).get("login", "nobody") for role in ("author", "committer")
        )
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
