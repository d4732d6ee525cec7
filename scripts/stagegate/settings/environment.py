"""An environment: where a release runs, how it enters, and what it must show there."""

import datetime as dt
from typing import Annotated, Literal

import msgspec

from stagegate.settings.section import Duration, Name, Section

Merge = Literal["person", "stagegate", "merge-queue"]


class ArgoCDSettings(Section, frozen=True, kw_only=True):
    """Which Applications show this environment, and how they are read. No address and no token in a file."""

    applications: tuple[str, ...] = ()
    """Argo CD Applications of this environment, as `namespace/name` where they are not in Argo CD's own
    namespace. If a pin file contains several Applications or list elements, these names select the right one.
    With `source: kubernetes`, workloads such as `deployment/shop` are listed."""
    selector: str = ""
    """Label selector for further Applications (with `source: kubernetes` for workloads), looked up when the
    gate begins, such as `app=shop,env=prod`. Applications are found in every namespace that the token may
    see."""
    source: Literal["api", "http", "kubernetes"] = "api"
    """Where the gate reads the roll-out. `api`: from Argo CD. `kubernetes`: the workloads, from the cluster's
    API server, with the kubeconfig of the job (`KUBECONFIG`) or the token of the pod it runs in. `http`: the
    version that the service itself reports. A check must then expect `{version}`, and no digest is
    read."""
    auth: Literal["token", "oidc"] = "token"
    """`oidc` exchanges the job's own OIDC token at Argo CD's Dex instead of a stored token; the job needs
    `id-token: write`."""
    connector: str = "github-actions"
    """With `auth: oidc`, the id of the Dex connector that trusts GitHub Actions."""
    project: str = ""
    """Argo CD project that every request is limited to, for a token that may see no other project."""
    namespace: str = ""
    """Namespace of the Applications, where that is not Argo CD's own. With `source: kubernetes` the namespace
    of the workloads."""
    min_healthy: int = 0
    """How many of the Applications must be ready before the checks begin; the others are left out. 0: all."""
    parent: str = ""
    """App-of-apps that applies the pins: it is refreshed during the wait, and may still create the
    Applications."""

    @property
    def application_names(self) -> tuple[str, ...]:
        """The Applications by name alone, as their manifests name them; none where workloads are named."""
        if self.source == "kubernetes":
            return ()
        return tuple(name.rpartition("/")[2] for name in self.applications)


class PinSettings(Section, frozen=True, kw_only=True):
    """Any scalar of a YAML or JSON file, a text of a TOML file, or a place in any text."""

    file: str
    """File in the pins repository, or a glob such as `deploy/prod-*/values.yaml`."""
    path: str = ""
    """Keys to the one value, such as `spec.image.tag`, `list.0.key` or `list[name=x].key`. Where a file has
    several documents, name the one before it: `kind=Deployment,name=shop:spec.replicas`. Empty: a file that
    is one value, or of a known shape."""
    pattern: str = ""
    """Instead of `path`, the text around the version in a file of any kind, such as `ref=v{version}`. It must
    match exactly once."""
    add: bool = False
    """Add the entry of the image to `images` of a kustomization that has none yet."""
    value: str = "{version}"
    """How the value names a release: any text with `{version}`, `{tag}` (prefix and version), `{commit}` (or
    its first digits, `{commit:7}`) or `{digest}` (of the image that the text names, else of the only one)."""


class Required(Section, frozen=True, kw_only=True):
    """Something that another tool must have said about a release: a status of its commit, or an
    attestation."""

    status: str = ""
    """Name of a commit status or check run that must be `success`, such as `security/scan`. A status is read
    first, then the check runs of that name; one that was skipped does not pass."""
    of: Literal["release"] = "release"
    """What the status belongs to: the `release`, which is the commit of its tag."""
    by: str = ""
    """Login of the account that must have written the status, or of the App that made the check run, such as
    `scanner[bot]`. Default: any account with write access."""
    attestation: str = ""
    """Instead of `status`: an attestation that every image of the release must have, made by a workflow of
    the app repository: `slsa-provenance`, `spdx`, `cyclonedx`, `vuln`, or the address of a predicate type. It
    is verified by `gh attestation verify`, else by cosign; without both it is unknown."""


