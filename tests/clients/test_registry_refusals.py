"""The registry client with responses that only a broken, hostile or private registry gives."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from stagegate.clients.registry import Manifest, Registry
from stagegate.errors import Stop
from stagegate.model import digest_of

from .answering import Answer, Asked, answering

RAW = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}'
MANIFEST = Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=RAW)
HTML = Answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def client(host: str, username: str = "", password: str = "") -> Registry:
    return Registry(frozenset({host}), timeout=(1.0, 0.5), username=username, password=password)


def error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    return Answer(status, headers, json.dumps({"errors": [{"code": code, "message": message}]}).encode())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error(404, "MANIFEST_UNKNOWN"), None),
        (error(404, "NAME_UNKNOWN"), None),
        (Answer(404, {}, b"404 page not found"), "unknown-state"),
        (Answer(404, {"Content-Type": "text/html"}, b"<html>"), "unknown-state"),
        (error(401, "UNAUTHORIZED"), "missing-permission"),
        (error(403, "DENIED"), "missing-permission"),
        (Answer(500), "server-error"),
        (Answer(503, {}, b"<html>"), "server-error"),
        (error(429, "TOOMANYREQUESTS"), "rate-limited"),
        (HTML, "unknown-state"),
        (Answer(200, {}, b""), "unknown-state"),
        (Answer(200, {"Content-Type": "application/json"}, b'{"schemaVersion": 2'), "unknown-state"),
        (Answer(200, {}, b"[]"), "unknown-state"),
        (Answer(cut=True), "unreachable"),
    ],
)
def test_only_a_registry_response_makes_an_artifact_absent(answer: Answer, reason: str | None) -> None:
    with answering(lambda _: answer) as server:
        where = f"{server.host}/app:v1"
        if reason is None:
            assert client(server.host).digest(where) is None
            return
        with pytest.raises(Stop) as stop:
            client(server.host).digest(where)
        assert stop.value.reason == reason


def test_a_registry_that_is_not_there_is_unreachable() -> None:
    with answering(lambda _: Answer()) as gone:
        pass
    with pytest.raises(Stop) as stop:
        client(gone.host).digest(f"{gone.host}/app:v1")
    assert stop.value.reason == "unreachable"


def test_a_registry_that_does_not_respond_ends_in_time() -> None:
    release = threading.Event()

    def hang(_: Asked) -> Answer:
        release.wait(30)
        return Answer()

    with answering(hang) as server:
        try:
            with pytest.raises(Stop) as stop:
                client(server.host).digest(f"{server.host}/app:v1")
        finally:
            release.set()
    assert stop.value.reason == "unreachable"


def test_content_that_does_not_match_its_digest_is_not_used() -> None:
    with answering(lambda _: Answer(200, {}, RAW)) as server:
        other = "sha256:" + "0" * 64
        with pytest.raises(Stop) as stop:
            client(server.host).manifest(f"{server.host}/app@{other}")
        assert stop.value.reason == "unknown-state"
        with pytest.raises(Stop) as stop:
            client(server.host).blob(f"{server.host}/app", other)
        assert stop.value.reason == "unknown-state"


def test_without_a_digest_header_the_manifest_is_hashed() -> None:
    with answering(lambda _: Answer(200, {}, RAW)) as server:
        assert client(server.host).digest(f"{server.host}/app:v1") == MANIFEST.digest


def test_a_500_is_requested_again() -> None:
    answers = iter([Answer(502), Answer(503)])
    good = Answer(200, {"Docker-Content-Digest": MANIFEST.digest})
    with answering(lambda _: next(answers, good)) as server:
        assert client(server.host).digest(f"{server.host}/app:v1") == MANIFEST.digest


class Ghcr:
    """A registry with a token service, which can be set to fail."""

    def __init__(self) -> None:
        self.host = ""
        self.tags: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.stumbles: list[tuple[str, str, Answer]] = []  # method, part of the path, answer instead
        self.lose_answers = 0  # manifest PUTs that are stored, but whose answer never arrives
        self.expired = False
        self.strict = True  # a token for pushing does not serve for reading, so that each is asked for

    def __call__(self, asked: Asked) -> Answer:
        path, _, query = asked.path.partition("?")
        if path == "/token":
            if asked.headers.get("Authorization") != "Basic b2N0by1kZXY6cGFzc3dvcmQ=":
                return error(403, "DENIED", "requested access to the resource is denied")
            return Answer(200, {}, json.dumps({"token": f"token-for-{query.count('push')}"}).encode())
        token = asked.headers.get("Authorization", "")
        right = "1" if asked.method in ("POST", "PUT") or not self.strict else "0"
        if self.expired or token != f"Bearer token-for-{right}":
            self.expired = False
            realm = f'Bearer realm="http://{self.host}/token",service="lab",scope="repository:app:pull"'
            return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": realm})
        for stumble in self.stumbles:
            method, part, answer = stumble
            if asked.method == method and part in path:
                self.stumbles.remove(stumble)
                return answer
        return self.serve(asked, path, query)

    def serve(self, asked: Asked, path: str, query: str) -> Answer:
        last = path.rpartition("/")[2]
        if asked.method == "POST":
            return Answer(202, {"Location": "/v2/app/blobs/uploads/1?state=x"})
        if asked.method == "PUT" and "/uploads/" in path:
            self.blobs[digest_of(asked.body)] = asked.body
            assert f"digest={digest_of(asked.body)}" in query
            return Answer(201)
        if asked.method == "PUT":
            self.tags[last] = asked.body
            if self.lose_answers:
                self.lose_answers -= 1
                return Answer(cut=True)
            return Answer(201)
        found = self.tags.get(last) if "/manifests/" in path else self.blobs.get(last)
        if found is None:
            return error(404, "MANIFEST_UNKNOWN")
        return Answer(200, {"Docker-Content-Digest": digest_of(found)}, found)

    def client(self) -> Registry:
        return client(self.host, username="octo-dev", password="password")


@pytest.fixture
def ghcr() -> Ghcr:
    return Ghcr()


def push(ghcr: Ghcr) -> bool:
    return ghcr.client().push(f"{ghcr.host}/app:v1", MANIFEST, (b"{}", b"layer"))


def test_one_token_is_requested_for_reading_and_one_for_writing(ghcr: Ghcr) -> None:
    with answering(ghcr) as server:
        ghcr.host = server.host
        assert push(ghcr) is True
        assert ghcr.tags["v1"] == RAW
        logins = [asked for asked in server.asked if asked.path.startswith("/token")]
        assert len(logins) == 2, "one token for reading and one for writing, each requested once"
        assert all("token-for" not in a.headers.get("Authorization", "") for a in logins)


def test_one_login_is_used_for_reading_and_writing_where_it_is_announced(ghcr: Ghcr) -> None:
    with answering(ghcr) as server:
        ghcr.host = server.host
        ghcr.strict = False
        ours = Registry(
            frozenset({server.host}),
            username="octo-dev",
            password="password",
            writes=frozenset({f"{server.host}/app"}),
        )
        assert ours.push(f"{server.host}/app:v1", MANIFEST, (b"{}", b"layer")) is True
        assert sum(asked.path.startswith("/token") for asked in server.asked) == 1


def test_a_tag_that_appears_during_the_upload_is_not_overwritten(ghcr: Ghcr) -> None:
    other = RAW.replace(b"[]", b"[ ]")

    def reply(asked: Asked) -> Answer:
        if asked.method == "PUT" and "/uploads/" in asked.path:
            ghcr.tags["v1"] = other
        return ghcr(asked)

    with answering(reply) as server:
        ghcr.host = server.host
        with pytest.raises(Stop) as stop:
            push(ghcr)
    assert stop.value.reason == "version-taken"
    assert ghcr.tags["v1"] == other


def test_an_expired_token_is_renewed(ghcr: Ghcr) -> None:
    with answering(ghcr) as server:
        ghcr.host = server.host
        ours = ghcr.client()
        assert ours.digest(f"{server.host}/app:v1") is None
        ghcr.expired = True
        assert ours.digest(f"{server.host}/app:v1") is None


def test_a_wrong_password_is_no_permission(ghcr: Ghcr) -> None:
    with answering(ghcr) as server:
        ghcr.host = server.host
        with pytest.raises(Stop) as stop:
            client(server.host, username="octo-dev", password="not-the-one").digest(f"{server.host}/app:v1")
    assert stop.value.reason == "missing-permission"
    assert "not-the-one" not in str(stop.value)


def test_the_link_to_the_repository_is_explained(ghcr: Ghcr) -> None:
    denied = error(403, "DENIED", "permission_denied: write_package")
    ghcr.stumbles = [("POST", "/uploads/", denied)] * 9
    with answering(ghcr) as server:
        ghcr.host = server.host
        with pytest.raises(Stop, match="Manage Actions access") as stop:
            push(ghcr)
        assert stop.value.reason == "missing-permission"
        assert sum(asked.method == "POST" for asked in server.asked if asked.path.startswith("/v2")) == 2


@pytest.mark.parametrize(
    "stumble",
    [
        ("PUT", "/uploads/", error(404, "BLOB_UPLOAD_UNKNOWN")),
        ("POST", "/uploads/", error(403, "DENIED", "try again")),
        ("PUT", "/manifests/", Answer(502, {}, b"<html>")),
        ("PUT", "/manifests/", Answer(cut=True)),
        ("PUT", "/uploads/", Answer(cut=True)),
        ("PUT", "/uploads/", error(400, "DIGEST_INVALID")),
        ("PUT", "/manifests/", error(404, "MANIFEST_BLOB_UNKNOWN")),
    ],
)
def test_a_push_that_failed_once_is_repeated_as_a_whole(ghcr: Ghcr, stumble: tuple[str, str, Answer]) -> None:
    ghcr.stumbles = [stumble]
    with answering(ghcr) as server:
        ghcr.host = server.host
        assert push(ghcr) is True
        assert ghcr.tags["v1"] == RAW


def test_a_rule_for_the_names_of_tags_is_named_as_the_cause(ghcr: Ghcr) -> None:
    ghcr.stumbles = [("PUT", "/manifests/", error(400, "TAG_INVALID", "no rule allows this tag"))]
    with answering(ghcr) as server:
        ghcr.host = server.host
        with pytest.raises(Stop) as stop:
            push(ghcr)
    assert (stop.value.reason, "no rule allows this tag" in stop.value.why) == ("unknown-state", True)
    assert "docs/registries.md" in (stop.value.next or "")


@pytest.mark.parametrize(
    ("refusal", "reason", "cure"),
    [
        (error(404, "NOT_FOUND", "project acme not found"), "missing-permission", "Create the repository"),
        (error(401, "UNAUTHORIZED", "project acme not found"), "missing-permission", "Create the repository"),
        (error(400, "NAME_INVALID"), "bad-input", "Use a name that"),
        (
            error(403, "DENIED", "Quota exceeded when processing the request"),
            "server-error",
            "raise its quota",
        ),
        (error(415, "UNSUPPORTED"), "unknown-state", "stores this kind of artifact"),
    ],
)
def test_a_refused_push_is_reported_with_its_fix(ghcr: Ghcr, refusal: Answer, reason: str, cure: str) -> None:
    ghcr.stumbles = [("POST", "/uploads/", refusal)] * 4
    with answering(ghcr) as server, pytest.raises(Stop) as stop:
        ghcr.host = server.host
        push(ghcr)
    assert (stop.value.reason, cure in (stop.value.next or "")) == (reason, True), stop.value.next


@pytest.mark.parametrize(
    "location", ["/v2/app/blobs/uploads/1?", "1?a=b&c=d", "?state=x", "//{host}/v2/app/blobs/uploads/1"]
)
def test_an_upload_goes_where_the_registry_says(ghcr: Ghcr, location: str) -> None:
    with answering(ghcr) as server:
        ghcr.host = server.host
        ghcr.stumbles = [
            ("POST", "/uploads/", Answer(202, {"Location": location.format(host=server.host)}))
        ] * 2
        assert push(ghcr) is True
        assert set(ghcr.blobs.values()) == {b"{}", b"layer"}


def test_an_upload_without_an_address_is_named(ghcr: Ghcr) -> None:
    ghcr.stumbles = [("POST", "/uploads/", Answer(202))]
    with answering(ghcr) as server, pytest.raises(Stop) as caught:
        ghcr.host = server.host
        push(ghcr)
    assert caught.value.reason == "unknown-state"
    assert "no address for an upload" in caught.value.what


def test_a_lost_response_is_looked_up(ghcr: Ghcr) -> None:
    ghcr.lose_answers = 1
    with answering(ghcr) as server:
        ghcr.host = server.host
        assert push(ghcr) is True
        puts = [asked for asked in server.asked if asked.method == "PUT" and "/manifests/" in asked.path]
        stored = [asked for asked in puts if "token-for-1" in asked.headers.get("Authorization", "")]
        assert len(stored) == 1, "the manifest exists already, so there is no second write"


def test_a_lost_response_to_a_single_manifest_is_looked_up(ghcr: Ghcr) -> None:
    ghcr.lose_answers = 1
    with answering(ghcr) as server:
        ghcr.host = server.host
        ghcr.client().push_manifest(f"{server.host}/app:v1", MANIFEST)
        assert ghcr.tags["v1"] == RAW
        ghcr.stumbles = [("PUT", "/manifests/", Answer(cut=True))]
        with pytest.raises(Stop) as stop:
            ghcr.client().push_manifest(f"{server.host}/app:v2", MANIFEST)
        assert stop.value.reason == "unreachable"


def test_a_lasting_failure_is_reported(ghcr: Ghcr) -> None:
    ghcr.stumbles = [("PUT", "/manifests/", Answer(500))] * 9
    with answering(ghcr) as server:
        ghcr.host = server.host
        with pytest.raises(Stop) as stop:
            push(ghcr)
    assert stop.value.reason == "server-error"
    assert ghcr.tags == {}


def test_the_token_does_not_follow_a_redirect_to_another_host() -> None:
    blob = b"from the storage"
    with answering(lambda _: Answer(200, {}, blob)) as storage:

        def reply(asked: Asked) -> Answer:
            if "Authorization" not in asked.headers:
                return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": 'Basic realm="lab"'})
            return Answer(307, {"Location": f"http://{storage.host}/bucket/1"})

        with answering(reply) as server:
            ours = client(server.host, username="octo-dev", password="password")
            assert ours.blob(f"{server.host}/app", digest_of(blob)) == blob
    assert [("Authorization" in asked.headers) for asked in storage.asked] == [False]


def test_a_login_that_is_refused_names_its_inputs() -> None:
    basic = error(401, "UNAUTHORIZED", **{"WWW-Authenticate": 'Basic realm="lab"'})
    with answering(lambda _: basic) as server, pytest.raises(Stop) as stop:
        client(server.host, username="octo-dev", password="wrong").digest(f"{server.host}/app:v1")
    assert "registry-username (octo-dev) and registry-password" in stop.value.next


def test_netrc_is_not_consulted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login octo-dev password elsewhere\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with answering(lambda _: Answer(200, {}, RAW)) as server:
        client(server.host).manifest(f"{server.host}/app:v1")
    assert "Authorization" not in server.asked[0].headers


def test_all_pages_of_tags_are_read_and_no_page_of_another_host() -> None:
    def reply(asked: Asked) -> Answer:
        if "last=" in asked.path:
            return Answer(200, {}, b'{"tags": ["v2"]}')
        link = '</v2/app/tags/list?n=1&last=v1>; rel="next"'
        return Answer(200, {"Link": link}, b'{"tags": ["v1"]}')

    with answering(reply) as server:
        assert client(server.host).tags(f"{server.host}/app") == ("v1", "v2")
    stray = Answer(200, {"Link": '<https://elsewhere.example/x>; rel="next"'}, b'{"tags": ["v1"]}')
    with answering(lambda _: stray) as server, pytest.raises(Stop, match="another host"):
        client(server.host).tags(f"{server.host}/app")


def test_a_login_without_its_other_half_is_an_empty_secret() -> None:
    with pytest.raises(Stop) as stop:
        Registry(frozenset({"ghcr.io"}), username="octo-dev", password="")
    assert stop.value.reason == "empty-secret"
