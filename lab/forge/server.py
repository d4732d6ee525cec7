"""The HTTP side of the forge: the caller, the route, planned faults, and the list of calls."""

from __future__ import annotations

import base64
import binascii
import json
import re
import socket
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from lab.conformance import recording
from lab.forge import demands, faults, git_http, graph
from lab.forge.exchange import Answer, Ask, Fields
from lab.forge.permissions import authenticate, demand
from lab.forge.refusal import Refusal, not_found
from lab.forge.rest import ROUTES
from lab.forge.routing import find
from lab.forge.state import World
from lab.forge.values import ANONYMOUS, Call, Token

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

GIT = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")
JWT_ROUTES = re.compile(r"/app(/.*)?|/repos/[^/]+/[^/]+/installation")


class _Quiet(WSGIRequestHandler):
    """Prints no line for each request, and puts the forge's own time into every response."""

    clock: Callable[[], float]

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` header, which jumps with the forge's clock."""
        return super().date_time_string(self.clock() if timestamp is None else timestamp)

    def log(self, type: str, message: str, *args: object) -> None:
        """Print nothing."""


class Server:
    """Serves one world on 127.0.0.1 until `stop`."""

    def __init__(self, world: World, plans: faults.Faults) -> None:
        self.world = world
        self.plans = plans
        self.stopping = threading.Event()
        handler = type("Handler", (_Quiet,), {"clock": staticmethod(world.seconds)})
        self._http = make_server("127.0.0.1", 0, self._wsgi, threaded=True, request_handler=handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        world.url = f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and release connections that a fault holds."""
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _wsgi(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        raw = request.get_data()
        path, api = _normal(request.path, self.world.url)
        operation = graph.announce(raw) if path == "/graphql" else graph.Operation()
        how = self.plans.next(
            request.method, path + ("#" + ",".join(operation.mutations) if operation.mutations else "")
        )
        login: list[str] = []
        if how is None and self._one_too_many(request, path, operation):
            how = "secondary"
        if how is None or how == "after":
            answer = self._answer(request, raw, path, api, login)
            _remember(request, raw, path, answer)
            if how == "after":
                answer = Answer(0)
        elif how in ("reset", "timeout"):
            self.stopping.wait(300 if how == "timeout" else 0)
            answer = Answer(0)
        else:
            answer = faults.answer(how, self.world.seconds(), graphql=path == "/graphql")
        self._record(request, path, answer.status, "".join(login), operation)
        if answer.status == 0:
            _drop(environ)
        return _response(answer, self.world)(environ, start)

    def _answer(self, request: Request, raw: bytes, path: str, api: str, login: list[str]) -> Answer:
        try:
            token = self._token(request, path)
            login.append(token.user.login)
            if match := GIT.fullmatch(path):
                owner, name, tail = match.groups()
                repo = self.world.find(f"{owner}/{name}")
                query = request.query_string.decode()
                return git_http.serve(
                    self.world, token, repo, tail, request.method, query, request.headers, raw
                )
            with self.world.lock:
                if path == "/graphql":
                    return graph.answer(self.world, token, raw)
                return self._rest(request, raw, path, api, token)
        except Refusal as refusal:
            return _refused(refusal, git=bool(GIT.fullmatch(path)))
        except Exception:  # noqa: BLE001 - a defect of the forge must be seen by whoever called it
            traceback.print_exc()
            return Answer(500, {"message": f"forge: {traceback.format_exc()}"})

    def _one_too_many(self, request: Request, path: str, operation: graph.Operation) -> bool:
        """Whether GitHub would refuse this request for the content that its sender created in the last minute."""
        creates = operation.mutations if path == "/graphql" else request.method in ("POST", "PUT", "PATCH")
        if not creates or GIT.fullmatch(path) or JWT_ROUTES.fullmatch(path):
            return False
        try:
            login = self._token(request, path).user.login
        except Refusal:
            return False
        with self.world.lock:
            return self.world.content_limit.exceeded(login, self.world.seconds())

    def _token(self, request: Request, path: str) -> Token:
        value = _credential(request.headers.get("Authorization", ""))
        if not value or JWT_ROUTES.fullmatch(path):
            return ANONYMOUS
        return authenticate(self.world, value)

    def _rest(self, request: Request, raw: bytes, path: str, api: str, token: Token) -> Answer:
        match = find(ROUTES, request.method, path)
        if match is None:
            # The client wants an app whose port this forge uses now, and no API.
            if "Authorization" in request.headers or "github" in request.headers.get("Accept", ""):
                self.world.unknown_routes.append((request.method, path))
            raise not_found()
        route, params = match
        demands.enter(f"{route.method} {route.pattern}")
        params = {key: unquote(value) for key, value in params.items()}
        repo = None
        if "owner" in params:
            repo = self.world.find(f"{params['owner']}/{params['repo']}")
            if repo is None:
                if not path.startswith(("/repos/", "/uploads/")):
                    self.world.unknown_routes.append((request.method, path))
                raise not_found()
            if not JWT_ROUTES.fullmatch(path):
                demand(token, repo, route.needs, route.person)
        binary = path.startswith("/uploads/")
        fields = Fields({} if binary else _json(raw, path))
        query = request.args.to_dict()
        return route.handler(
            Ask(self.world, token, params, query, fields, request.headers, raw, api, path, repo)
        )

    def _record(
        self, request: Request, path: str, status: int, login: str, operation: graph.Operation
    ) -> None:
        write = request.method not in ("GET", "HEAD") and not path.endswith("/git-upload-pack")
        if path == "/graphql":
            write = bool(operation.mutations)
        with self.world.lock:
            self.world.calls.append(
                Call(
                    len(self.world.calls) + 1, request.method, path, request.query_string.decode(), status,
                    login, write, operation.name, operation.mutations,
                    request.headers.get("User-Agent", ""),
                )
            )  # fmt: skip


def _remember(request: Request, raw: bytes, path: str, answer: Answer) -> None:
    """Keep a REST exchange for the comparison with GitHub's description, where recording is on."""
    if path == "/graphql" or GIT.fullmatch(path) or isinstance(answer.body, bytes | str):
        return
    sent = str(request.environ.get("RAW_URI", path)).partition("?")[0]  # a quoted slash is part of a name
    route = sent.removeprefix("/api/v3").removeprefix("/api").removeprefix("/uploads")
    try:
        body = json.loads(raw) if raw.strip() else None
    except ValueError:
        body = None  # a file
    recording.record(recording.Exchange(request.method, route, answer.status, body, answer.body))


def _normal(path: str, url: str) -> tuple[str, str]:
    """The path without the prefix of GitHub Enterprise Server, and the API address with it."""
    if path.startswith("/api/v3"):
        return path.removeprefix("/api/v3") or "/", f"{url}/api/v3"
    if path.startswith(("/api/graphql", "/api/uploads")):
        return path.removeprefix("/api"), f"{url}/api/v3"
    return path, url


def _credential(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "unreadable"
        return user if password in ("", "x-oauth-basic") else password
    return "unreadable" if header else ""


def _json(raw: bytes, path: str) -> Mapping[str, object]:
    if not raw.strip():
        return {}
    try:
        values = json.loads(raw.decode())
    except ValueError:
        raise Refusal(400, "Problems parsing JSON") from None
    if isinstance(values, list) and path.endswith("/labels"):
        return {"labels": values}  # the one route that also takes a bare list
    if not isinstance(values, dict):
        raise Refusal(400, "Body should be a JSON object")
    return values


def _refused(refusal: Refusal, *, git: bool) -> Answer:
    if git:
        headers = {"Content-Type": "text/plain", "WWW-Authenticate": 'Basic realm="GitHub"'}
        return Answer(refusal.status, b"Invalid username or token.", headers)
    return Answer(refusal.status, refusal.body(), refusal.headers)


def _response(answer: Answer, world: World) -> Response:
    now = int(world.seconds())
    headers = {
        "X-GitHub-Request-Id": f"F0:{len(world.calls):06X}", "X-GitHub-Media-Type": "github.v3; format=json",
        "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999", "X-RateLimit-Used": "1",
        "X-RateLimit-Reset": str(now + 3600), "X-RateLimit-Resource": "core", "Server": "github.com",
    }  # fmt: skip
    headers.update(answer.headers)
    if isinstance(answer.body, bytes | str):
        headers.setdefault("Content-Type", "application/octet-stream")
        return Response(answer.body, answer.status, headers)
    headers["Content-Type"] = "application/json; charset=utf-8"
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    return Response(body, answer.status, headers)


def _drop(environ: WSGIEnvironment) -> None:
    """Cut the connection without a response."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("dropped on purpose")