class PromotionSettings(Section, frozen=True, kw_only=True):
    """How a release enters this environment."""

    strategy: Literal["direct", "latest", "each"] = "latest"
    """`direct` commits to the default branch; `latest` keeps one pull request for the newest release that may
    enter; `each` proposes one release after another and leaves none out."""
    replace: Literal["when-idle", "always"] = "when-idle"
    """When a newer release replaces the open proposal (`latest`). Default: `when-idle`, because with releases
    more often than the soak takes, no release would ever reach the environment: a proposal that soaks or has
    an approval stays until it is merged, fails or is banned, one that has soaked is replaced only by one that
    has soaked too, and the newer release follows. Its soak goes on while newer releases run in the
    environments before. `always`: every newer release replaces it, and its soak ends when another release is
    gated there."""
    merge: Merge = "person"
    """Who merges the pull request: a `person`, `stagegate` itself after an approval, or GitHub's
    `merge-queue`."""
    approvals: Annotated[int, msgspec.Meta(ge=0, le=10)] | None = None
    """How many people with write access, who are not authors of the change, must approve exactly this head.
    Default: 1 where stagegate merges, because a merge by a machine should follow a person's decision. Else 0,
    because the person who merges decides. `approvals: 0` where stagegate merges lets every release in that
    the rules admit."""
    require: tuple[Required, ...] = ()
    """Statuses and attestations of other tools that a release needs before it may enter. A missing or
    unreadable one is unknown, which stops the promotion. Default: none, because only you know which other
    tools count."""
    carry_approval: tuple[Name, ...] = ()
    """Environments that a release passes before this one, and whose approvals count here too: those of the
    pull request that brought the same version there, if the gate there passed with the same digests. Default:
    none, because each environment has its own configuration. For waves of one production: `[prod-eu]` in
    prod-us."""
    merge_method: Literal["merge", "squash", "rebase"] = "squash"
    """How stagegate merges; it must be one that the repository allows."""
    rollback_merge: Merge | None = None
    """Who merges a rollback, where that is not `merge`, because an outage should not have to wait for the
    same people."""
    reviewers: tuple[str, ...] = ()
    """Logins, and teams as `org/team`, from whom a review is requested when the pull request is opened."""
    labels: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=50)], ...] = ()
    """Labels that the pull request gets. GitHub accepts at most 50 characters in each."""
    draft: bool = False
    """Open it as a draft, which cannot be merged until a person marks it ready. A rollback is never a draft.
    Not allowed where stagegate merges."""


class KeepChecking(Section, frozen=True, kw_only=True):
    """Repeat the checks for a while after they have passed."""

    for_: Duration = msgspec.field(name="for")
    """How long the checks are repeated, in addition to `gate.timeout`."""
    every: Duration = "30s"
    """Time between two rounds."""
    allowed_errors: int = 0
    """How many rounds may fail. One more fails the gate."""


class GateSettings(Section, frozen=True, kw_only=True):
    """What a release must pass here."""

    scenarios: str = ""
    """File of HTTP checks in the app repository, read at the release's commit."""
    variables: tuple[str, ...] = ()
    """Variables of the job's `env:` that the scenarios may use as `${NAME}`. No others, and never one whose
    name begins with `SG_`, `ACTIONS_`, `GITHUB_`, `RUNNER_`, `STAGEGATE_` or `INPUT_`."""
    command: tuple[str, ...] = ()
    """Instead of `scenarios`: a test program and its arguments, run without a shell in a work tree of the
    release."""
    junit: str = ""
    """JUnit XML that `command` writes: each test case becomes a check. Empty: its exit code alone decides."""
    timeout: Duration = "20m"
    """Longest time for roll-out and checks together, at most 24h; the input `timeout` overrides it."""
    settle: Duration = "5s"
    """How long the Applications must stay Synced and Healthy before they count as ready."""
    patience: Duration = "5m"
    """How long an error of Argo CD may last that can pass by itself, such as a registry that does not answer.
    Longer than Argo CD's own three minutes."""
    degraded_after: Duration = "2m"
    """How long an Application may be Degraded before the roll-out fails. A workload past its progress
    deadline fails at once."""
    suspended: Literal["wait", "allow"] = "wait"
    """`allow`: an Application that is Suspended by design counts as healthy."""
    canary: Duration = "1h"
    """How long an Argo Rollout or a Flagger Canary may take with its steps and pauses, besides `timeout`.
    Then the gate ends without a verdict."""
    canary_in_job: Duration = "30m"
    """How much of that time one job waits. Then the run ends with the outcome `waiting`, and the next run of
    the workflow that verifies pins goes on with the gate."""
    required: tuple[str, ...] = ()
    """Checks that must exist and pass, even if the scenario file has no such check. With `junit`, only these
    test cases decide."""
    strict_digests: bool = False
    """End with `image-untested`, instead of a note, when the digests of our running images cannot be read."""
    keep_checking: KeepChecking | None = None
    """Repeat the checks for a while after the first pass. Off by default."""
    on_failure: Literal["none", "rollback"] = "none"
    """`rollback`: when this gate fails, set a hold and propose the last release that was good here (with
    `direct`, commit it)."""
    on_unproven: Literal["report", "rollback"] = "report"
    """What happens when pins name a release that did not pass the gates of the environments before. `report`:
    the gate refuses it. `rollback`: the gate also proposes a rollback."""


