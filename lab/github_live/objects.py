"""GitHub's behaviour with commits, refs, statuses, deployments and tags."""

from __future__ import annotations

from lab.github_live.scene import Differs, Scene, check, need
from stagegate.clients.hub import ZERO, RefUpdate, StaleHead
from stagegate.errors import Stop

ENVIRONMENT = "stagegate-live"


@check("the token has one identity with a database id, the same in GraphQL and in what it writes")
def identity(scene: Scene) -> str:
    me = scene.hub.viewer()
    need(me.id > 0, me)
    return f"{me.kind} {me.id} {me.login}{' (GITHUB_TOKEN)' if scene.hub.is_actions_token() else ''}"


@check("createCommitOnBranch makes a signed commit, and refuses an old head as stale")
def commit_by_api(scene: Scene) -> str:
    scene.hub.create_ref(f"refs/heads/{scene.branch('base')}", scene.start)
    scene.base = scene.commit("base", {"live/pin.yaml": b"version: 1.0.0\r\n"}, scene.start)
    commit = scene.hub.commit_info(scene.base)
    need(commit is not None and commit.verified, f"verified: {commit and commit.verified}")
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
    refs_below = scene.hub.refs(f"refs/heads/{scene.branch('')}")
    need(move.name in refs_below and away.name not in refs_below, refs_below)
    wrong = RefUpdate(name=move.name, before=scene.base, after=scene.start, force=True)
    fresh = RefUpdate(name=f"refs/heads/{scene.branch('fresh')}", before=ZERO, after=scene.start)
    try:
        scene.hub.update_refs([fresh, wrong])
    except StaleHead:
        refs_below = scene.hub.refs(f"refs/heads/{scene.branch('')}")
        need(fresh.name not in refs_below, "one of two refs moved although the other was refused")
        return "moved and deleted together; refused together"
    raise Differs("a ref moved although it was not where beforeOid said")


@check("a status has its creator, and 140 characters of description are taken")
def statuses(scene: Scene) -> str:
    scene.hub.set_status(scene.head, "stagegate/live", "pending", "x" * 200)
    scene.hub.set_status(scene.head, "stagegate/live", "success", "done")
    statuses = [status for status in scene.hub.statuses(scene.head) if status.context == "stagegate/live"]
    need([status.state for status in statuses] == ["success", "pending"], statuses)
    need(
        all(scene.hub.viewer().same(status.creator) for status in statuses),
        [status.creator for status in statuses],
    )
    return f"newest first, creator {statuses[0].creator}, {len(statuses[1].description)} characters"


@check("deployments keep payload and creator; a later success leaves the earlier one as it is")
def deployments(scene: Scene) -> str:
    task = f"stagegate:live-{scene.name}"
    payload = {"schema": "stagegate/evidence/1", "text": "ä" * 2000}
    for number in (1, 2):
        number_of_new = scene.hub.create_deployment(
            scene.head, task, ENVIRONMENT, payload, f"number {number}", True
        )
        scene.hub.create_deployment_status(number_of_new, "success", "passed", "")
    deployments = scene.hub.deployments(task, ENVIRONMENT)
    need(
        len(deployments) == 2 and all(deployment.payload == payload for deployment in deployments),
        [deployment.payload for deployment in deployments],
    )
    need(
        all(scene.hub.viewer().same(deployment.creator) for deployment in deployments),
        [deployment.creator for deployment in deployments],
    )
    states = [deployment.statuses[0].state for deployment in deployments]
    need(states == ["success", "success"], states)
    return f"two of two, states {states}"


@check("a mark is a parentless commit on a ref; a second creation is refused; a deleted ref is remembered")
def marks(scene: Scene) -> str:
    ref = f"refs/heads/{scene.branch('mark')}"
    sha = scene.hub.create_orphan_commit({"mark.json": b"{}\n"}, "chore: live mark")
    need(scene.hub.create_ref(ref, sha), "the ref was there before")
    ref_file = scene.hub.ref_files(ref.rpartition("/")[0], "mark.json")[ref]
    need(ref_file.content == b"{}\n", ref_file)
    commit = scene.hub.commit_info(sha)
    need(commit is not None and not commit.parents, commit)
    try:
        scene.hub.create_ref(ref, scene.head)
        raise Differs("a ref that exists was created again elsewhere")
    except StaleHead:
        pass
    scene.hub.update_refs([RefUpdate(name=ref, before=sha, after=ZERO, force=True)])
    gone = [deleted for deleted in scene.hub.deleted_refs(ref) if deleted.before == sha]
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
