"""pin-guard as a step: the status that it gives to each change a pull request or merge group can make to pins."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from stagegate.actions import pin_guard
from stagegate.clients import hub
from stagegate.guard import heads
from stagegate.marks import marks, store
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import REPOSITORY, Shop

RIGHTS = {"contents": "read", "statuses": "write", "deployments": "read", "pull_requests": "read"}
PROD = "deploy/prod.yaml"
BOMB = "b0: &b0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 9)}]\n" for i in range(1, 12)
)  # 9 to the power of 12, written out


def guard(world: Shop, number: int = 0, group: dict[str, str] | None = None, **inputs: str) -> int:
    """One step with the permissions that the workflow grants; its exit code."""
    (world.folder / "stagegate.yaml").unlink(missing_ok=True)  # there is no checkout
    event = {"merge_group": group} if group else {"pull_request": {"number": number}} if number else {}
    (world.folder / "event.json").write_text(json.dumps(event))
    token = world.forge.token("", "actions", repositories=[REPOSITORY], permissions=RIGHTS)
    environ = world.environ(token=token, **inputs) | {"GITHUB_EVENT_PATH": str(world.folder / "event.json")}
    return entrypoint("pin-guard", pin_guard.PinGuard, pin_guard.main, argv=[], environ=environ)


def propose(
    world: Shop, edits: dict[str, Callable[[str], str]], *, branch: str = "mine", base: str = "main"
) -> hub.Pull:
    """A person's branch with edits of files, and its pull request."""
    person = world.hub(world.forge.token("octo-dev"))
    head = person.head("main")
    assert head is not None
    person.create_ref(f"refs/heads/{branch}", head)
    there = person.files(head, list(edits))
    changes: dict[str, bytes] = {}
    gone = []
    for path, edit in edits.items():
        blob = there[path]
        after = edit(blob.content.decode() if blob else "")
        if after:
            changes[path] = after.encode()
        else:
            gone.append(path)
    person.create_commit(branch, head, "feat: mine", "", changes, gone)
    pull = person.open_pull("mine", "", branch, base)
    assert pull is not None
    return pull


def status(world: Shop, sha: str) -> tuple[str, str]:
    """State and description of the newest stagegate/pins of a commit."""
    found = [one for one in world.hub().statuses(sha) if one.context == "stagegate/pins"]
    return (found[0].state, found[0].description) if found else ("none", "")


def to(version: str) -> Callable[[str], str]:
    return lambda text: text.replace("1.0.0", version)


def test_a_change_without_pins_is_success_without_a_checkout(world: Shop) -> None:
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    assert guard(world, pull.number) == 0
    assert status(world, pull.head_sha)[0] == "success"
    writes = [call for call in world.forge.calls if call.write and "statuses" in call.path]
    assert guard(world, pull.number) == 0
    assert [call for call in world.forge.calls if call.write and "statuses" in call.path] == writes, (
        "the status must not be written twice"
    )


def test_a_pin_changed_by_hand_must_pass_the_rules_of_a_promotion(world: Shop) -> None:
    pull = propose(world, {PROD: to("1.1.0")})
    assert guard(world, pull.number) == 0
    state, why = status(world, pull.head_sha)
    assert (state, "evidence" in why) == ("failure", True)
    outputs = world.outputs()
    assert (outputs["reason"], outputs["state"]) == ("reported", "failure")

    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    assert guard(world, pull.number) == 0
    assert status(world, pull.head_sha)[0] == "success"
    summary = (world.folder / "summary.md").read_text()
    assert "Promote shop to prod: 1.0.0 → 1.1.0" in summary
    assert "Deployment" in summary, "the rendered difference is shown"


def test_a_hold_stops_values_too_and_a_risk_needs_its_label(world: Shop) -> None:
    pull = propose(world, {"deploy/values/prod.yaml": lambda _: "replicas: 0\n"})
    guard(world, pull.number)
    state, why = status(world, pull.head_sha)
    assert (state, "stagegate/risk:" in why) == ("failure", True)
    label = why.partition("needs the label ")[2].split(" ")[0].rstrip(",")
    world.forge.advance(5)
    world.hub().add_labels(pull.number, [label])
    guard(world, pull.number)
    assert status(world, pull.head_sha)[0] == "success"
    mark = marks.make("hold", "octo-lead", "the database moves", datetime.now(timezone.utc))
    store.put(world.hub(), marks.hold_ref("shop", "prod"), mark, None, datetime.now(timezone.utc))
    guard(world, pull.number)
    state, why = status(world, pull.head_sha)
    assert (state, why.startswith("hold:")) == ("failure", True)


@pytest.mark.parametrize(
    ("attack", "edit"),
    [
        ("a deleted pin", lambda _: ""),
        ("a pin that is no YAML", lambda _: "a: [\n"),
        ("a YAML bomb", lambda t: t + BOMB),
        ("a YAML bomb beside it", lambda t: f"{t}---\n{BOMB}"),
        ("a pin too deep to read", lambda t: f"{t}x: {'[' * 20_000}"),
        ("a pin a little too deep", lambda t: f"{t}x: {'[' * 600}{']' * 600}\n"),
        ("a range", to("1.x")),
        ("a chart from another registry", lambda t: t.replace("127.0.0.1:", "registry.example:", 1)),
        ("a chart from git", lambda t: t.replace("chart: shop", "path: chart").replace("127.0.0.1", "https://git.example", 1)),
        ("values from another repository", lambda t: t.replace("acme/shop.git", "mallory/shop.git")),
        ("a values file outside", lambda t: t.replace("$values/deploy/values/prod.yaml", "$values/../../etc/passwd")),
        ("another chart of the same version", lambda t: t.replace("chart: shop", "chart: mallory")),
    ],
)  # fmt: skip
def test_a_change_that_hides_from_the_rules_never_passes(
    world: Shop, attack: str, edit: Callable[[str], str]
) -> None:
    pull = propose(world, {PROD: edit})
    guard(world, pull.number)
    state, why = status(world, pull.head_sha)
    assert state in ("failure", "error"), f"{attack}: {why}"


