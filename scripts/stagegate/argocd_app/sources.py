"""The one reader of an Application's sources: what each of them names, before anything is read or run. Pure.

https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Kind = Literal["registry", "repository", "git", "reference"]
_TYPES = ("helm", "kustomize", "directory", "plugin")


class ApplicationSource(msgspec.Struct, frozen=True, kw_only=True):
    """One source of an Application.

    kind: `registry` (an OCI artifact), `repository` (an HTTP chart index), `git`, or `reference` (nothing but a
    name for other sources' values files). `index` counts in `sources`, -1 is `source`. `document` is the source
    as written.
    """

    kind: Kind
    address: str
    chart: str = ""
    path: str = ""
    revision: str = ""
    ref: str = ""
    index: int = -1
    document: Mapping[str, Any]

    @property
    def renders(self) -> bool:
        """Whether objects come from it."""
        return self.kind != "reference"

    @property
    def types(self) -> tuple[str, ...]:
        """The tools it names by itself: `helm`, `kustomize`, `directory`, `plugin`; Argo CD accepts one."""
        return tuple(name for name in _TYPES if _says(self.document.get(name), name))

    def options(self, name: str) -> Mapping[str, Any]:
        """The options for one tool."""
        return mapping(self.document.get(name))


def of(application: Mapping[str, Any]) -> tuple[ApplicationSource, ...]:
    """Every source of an Application, in its order: `sources`, which wins, or the one `source`."""
    spec = mapping(application.get("spec"))
    listed = spec.get("sources")
    if isinstance(listed, list) and listed:
        return tuple(_source(mapping(one), index) for index, one in enumerate(listed))
    return (_source(mapping(spec.get("source")), -1),) if spec.get("source") else ()


def referenced(application: Mapping[str, Any], name: str) -> ApplicationSource | None:
    """The source that `$name` refers to in values files."""
    return next((one for one in of(application) if one.ref == name), None)


def mapping(value: object) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one, because documents are not trusted."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> list[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def _source(document: Mapping[str, Any], index: int) -> ApplicationSource:
    address, chart, path, revision, ref = (
        str(document.get(key) or "").strip() for key in ("repoURL", "chart", "path", "targetRevision", "ref")
    )
    kind: Kind = "git"
    if address.startswith("oci://") or (chart and not address.startswith(("http://", "https://"))):
        kind = "registry"
    elif chart:
        kind = "repository"
    elif ref and not path:
        kind = "reference"
    return ApplicationSource(
        kind=kind,
        address=address,
        chart=chart,
        path=path,
        revision=revision,
        ref=ref,
        index=index,
        document=document,
    )


def _says(value: object, name: str) -> bool:
    """Argo CD's IsZero: an empty block names no tool; `plugin: {}` does."""
    if name == "plugin":
        return isinstance(value, Mapping)
    return any(item not in (None, "", False, [], {}) for item in mapping(value).values())
