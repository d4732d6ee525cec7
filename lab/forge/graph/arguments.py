"""The arguments of a GraphQL field, read with types."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Field = Callable[..., object]
Table = Mapping[str, Mapping[str, Field]]


class Arguments:
    """Arguments of a field, read with types; graphql-core has checked them against the schema."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def text(self, name: str) -> str:
        """A string; "" when it was not given."""
        return str(self.values.get(name) or "")

    def number(self, name: str) -> int | None:
        """A number, when given."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    def flag(self, name: str) -> bool:
        """A boolean; False when it was not given."""
        return bool(self.values.get(name))

    def texts(self, name: str) -> list[str] | None:
        """A list of strings, when given."""
        value = self.values.get(name)
        return [str(item) for item in value] if isinstance(value, list) else None

    def inner(self, name: str) -> Arguments:
        """An input object; empty when it was not given."""
        value = self.values.get(name)
        return Arguments(value if isinstance(value, dict) else {})

    def inners(self, name: str) -> list[Arguments]:
        """A list of input objects."""
        value = self.values.get(name)
        return [Arguments(item) for item in value] if isinstance(value, list) else []

    def descending(self) -> bool:
        """True when `orderBy` says DESC."""
        return self.inner("orderBy").text("direction") == "DESC"