class Freeze(Section, frozen=True, kw_only=True):
    """Dates without promotion, both inclusive, in a time zone."""

    from_: dt.date = msgspec.field(name="from")
    """First day without promotion."""
    to: dt.date
    """Last day without promotion."""
    timezone: str
    """Time zone in which the first and the last day begin and end, such as `Europe/Berlin`."""
    reason: str
    """Reason of the freeze. It is shown to everybody who waits."""


class Window(Section, frozen=True, kw_only=True):
    """Recurring times with promotion: an RFC 5545 rule, how long each lasts, in a time zone."""

    rrule: str
    """When the window opens, as an RFC 5545 rule such as `FREQ=WEEKLY;BYDAY=MO,TU,WE,TH;BYHOUR=9`. Without a
    time, it opens at midnight."""
    duration: Duration
    """How long the window stays open."""
    timezone: str
    """Time zone of the rule, such as `Europe/Berlin`."""


class Environment(Section, frozen=True, kw_only=True):
    """A named place that runs a release."""

    name: Name
    """Name of the environment in commands, statuses and branches. Each gate is recorded as a GitHub deployment to
    the environment of this name."""
    after: tuple[str, ...] = ()
    """Environments in which a release must have passed before it may enter here. Empty for a first
    environment."""
    soak: Duration = "0s"
    """How long a release must have been good in every environment of `after` while it ran in it: the time
    ends when another release is gated there."""
    freeze: tuple[Freeze, ...] = ()
    """Dates without promotion, such as holidays."""
    window: tuple[Window, ...] = ()
    """Recurring times when promotions are allowed. Default: always."""
    production: bool | None = None
    """Whether GitHub lists the deployments of this environment as production. No rule depends on it. Default:
    true with `after`."""
    prereleases: bool | None = None
    """Whether versions such as 1.2.0-rc.1 may enter. Default: true without `after`."""
    github_environment: str = ""
    """GitHub Environment with the variables and secrets of its gate; `{app}` and `{name}` are filled in.
    Default: `{name}`, and `{app}-{name}` in a repository of several apps."""
    argocd: ArgoCDSettings | Literal["none"] = ArgoCDSettings()
    """How the gate finds this environment in Argo CD. `none` is short for `{source: http}`: only the
    service's own version decides."""
    pins: tuple[str | PinSettings, ...] = ()
    """Places in Git that name the release of this environment: files of a known shape, or single values. They
    change together."""
    promotion: PromotionSettings = PromotionSettings()
    """How a release enters."""
    gate: GateSettings = GateSettings()
    """What a release must pass here."""

    def github_environment_of(self, app: str, *, several: bool) -> str:
        """The GitHub Environment of this environment. `several`: whether the repository has more apps."""
        form = self.github_environment or ("{app}-{name}" if several else "{name}")
        return form.replace("{app}", app).replace("{name}", self.name)

    @property
    def argo(self) -> ArgoCDSettings:
        """`argocd`, with what `none` is short for."""
        return self.argocd if isinstance(self.argocd, ArgoCDSettings) else ArgoCDSettings(source="http")

    @property
    def is_production(self) -> bool:
        """Declared, else: everything that comes after something."""
        return bool(self.after) if self.production is None else self.production

    @property
    def admits_prereleases(self) -> bool:
        """Declared, else: only where nothing comes before."""
        return not self.after if self.prereleases is None else self.prereleases
