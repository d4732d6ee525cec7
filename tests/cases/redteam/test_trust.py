"""Who can write records, marks and approvals that count, under `protected` too."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stagegate.marks import marks
from tests.actions.test_pin_guard import PROD, guard, propose, status, to
from tests.actions.test_pin_guard import RIGHTS as GUARD_RIGHTS
from tests.promotion.shop_world import REPOSITORY, RIGHTS, Shop, shop
from tests.promotion.steps import promote_pr

PROTECTED = "trust: {level: protected, app: gatekeeper}\n"
BOT = "41898282+github-actions[bot]@users.noreply.github.com"


def git(folder: Path, *argv: str, **env: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *argv],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    ).stdout.strip()


def clone(world: Shop, folder: Path) -> Path:
    subprocess.run(["git", "clone", "-q", str(world.repo.store.path), str(folder)], check=True)
    git(folder, "config", "user.name", "octo-dev")
    git(folder, "config", "user.email", "octo-dev@example.org")
    return folder


def web(world: Shop) -> str:
    """The repository's address for the writer."""
    return world.forge.url.replace("://", f"://octo-dev:{world.forge.token('octo-dev')}@") + "/acme/shop.git"


def run(world: Shop, **inputs: str):
    (world.folder / "stagegate.yaml").write_bytes(world.repo.read("main", "stagegate.yaml"))
    code = promote_pr(world.environ(**inputs))
    return (code, world.outputs())


def now() -> datetime:
    return datetime.now(timezone.utc)


def test_a_squash_of_a_pull_request_of_the_app_is_no_mark_by_the_app(tmp_path: Path, host: str) -> None:
    """A writer retargets the App's promotion at a mark's branch, adds mark.json and squashes: GitHub signs a commit
    whose author is the App."""
    with shop(tmp_path, host, versions=("1.0.0", "1.1.0", "1.2.0"), more=PROTECTED) as world:
        app = world.forge.app("gatekeeper", RIGHTS)
        key = {"app_id": str(app.id), "app_key": app.private_key}
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0", token=world.forge.token("gatekeeper", "app", repositories=[REPOSITORY]))
        _code, told = run(world, environment="prod", version="1.1.0", **key)
        assert told["reason"] == "proposed"
        number = int(told["pr-number"])
        person = world.hub(world.forge.token("octo-dev"))
        ref = marks.override_ref("shop", "prod", "1.2.0")
        person.create_ref(ref, person.head("main"))
        person.update_pull(number, base=ref.removeprefix("refs/heads/"))
        mark = marks.make(
            "override", "octo-lead", "agreed by phone", now(), rules=("evidence", "order", "soak")
        )
        branch = "stagegate/promote/shop/prod"
        person.create_commit(branch, person.head(branch), "fix: more", "", {"mark.json": marks.encode(mark)})
        world.merge(number, "octo-dev")
        found = person.ref_files("refs/heads/stagegate/", "mark.json")[ref]
        print("MARK AUTHOR", found.author)
        pull = propose(world, {PROD: to("1.2.0")})
        guard(world, pull.number, **key)
        state = status(world, pull.head_sha)
        print("GUARD", state)
        assert state[0] in ("failure", "error")


def merged_by_us(tmp_path: Path, host: str):
    return shop(tmp_path, host, changes={"labels: [stagegate]": "labels: [stagegate], merge: stagegate"})


@pytest.mark.parametrize("author", [BOT, "octo-lead@users.noreply.github.com"])
def test_a_person_who_pushed_under_another_name_cannot_approve_the_change(
    tmp_path: Path, host: str, author: str
) -> None:
    with merged_by_us(tmp_path, host) as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        code, told = run(world, environment="prod")
        number = int(told["pr-number"])
        folder = clone(world, tmp_path / "clone")
        branch = "stagegate/promote/shop/prod"
        git(folder, "checkout", "-q", branch)
        values = folder / "deploy/values/prod.yaml"
        values.write_text("replicas: 7\n")
        text = "chore: promote\n\nStagegate-App: shop\nStagegate-Version: 1.1.0\nStagegate-Environment: prod\nStagegate-Run: 77"
        git(folder, "commit", "-qam", text, GIT_AUTHOR_NAME="x", GIT_AUTHOR_EMAIL=author)
        git(folder, "push", "-q", web(world), f"HEAD:refs/heads/{branch}")
        pull = world.hub().pull(number)
        print(
            "HEAD",
            pull.head_sha,
            git(folder, "rev-parse", "HEAD"),
            [(c.author, c.verified) for c in world.hub().compare("main", pull.head_sha).commits],
        )
        world.review(number, "octo-dev", "APPROVE")
        code, told = run(world, mode="evaluate")
        print("TOLD", code, told["reason"])
        assert world.repo.read("main", "deploy/values/prod.yaml") == b"replicas: 2\n", (
            "one person alone changed production"
        )


