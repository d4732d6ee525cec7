"""Whose marks count, and where: a mark that another person made or moved stops releases and sets no rule aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stagegate.clients import hub
from stagegate.marks import authentic, marks, store
from stagegate.marks.placed import Placed
from stagegate.model import Actor, Mark, to_json
from tests.clients.hub_world import REPOSITORY, RIGHTS, World
from tests.clients.hub_world import world as hub_world

NOW = datetime(2026, 6, 3, 12, tzinfo=timezone.utc)
HOLD = marks.hold_ref("shop", "prod")
OVERRIDE = marks.override_ref("shop", "prod", "1.2.0")


class Scene:
    """A repository, the App that sets marks, and a person who may push."""

    def __init__(self, world: World) -> None:
        self.world = world
        app = world.forge.app("gatekeeper", RIGHTS)
        self.app = world.hub(world.forge.token("gatekeeper", "app", repositories=[REPOSITORY]))
        self.person = world.person()
        self.actor = Actor(kind="Bot", id=app.bot.id, login=app.bot.login)

    def put(self, mark: Mark, ref: str = HOLD) -> str:
        """The App sets a mark; its commit."""
        store.put(self.app, ref, mark, self.read(ref), NOW)
        return self.app.refs(ref)[ref]

    def move(self, ref: str, sha: str) -> None:
        """A person force-pushes a commit to a ref."""
        before = self.person.refs(ref).get(ref, hub.ZERO)
        self.person.update_refs([hub.RefUpdate(name=ref, before=before, after=sha, force=True)])

    def read(self, ref: str) -> Placed | None:
        """The mark on a ref as a run of the App reads it."""
        files = self.app.ref_files(marks.PREFIX, marks.FILE)
        found = authentic.of_app(self.app, files, "shop", (self.actor,), NOW)
        return next((one for one in found if one.ref == ref), None)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with hub_world(tmp_path) as world:
        yield Scene(world)


def held() -> Mark:
    return marks.make("hold", "octo-lead", "the database moves", NOW)


def allowed() -> Mark:
    return marks.make("override", "octo-lead", "agreed", NOW, rules=("evidence",))


def test_the_apps_own_mark_counts_and_names_its_place(scene: Scene) -> None:
    first = scene.put(held())
    found = scene.read(HOLD)
    assert found is not None
    assert found.mark is not None, found.trouble
    assert (found.mark.app, found.mark.environment, found.mark.previous) == ("shop", "prod", "")
    second = scene.put(marks.make("hold", "octo-lead", "another reason", NOW))
    again = scene.read(HOLD)
    assert again is not None
    assert again.mark is not None, again.trouble
    assert again.mark.previous == first != second
    assert scene.app.ref_files(marks.PREFIX, marks.FILE)[HOLD].parents == ()
    store.take_away(scene.app, HOLD, again, "octo-lead", NOW)
    lifted = scene.read(HOLD)
    assert lifted is not None
    assert not marks.active(lifted.mark, NOW)


def an_old_one_on_its_own_ref(scene: Scene) -> str:
    """The hold was lifted, set again, and the lifting commit is pushed back."""
    scene.put(held())
    store.take_away(scene.app, HOLD, scene.read(HOLD), "octo-lead", NOW)
    lifting = scene.app.refs(HOLD)[HOLD]
    scene.put(marks.make("hold", "octo-lead", "once more", NOW))
    scene.move(HOLD, lifting)
    return HOLD


def an_override_of_another_version(scene: Scene) -> str:
    ref = marks.override_ref("shop", "prod", "1.1.0")
    scene.move(OVERRIDE, scene.put(allowed(), ref))
    return OVERRIDE


def a_ref_deleted_and_pushed_again(scene: Scene) -> str:
    sha = scene.put(allowed(), OVERRIDE)
    scene.person.update_refs([hub.RefUpdate(name=OVERRIDE, before=sha, after=hub.ZERO, force=True)])
    scene.move(OVERRIDE, sha)
    return OVERRIDE


def a_persons_commit(scene: Scene) -> str:
    scene.move(OVERRIDE, scene.person.create_orphan_commit({marks.FILE: marks.encode(allowed())}, "chore: x"))
    return OVERRIDE


def one_with_other_files(scene: Scene) -> str:
    files = {marks.FILE: marks.encode(allowed()), "README.md": b"x"}
    scene.app.create_ref(OVERRIDE, scene.app.create_orphan_commit(files, "chore: x"))
    return OVERRIDE


def one_with_a_parent(scene: Scene) -> str:
    mark = Mark(kind="override", app="shop", environment="prod", version="1.2.0", owner="a", reason="b",
                since="2026-06-03T12:00:00Z", rules=("evidence",))  # fmt: skip
    files = {marks.FILE: marks.encode(mark)}
    scene.app.create_ref(OVERRIDE, scene.app.create_orphan_commit(files, "chore: x", [scene.world.sha]))
    return OVERRIDE


def one_of_another_kind(scene: Scene) -> str:
    scene.move(OVERRIDE, scene.put(held()))
    return OVERRIDE


def one_pushed_in_an_apps_name(scene: Scene) -> str:
    """A commit that GitHub did not sign, with the App's address as its author."""
    folder = scene.world.repo.store
    blob = folder.git("hash-object", "-w", "--stdin", data=marks.encode(allowed())).decode().strip()
    tree = folder.git("mktree", data=f"100644 blob {blob}\t{marks.FILE}\n".encode()).decode().strip()
    email = f"{scene.actor.id}+{scene.actor.login}@users.noreply.github.com"
    who = ("-c", f"user.name={scene.actor.login}", "-c", f"user.email={email}")
    sha = folder.git(*who, "commit-tree", tree, "-m", "chore: mark").decode().strip()
    scene.move(OVERRIDE, sha)
    return OVERRIDE


