"""Planned faults, clocks, and writers that race each other."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.lab.forge_kit import Kit, error

Gone = requests.exceptions.ConnectionError


@pytest.mark.parametrize(("how", "status"), [(500, 500), (502, 502), ("rate-limit", 403), ("secondary", 403)])
def test_the_nth_call_fails_and_changes_nothing(kit: Kit, how: int | str, status: int) -> None:
    kit.forge.fail("POST", r"/issues$", 2, how)
    codes = [kit.rest("POST", "issues", kit.dev, {"title": "t"}).status_code for _ in range(3)]
    assert codes == [201, status, 201] and len(kit.shop.threads) == 2


def test_a_rate_limit_names_its_end(kit: Kit) -> None:
    kit.forge.fail("GET", "/meta", 1, "rate-limit")
    kit.forge.fail("GET", "/meta", 2, "secondary")
    first, second = (kit.rest("GET", "/meta") for _ in range(2))
    assert (
        first.headers["X-RateLimit-Remaining"] == "0"
        and int(first.headers["X-RateLimit-Reset"]) > time.time()
    )
    assert second.headers["Retry-After"] == "60" and "secondary rate limit" in second.text


def test_a_scripted_response_is_given_until_it_is_removed(kit: Kit) -> None:
    kit.forge.fail(
        "*", "/meta", None, {"status": 200, "body": "<html>", "headers": {"Content-Type": "text/html"}}
    )
    for _ in range(2):
        answer = kit.rest("GET", "/api/v3/meta")
        assert (answer.text, answer.headers["Content-Type"]) == ("<html>", "text/html")
    kit.forge.heal()
    assert kit.rest("GET", "/meta").json()


def test_a_connection_is_cut_before_or_after_the_write(kit: Kit) -> None:
    kit.forge.fail("POST", "/issues", 1, "reset")
    kit.forge.fail("POST", "/issues", 2, "after")
    for done in (0, 1):
        with pytest.raises(Gone):
            kit.rest("POST", "issues", kit.dev, {"title": "t"})
        assert len(kit.shop.threads) == done
    assert [call.status for call in kit.forge.calls] == [0, 0]


def test_a_request_without_a_response_ends_with_the_client(kit: Kit) -> None:
    kit.forge.fail("GET", "/meta", 1, "timeout")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{kit.forge.url}/meta", timeout=0.1)
    assert kit.rest("GET", "/meta").status_code == 200


def test_faults_of_one_mutation_and_of_git(kit: Kit) -> None:
    kit.forge.fail("POST", "/graphql#createCommitOnBranch", 1, 502)
    kit.forge.fail("POST", "git-upload-pack", 1, 503)
    assert kit.ask("id")
    assert kit.commit("main", kit.dev, {"a": "b"})["message"] == "Bad Gateway"
    assert "data" in kit.commit("main", kit.dev, {"a": "b"})
    assert "503" in kit.git("clone", "-q", f"{kit.forge.url}/acme/shop", ".", where="a").stderr
    assert kit.git("clone", "-q", f"{kit.forge.url}/acme/shop", ".", where="b").returncode == 0


def test_an_unknown_way_to_fail_is_an_error(kit: Kit) -> None:
    with pytest.raises(ValueError, match="how must be"):
        kit.forge.fail("GET", "/", 1, "explode")


def test_of_many_writers_exactly_one_wins_each_round(kit: Kit) -> None:
    head, barrier = kit.shop.head("main"), threading.Barrier(6)

    def write(number: int) -> dict[str, object]:
        barrier.wait()
        return kit.commit("main", kit.dev, {"VERSION": f"2.0.{number}\n"}, head=head)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(write, range(6)))
    losers = [error(body)["type"] for body in answers if "errors" in body]
    assert losers == ["STALE_DATA"] * 5
    assert kit.shop.log("main")[0].parents == (head,)


def test_a_ref_is_created_once(kit: Kit) -> None:
    head, barrier = kit.shop.head("main"), threading.Barrier(6)

    def create(_number: int) -> int:
        barrier.wait()
        return kit.rest("POST", "git/refs", kit.dev, {"ref": "refs/tags/v1.0.0", "sha": head}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(create, range(6))) == [201, 422, 422, 422, 422, 422]
    assert len(kit.events("create")) == 1


def test_git_and_api_race_for_the_same_branch(kit: Kit) -> None:
    kit.clone(kit.dev)
    kit.change("VERSION", "2.0.0\n")
    head, barrier = kit.shop.head("main"), threading.Barrier(2)

    def push() -> bool:
        barrier.wait()
        return kit.git("push", "-q", "origin", "HEAD:main", token=kit.dev).returncode == 0

    def commit() -> bool:
        barrier.wait()
        return "errors" not in kit.commit("main", kit.dev, {"VERSION": "3.0.0\n"}, head=head)

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(push), pool.submit(commit)]
    assert sorted(one.result() for one in results) == [False, True]
    assert len(kit.events("push")) == 1


def test_tokens_expire_when_the_clock_jumps(kit: Kit) -> None:
    token = kit.forge.token("octo-dev", "actions", ["acme/shop"], {}, expires=time.time() + 100)
    assert kit.rest("GET", "", token).status_code == 200
    kit.forge.advance(200)
    assert kit.rest("GET", "", token).status_code == 401
    made = kit.rest("POST", "issues", kit.dev, {"title": "later"}).json()["created_at"]
    assert made > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 100))


def test_two_hundred_calls_are_fast(kit: Kit) -> None:
    start = time.monotonic()
    for _ in range(200):
        assert kit.rest("GET", "").status_code == 200
    assert time.monotonic() - start < 6