def test_a_forged_author_does_not_make_a_commit_ours(tmp_path: Path, host: str) -> None:
    """I7: a commit with our bot's address and trailers, unsigned, is somebody's work and not ours to replace."""
    with shop(tmp_path, host) as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        code, told = run(world, environment="prod")
        folder = clone(world, tmp_path / "clone")
        branch = "stagegate/promote/shop/prod"
        git(folder, "checkout", "-q", branch)
        (folder / "work.txt").write_text("a day's work\n")
        git(folder, "add", "-A")
        text = "chore: promote\n\nStagegate-App: shop\nStagegate-Version: 1.1.0\nStagegate-Environment: prod\nStagegate-Run: 77"
        git(folder, "commit", "-qm", text, GIT_AUTHOR_NAME="x", GIT_AUTHOR_EMAIL=BOT)
        git(folder, "push", "-q", web(world), f"HEAD:refs/heads/{branch}")
        code, told = run(world, environment="prod")
        print("TOLD", code, told["reason"])
        assert told["reason"] == "foreign-commits"


def app_world(tmp_path: Path, host: str, **kw):
    return shop(tmp_path, host, more=PROTECTED, **kw)


def staged(world: Shop):
    app = world.forge.app("gatekeeper", RIGHTS)
    writer = world.forge.token("gatekeeper", "app", repositories=[REPOSITORY])
    key = {"app_id": str(app.id), "app_key": app.private_key}
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0", token=writer)
    world.forge.advance(60)
    world.passed("1.1.0", token=writer, outcome="failed", reason="checks-failed")
    return key


def judged(world: Shop, key) -> tuple[str, str]:
    pull = propose(world, {PROD: to("1.1.0")})
    guard(world, pull.number, **key)
    found = status(world, pull.head_sha)
    print("GUARD", found)
    return found


def test_a_failed_gate_is_not_forgotten(tmp_path: Path, host: str) -> None:
    with app_world(tmp_path, host) as world:
        assert judged(world, staged(world))[0] == "failure"


@pytest.mark.parametrize("many", [29, 31])
def test_statuses_of_another_account_do_not_hide_a_failed_gate(tmp_path: Path, host: str, many: int) -> None:
    """A writer's workflow adds states to the App's deployment until the App's own state is not read."""
    with app_world(tmp_path, host) as world:
        key = staged(world)
        other = world.hub()
        newest = other.deployments("stagegate:shop", "staging")[0]
        for n in range(many):
            other.create_deployment_status(newest.id, "in_progress", f"x{n}", "")
        assert judged(world, key)[0] in ("failure", "error")


def test_a_failed_gate_counts_after_its_deployment_was_deleted(tmp_path: Path, host: str) -> None:
    """A writer sets the App's deployment inactive and deletes it. Its commit status stays, and nobody can delete that."""
    with app_world(tmp_path, host) as world:
        key = staged(world)
        app = world.hub(world.forge.token("gatekeeper", "app", repositories=[REPOSITORY]))
        app.set_status(world.commits["1.1.0"], "stagegate/shop/staging", "failure", "checks-failed", "")
        other = world.hub()
        newest = other.deployments("stagegate:shop", "staging")[0]
        other.create_deployment_status(newest.id, "inactive", "x", "")
        world.ask("DELETE", f"deployments/{newest.id}", world.token, {})
        assert judged(world, key)[0] in ("failure", "error")


def test_a_dispatch_by_a_branchs_workflow_may_not_roll_back(tmp_path: Path, host: str) -> None:
    """GITHUB_TOKEN with actions: write starts promote.yml on main, and no person's permission is checked."""
    with app_world(
        tmp_path,
        host,
        changes={
            "trust: {level: protected, app: gatekeeper}": "commands: {rollback: admin, promote: admin}\ntrust: {level: protected, app: gatekeeper}"
        },
    ) as world:
        app = world.forge.app("gatekeeper", RIGHTS)
        writer = world.forge.token("gatekeeper", "app", repositories=[REPOSITORY])
        key = {"app_id": str(app.id), "app_key": app.private_key}
        world.passed("1.0.0", "prod", token=writer)
        world.forge.advance(60)
        world.passed("1.1.0", "prod", token=writer)
        world.seed_pin("prod", "1.1.0")
        (world.folder / "stagegate.yaml").write_bytes(world.repo.read("main", "stagegate.yaml"))
        for who, wanted in (("octo-dev", "not-authorised"), ("github-actions[bot]", "not-authorised")):
            environ = world.environ(mode="rollback", environment="prod", reason="x", **key) | {
                "GITHUB_EVENT_NAME": "workflow_dispatch",
                "GITHUB_ACTOR": who,
                "GITHUB_TRIGGERING_ACTOR": who,
            }
            code = promote_pr(environ)
            told = world.outputs()
            print("TOLD", who, code, told["reason"])
            assert told["reason"] == wanted


