"""One resolver for every field: the tables of the topic files first, then an attribute of the same name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from graphql import GraphQLResolveInfo

from lab.forge import demands
from lab.forge.graph import git_fields, git_mutations, people, pull_fields, pull_mutations, repository_fields
from lab.forge.graph.arguments import Arguments, Field, Table
from lab.forge.graph.nodes import Asker

TABLES: tuple[Table, ...] = (
    people.FIELDS,
    git_fields.FIELDS,
    repository_fields.FIELDS,
    pull_fields.FIELDS,
    git_mutations.FIELDS,
    pull_mutations.FIELDS,
)


@cache
def _field(kind: str, name: str) -> Field | None:
    for table in TABLES:
        for owner in (kind, "*"):
            if resolver := table.get(owner, {}).get(name):
                return resolver
    return None


def resolve(source: object, info: GraphQLResolveInfo[Asker], **arguments: object) -> object:
    """Call `field(asker, source, arguments)`, or read the attribute in snake case."""
    asker = info.context
    if resolver := _field(info.parent_type.name, info.field_name):
        demands.enter(f"{info.parent_type.name}.{info.field_name}")
        return resolver(asker, source, Arguments(arguments))
    if isinstance(source, Mapping):
        return source.get(info.field_name)
    return getattr(source, re.sub(r"([A-Z])", lambda hit: "_" + hit[1].lower(), info.field_name))
