"""Messages reach real HTTP servers once for each event, and never decide how a run ends."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stagegate.actions import promote_pr
from stagegate.errors import VERDICTS, Stop
from stagegate.model import Message, Result
from stagegate.notification import attempts, deliver, notices, payloads, webhooks
from stagegate.notification.entrypoint import entrypoint
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from stagegate.settings import Channel, notify
from tests.clients.answering import Answer, Asked, answering
from tests.promotion.shop_world import VERSIONS, Shop, shop

SECRET = "T0/B0/very-secret-path"


class Receiver:
    """A webhook that keeps its requests and responds with `status` and `location`, after `pause` seconds."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.status, self.pause, self.location, self.url = 200, 0.0, "", ""

    @property
    def host(self) -> str:
        return self.url.split("/")[2]

    def answer(self, request: Asked) -> Answer:
        self.got.append(json.loads(request.body))
        time.sleep(self.pause)
        return Answer(self.status, {"Location": self.location} if self.location else {})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with answering(made.answer) as server:
        made.url = f"http://{server.host}/{SECRET}"
        yield made


CHANNELS = """\
notify:
  waiting-after: 2h
  channels:
    - {kind: slack, url: SLACK_URL}
    - {kind: teams, url: TEAMS_URL, environments: [prod]}
    - {kind: webhook, url: HOOK_URL, events: [refusal, waiting], template: '{"is": "{event}", "text": "{title} {why}"}'}
    - {kind: issue, events: [refusal, failure]}
"""


@pytest.fixture
def made(tmp_path: Path, host: str) -> Iterator[Shop]:
    with shop(tmp_path, host, versions=VERSIONS[:2], more=CHANNELS) as world:
        yield world


def run(world: Shop, receiver: Receiver, allowed: str = "", **inputs: str) -> tuple[dict[str, str], str]:
    """One step of promote-pr, which ends as its reason says; its outputs and what it printed."""
    lines = "\n".join(f"{name}={receiver.url}" for name in ("SLACK_URL", "TEAMS_URL", "HOOK_URL"))
    environ = {
        **world.environ(**inputs),
        "GITHUB_SHA": world.hub().head("main") or "",
        "STAGEGATE_VARIABLES": lines,
        "STAGEGATE_HOSTS": allowed or receiver.host,
    }
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = entrypoint("promote-pr", promote_pr.PromotePr, promote_pr.main, argv=[], environ=environ)
    outputs = world.outputs()
    assert code == VERDICTS[outputs["reason"]].exit_code
    return outputs, printed.getvalue()