def test_under_protected_trust_only_the_app_writes_a_release_record(tmp_path: Path, host: str) -> None:
    """With `chart: none` a deployment records a release; a branch's workflow can write one, under `protected` too."""
    from stagegate import settings as settings_file
    from stagegate.evidence import releases

    with app_world(tmp_path, host) as world:
        world.forge.app("gatekeeper", RIGHTS)
        text = world.repo.read("main", "stagegate.yaml").decode()
        chart = next(line for line in text.splitlines() if line.startswith("chart:"))
        settings = settings_file.parse(text.replace(chart, "chart: none").encode(), "stagegate.yaml")
        evil = "sha256:" + "6" * 64
        record = {"version": "1.1.0", "images": {f"{host}/acme/shop": evil}}
        world.hub().create_deployment(
            world.commits["1.1.0"], "stagegate:shop:release", "release", record, "", False
        )
        release = releases.find(settings, "1.1.0", world.hub(), world.store)
        print(release.images)
        assert not release.recorded


def test_a_command_is_not_bound_to_a_later_head_with_an_old_date(tmp_path: Path, host: str) -> None:
    """The committer's date is whatever the pusher writes."""
    from stagegate.comment import authorise, parse
    from stagegate.comment import event as events
    from stagegate.comment import read as reading
    from stagegate.promotion import apps

    with shop(tmp_path, host) as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        _code, told = run(world, environment="prod")
        number = int(told["pr-number"])
        lead = world.hub(world.forge.token("octo-lead"))
        world.ask(
            "POST", f"issues/{number}/comments", world.forge.token("octo-lead"), {"body": "/promote prod"}
        )
        said = world.hub().comments(number)[-1]
        world.forge.advance(30)
        folder = clone(world, tmp_path / "clone")
        branch = "stagegate/promote/shop/prod"
        git(folder, "checkout", "-q", branch)
        (folder / "deploy/values/prod.yaml").write_text("replicas: 7\n")
        git(
            folder,
            "commit",
            "-qam",
            "x",
            GIT_COMMITTER_DATE="2020-01-01T00:00:00Z",
            GIT_AUTHOR_DATE="2020-01-01T00:00:00Z",
        )
        git(folder, "push", "-q", web(world), f"HEAD:refs/heads/{branch}")
        asked = events.CommentEvent(
            action="created",
            comment=said.id,
            number=number,
            body="/promote prod",
            author=said.author,
            is_pull=True,
            is_open=True,
        )
        scene = reading.thread(world.hub(), asked)
        found = apps.read(world.hub(), "stagegate.yaml")
        from stagegate.errors import Stop

        with pytest.raises(Stop) as stopped:
            print("BOUND TO", authorise.bound(scene, found, parse.parse("/promote prod")))
        assert stopped.value.reason == "stale-base"


def test_a_repository_dispatch_by_a_writer_may_not_promote(tmp_path: Path, host: str) -> None:
    """Anybody who can push may send one, and GitHub names them as the actor."""
    with app_world(
        tmp_path,
        host,
        changes={
            "trust: {level: protected, app: gatekeeper}": "commands: {rollback: admin, promote: admin}\ntrust: {level: protected, app: gatekeeper}"
        },
    ) as world:
        app = world.forge.app("gatekeeper", RIGHTS)
        writer = world.forge.token("gatekeeper", "app", repositories=[REPOSITORY])
        key = {"app_id": str(app.id), "app_key": app.private_key}
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0", token=writer)
        (world.folder / "stagegate.yaml").write_bytes(world.repo.read("main", "stagegate.yaml"))
        environ = world.environ(mode="promote", environment="prod", version="1.1.0", **key) | {
            "GITHUB_EVENT_NAME": "repository_dispatch",
            "GITHUB_ACTOR": "octo-dev",
        }
        code = promote_pr(environ)
        told = world.outputs()
        print("TOLD", code, told["reason"])
        assert told["reason"] == "not-authorised"
