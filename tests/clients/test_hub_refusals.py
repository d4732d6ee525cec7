"""Every refusal of GitHub becomes a Stop that names the permission, the setting or the time, and contains no token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from stagegate.clients import hub
from stagegate.errors import Stop

from .hub_world import REPOSITORY, World, world


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def refusal(status: int, message: str, **headers: str) -> Mapping[str, object]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"status": status, "headers": named, "body": {"message": message}}


INTEGRATION = "Resource not accessible by integration"
NO_PULLS = "GitHub Actions is not permitted to create or approve pull requests."

TABLE = {
    "expired": (refusal(401, "Bad credentials"), "token-expired", "one hour"),
    "right in header": (
        refusal(403, INTEGRATION, X_Accepted_GitHub_Permissions="pull_requests=write; issues=write"),
        "missing-permission",
        "pull-requests: write, or issues: write",
    ),
    "setting": (refusal(403, NO_PULLS), "missing-permission", "Allow GitHub Actions to create"),
    "workflow files": (
        refusal(403, INTEGRATION, X_Accepted_GitHub_Permissions="contents=write,workflows=write"),
        "missing-permission",
        "Workflows: read and write",
    ),
    "sso": (
        refusal(403, "Resource protected by organization SAML enforcement."),
        "missing-permission",
        "Configure SSO",
    ),
    "address": (
        refusal(403, "the `acme` organization has an IP allow list enabled"),
        "missing-permission",
        "allow list",
    ),
    "archived": (refusal(403, "Repository was archived so is read-only."), "missing-permission", "Unarchive"),
    "protected": (
        refusal(422, "Repository rule violations found\n\nChanges must be made through a pull request."),
        "protected-branch",
        "bypass list",
    ),
    "invalid": (refusal(422, "Validation Failed"), "bad-input", "Validation Failed"),
    "gone": (refusal(404, "Not Found"), "missing-permission", "pull-requests: write"),
    "server": (refusal(500, "Server Error"), "server-error", "githubstatus"),
    "page of a proxy": ({"status": 200, "body": b"<html>Sign in</html>"}, "unknown-state", "GITHUB_API_URL"),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_refused_write_says_what_to_do(shop: World, name: str) -> None:
    how, reason, words = TABLE[name]
    shop.forge.fail("PATCH", "/pulls/1$", None, how)
    with pytest.raises(Stop) as caught:
        shop.hub().update_pull(1, title="x")
    stop = caught.value
    assert stop.reason == reason
    assert words in f"{stop.why} {stop.next}"
    assert "()" not in stop.why
    assert "change pull request 1" in stop.what or reason == "server-error"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("actions", "permissions:"), ("pat", "fine-grained token")],
)
def test_the_cure_fits_the_kind_of_token(shop: World, kind: str, words: str) -> None:
    if kind == "actions":
        token = shop.actions(contents="read")
    else:
        token = shop.forge.token("octo-dev", permissions={"contents": "read"})
    with pytest.raises(Stop) as caught:
        shop.hub(token).create_deployment(shop.sha, "stagegate:shop", "staging", {}, "", False)
    assert caught.value.reason == "missing-permission"
    assert "deployments: write" in caught.value.why
    assert words in caught.value.next


def test_a_rate_limit_is_waited_for_once_and_named_when_it_is_long(shop: World) -> None:
    shop.forge.fail("GET", "/statuses", 1, "secondary")
    assert shop.hub().statuses(shop.sha) == []
    assert shop.waits == [60.0]

    shop.forge.fail("GET", "/statuses", None, "rate-limit")
    with pytest.raises(Stop) as caught:
        shop.hub().statuses(shop.sha)
    assert caught.value.reason == "rate-limited"
    promised = datetime.fromisoformat(caught.value.why.split(" at ")[1].split(",")[0].replace("Z", "+00:00"))
    ahead = promised - datetime.now(timezone.utc)
    assert timedelta(minutes=19) < ahead < timedelta(minutes=21)


@pytest.mark.parametrize(
    ("after", "waited"),
    [("5", 5.0), ("0", 1.0), ("-3", 1.0), ("soon", 60.0), ("date", 30.0)],
)
def test_retry_after_is_read_in_every_form(shop: World, after: str, waited: float) -> None:
    if after == "date":
        after = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=30), usegmt=True)
    shop.forge.fail("GET", "/statuses", 1, refusal(429, "secondary rate limit", Retry_After=after))
    shop.hub().statuses(shop.sha)
    assert shop.waits == [pytest.approx(waited, abs=2)]


def test_waits_add_up_to_a_minute_at_most(shop: World) -> None:
    shop.forge.fail("GET", "/statuses", None, refusal(403, "secondary rate limit", Retry_After="25"))
    with pytest.raises(Stop) as caught:
        shop.hub().statuses(shop.sha)
    assert caught.value.reason == "rate-limited"
    assert shop.waits == [25.0, 25.0]


def test_a_write_that_was_only_limited_is_done_once(shop: World) -> None:
    shop.forge.fail("POST", "/statuses/", 1, "secondary")
    assert shop.hub().set_status(shop.sha, "stagegate/pins", "success", "fine")
    assert len(shop.person().statuses(shop.sha)) == 1


@pytest.mark.parametrize("how", [500, 502, "reset", {"status": 200, "body": b'{"trunca'}])
def test_a_read_is_retried_once_and_a_lasting_failure_reported(shop: World, how: object) -> None:
    shop.forge.fail("GET", "/statuses", 1, how)  # type: ignore[arg-type]
    assert shop.hub().statuses(shop.sha) == []
    shop.forge.fail("GET", "/statuses", None, how)  # type: ignore[arg-type]
    with pytest.raises(Stop) as caught:
        shop.hub().statuses(shop.sha)
    assert caught.value.verdict.exit_code == 3


def test_refusals_of_graphql_are_recognised(shop: World) -> None:
    limited = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 20)}
    shop.forge.fail("POST", "/graphql", 1, {"status": 200, "body": limited, "headers": spent})
    assert shop.hub().head("main") == shop.sha
    assert shop.waits == [pytest.approx(21, abs=2)]
    forbidden = {"data": None, "errors": [{"type": "FORBIDDEN", "message": INTEGRATION, "path": ["x"]}]}
    shop.forge.fail("POST", "/graphql", None, {"status": 200, "body": forbidden})
    with pytest.raises(Stop) as caught:
        shop.hub().head("main")
    assert (caught.value.reason, caught.value.verdict.exit_code) == ("missing-permission", 2)


def test_absent_differs_from_invisible(shop: World) -> None:
    shop.forge.repository("acme/secret", private=True)
    assert shop.hub().pull(77) is None
    token = shop.actions(contents="read")
    questions: list[Callable[[hub.Hub], object]] = [
        lambda h: h.pull(77),
        lambda h: h.head("main"),
        lambda h: h.release("v1"),
        lambda h: h.viewer(),
    ]
    for ask in questions:
        with pytest.raises(Stop) as caught:
            ask(shop.hub(token, "acme/secret"))
        assert caught.value.reason == "missing-permission"
        assert "acme/secret" in caught.value.what


def test_an_expired_token_is_exit_3(shop: World) -> None:
    with pytest.raises(Stop) as caught:
        shop.hub("ghs_" + "x" * 36).head("main")
    assert (caught.value.reason, caught.value.verdict.exit_code) == ("token-expired", 3)


def test_a_server_that_is_down_is_unreachable() -> None:
    dead = hub.connect(
        REPOSITORY, "ghs_nobody", api_url="http://127.0.0.1:9", graphql_url="", server_url="", pace=0
    )
    dead._c.sleep = lambda _: None
    asks: list[Callable[[], object]] = [
        lambda: dead.head("main"),
        lambda: dead.repository_dispatch("x", {}),
    ]
    for ask in asks:
        with pytest.raises(Stop) as caught:
            ask()
        assert caught.value.reason == "unreachable"
        assert "nothing was changed" in caught.value.why  # a connection that was never made leaves no doubt


def test_no_token_is_in_any_exception(shop: World) -> None:
    secret = shop.actions(contents="read")
    ways: list[int | str] = [401, 403, 404, 500, "reset", "rate-limit"]
    for how in ways:
        shop.forge.heal()
        shop.forge.fail("*", ".", None, how)
        with pytest.raises(Stop) as caught:
            shop.hub(secret).set_status(shop.sha, "x", "success", "y")
        error: BaseException | None = caught.value
        while error is not None:
            assert secret not in f"{error!r} {error} {vars(error)}"
            error = error.__cause__ or error.__context__


@pytest.mark.parametrize(("repository", "token"), [("shop", "t"), ("a/b/c", "t"), ("acme/shop", " ")])
def test_a_malformed_argument_is_refused_without_a_request(repository: str, token: str) -> None:
    with pytest.raises(Stop) as caught:
        hub.connect(repository, token, api_url="http://127.0.0.1:9", graphql_url="", server_url="")
    assert caught.value.verdict.exit_code == 2
