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
    """Its name in Argo CD."""
    server: str
    """The address of its API."""
    labels: Mapping[str, str] = {}
    """Labels of its Secret, which selectors ask for."""
    annotations: Mapping[str, str] = {}
    """Annotations of its Secret."""
    project: str = ""
    """The project it is limited to."""


class Render(Section, frozen=True, kw_only=True):
    """Where the rendered difference is shown, and what it assumes of the cluster and of Argo CD."""

    show: Literal["comment", "summary"] = "comment"
    """Where pin-guard shows the difference on a person's pull request: in one comment that is kept up to date
    (its token needs `pull-requests: write`), or only in the run's summary. The status links to it."""
    kube_version: str = ""
    """Kubernetes version of the cluster, such as `1.36.1`, where no `argocd-token` is given to promote-pr and
    pin-guard: Argo CD reports it. Default: the version that helm assumes."""
    api_versions: tuple[str, ...] | None = None
    """API versions that the cluster has besides those of Kubernetes itself, such as
    `monitoring.coreos.com/v1`, where Argo CD does not report them: charts ask for them. An empty list
    declares that there are none. Without the key, each chart that asks is named in the difference."""
    kustomize_options: tuple[Option, ...] = ()
    """`kustomize.buildOptions` of Argo CD, such as `--load-restrictor=LoadRestrictionsNone`. Options that run
    programs are not accepted."""
    hosts: tuple[str, ...] = ()
    """Hosts of third-party charts, which are fetched without credentials, such as
    `charts.example.org`; the hosts of `images` and `chart` are always allowed."""
    clusters: tuple[ClusterSettings, ...] | None = None
    """The clusters that Argo CD deploys to. Without it, what a cluster generator makes is not rendered."""
