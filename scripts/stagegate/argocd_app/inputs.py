"""What decides a rendering besides the chart: values, parameters, names. Nothing here reads or runs."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Parameter(NamedTuple):
    """One `--set name=value`, or `--set-string` where `string` says that the value must stay text."""

    name: str
    value: str
    string: bool = False


class ValuesFile(msgspec.Struct, frozen=True, kw_only=True):
    """One values file: its bytes, or (`content` None) the path `name` inside the chart itself."""

    name: str
    content: bytes | None = None
    optional: bool = False


class FileParameter(msgspec.Struct, frozen=True, kw_only=True):
    """One `--set-file name=path`: the file's bytes, or (`content` None) a path inside the chart itself."""

    name: str
    path: str
    content: bytes | None = None


class RenderInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything besides the chart that decides what is rendered, in helm's order of weight.

    `values` later ones winning, then `inline` (values written in the Application), then `parameters`.
    """

    release_name: str
    namespace: str
    values: tuple[ValuesFile, ...] = ()
    inline: str = ""
    parameters: tuple[Parameter, ...] = ()
    file_parameters: tuple[FileParameter, ...] = ()
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    include_crds: bool = True
    include_tests: bool = True
    check_schema: bool = True

    def with_parameter(self, name: str, value: str) -> RenderInputs:
        """The same with one parameter's value replaced, only where it is given at all."""
        moved = tuple(one._replace(value=value) if one.name == name else one for one in self.parameters)
        return msgspec.structs.replace(self, parameters=moved)
