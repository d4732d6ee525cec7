"""The rendering inputs of an Argo CD Application, because Argo CD applies what they render.

Pure: the document and a way to read files of other repositories go in.
https://argo-cd.readthedocs.io/en/stable/user-guide/helm/ and .../user-guide/multiple_sources/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from stagegate.argocd_app import sources
from stagegate.argocd_app.helm_files import Find, HelmFiles, Read, expand
from stagegate.argocd_app.inputs import Parameter, RenderInputs
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.errors import Stop


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
    return tuple(place(one) for one in sources.of(application) if one.renders)


def place(source: ApplicationSource) -> ChartPlace:
    """Where a source's chart comes from."""
    if source.kind == "registry":
        address = source.address.removeprefix("oci://").rstrip("/")
        url = f"{address}/{source.chart}" if source.chart else address
        name = source.chart or url.rpartition("/")[2]
        return ChartPlace(kind="registry", url=url, name=name, revision=source.revision, index=source.index)
    if source.kind == "repository":
        return ChartPlace(
            kind="repository",
            url=source.address,
            name=source.chart,
            revision=source.revision,
            index=source.index,
        )
    revision = source.revision or "HEAD"
    return ChartPlace(kind="git", url=source.address, path=source.path, revision=revision, index=source.index)


def render_inputs(
    application: Mapping[str, Any], read: Read, *, chart: str = "", find: Find | None = None
) -> ApplicationRender:
    """The rendering inputs of this Application. `read(repository, revision, path)` gives a file's bytes or None.

    `chart` names the wanted one where an Application has several; `find` lists the paths that a pattern
    among the values files fits. Stop(ambiguous-pin) when that does not decide, or without `find`;
    Stop(missing-file) for a values file that is not there.
    """
    name = str(mapping(application.get("metadata")).get("name") or "")
    chosen = _one(places(application), name, chart)
    source = next(one for one in sources.of(application) if one.index == chosen.index)
    inputs = helm_inputs(application, source, read, find)
    return ApplicationRender(application=name, chart=chosen, inputs=inputs)


def helm_inputs(
    application: Mapping[str, Any], source: ApplicationSource, read: Read, find: Find | None = None
) -> RenderInputs:
    """Helm's inputs for one source of an Application, as Argo CD passes them."""
    name = str(mapping(application.get("metadata")).get("name") or "")
    settings = source.options("helm")
    namespace = str(settings.get("namespace") or destination_namespace(application) or "default")
    build_environment = environment(application, source)
    files = HelmFiles(application=application, source=source, known=build_environment, read=read, find=find)
    return RenderInputs(
        release_name=str(settings.get("releaseName") or name),
        namespace=namespace,
        values=tuple(files.values()),
        inline=_inline(settings),
        parameters=tuple(
            _parameter(mapping(one), build_environment) for one in settings.get("parameters") or ()
        ),
        file_parameters=tuple(files.parameters()),
        kube_version=str(settings.get("kubeVersion") or ""),
        api_versions=tuple(str(api) for api in settings.get("apiVersions") or ()),
        include_crds=not settings.get("skipCrds"),
        include_tests=not settings.get("skipTests"),
        check_schema=not settings.get("skipSchemaValidation"),
    )


def destination_namespace(application: Mapping[str, Any]) -> str:
    """The namespace of objects that name none, by the Application's destination; empty without one."""
    return str(mapping(mapping(application.get("spec")).get("destination")).get("namespace") or "")


def environment(application: Mapping[str, Any], source: ApplicationSource) -> dict[str, str]:
    """Argo CD's build environment: https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/"""
    revision = source.revision or ("HEAD" if source.kind == "git" else "")
    return {
        "ARGOCD_APP_NAME": str(mapping(application.get("metadata")).get("name") or ""),
        "ARGOCD_APP_NAMESPACE": destination_namespace(application),
        "ARGOCD_APP_PROJECT_NAME": str(mapping(application.get("spec")).get("project") or ""),
        "ARGOCD_APP_REVISION": revision,
        "ARGOCD_APP_SOURCE_REPO_URL": source.address,
        "ARGOCD_APP_SOURCE_PATH": source.path,
        "ARGOCD_APP_SOURCE_TARGET_REVISION": revision,
    }


def _one(chart_places: tuple[ChartPlace, ...], application: str, chart: str) -> ChartPlace:
    named = [
        place for place in chart_places if chart and chart in (place.name, place.path.rpartition("/")[2])
    ]
    if len(named) == 1:
        return named[0]
    if len(chart_places) == 1 and (not chart or not chart_places[0].name):
        return chart_places[0]
    sources = ", ".join(place.name or place.path for place in chart_places) or "no chart"
    wanted = f"the chart {chart}" if chart else "the chart"
    raise Stop(
        "ambiguous-pin",
        f"No source of the Application {application} is clearly {wanted}.",
        f"The sources of the Application are: {sources}.",
        "As the pin, use an Application that has this chart in exactly one of its sources.",
    )


def _inline(settings: Mapping[str, Any]) -> str:
    """`valuesObject` wins over `values`, as in Argo CD."""
    if settings.get("valuesObject"):
        return msgspec.json.encode(settings["valuesObject"]).decode()  # JSON is YAML
    return str(settings.get("values") or "")


def _parameter(entry: Mapping[str, Any], known: Mapping[str, str]) -> Parameter:
    """As Argo CD hands it to helm: variables filled in, commas escaped except in a {list}."""
    value = expand(str(entry.get("value") or ""), known)
    if not (value.startswith("{") and value.endswith("}")):
        value = re.sub(r"(?<!\\),", r"\\,", value)
    return Parameter(str(entry.get("name") or ""), value, bool(entry.get("forceString")))
