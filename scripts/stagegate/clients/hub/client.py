"""Sends requests to GitHub: counts and paces them, repeats them where that is safe, and explains refusals."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
import requests

from stagegate.clients.hub import graph_answers, memory, refusals
from stagegate.clients.hub.graph_answers import GraphError
from stagegate.clients.hub.identity import ABOUT, About
from stagegate.clients.hub.response import HubResponse
from stagegate.clients.hub.transport import Line
from stagegate.errors import Stop

T = TypeVar("T")

API_VERSION = "2022-11-28"
TIMEOUT_SECONDS = 30
PAGE = 100


class Connection(Line):
    """A repository's API with one token. Not for several threads."""

    def __init__(
        self,
        repository: str,
        token: str,
        *,
        api_url: str,
        graphql_url: str,
        server_url: str,
        pace: float | None = None,
    ) -> None:
        from github import Auth, Github  # 0.2 s, only for runs with requests to GitHub

        self.repository = repository
        self.owner, _, self.name = repository.partition("/")
        self.server_url = server_url.rstrip("/")
        self.api_url = api_url.rstrip("/")
        super().__init__(urlsplit(self.api_url).netloc, token, pace)
        self._requester = Github(
            auth=Auth.Token(token),
            base_url=self.api_url,
            lazy=True,
            retry=0,  # PyGithub's own retry repeats POST and sleeps without a limit
            timeout=TIMEOUT_SECONDS,
            seconds_between_requests=None,
            seconds_between_writes=None,  # it would count a GraphQL query as a write
            user_agent=_user_agent(sys.argv),
            api_version=API_VERSION,
        ).requester
        same_host = urlsplit(graphql_url).netloc == self.host
        self.graphql_url = graphql_url if same_host else self._requester.graphql_url

    # --- REST ---------------------------------------------------------------------------------------------

    def path(self, route: str = "", *names: str | int) -> str:
        """`/repos/<owner>/<name>/<route>/<names>`: a slash divides the route, and is part of a name."""
        safe = ":@!$&'()*+,;=~"
        steps = [quote(route, safe=safe + "/"), *(quote(str(name), safe=safe) for name in names)]
        return "/".join(("/repos", self.owner, self.name, *(step for step in steps if step)))

    def get(
        self, path: str, kind: type[T], doing: str, permission: str = "metadata: read", /, **params: str | int
    ) -> T:
        """A GET, decoded as `kind`; a 404 is a refusal here."""
        return self.send(self._json("GET", path, params), _as(kind), doing, permission, write=False)

    def find(
        self, path: str, kind: type[T], doing: str, permission: str = "metadata: read", /, **params: str | int
    ) -> T | None:
        """Like `get`, but None for a 404, accepted only for a repository that the token can read."""
        try:
            return self.get(path, kind, doing, permission, **params)
        except refusals.Refused as refusal:
            if refusal.status != 404:
                raise
            self.see_repository()
            return None

    def pages(
        self, path: str, kind: type[T], doing: str, permission: str = "metadata: read", /, **params: str | int
    ) -> Iterator[T]:
        """All items of a list, page after page, asked for as they are needed."""
        query: dict[str, str | int] = {"per_page": PAGE, **params}
        while True:
            ask = self._json("GET", path, query)
            items, following = self.send(ask, _page_of(kind), doing, permission, write=False)
            yield from items
            if not following:
                return
            query = dict(following)  # use only its parameters, not an address that the server chooses

    def write(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any],
        doing: str,
        permission: str,
        kind: type[T],
        *,
        repeatable: bool = False,
    ) -> T:
        """A POST, PATCH, PUT or DELETE. A lost response raises Uncertain unless it is `repeatable`."""
        memory.forget_changed(path.removeprefix(self.path()).lstrip("/"))
        ask = self._json(verb, path, body=dict(body))
        return self.send(ask, _as(kind), doing, permission, write=True, repeatable=repeatable)

    # --- GraphQL ------------------------------------------------------------------------------------------

    def query(
        self,
        text: str,
        variables: Mapping[str, Any],
        kind: type[T],
        doing: str,
        permission: str = "contents: read",
    ) -> T:
        """A GraphQL query's `data` as `kind`; `$owner` and `$name` are filled in. Any error refuses all."""
        mine = {"owner": self.owner, "name": self.name} if "$owner" in text else {}
        body = {"query": text, "variables": {**mine, **variables}}
        ask = self._json("POST", self.graphql_url, body=body)
        refuse = self._refusal(doing, permission, write=False)
        return self.send(ask, partial(graph_answers.data, kind, refuse), doing, permission, write=False)

    def query_nodes(
        self, text: str, variables: Mapping[str, Any], kind: type[T], doing: str, permission: str
    ) -> dict[str, T]:
        """A GraphQL query of nodes by id: each alias and its node, without those that GitHub cannot find.

        For ids from a list that this token has just read: an absent one was deleted in between.
        """

        refuse = self._refusal(doing, permission, write=False)
        ask = self._json("POST", self.graphql_url, body={"query": text, "variables": dict(variables)})
        return self.send(ask, partial(graph_answers.nodes, kind, refuse), doing, permission, write=False)

    def mutate(
        self,
        mutation: str,
        fields: Mapping[str, Any],
        output: str,
        doing: str,
        permission: str,
        kind: type[T],
    ) -> T:
        """A GraphQL mutation with one `input`; its payload as `kind`.

        Payloads are nullable in GitHub's schema: one that does not fit `kind` raises Uncertain.
        """
        input_type = mutation[0].upper() + mutation[1:] + "Input!"
        text = f"mutation($input: {input_type}) {{ result: {mutation}(input: $input) {{ {output} }} }}"
        body = {"query": text, "variables": {"input": fields}}
        memory.forget_changed(mutation)
        refuse = self._refusal(doing, permission, write=True)
        ask = self._json("POST", self.graphql_url, body=body)
        return self.send(ask, partial(graph_answers.payload, kind, refuse), doing, permission, write=True)

    def _refusal(self, doing: str, permission: str, *, write: bool) -> Callable[[Sequence[GraphError]], Stop]:
        """A function that turns the errors of a GraphQL response into a Stop."""

        def refuse(errors: Sequence[GraphError]) -> Stop:
            if errors[0].type == "NOT_FOUND" and errors[0].path == ["repository"]:
                return self.invisible()
            return graph_answers.refusal(errors, self.host, self.token, doing, permission, write=write)

        return refuse

    # --- one request --------------------------------------------------------------------------------------

    def _json(
        self,
        verb: str,
        url: str,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Callable[[], HubResponse]:
        def ask() -> HubResponse:
            accept = {"Accept": "application/vnd.github+json"}
            status, headers, text = self._requester.requestJson(verb, url, dict(params or {}), accept, body)
            if 300 <= status < 400:
                raise self._moved()
            if status == 404 and url == self.graphql_url:
                raise refusals.old_server(self.host, doing="use GraphQL", message=f"{url} answered 404")
            return HubResponse(status=status, headers=headers, text=text)

        return ask

    # --- the repository itself ----------------------------------------------------------------------------

    def see_repository(self) -> About:
        """Viewer and repository, read once. Stop(missing-permission) when the token has no access."""
        if self._about is None:
            self._about = self.query(ABOUT, {}, About, f"read {self.repository}", "metadata: read")
            if self._about.repository is None:
                raise self.invisible()
        return self._about

    @property
    def is_known(self) -> bool:
        """Whether viewer and repository were read."""
        return self._about is not None

    @property
    def default_branch(self) -> str:
        """The name of the default branch if it is known, else empty."""
        branch = self._about.repository.default_branch_ref if self._about and self._about.repository else None
        return branch.name if branch else ""

    def know(self, about: About) -> None:
        """Take viewer and repository from another response."""
        self._about = about

    _about: About | None = None

    def _moved(self) -> Stop:
        return Stop(
            "bad-input",
            f"{self.repository} now has a different name.",
            "GitHub returned a redirect to the new name, and stagegate does not follow redirects "
            "when it writes.",
            "Use the new name of the repository in the settings and in the workflow.",
        )

    def invisible(self) -> Stop:
        """The Stop for a repository that this token cannot read."""
        return Stop(
            "missing-permission",
            f"The token has no access to {self.repository}.",
            "The repository does not exist, or the token does not include this repository. GitHub "
            "does not report which of the two is the case.",
            "Check the name; GITHUB_TOKEN works only for the repository of its own run; pass an App's "
            "token for another repository.",
        )


def _user_agent(argv: Sequence[str]) -> str:
    """What GitHub's logs show: stagegate, and the program that was started, such as `promote_pr`."""
    name = re.sub(r"[^A-Za-z0-9_-]", "", Path(argv[0]).stem) if argv else ""
    return f"stagegate ({name})" if name else "stagegate"


def _as(kind: type[T]) -> Callable[[HubResponse], T]:
    def decode(response: HubResponse) -> T:
        return msgspec.json.decode(response.text or "null", type=kind)

    return decode


def _page_of(kind: type[T]) -> Callable[[HubResponse], tuple[list[T], list[tuple[str, str]]]]:
    def decode(response: HubResponse) -> tuple[list[T], list[tuple[str, str]]]:
        items = msgspec.json.decode(response.text, type=list[kind])  # type: ignore[valid-type]
        links = requests.utils.parse_header_links(response.headers.get("link", ""))
        following = next((link["url"] for link in links if link.get("rel") == "next"), "")
        return items, parse_qsl(urlsplit(following).query)

    return decode
