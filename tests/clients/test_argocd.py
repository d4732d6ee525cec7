"""Argo CD's API: a message for each refusal, streams in both forms, and a token that follows no redirect."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stagegate.clients.argocd import ArgoCD
from stagegate.clients.argocd import client as argocd_client
from stagegate.errors import Stop
from tests.clients.answering import Answer, Asked, Server, answering

TOKEN = "eyJ.argocd-token-for-tests.x"
JSON = {"Content-Type": "application/json"}


def said(code: int, message: str) -> bytes:
    return json.dumps({"error": message, "code": code, "message": message}).encode()


def client(server: Server, **options: str) -> ArgoCD:
    return ArgoCD(f"http://{server.host}", TOKEN, **options)  # type: ignore[arg-type]


REFUSALS = [
    (Answer(401, JSON, said(16, "invalid session: token is expired")), "token-expired", "generate-token"),
    (
        Answer(403, JSON, said(7, "permission denied")),
        "missing-permission",
        "applications, get, shop/staging",
    ),
    (Answer(404, JSON, said(5, "not found")), "bad-settings", "does not exist"),
    (Answer(429, {"Retry-After": "3600"}, b"slow down"), "rate-limited", "429"),
    (Answer(502, {"Content-Type": "text/html"}, b"<html>nginx</html>"), "server-error", "502"),
    (Answer(400, JSON, said(9, "another operation is already in progress")), "unknown-state", "in progress"),
    (Answer(302, {"Location": "https://sso.example.com/login"}), "missing-permission", "sso.example.com"),
    (Answer(307, {"Location": "/login"}), "missing-permission", "argocd-headers"),
    (Answer(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"), "missing-permission", "page"),
    (Answer(200, JSON, b"{"), "missing-permission", "page"),
    (Answer(200, JSON, b"[]"), "unknown-state", "not an object"),
    (Answer(cut=True), "unreachable", "does not respond"),
]


@pytest.mark.parametrize(
    ("answer", "reason", "words"), REFUSALS, ids=[f"{a.status}-{r}" for a, r, _ in REFUSALS]
)
def test_each_refusal_has_its_own_message(answer: Answer, reason: str, words: str) -> None:
    with answering(lambda _: answer) as server:
        for ask in ("application", "watch"):
            if ask == "watch" and answer.status == 200:
                continue
            with pytest.raises(Stop) as stopped:
                list(client(server, project="shop").watch("staging")) if ask == "watch" else client(
                    server, project="shop"
                ).application("staging")
            text = f"{stopped.value.what} {stopped.value.why} {stopped.value.next}"
            assert (stopped.value.reason, words in text) == (reason, True), text
            assert TOKEN not in text
        assert len(server.asked) <= 2  # the caller that waits decides what to retry


def test_a_redirect_to_https_on_the_same_host_says_how_to_write_the_address() -> None:
    def reply(asked: Asked) -> Answer:
        return Answer(301, {"Location": f"https://{asked.headers['Host']}{asked.path}"})

    with answering(reply) as server, pytest.raises(Stop, match=f"https://{server.host}"):
        client(server).application("staging")


def test_the_token_is_not_sent_over_a_redirect() -> None:
    with answering(lambda _: Answer(200, JSON, b"{}")) as elsewhere:
        away = Answer(302, {"Location": f"http://localhost:{elsewhere.host.rpartition(':')[2]}/api"})
        with answering(lambda _: away) as server, pytest.raises(Stop):
            client(server).application("staging")
        assert elsewhere.asked == []


def test_requests_carry_token_headers_project_and_namespace() -> None:
    with answering(lambda _: Answer(200, JSON, b'{"metadata": {}}')) as server:
        argo = client(server, project="shop", namespace="argo-apps", headers={"CF-Access": "abc-def"})  # type: ignore[arg-type]
        argo.application("staging", refresh="normal")
        argo.application("team-a/staging")
        asked, other = server.asked
    assert asked.path == "/api/v1/applications/staging?project=shop&appNamespace=argo-apps&refresh=normal"
    assert other.path == "/api/v1/applications/staging?project=shop&appNamespace=team-a"
    assert (asked.headers["Authorization"], asked.headers["CF-Access"]) == (f"Bearer {TOKEN}", "abc-def")


def test_manifests_are_requested_at_exactly_the_compared_revisions() -> None:
    one = {"status": {"sync": {"revision": "1.1.0"}}}
    several = {"status": {"sync": {"revisions": ["1.1.0", "abc"]}}}
    body = json.dumps({"manifests": [json.dumps({"kind": "Service"}), ""]}).encode()
    with answering(lambda _: Answer(200, JSON, body)) as server:
        argo = client(server)
        assert argo.manifests("shop", one) == [{"kind": "Service"}]
        argo.manifests("shop", several)
        paths = [asked.path.partition("?")[2] for asked in server.asked]
    assert paths == ["revision=1.1.0", "sourcePositions=1&sourcePositions=2&revisions=1.1.0&revisions=abc"]


def test_managed_resources_give_their_target_states() -> None:
    items = [{"targetState": json.dumps({"kind": "Service"}), "liveState": "{}"}, {"targetState": "null"}, {}]
    with answering(lambda _: Answer(200, JSON, json.dumps({"items": items}).encode())) as server:
        assert client(server).managed_resources("team-a/shop") == [{"kind": "Service"}]
        assert server.asked[0].path == "/api/v1/applications/shop/managed-resources?appNamespace=team-a"


@pytest.mark.parametrize("prefix", ["", "data: "])
def test_a_stream_is_read_in_both_forms(prefix: str) -> None:
    events = [
        {"result": {"type": "ADDED", "application": {"metadata": {"name": "staging"}}}},
        {"result": {"type": "DELETED", "application": {"metadata": {"name": "staging"}}}},
        {"result": {"type": "MODIFIED", "application": {"metadata": {"name": "staging", "generation": 2}}}},
    ]
    body = "".join(f"{prefix}{json.dumps(event)}\n\n" for event in events).encode()
    with answering(lambda _: Answer(200, {}, body)) as server:
        seen = list(client(server).watch("staging"))
    assert [document["metadata"].get("generation") for document in seen] == [None, 2]


class Blocks:
    """A response that comes in small blocks, as a proxy passes a large event on."""

    def __init__(self, whole: bytes) -> None:
        self._blocks = iter([whole[start : start + 100] for start in range(0, len(whole), 100)])

    def read1(self, size: int, *, decode_content: bool) -> bytes:  # noqa: ARG002  as in urllib3
        return next(self._blocks, b"")


def work(length: int) -> float:
    """Seconds of this thread's processor time for a line of so many bytes, which other processes do not affect."""
    response: Any = SimpleNamespace(raw=Blocks(b"x" * length + b"\ny"))
    began = time.thread_time()
    assert [len(line) for line in argocd_client._lines(response)] == [length, 1]
    return time.thread_time() - began


