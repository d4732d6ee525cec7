"""What an Argo CD Application says about rendering: because that is what Argo CD will apply.

Pure: the document and a way to read files of other repositories go in.
https://argo-cd.readthedocs.io/en/stable/user-guide/helm/ and .../user-guide/multiple_sources/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from stagegate.argocd_app.inputs import Parameter, RenderInputs, ValuesFile
from stagegate.errors import Stop

Read = Callable[[str, str, str], bytes | None]
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))")


class ChartPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where an Application's chart comes from, and which one.

    registry: `url` is host/path/name without a scheme; repository: an HTTP index and `name`; git: a
    repository and `path` in it. `revision` is targetRevision's text; `index` counts in `sources`, -1 is
    `source`.
    """

    kind: Literal["registry", "repository", "git"]
    url: str
    name: str = ""
    path: str = ""
    revision: str
    index: int = -1


class ApplicationRender(msgspec.Struct, frozen=True, kw_only=True):
    """An Application read for rendering: which chart, with which inputs."""

    application: str
    chart: ChartPlace
    inputs: RenderInputs


def is_application(document: object) -> bool:
    """True for an Argo CD Application (not an ApplicationSet)."""
    return (
        isinstance(document, dict)
        and document.get("kind") == "Application"
        and str(document.get("apiVersion", "")).startswith("argoproj.io/")
    )


def places(application: Mapping[str, Any]) -> tuple[ChartPlace, ...]:
    """Every source of an Application that renders something, in its order."""
    spec = _mapping(application.get("spec"))
    listed = spec.get("sources")
    if isinstance(listed, list) and listed:
        found = [_place(_mapping(source), index) for index, source in enumerate(listed)]
    else:
        found = [_place(_mapping(spec.get("source")), -1)]
    return tuple(place for place in found if place is not None)


def render_inputs(application: Mapping[str, Any], read: Read, *, chart: str = "") -> ApplicationRender:
    """What rendering this Application takes. `read(repository, revision, path)` gives a file's bytes or None.

    `chart` names the wanted one where an Application has several. Stop(ambiguous-pin) when that does not
    decide, Stop(missing-file) for a values file that is not there.
    """
    name = str(_mapping(application.get("metadata")).get("name") or "")
    place = _one(places(application), name, chart)
    spec = _mapping(application.get("spec"))
    source = _mapping(spec.get("source") if place.index < 0 else spec["sources"][place.index])
    settings = _mapping(source.get("helm"))
    destination = _mapping(spec.get("destination"))
    namespace = str(settings.get("namespace") or destination.get("namespace") or "default")
    known = {
        "ARGOCD_APP_NAME": name,
        "ARGOCD_APP_NAMESPACE": namespace,
        "ARGOCD_APP_PROJECT_NAME": str(spec.get("project") or ""),
        "ARGOCD_APP_REVISION": place.revision,
        "ARGOCD_APP_SOURCE_REPO_URL": str(source.get("repoURL") or ""),
        "ARGOCD_APP_SOURCE_PATH": place.path,
        "ARGOCD_APP_SOURCE_TARGET_REVISION": place.revision,
    }
    if settings.get("fileParameters"):
        raise _unsupported(name, "helm.fileParameters", "Put the text into a values file.")
    inputs = RenderInputs(
        release_name=str(settings.get("releaseName") or name),
        namespace=namespace,
        values=tuple(_values_files(settings, spec, place, name, known, read)),
        inline=_inline(settings),
        parameters=tuple(_parameter(_mapping(one), known) for one in settings.get("parameters") or ()),
        kube_version=str(settings.get("kubeVersion") or ""),
        api_versions=tuple(str(api) for api in settings.get("apiVersions") or ()),
        include_crds=not settings.get("skipCrds"),
    )
    return ApplicationRender(application=name, chart=place, inputs=inputs)


def _place(source: Mapping[str, Any], index: int) -> ChartPlace | None:
    url, chart, path = (str(source.get(key) or "") for key in ("repoURL", "chart", "path"))
    revision = str(source.get("targetRevision") or "")
    if chart and url.startswith(("http://", "https://")):
        return ChartPlace(kind="repository", url=url, name=chart, revision=revision, index=index)
    if chart:
        place = f"{url.removeprefix('oci://').rstrip('/')}/{chart}"
        return ChartPlace(kind="registry", url=place, name=chart, revision=revision, index=index)
    if url.startswith("oci://"):
        place = url.removeprefix("oci://").rstrip("/")
        return ChartPlace(
            kind="registry", url=place, name=place.rpartition("/")[2], revision=revision, index=index
        )
    if path:
        return ChartPlace(kind="git", url=url, path=path, revision=revision or "HEAD", index=index)
    return None