def test_a_proposal_a_refusal_and_a_long_wait_are_sent_once_each(made: Shop, receiver: Receiver) -> None:
    refused, _ = run(made, receiver, environment="prod", version="1.1.0")
    assert refused["reason"] == "no-evidence"
    slack, teams, hook = receiver.got
    assert slack["blocks"][0]["text"]["text"] == "Refusal: shop 1.1.0 in prod"
    assert "may not enter prod" in slack["blocks"][1]["text"]["text"]
    card = teams["attachments"][0]
    assert (teams["type"], card["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert {"title": "Reason", "value": "no-evidence"} in card["content"]["body"][2]["facts"]
    assert hook["is"] == "refusal" and "evidence" in hook["text"]
    assert [issue.title for issue in made.hub().open_issues()] == ["stagegate: shop in prod"]
    run(made, receiver, environment="prod", version="1.1.0")
    assert len(receiver.got) == 3  # a repeated run sends no second message

    made.seed_pin("staging", "1.1.0")
    made.passed("1.1.0")
    proposed, _ = run(made, receiver, environment="prod")
    assert proposed["reason"] == "proposed"
    assert [slack_or_teams.keys() for slack_or_teams in receiver.got[3:]] == [slack.keys(), teams.keys()]
    assert "|Open>" in receiver.got[3]["blocks"][2]["elements"][0]["text"]
    assert proposed["pr-url"] in receiver.got[4]["attachments"][0]["content"]["actions"][0]["url"]

    made.forge.advance(3600)
    run(made, receiver, mode="evaluate")
    assert len(receiver.got) == 5  # open for an hour only
    made.forge.advance(3700)
    for _ in range(2):
        run(made, receiver, mode="evaluate")
    assert [one["is"] for one in receiver.got[5:] if "is" in one] == ["waiting"]
    assert len(receiver.got) == 8


def test_a_rollback_is_sent_as_a_rollback(made: Shop, receiver: Receiver) -> None:
    made.passed("1.0.0", environment="prod")
    made.passed("1.1.0")
    made.passed("1.1.0", environment="prod")
    made.seed_pin("prod", "1.1.0")
    back, printed = run(made, receiver, environment="prod", mode="rollback", version="1.0.0", reason="slow")
    assert back["reason"] == "proposed", printed
    assert receiver.got[0]["blocks"][0]["text"]["text"] == "Rollback: shop 1.0.0 in prod"


def test_a_failed_delivery_is_a_warning_and_is_retried(
    made: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webhooks, "TIMEOUT", (2.0, 0.3))
    url = receiver.url

    def attempt(what: str) -> int:
        """Deliver, and return how many messages arrived; the warning names what went wrong, never the address."""
        before = len(receiver.got)
        delivery(made, receiver, "checks-failed", allowed=receiver.url.split("/")[2])
        printed = capsys.readouterr().out
        warning = f"::warning title=notify::The channel SLACK_URL got no message. {what}"
        assert printed.count(warning) == bool(what), printed
        assert SECRET not in printed
        return len(receiver.got) - before

    receiver.status = 503
    assert attempt("SLACK_URL refused the message with status 503.") == 2
    with answering(lambda _: Answer()) as other:
        receiver.status, receiver.location = 307, f"http://{other.host}/"
        assert attempt("SLACK_URL returned a redirect (307).") == 2
        assert not other.asked
    receiver.status, receiver.location, receiver.pause = 200, "", 0.6
    assert attempt("127.0.0.1 does not respond.") == 2  # once for each channel: a POST is not repeated
    receiver.pause, receiver.url = 0.0, f"http://{other.host}/{SECRET}"  # nobody listens there now
    assert attempt("127.0.0.1 does not respond.") == 0
    receiver.url = url
    assert len(made.hub().open_issues()) == 1  # this channel worked the first time
    assert attempt("") == 2  # the three other channels get the message now
    assert attempt("") == 0


@pytest.mark.parametrize(
    "address",
    [
        "http://{host}\\@hooks.example.com/x",
        "http://hooks.example.com@{host}/x",
        "http://{host}#@hooks.example.com/",
        "http://{host}\t@hooks.example.com/",
        "http://hooks.example.com:99999/",
        "http://hooks.example.com:0/",
        "http://hooks.example.com.@{host}/",
        "http://hooks.example.com.{host}/",
        "http://hooks.example.com.:80/",
        "http://h\u043eoks.example.com/",  # a letter of another alphabet that looks the same
        "http://\uff48ooks.example.com/",
        "http://hooks.example.com%00.example.net/",
        "http://hooks.example.com%2f@{host}/",
        "http://sub.hooks.example.com/",
        "ftp://hooks.example.com/",
        "//{host}/",
        "http://[::1/",
    ],
)
def test_an_address_that_only_looks_like_a_listed_host_gets_nothing(address: str, receiver: Receiver) -> None:
    environ = {"HOOK": address.format(host=receiver.host), "STAGEGATE_HOSTS": "hooks.example.com"}
    with pytest.raises(Stop) as stopped:
        webhooks.post(Channel(kind="webhook", url="HOOK"), b"{}", environ)
    assert stopped.value.reason in ("bad-input", "wrong-source") and receiver.got == []


def test_a_message_goes_only_to_the_listed_port(receiver: Receiver) -> None:
    host, port = receiver.host.split(":")
    environ = {"HOOK": receiver.url, "STAGEGATE_HOSTS": f"{host}:{int(port) - 1}"}
    with pytest.raises(Stop, match="would send secrets to"):
        webhooks.post(Channel(kind="webhook", url="HOOK"), b"{}", environ)
    webhooks.post(Channel(kind="webhook", url="HOOK"), b"{}", environ | {"STAGEGATE_HOSTS": receiver.host})
    assert len(receiver.got) == 1


def test_no_secret_of_the_job_is_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_secrets", set())
    log.mask("hunter2-hunter2", 'with "quotes"')
    notice = notices.Notice(
        event="failure",
        action="staging-gate",
        app="shop",
        environment="prod",
        version="hunter2-hunter2",
        reason="checks-failed",
        what='The login failed: hunter2-hunter2, with "quotes".',
    )
    template = '{"t": "{title} {what}", "key": "hunter2-hunter2"}'
    for channel in (
        Channel(kind="webhook", url="HOOK", template=template),
        Channel(kind="webhook", url="HOOK"),
        Channel(kind="slack", url="HOOK"),
        Channel(kind="teams", url="HOOK"),
    ):
        sent = payloads.body(channel, notice, "acme/shop", "https://example.com/run").decode()
        json.loads(sent)
        assert "hunter2" not in sent and "quotes" not in sent and "***" in sent


def test_a_message_is_limited_in_size(receiver: Receiver) -> None:
    long = notices.Notice(
        event="failure",
        action="x",
        app="shop",
        environment="",
        version="",
        reason="bug",
        what="x" * 1_000_000,
    )
    for kind in ("webhook", "slack", "teams"):
        channel = Channel(kind=kind, url="HOOK")
        assert len(payloads.body(channel, long, "acme/shop", "")) < 20_000
    channel = Channel(kind="webhook", url="HOOK", template=json.dumps({"t": "{text}" * 1000}))
    assert not notify.template_mistake(channel.template)
    environ = {"HOOK": receiver.url, "STAGEGATE_HOSTS": receiver.host}
    with pytest.raises(Stop, match="The message to HOOK has"):
        webhooks.post(channel, payloads.body(channel, long, "acme/shop", ""), environ)
    assert receiver.got == []
    assert "the limit is 20000" in notify.template_mistake(f'"{"x" * 20_000}"')


@pytest.mark.parametrize("template", ['{"a": "{titel}"}', "{title}", "[" * 9000 + "]" * 9000])
def test_a_mistake_in_a_template_is_a_warning_with_its_line(
    template: str, made: Shop, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made.folder / "stagegate.yaml"
    text = file.read_text()
    before, _, rest = text.partition("template: '")
    file.write_text(
        f"{before}template: '{template}'{rest.partition(chr(39))[2]}".replace("url: SLACK_URL", "url: NOBODY")
    )
    line = 1 + before.count("\n")
    environ = made.environ() | {"GITHUB_SHA": made.commits["1.1.0"], "STAGEGATE_HOSTS": receiver.host}
    environ["HOOK_URL"] = environ["TEAMS_URL"] = receiver.url
    result = Result(
        reason="no-evidence", message=Message(what="x"), app="shop", environment="prod", version="1.1.0"
    )
    deliver.send("promote-pr", PinsInputs(token=made.token), Context.from_environ(environ), result, environ)
    printed = capsys.readouterr().out
    warning = f"::warning title=notify,file=stagegate.yaml,line={line}::The channel HOOK_URL got no message. "
    assert warning + f"The template of HOOK_URL in stagegate.yaml, line {line}, has a mistake." in printed
    assert [one["type"] for one in receiver.got] == ["message"]  # the other channel is not affected


def test_a_receiver_that_does_not_respond_is_tried_once_in_a_run(
    made: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(lambda _: Answer(cut=True)) as silent:
        environ = made.environ() | {"GITHUB_SHA": made.commits["1.1.0"]}
        environ["STAGEGATE_HOSTS"] = f"{receiver.host},{silent.host}"
        environ["SLACK_URL"], environ["TEAMS_URL"] = f"http://{silent.host}/x", receiver.url
        parts = tuple(
            Result(reason=reason, message=Message(what="x"), app="shop", environment="prod", version="1.1.0")
            for reason in ("checks-failed", "no-evidence", "unreachable")
        )
        result = Result(reason="checks-failed", message=Message(what="x"), parts=parts)
        inputs = PinsInputs(token=made.token)
        deliver.send(notices.GATE, inputs, Context.from_environ(environ), result, environ)
        printed = capsys.readouterr().out
        assert (len(silent.asked), printed.count("The channel SLACK_URL got no message")) == (1, 1), printed
        assert len(receiver.got) == 3
        monkeypatch.setattr(attempts, "TOTAL", 0.0)
        environ["GITHUB_SHA"] = made.hub().head("main") or ""
        result = Result(reason="bug", message=Message(what="x"), app="shop", environment="prod")
        deliver.send(notices.GATE, inputs, Context.from_environ(environ), result, environ)
        assert (len(silent.asked), len(receiver.got)) == (1, 3)
        assert "Sending the messages of this run took 0 s." in capsys.readouterr().out


def test_an_endless_response_delays_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "TOTAL", 0.2)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.01):
                    connection.sendall(b"X: y\r\n"[:1])

        threading.Thread(target=drip, daemon=True).start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        environ = {"HOOK": f"http://{host}/x", "STAGEGATE_HOSTS": host}
        with pytest.raises(Stop, match="did not accept the message within") as stopped:
            webhooks.post(Channel(kind="webhook", url="HOOK"), b"{}", environ)
        ended.set()
    assert stopped.value.reason == "timeout"


def test_a_host_that_is_not_listed_gets_nothing_and_the_run_ends_as_it_would(
    made: Shop, receiver: Receiver
) -> None:
    given, printed = run(made, receiver, "hooks.example", environment="prod", version="1.1.0")
    assert (given["reason"], receiver.got) == ("no-evidence", [])
    assert f"The channel SLACK_URL would send secrets to {receiver.host}." in printed
    assert SECRET not in printed + (made.folder / "report.json").read_text()


def test_an_issue_is_updated_and_closed_by_a_passed_gate(made: Shop, receiver: Receiver) -> None:
    run(made, receiver, environment="prod", version="1.1.0")
    github = made.hub()
    (issue,) = github.open_issues()
    assert "no-evidence" in issue.body and issue.number
    run(made, receiver, mode="ban", version="1.1.0", reason="loses orders")
    run(made, receiver, environment="prod", version="1.1.0")
    (same,) = github.open_issues()
    assert same.number == issue.number and "banned-version" in same.body
    assert len(github.comments(issue.number)) == 1

    delivery(made, receiver, "passed")
    assert github.open_issues() == []
    assert "1.1.0 has passed the gate of prod." in github.comments(issue.number)[-1].body


def delivery(made: Shop, receiver: Receiver, reason: str, *, allowed: str = "") -> None:
    """What follows the report of a gate that ended with this reason."""
    environ = made.environ() | {
        "GITHUB_SHA": made.commits["1.1.0"],
        "STAGEGATE_HOSTS": allowed or receiver.host,
    }
    environ["SLACK_URL"] = environ["TEAMS_URL"] = receiver.url
    result = Result(reason=reason, message=Message(what="x"), app="shop", environment="prod", version="1.1.0")
    deliver.send(notices.GATE, PinsInputs(token=made.token), Context.from_environ(environ), result, environ)


def test_a_failure_after_a_pass_is_sent_again(made: Shop, receiver: Receiver) -> None:
    for reason in ("checks-failed", "checks-failed", "passed", "checks-failed"):
        delivery(made, receiver, reason)
    titles = [one["blocks"][0]["text"]["text"] for one in receiver.got if "blocks" in one]
    assert titles == ["Failure: shop 1.1.0 in prod"] * 2


def test_without_channels_or_by_hand_no_message_is_sent(made: Shop, receiver: Receiver) -> None:
    file = made.folder / "stagegate.yaml"
    file.write_text(file.read_text().partition("notify:")[0])
    before = len(made.forge.calls)
    delivery(made, receiver, "checks-failed")
    assert (len(made.forge.calls), receiver.got) == (before, [])


def test_an_error_of_our_own_in_a_message_does_not_change_the_exit_code(
    made: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no message")

    monkeypatch.setattr(notices, "of", broken)
    given, printed = run(made, receiver, environment="prod", version="1.1.0")
    assert given["reason"] == "no-evidence"
    assert "::warning title=notify::Notifications ended with ValueError" in printed


def test_the_apps_of_a_run_share_the_record_of_sent_messages(made: Shop, receiver: Receiver) -> None:
    text = (made.folder / "stagegate.yaml").read_text()
    for name in ("shop", "till", "stock"):
        (made.folder / name).mkdir()
        (made.folder / name / "stagegate.yaml").write_text(text.replace("app: shop", f"app: {name}"))
    (made.folder / "stagegate.yaml").unlink()
    environ = made.environ() | {"GITHUB_SHA": made.commits["1.1.0"], "STAGEGATE_HOSTS": receiver.host}
    parts = [
        Result(reason="no-difference", message=Message(what="x"), app=name)
        for name in ("shop", "till", "stock")
    ]
    result = Result(reason="no-difference", message=Message(what="x"), parts=tuple(parts))
    before = len(made.forge.calls)
    inputs = PinsInputs(token=made.token, config="*/stagegate.yaml")
    deliver.send("promote-pr", inputs, Context.from_environ(environ), result, environ)
    assert len(made.forge.calls) - before == 1  # the statuses of the run's commit
    broken = Result(reason="unreachable", message=Message(what="The registry does not respond."))
    environ["SLACK_URL"] = environ["TEAMS_URL"] = receiver.url
    deliver.send("promote-pr", inputs, Context.from_environ(environ), broken, environ)
    assert [one["blocks"][0]["text"]["text"] for one in receiver.got] == [
        "Failure: shop"
    ]  # once, not for every app
