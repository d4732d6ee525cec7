"""I1, I2, I3: no change that a person makes to pins, values and marks without evidence passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stagegate.clients import hub
from stagegate.marks import marks
from tests.actions.test_pin_guard import PROD, guard, propose, status, to
from tests.promotion.shop_world import REPOSITORY, RIGHTS, Shop, shop

OTHER = "sha256:" + "e" * 64
EXTRA = '    - {repoURL: "https://charts.example", chart: miner, targetRevision: "1.0.0"}\n'
VALUES = "deploy/values/prod.yaml"


def verdict(world: Shop, pull: hub.Pull) -> tuple[str, str]:
    guard(world, pull.number)
    return status(world, pull.head_sha)


def kustomization(host: str, tag: str, digest: str) -> str:
    return f"kind: Kustomization\nimages:\n- {{name: {host}/acme/shop, newTag: {tag}, digest: {digest}}}\n"


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"], ids=["the same version", "a proven version"])
def test_a_digest_that_is_not_the_releases_never_passes(tmp_path: Path, host: str, version: str) -> None:
    """Kustomize runs the digest, whatever the tag beside it says."""
    with shop(tmp_path, host, changes={"[deploy/prod.yaml]": "[deploy/kustomization.yaml]"}) as world:
        world.passed("1.0.0")
        world.seed_pin("staging", version)
        world.passed(version)
        pin = "deploy/kustomization.yaml"
        world.repo.seed({pin: kustomization(host, "v1.0.0", world.digests["1.0.0"])})
        good = propose(
            world, {pin: lambda _: kustomization(host, "v1.1.0", world.digests["1.1.0"])}, branch="good"
        )
        bad = propose(world, {pin: lambda _: kustomization(host, f"v{version}", OTHER)}, branch="bad")
        state, why = verdict(world, bad)
        assert (state, "eeee" in why) == ("failure", True)
        if version == "1.1.0":
            assert verdict(world, good)[0] == "success"


def test_a_commit_that_is_not_the_releases_never_passes(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, changes={"[deploy/prod.yaml]": "[deploy/prod.yaml, deploy/tag.yaml]"}) as world:
        other = world.commits["1.2.0"]

        def tags(commit: str) -> str:
            return f"image: {{repository: {host}/acme/shop, tag: sha-{commit}}}\n"

        world.repo.seed({"deploy/tag.yaml": tags(world.commits["1.0.0"])})
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        bad = propose(world, {PROD: to("1.1.0"), "deploy/tag.yaml": lambda _: tags(other)}, branch="bad")
        state, why = verdict(world, bad)
        assert (state, other[:12] in why) == ("failure", True)


def test_values_cannot_bring_another_first_party_image(world: Shop) -> None:
    """The pin stays, and a value that is no pin changes what runs."""
    world.publish("1.2.0")
    pull = propose(
        world, {VALUES: lambda t: f"{t}image: {world.host}/acme/shop:v1.2.0@{world.digests['1.2.0']}#\n"}
    )
    state, why = verdict(world, pull)
    assert (state, why) == ("failure", why)
    quiet = propose(world, {VALUES: lambda _: "replicas: 3\n"}, branch="quiet")
    assert verdict(world, quiet)[0] == "success"


@pytest.mark.parametrize(
    ("attack", "edit"),
    [
        ("the Application once more, with another chart", lambda t: f"{t}---\n{t.replace('chart: shop', 'chart: miner')}"),
        ("another source beside ours", lambda t: t + EXTRA),
    ],
)  # fmt: skip
def test_a_change_that_is_not_rendered_is_not_called_harmless(
    world: Shop, attack: str, edit: Callable[[str], str]
) -> None:
    pull = propose(world, {PROD: edit})
    state, why = verdict(world, pull)
    assert state in ("failure", "error"), f"{attack}: {why}"


@pytest.mark.parametrize("address", ["ssh://git@127.0.0.1:22/acme/shop.git", "https://x@127.0.0.1/acme/shop"])
def test_values_are_watched_however_git_spells_their_repository(world: Shop, address: str) -> None:
    url = f"{world.forge.url}/acme/shop.git"
    world.repo.seed({PROD: world.pins("prod").replace(url, address)})
    pull = propose(world, {VALUES: lambda _: "replicas: 0\n"})
    assert verdict(world, pull)[0] in ("failure", "error")


def test_values_of_a_branch_by_its_full_name_are_watched(world: Shop) -> None:
    world.repo.seed(
        {PROD: world.pins("prod").replace("targetRevision: main", "targetRevision: refs/heads/main")}
    )
    pull = propose(world, {VALUES: lambda _: "replicas: 0\n"})
    assert verdict(world, pull)[0] == "failure"


def test_a_lock_beside_an_umbrella_chart_is_a_pin_too(tmp_path: Path, host: str) -> None:
    """`helm dependency build` installs what the lock says."""
    chart = f"dependencies:\n- {{name: shop, repository: 'oci://{host}/acme/charts', version: 1.0.0}}\n"
    with shop(tmp_path, host, changes={"[deploy/prod.yaml]": "[deploy/Chart.yaml]"}) as world:
        world.repo.seed({"deploy/Chart.yaml": chart, "deploy/Chart.lock": f"{chart}digest: sha256:00\n"})
        pull = propose(world, {"deploy/Chart.lock": to("9.9.9")})
        state, why = verdict(world, pull)
        assert state in ("failure", "error"), why


def test_a_merge_group_does_not_undo_the_group_before_it(world: Shop) -> None:
    """The group before moves prod to 1.2.0; the one after it back to 1.1.0, newer only than the base."""
    for version in ("1.1.0", "1.2.0"):
        world.passed(version)
    world.seed_pin("staging", "1.2.0")
    ahead = propose(world, {PROD: to("1.2.0")}, branch="ahead")
    person = world.hub(world.forge.token("octo-dev"))
    back = person.create_commit(
        "ahead",
        ahead.head_sha,
        "feat: back",
        "",
        {PROD: world.pins("prod").replace("1.0.0", "1.1.0").encode()},
    )
    base = ahead.head_sha
    guard(
        world,
        group={
            "head_sha": back,
            "base_sha": base,
            "head_ref": f"refs/heads/gh-readonly-queue/main/pr-1-{base}",
        },
    )
    state, why = status(world, back)
    assert (state, "direction" in why) == ("failure", True)


def forged(world: Shop, ref: str, mark: marks.Mark) -> None:  # type: ignore[name-defined]
    """A mark by a person who writes the App's address into the commit, as anybody who can push may."""
    app = world.forge.user("gatekeeper[bot]")
    folder = world.repo.store
    blob = folder.git("hash-object", "-w", "--stdin", data=marks.encode(mark)).decode().strip()
    tree = folder.git("mktree", data=f"100644 blob {blob}\t{marks.FILE}\n".encode()).decode().strip()
    email = f"{app.id}+gatekeeper[bot]@users.noreply.github.com"
    commit = (
        folder.git(
            "-c",
            f"user.name={app.login}",
            "-c",
            f"user.email={email}",
            "commit-tree",
            tree,
            "-m",
            "chore: mark",
        )
        .decode()
        .strip()
    )
    folder.git("update-ref", ref, commit)


