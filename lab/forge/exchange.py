"""One REST request and its response, as route functions handle them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from werkzeug.datastructures import Headers

from lab.forge.permissions import demand
from lab.forge.refusal import Refusal, malformed, not_found
from lab.forge.state import Repository, World
from lab.forge.values import BODY_LIMIT, Body, Token

Default = TypeVar("Default")


@dataclass(frozen=True)
class Answer:
    """The response: `body` is JSON unless it is bytes; None is an empty response."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fields:
    """A JSON object of a request, read with types; wrong types and missing fields are 422."""

    values: Mapping[str, object]

    def given(self, name: str) -> bool:
        """True when the field is there and not null."""
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        """A required string."""
        if not self.given(name):
            raise malformed(f'"{name}" wasn\'t supplied.')
        return self.text_or(name, "")

    def text_or(self, name: str, default: Default, limit: int = BODY_LIMIT) -> str | Default:
        """An optional string of at most `limit` characters."""
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise malformed(f"For 'properties/{name}', {value!r} is not a string.")
        if len(value) > limit:
            message = f"{name} is too long (maximum is {limit} characters)"
            raise Refusal(
                422, "Validation Failed", errors=[{"code": "custom", "field": name, "message": message}]
            )
        return value

    def flag(self, name: str, default: bool) -> bool:
        """An optional boolean."""
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise malformed(f"For 'properties/{name}', {value!r} is not a boolean.")
        return value

    def texts(self, name: str) -> list[str] | None:
        """An optional list of strings; null and absent are None."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise malformed(f"For 'properties/{name}', {value!r} is not an array of strings.")
        return [str(item) for item in value]

    def objects(self, name: str) -> list[Fields]:
        """An optional list of objects."""
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise malformed(f"For 'properties/{name}', {value!r} is not an array of objects.")
        return [Fields(item) for item in value]

    def object(self, name: str) -> Fields | None:
        """An optional object."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise malformed(f"For 'properties/{name}', {value!r} is not an object.")
        return Fields(value)


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


Record = TypeVar("Record", bound=_Numbered)


@dataclass(frozen=True)
class Ask:
    """A request with its route: the caller (`token`), the repository and the content."""

    world: World
    token: Token
    params: Mapping[str, str]
    query: Mapping[str, str]
    fields: Fields
    headers: Headers
    raw: bytes
    api: str
    path: str
    found: Repository | None

    @property
    def repository(self) -> Repository:
        """The repository of the path."""
        if self.found is None:
            raise not_found()
        return self.found

    @property
    def links(self) -> Links:
        """Addresses for this caller."""
        return Links(self.api, self.world.url)

    def param(self, name: str) -> str:
        """A part of the path."""
        return self.params[name]

    def number(self, name: str) -> int:
        """A part of the path that is a number; anything else is 404."""
        if not self.params[name].isdigit():
            raise not_found()
        return int(self.params[name])

    def record(self, records: Iterable[Record]) -> Record:
        """The record that `id` in the path names; 404 for none, and while a read misses it."""
        number = self.number("id")
        for item in records:
            if item.id == number and not self.world.replica.misses(number):
                return item
        raise not_found()

    def demand(self, needs: str) -> None:
        """Refuse unless the caller has a further permission."""
        demand(self.token, self.repository, needs)

    def page(
        self, items: Sequence[object], wrap: str = "", show: Callable[[object], object] | None = None
    ) -> Answer:
        """One page of a list with its Link header; `wrap` names the list inside an object with total_count.

        `show` makes the JSON of one item, for lists too long to show whole.
        """
        items = [item for item in items if not self.world.replica.misses(_id(item))]
        size = max(1, min(_number(self.query.get("per_page"), 30), 100))
        page = max(1, _number(self.query.get("page"), 1))
        last = max(1, -(-len(items) // size))
        part = list(items[(page - 1) * size : page * size])
        part = [show(item) for item in part] if show else part
        links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        shown_links = [name for name in links if (page > 1 if name in ("prev", "first") else page < last)]
        header = ", ".join(f'<{self._at(links[name])}>; rel="{name}"' for name in shown_links)
        body: object = {"total_count": len(items), wrap: part} if wrap else part
        return Answer(200, body, {"Link": header} if header else {})

    def _at(self, page: int) -> str:
        return f"{self.api}{self.path}?{urlencode({**self.query, 'page': str(page)})}"


@dataclass(frozen=True)
class Links:
    """The addresses of the API (`api`) and the pages (`web`) for this caller."""

    api: str
    web: str

    def repo(self, repository: Repository) -> str:
        """The API address of a repository."""
        return f"{self.api}/repos/{repository.full_name}"

    def page(self, repository: Repository) -> str:
        """The address of a repository for people and for git."""
        return f"{self.web}/{repository.full_name}"


def made(body: Body) -> Answer:
    """201."""
    return Answer(201, body)


def nothing() -> Answer:
    """204."""
    return Answer(204)


def _id(item: object) -> int:
    """The database id of a record, or of its JSON; 0 for a record without one."""
    record_id = item.get("id") if isinstance(item, dict) else getattr(item, "id", None)
    return record_id if isinstance(record_id, int) else 0


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default