def test_policy_comes_from_the_default_branch_only(world: Shop) -> None:
    def loosen(text: str) -> str:
        return text.replace("    after: [staging]\n", "").replace(
            "    pins: [deploy/prod.yaml]\n", "    pins: [deploy/x.yaml]\n"
        )

    pull = propose(world, {"stagegate.yaml": loosen, PROD: to("1.1.0")})
    guard(world, pull.number)
    assert status(world, pull.head_sha)[0] == "failure"


def test_a_pull_request_is_judged_once_it_targets_the_default_branch(world: Shop) -> None:
    person = world.hub(world.forge.token("octo-dev"))
    head = person.head("main")
    assert head is not None
    person.create_ref("refs/heads/elsewhere", head)
    pull = propose(world, {PROD: to("1.1.0")}, base="elsewhere")
    assert guard(world, pull.number) == 0
    assert status(world, pull.head_sha)[0] == "none"
    assert world.outputs()["reason"] == "no-difference"
    person.update_pull(pull.number, base="main")
    assert guard(world, pull.number) == 0
    assert status(world, pull.head_sha)[0] == "failure"


def test_a_pull_request_that_changes_while_it_is_judged_is_judged_again(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    calls = []
    again = heads.again

    def pushed_meanwhile(pins: hub.Hub, number: int) -> heads.Head | None:
        calls.append(number)
        if len(calls) == 2:  # after the judgement, before the status
            person = world.hub(world.forge.token("octo-dev"))
            bad = world.pins("prod").replace("1.0.0", "1.1.0").encode()
            person.create_commit("mine", pull.head_sha, "feat: more", "", {PROD: bad})
        return again(pins, number)

    monkeypatch.setattr(heads, "again", pushed_meanwhile)
    assert guard(world, pull.number) == 0
    assert status(world, pull.head_sha)[0] == "none"
    new = world.hub().pull(pull.number)
    assert new is not None
    assert status(world, new.head_sha)[0] == "failure"


@pytest.mark.parametrize(
    ("method", "path", "written"),
    [("GET", "/compare/", "error"), ("POST", "/graphql", "none"), ("GET", "/pulls/", "none")],
)
def test_an_unreadable_change_never_passes(world: Shop, method: str, path: str, written: str) -> None:
    pull = propose(world, {PROD: to("1.1.0")})
    world.forge.fail(method, path, None, 500)
    assert guard(world, pull.number) == 3
    world.forge.heal()
    assert status(world, pull.head_sha)[0] == written


def test_a_merge_group_is_judged_on_its_own_commit_with_the_labels_of_its_pull_request(world: Shop) -> None:
    pull = propose(world, {"deploy/values/prod.yaml": lambda _: "replicas: 0\n"})
    base = world.repo.head("main")
    group = {
        "head_sha": pull.head_sha,
        "base_sha": base,
        "head_ref": f"refs/heads/gh-readonly-queue/main/pr-{pull.number}-{base}",
    }
    assert guard(world, group=group) == 0
    state, why = status(world, pull.head_sha)
    assert (state, "label" in why) == ("failure", True)
    world.forge.advance(5)
    world.hub().add_labels(pull.number, [why.partition("needs the label ")[2].split(" ")[0].rstrip(",")])
    assert guard(world, group=group) == 0
    assert status(world, pull.head_sha)[0] == "success"
    assert guard(world, group={"head_sha": "x", "base_sha": base}) == 2


def test_without_an_event_every_open_pull_request_is_judged(world: Shop) -> None:
    one = propose(world, {"README.md": lambda text: text + "more\n"}, branch="one")
    two = propose(world, {PROD: to("1.1.0")}, branch="two")
    assert guard(world) == 0
    assert (status(world, one.head_sha)[0], status(world, two.head_sha)[0]) == ("success", "failure")
    assert world.outputs()["state"] == "failure"


def test_several_apps_by_glob_and_the_worst_verdict_wins(world: Shop) -> None:
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({
        "apps/pay/stagegate.yaml": text.replace("app: shop", "app: pay").replace("deploy/", "pay/"),
        "apps/shop/stagegate.yaml": text,
        "pay/prod.yaml": world.pins("prod"),
        "pay/staging.yaml": world.pins("staging"),
    })  # fmt: skip
    pull = propose(world, {"pay/prod.yaml": to("1.1.0")})
    assert guard(world, pull.number, config="apps/*/stagegate.yaml") == 0
    state, why = status(world, pull.head_sha)
    assert (state, "pay" in why) == ("failure", True)
    assert guard(world, pull.number, config="apps/shop/stagegate.yaml") == 0
    assert status(world, pull.head_sha)[0] == "success"
    assert guard(world, pull.number, config="nowhere/*.yaml") == 2


def test_values_are_judged_for_every_spelling_of_the_repository_address(world: Shop) -> None:
    head = world.repo.head("main")
    text = world.repo.read("main", PROD).decode()
    spelled = text.replace(
        f"{world.forge.url}/acme/shop.git", f"{world.forge.url.replace('127.0.0.1', 'localhost')}/Acme/Shop"
    )
    assert spelled != text
    world.hub().create_commit("main", head, "chore: spell it otherwise", "", {PROD: spelled.encode()})
    pull = propose(world, {"deploy/values/prod.yaml": lambda _: "replicas: 0\n"})
    guard(world, pull.number)
    assert status(world, pull.head_sha)[0] == "failure"