@pytest.mark.parametrize("kind", ["override", "rollback", "lifted"])
def test_under_protected_trust_a_mark_with_the_apps_address_is_not_the_apps(
    tmp_path: Path, host: str, kind: str
) -> None:
    now = datetime.now(timezone.utc)
    with shop(tmp_path, host, more="trust: {level: protected, app: gatekeeper}\n") as world:
        world.forge.app("gatekeeper", RIGHTS)
        writer = world.forge.token("gatekeeper[bot]", "app", repositories=[REPOSITORY], permissions=RIGHTS)
        world.passed("1.1.0", "prod", token=writer)
        ref, mark = marks.hold_ref("shop", "prod"), marks.make("hold", "octo-dev", "why", now)
        edits: dict[str, Callable[[str], str]] = {PROD: to("1.1.0")}
        if kind == "override":
            rules = ("evidence", "order")
            ref = marks.override_ref("shop", "prod", "1.1.0")
            mark = marks.make("override", "octo-dev", "why", now, rules=rules)
        elif kind == "rollback":
            mark = marks.make("rollback", "octo-dev", "why", now, to="1.1.0")
        else:
            edits = {VALUES: lambda _: "replicas: 3\n"}
            mark = marks.removed(mark, "octo-dev", now)
        forged(world, ref, mark)
        assert verdict(world, propose(world, edits))[0] == "failure"
