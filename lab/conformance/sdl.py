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


def problems(lab_schema: str, github_schema: str) -> Iterator[str]:
    """Types, fields, arguments, values and members of ours that GitHub lacks, or defines differently."""
    small, full = build_schema(lab_schema), build_schema(github_schema, assume_valid_sdl=True)
    for name, kind in small.type_map.items():
        if name.startswith("__") or name in _BUILT_IN:
            continue
        github_type = full.type_map.get(name)
        if github_type is None:
            yield f"{name}: GitHub has no such type"
        elif type(kind) is not type(github_type):
            yield f"{name} is {type(kind).__name__}, GitHub's is {type(github_type).__name__}"
        else:
            yield from _inside(kind, github_type)


def _inside(kind: GraphQLNamedType, github_type: GraphQLNamedType) -> Iterator[str]:
    if isinstance(kind, GraphQLEnumType) and isinstance(github_type, GraphQLEnumType):
        yield from (
            f"{kind.name}.{value}: GitHub has no such value"
            for value in kind.values.keys() - github_type.values
        )
    elif isinstance(kind, GraphQLUnionType) and isinstance(github_type, GraphQLUnionType):
        names = {member.name for member in github_type.types}
        yield from (f"{kind.name}: GitHub has no member {m.name}" for m in kind.types if m.name not in names)
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(github_type, GraphQLInputObjectType):
        for name, field in kind.fields.items():
            yield from _same(f"{kind.name}.{name}", str(field.type), github_type.fields.get(name))
        needed = {
            n
            for n, f in github_type.fields.items()
            if str(f.type).endswith("!") and f.default_value is Undefined
        }
        yield from (f"{kind.name}.{name}: GitHub asks for it" for name in needed - kind.fields.keys())
    elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and isinstance(
        github_type, GraphQLObjectType | GraphQLInterfaceType
    ):
        for name, lab_field in kind.fields.items():
            yield from _same(f"{kind.name}.{name}", str(lab_field.type), github_type.fields.get(name))
            github_arguments = github_type.fields[name].args if name in github_type.fields else {}
            for argument, lab_argument in lab_field.args.items():
                yield from _same(
                    f"{kind.name}.{name}({argument})", str(lab_argument.type), github_arguments.get(argument)
                )
            needed = {
                n
                for n, a in github_arguments.items()
                if str(a.type).endswith("!") and a.default_value is Undefined
            }
            yield from (
                f"{kind.name}.{name}({argument_name}): GitHub asks for it"
                for argument_name in needed - lab_field.args.keys()
            )


def _same(name: str, lab_type: str, github_type: object) -> Iterator[str]:
    if github_type is None:
        yield f"{name}: GitHub has none"
    elif lab_type != str(getattr(github_type, "type", "")):
        yield f"{name} is {lab_type}, GitHub's is {getattr(github_type, 'type', '')}"
