"""Compares the forge's GraphQL schema with GitHub's: it may leave parts out, but the rest must be identical."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
    build_schema,
)

_BUILT_IN = frozenset(("String", "Int", "Float", "Boolean", "ID"))


def problems(ours: str, theirs: str) -> Iterator[str]:
    """Types, fields, arguments, values and members of ours that GitHub lacks, or defines differently."""
    small, whole = build_schema(ours), build_schema(theirs, assume_valid_sdl=True)
    for name, kind in small.type_map.items():
        if name.startswith("__") or name in _BUILT_IN:
            continue
        other = whole.type_map.get(name)
        if other is None:
            yield f"{name}: GitHub has no such type"
        elif type(kind) is not type(other):
            yield f"{name} is {type(kind).__name__}, GitHub's is {type(other).__name__}"
        else:
            yield from _inside(kind, other)


def _inside(kind: GraphQLNamedType, other: GraphQLNamedType) -> Iterator[str]:
    if isinstance(kind, GraphQLEnumType) and isinstance(other, GraphQLEnumType):
        yield from (
            f"{kind.name}.{value}: GitHub has no such value" for value in kind.values.keys() - other.values
        )
    elif isinstance(kind, GraphQLUnionType) and isinstance(other, GraphQLUnionType):
        names = {member.name for member in other.types}
        yield from (f"{kind.name}: GitHub has no member {m.name}" for m in kind.types if m.name not in names)
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(other, GraphQLInputObjectType):
        for name, field in kind.fields.items():
            yield from _same(f"{kind.name}.{name}", str(field.type), other.fields.get(name))
        needed = {
            n for n, f in other.fields.items() if str(f.type).endswith("!") and f.default_value is Undefined
        }
        yield from (f"{kind.name}.{name}: GitHub asks for it" for name in needed - kind.fields.keys())
    elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and isinstance(
        other, GraphQLObjectType | GraphQLInterfaceType
    ):
        for name, made in kind.fields.items():
            yield from _same(f"{kind.name}.{name}", str(made.type), other.fields.get(name))
            known = other.fields[name].args if name in other.fields else {}
            for argument, given in made.args.items():
                yield from _same(f"{kind.name}.{name}({argument})", str(given.type), known.get(argument))
            needed = {
                n for n, a in known.items() if str(a.type).endswith("!") and a.default_value is Undefined
            }
            yield from (f"{kind.name}.{name}({one}): GitHub asks for it" for one in needed - made.args.keys())


def _same(name: str, ours: str, other: object) -> Iterator[str]:
    if other is None:
        yield f"{name}: GitHub has none"
    elif ours != str(getattr(other, "type", "")):
        yield f"{name} is {ours}, GitHub's is {getattr(other, 'type', '')}"