@pytest.mark.parametrize(
    "attack",
    [an_old_one_on_its_own_ref, an_override_of_another_version, a_ref_deleted_and_pushed_again, a_persons_commit,
     one_with_other_files, one_with_a_parent, one_of_another_kind, one_pushed_in_an_apps_name],
)  # fmt: skip
def test_a_mark_made_or_moved_by_others_does_not_count(scene: Scene, attack: Callable[[Scene], str]) -> None:
    found = scene.read(attack(scene))
    assert found is not None
    assert found.mark is None
    assert found.trouble
    assert marks.active(found.mark, NOW), "a mark that does not count still stops releases"


def test_a_mark_of_the_old_form_counts_until_it_is_written_again(scene: Scene) -> None:
    old = {key: value for key, value in held_as_before().items() if key not in ("app", "previous")}
    sha = scene.app.create_orphan_commit({marks.FILE: to_json(old)}, "chore: hold", [scene.world.sha])
    scene.app.create_ref(HOLD, sha)
    found = scene.read(HOLD)
    assert found is not None
    assert found.mark is not None, found.trouble
    assert [change.before for change in store.renew(scene.app, found)] == [sha]
    renewed = scene.read(HOLD)
    assert renewed is not None
    assert renewed.mark is not None, renewed.trouble
    assert (renewed.mark.app, renewed.mark.previous, renewed.mark.reason) == ("shop", sha, "why")
    assert store.renew(scene.app, renewed) == ()
    scene.move(HOLD, sha)
    back = scene.read(HOLD)
    assert back is not None
    assert back.mark is None


def held_as_before() -> dict[str, object]:
    return {"kind": "hold", "owner": "octo-lead", "reason": "why", "since": "2026-06-03T12:00:00Z"}


def test_without_a_readable_activity_no_mark_counts(scene: Scene) -> None:
    scene.put(allowed(), OVERRIDE)
    scene.world.forge.fail("GET", f"/repos/{REPOSITORY}/activity", 1, 403)
    found = scene.read(OVERRIDE)
    assert found is not None
    assert found.mark is None
    assert "activity" in found.trouble


def test_a_mark_of_a_person_needs_no_signature_and_explains_the_effect(scene: Scene) -> None:
    own = scene.person.viewer()
    store.put(scene.person, OVERRIDE, allowed(), None, NOW)
    files = scene.person.ref_files(marks.PREFIX, marks.FILE)
    (by_them,) = authentic.of_app(scene.person, files, "shop", (own,), NOW)
    assert by_them.mark is not None, by_them.trouble
    assert [note.rule for note in authentic.unsigned(scene.person)] == ["mark-unsigned"]
    assert authentic.unsigned(scene.app) == ()