def _one(found: tuple[ChartPlace, ...], application: str, chart: str) -> ChartPlace:
    named = [place for place in found if chart and chart in (place.name, place.path.rpartition("/")[2])]
    if len(named) == 1:
        return named[0]
    if len(found) == 1 and (not chart or not found[0].name):
        return found[0]
    sources = ", ".join(place.name or place.path for place in found) or "no chart"
    wanted = f"the chart {chart}" if chart else "the chart"
    raise Stop(
        "ambiguous-pin",
        f"Application {application} does not say which of its sources is {wanted}.",
        f"It has: {sources}.",
        "Let the pin name an Application with this chart as one source.",
    )


def _values_files(
    settings: Mapping[str, Any],
    spec: Mapping[str, Any],
    place: ChartPlace,
    application: str,
    known: Mapping[str, str],
    read: Read,
) -> list[ValuesFile]:
    found = []
    optional = bool(settings.get("ignoreMissingValueFiles"))
    for entry in settings.get("valueFiles") or ():
        written = str(entry)
        if written.startswith(("http://", "https://")) or "*" in written:
            raise _unsupported(
                application, f"the values file {written}", "Keep it in a repository, by its name."
            )
        reference, _, path = written.partition("/")
        if reference.startswith("$") and reference[1:] not in known:
            source = _referenced(spec, reference[1:], application)
            url, revision = str(source.get("repoURL") or ""), str(source.get("targetRevision") or "HEAD")
        elif place.kind == "git":
            path = _expand(written, known)
            path = posixpath.normpath(path.lstrip("/") if path.startswith("/") else f"{place.path}/{path}")
            url, revision = place.url, place.revision
        else:  # beside the chart's own values.yaml
            found.append(ValuesFile(name=_expand(written, known).lstrip("/"), optional=optional))
            continue
        content = read(url, revision, path)
        if content is None and not optional:
            raise Stop(
                "missing-file",
                f"There is no {path} in {url} at {revision}.",
                f"Application {application} names it under helm.valueFiles.",
                "Correct the name, or set ignoreMissingValueFiles.",
                file=path,
            )
        found.append(ValuesFile(name=path, content=content or b"", optional=optional))
    return found


def _referenced(spec: Mapping[str, Any], name: str, application: str) -> Mapping[str, Any]:
    for source in spec.get("sources") or ():
        if isinstance(source, dict) and source.get("ref") == name:
            return source
    raise Stop(
        "ambiguous-pin",
        f"Application {application} names ${name}, and no source of it has `ref: {name}`.",
        "Argo CD could not find that values file either.",
        "Correct the reference.",
    )


def _inline(settings: Mapping[str, Any]) -> str:
    """`valuesObject` wins over `values`, as in Argo CD."""
    if settings.get("valuesObject"):
        return msgspec.json.encode(settings["valuesObject"]).decode()  # JSON is YAML
    return str(settings.get("values") or "")


def _parameter(entry: Mapping[str, Any], known: Mapping[str, str]) -> Parameter:
    """As Argo CD hands it to helm: variables filled in, commas escaped except in a {list}."""
    value = _expand(str(entry.get("value") or ""), known)
    if not (value.startswith("{") and value.endswith("}")):
        value = re.sub(r"(?<!\\),", r"\\,", value)
    return Parameter(str(entry.get("name") or ""), value, bool(entry.get("forceString")))


def _expand(text: str, known: Mapping[str, str]) -> str:
    """Argo CD's build environment: `$NAME` and `${NAME}`, unknown ones empty, `$$` is `$`."""
    return _VARIABLE.sub(lambda m: "$" if m[3] else known.get(m[1] or m[2], ""), text)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _unsupported(application: str, what: str, next: str) -> Stop:
    return Stop(
        "ambiguous-pin",
        f"Application {application} uses {what}.",
        "stagegate cannot render that the way Argo CD does.",
        next,
    )
