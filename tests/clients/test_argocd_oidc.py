"""No stored token: the job's OIDC token is exchanged at Argo CD's Dex."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from stagegate.clients.argocd import oidc
from stagegate.errors import Stop
from stagegate.gate import facts
from stagegate.runner import log
from stagegate.settings import ArgoCDSettings, Environment
from tests.clients.answering import Answer, Server, answering

JSON = {"Content-Type": "application/json"}
JOB, DEX = "eyJ.job-token.x", "eyJ.dex-token.y"


def address(server: Server) -> str:
    return f"http://{server.host}"


def job(url: str) -> dict[str, str]:
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/job?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-token",
    }


def respond(dex: Answer, github: Answer | None = None) -> Any:
    given = github or Answer(200, JSON, json.dumps({"value": JOB}).encode())
    return lambda asked: given if asked.path.startswith("/job") else dex


def test_the_token_of_the_job_is_exchanged_for_one_of_argo_cd() -> None:
    with answering(respond(Answer(200, JSON, json.dumps({"access_token": DEX}).encode()))) as server:
        assert oidc.exchanged(address(server), "github-actions", environ=job(address(server))) == DEX
        github, dex = server.asked
    assert (github.method, github.headers["Authorization"]) == ("GET", "bearer runner-token")
    assert (dex.method, dex.path) == ("POST", "/api/dex/token")
    assert base64.b64decode(dex.headers["Authorization"].removeprefix("Basic ")) == b"argo-cd-cli:"
    form = {key: value for key, (value,) in parse_qs(dex.body.decode()).items()}
    assert form == {
        "connector_id": "github-actions",
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "scope": "openid email profile federated:id",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token": JOB,
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }


def test_both_tokens_are_masked() -> None:
    with answering(respond(Answer(200, JSON, json.dumps({"access_token": DEX}).encode()))) as server:
        oidc.exchanged(address(server), "github-actions", environ=job(address(server)))
    shown = log.redact(f"{JOB} and {DEX}")
    assert JOB not in shown
    assert DEX not in shown


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (
            Answer(401, JSON, b'{"error": "invalid_client", "error_description": "connector not found"}'),
            "connector",
        ),
        (Answer(200, JSON, b"{}"), "HTTP 200"),
        (Answer(302, {"Location": "https://login.example.com"}, b""), "HTTP 302"),
    ],
    ids=["no connector", "no token", "login page"],
)
def test_a_refusal_of_dex_has_its_reason_and_the_next_step(answer: Answer, word: str) -> None:
    with answering(respond(answer)) as server, pytest.raises(Stop) as stopped:
        oidc.exchanged(address(server), "github-actions", environ=job(address(server)))
    assert (stopped.value.reason, word in stopped.value.why) == ("missing-permission", True)
    assert "connector" in stopped.value.next


def test_a_job_without_the_permission_gets_the_line_to_add() -> None:
    with pytest.raises(Stop) as stopped:
        oidc.exchanged("https://argocd.example.com", "github-actions", environ={})
    assert stopped.value.next == "Add `permissions: id-token: write` to the job."
    with (
        answering(respond(Answer(200, JSON, b"{}"), Answer(403, JSON, b"{}"))) as server,
        pytest.raises(Stop),
    ):
        oidc.exchanged(address(server), "github-actions", environ=job(address(server)))


def test_the_gate_needs_no_stored_token(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment(name="staging", argocd=ArgoCDSettings(auth="oidc", connector="ci"))
    with answering(respond(Answer(200, JSON, json.dumps({"access_token": DEX}).encode()))) as server:
        for name, value in job(address(server)).items():
            monkeypatch.setenv(name, value)
        source = facts.argocd(environment, address(server), "", (), "")
        assert source._session.headers["Authorization"] == f"Bearer {DEX}"
        assert "connector_id=ci" in server.asked[1].body.decode()