def test_a_large_event_is_read_in_linear_time() -> None:
    """Ten times the bytes take about ten times the work; copied for each block, a hundred times."""
    small, large = (min(work(length) for _ in range(3)) for length in (200_000, 2_000_000))
    assert large < 40 * small


def test_an_error_in_the_stream_ends_it() -> None:
    body = b'{"error": {"grpc_code": 14, "message": "transport is closing"}}\n'
    with (
        answering(lambda _: Answer(200, {}, body)) as server,
        pytest.raises(Stop, match="transport is closing"),
    ):
        list(client(server).watch("staging"))


def test_manifests_and_live_objects_are_read_from_json_texts() -> None:
    def reply(asked: Asked) -> Answer:
        if asked.path.endswith("/manifests"):
            return Answer(200, JSON, json.dumps({"manifests": ['{"kind": "Service"}']}).encode())
        assert "resourceName=shop-1" in asked.path
        assert "version=v1" in asked.path
        return Answer(200, JSON, json.dumps({"manifest": '{"kind": "Pod"}'}).encode())

    with answering(reply) as server:
        argo = client(server)
        assert argo.manifests("staging") == [{"kind": "Service"}]
        assert argo.resource("staging", {"name": "shop-1", "kind": "Pod", "version": "v1"}) == {"kind": "Pod"}


@pytest.mark.parametrize(("server", "token"), [("", TOKEN), ("  ", TOKEN), ("argocd.example.com", " ")])
def test_an_empty_address_or_token_is_an_empty_secret(server: str, token: str) -> None:
    with pytest.raises(Stop) as stopped:
        ArgoCD(server, token)
    assert stopped.value.reason == "empty-secret"


@pytest.mark.parametrize(
    "server",
    ["ftp://argocd.example.com", "https://user:pw@argocd.example.com", "https://", "argo cd", "argocd:port"],
)
def test_a_text_that_is_not_an_address_is_refused(server: str) -> None:
    with pytest.raises(Stop) as stopped:
        ArgoCD(server, TOKEN)
    assert stopped.value.reason == "bad-input"


def test_https_to_a_port_without_tls_is_not_taken_for_a_bad_certificate() -> None:
    plain = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=plain.serve_forever, args=(0.1,), daemon=True).start()
    try:
        with pytest.raises(Stop, match="does not use TLS") as stopped:
            ArgoCD(f"127.0.0.1:{plain.server_address[1]}", TOKEN).application("staging")
    finally:
        plain.shutdown()
        plain.server_close()
    assert stopped.value.reason == "unreachable"


def test_an_address_without_scheme_is_https() -> None:
    assert ArgoCD("argocd.example.com/", TOKEN).url == "https://argocd.example.com"


@pytest.fixture(scope="module")
def own_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """An HTTPS server with a certificate of a private authority."""
    folder = tmp_path_factory.mktemp("tls")
    pem = certificate(folder)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:  # noqa: ARG002
            return

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"metadata": {"name": "staging"}}')

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(pem)
    server.socket = secure.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}", pem
    server.shutdown()
    server.server_close()


def certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "argocd")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return pem


def test_a_certificate_of_a_private_authority_is_accepted_only_with_its_file(
    own_authority: tuple[str, Path],
) -> None:
    url, pem = own_authority
    with pytest.raises(Stop, match="argocd-ca") as stopped:
        ArgoCD(url, TOKEN).application("staging")
    assert stopped.value.reason == "unreachable"
    assert ArgoCD(url, TOKEN, ca=str(pem)).application("staging")["metadata"]["name"] == "staging"
