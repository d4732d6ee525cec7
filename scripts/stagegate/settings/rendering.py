"""The settings of rendering: facts about the cluster and Argo CD that stagegate does not read itself."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from stagegate.settings.section import Section

Option = Annotated[
    str,
    msgspec.Meta(
        title="build option",
        pattern=r"^--(load-restrictor=(LoadRestrictionsNone|LoadRestrictionsRootOnly)"
        r"|enable-helm|reorder=(none|legacy))$",
    ),
]


class ClusterSettings(Section, frozen=True, kw_only=True):
    """One cluster as the cluster generator of an ApplicationSet sees it."""

    name: str
    """Name of the cluster in Argo CD."""
    server: str
    """Address of the cluster's API server."""
    labels: Mapping[str, str] = {}
    """Labels of the cluster's Secret in Argo CD, for the selectors of generators."""
    annotations: Mapping[str, str] = {}
    """Annotations of the cluster's Secret in Argo CD."""
    project: str = ""
    """Argo CD project that the cluster is limited to."""


class Render(Section, frozen=True, kw_only=True):
    """Where the rendered difference is shown, and what it assumes of the cluster and of Argo CD."""

    show: Literal["comment", "summary"] = "comment"
    """Where pin-guard shows the rendered difference of a pull request that a person opened: in one comment
    that pin-guard keeps up to date (the job's token needs `pull-requests: write`), or only in the summary of
    the run. The status `stagegate/pins` links to this place."""
    kube_version: str = ""
    """Kubernetes version of the cluster, such as `1.36.1`. With an `argocd-token`, promote-pr and pin-guard
    read the version from Argo CD instead. Default: the version that helm assumes."""
    api_versions: tuple[str, ...] | None = None
    """API versions that the cluster has besides those of Kubernetes itself, such as
    `monitoring.coreos.com/v1`, because charts can check for API versions. With an `argocd-token`, stagegate
    reads the API versions from Argo CD instead. An empty list declares that there are none. Without this key,
    the difference names each chart that checks for API versions."""
    kustomize_options: tuple[Option, ...] = ()
    """`kustomize.buildOptions` of Argo CD, such as `--load-restrictor=LoadRestrictionsNone`. Options that run
    programs are not accepted."""
    hosts: tuple[str, ...] = ()
    """Hosts of third-party charts, which are fetched without credentials, such as
    `charts.example.org`; the hosts of `images` and `chart` are always allowed."""
    clusters: tuple[ClusterSettings, ...] | None = None
    """The clusters that Argo CD deploys to. Without this key, stagegate does not render the Applications that
    a `clusters` generator makes."""
