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
    """Label selector for further Applications (with `source: kubernetes` for workloads), which the gate looks
    up when it begins, such as `app=shop,env=prod`. Applications are found in every namespace that the token
    may see."""
    source: Literal["api", "http", "kubernetes"] = "api"
    """Where the gate reads the roll-out. `api`: from Argo CD. `kubernetes`: from the workloads, through the
    API server of the cluster, with the kubeconfig of the job (`KUBECONFIG`) or the token of the pod in which
    the job runs. `http`: from the version that the service itself reports. With `http`, a check must expect
    `{version}`, and the gate reads no digests."""
    auth: Literal["token", "oidc"] = "token"
    """`oidc` exchanges the job's own OIDC token at Argo CD's Dex instead of a stored token; the job needs
    `id-token: write`."""
    connector: str = "github-actions"
    """The id of the Dex connector that trusts GitHub Actions, for `auth: oidc`."""
    project: str = ""
    """Argo CD project that every request is limited to, for a token that may see no other project."""
    namespace: str = ""
    """Namespace of the Applications, if it is not Argo CD's own namespace. With `source: kubernetes`, the
    namespace of the workloads."""
    min_healthy: int = 0
    """How many of the Applications must be ready before the checks begin. The gate ignores the others. `0`
    means all."""
    parent: str = ""
    """The app of apps that applies the pins. The gate refreshes this Application while it waits, so the app
    of apps may create the other Applications during the gate."""

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
    """Keys that lead to one value, such as `spec.image.tag`, `list.0.key` or `list[name=x].key`. If the file
    has several documents, write the document before the keys: `kind=Deployment,name=shop:spec.replicas`. Not
    needed for a file that contains only one value or has a known shape."""
    pattern: str = ""
    """Instead of `path`: the text around the version in a file of any kind, such as `ref=v{version}`. The
    text must occur exactly once."""
    add: bool = False
    """`true`: if `images` of the kustomization has no entry for the image yet, a promotion adds the entry."""
    value: str = "{version}"
    """The form of the value: any text with `{version}`, `{tag}` (prefix and version), `{commit}`
    (`{commit:7}` for the first 7 digits) or `{digest}` (the digest of the image that the text names, or of
    the only image)."""


class Required(Section, frozen=True, kw_only=True):
    """Something that another tool must have said about a release: a status of its commit, or an
    attestation."""

    status: str = ""
    """Name of a commit status or check run that must be `success`, such as `security/scan`. stagegate reads
    the status first, and then the check runs of this name. A skipped check run does not pass."""
    of: Literal["release"] = "release"
    """The commit that must have the status: `release` is the commit of the release's tag."""
    by: str = ""
    """Login of the account that must have written the status, or of the App that must have made the check
    run, such as `scanner[bot]`. Default: any account with write access."""
    attestation: str = ""
    """Instead of `status`: an attestation that every image of the release must have, made by a workflow of
    the app repository: `slsa-provenance`, `spdx`, `cyclonedx`, `vuln`, or the address of a predicate type.
    stagegate verifies the attestation with `gh attestation verify`, or with cosign if gh is missing. Without
    both programs the result is unknown, and the promotion stops."""


class PromotionSettings(Section, frozen=True, kw_only=True):
    """How a release enters this environment."""

    strategy: Literal["direct", "latest", "each"] = "latest"
    """`direct` commits to the default branch. `latest` keeps one pull request open, for the newest release
    that the rules allow. `each` proposes one release after another and skips none."""
    replace: Literal["when-idle", "always"] = "when-idle"
    """When a newer release replaces the open proposal of the strategy `latest`. `when-idle` (default): a
    proposal that soaks or has an approval stays open until it is merged, fails or is banned. A proposal that
    has completed its soak is replaced only by a release that has completed its soak too. The soak of a
    proposal continues while newer releases run in the earlier environments. Otherwise no release would reach
    the environment if releases came more often than a soak takes. `always`: every newer release replaces the
    proposal, and a soak ends when another release is gated in the earlier environment."""
    merge: Merge = "person"
    """Who merges the pull request: a `person`, `stagegate` after an approval, or the `merge-queue` of
    GitHub."""
    approvals: Annotated[int, msgspec.Meta(ge=0, le=10)] | None = None
    """How many people with write access must approve the newest commit of the pull request. Authors of the
    change do not count. Default: 1 if stagegate merges, because a person should decide before a machine
    merges; otherwise 0, because the person who merges decides. If stagegate merges, `approvals: 0` promotes
    every release that the rules allow."""
    require: tuple[Required, ...] = ()
    """Statuses and attestations of other tools that a release needs before it may enter. If one of them is
    missing or cannot be read, the result is unknown, and the promotion stops. Default: none, because only you
    know which other tools count."""
    carry_approval: tuple[Name, ...] = ()
    """Earlier environments whose approvals also count for this environment. The approvals of the pull request
    that promoted the same version to the earlier environment count if the gate of that environment passed
    with the same digests. Default: none, because each environment has its own configuration. Example for a
    production in two waves: `[prod-eu]` in prod-us."""
    merge_method: Literal["merge", "squash", "rebase"] = "squash"
    """The merge method that stagegate uses. The repository must allow this method."""
    rollback_merge: Merge | None = None
    """Who merges a rollback, if the value of `merge` should not apply to rollbacks. In an outage, nobody
    should have to wait for the people who approve promotions."""
    reviewers: tuple[str, ...] = ()
    """Logins, and teams as `org/team`, from whom stagegate requests a review when it opens the pull
    request."""
    labels: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=50)], ...] = ()
    """Labels for the pull request. GitHub accepts at most 50 characters in a label."""
    draft: bool = False
    """Open the pull request as a draft, which cannot be merged until a person marks the draft ready. A
    rollback is never a draft. Not allowed if stagegate merges."""


class KeepChecking(Section, frozen=True, kw_only=True):
    """Repeat the checks for a while after they have passed."""

    for_: Duration = msgspec.field(name="for")
    """How long the checks are repeated, in addition to `gate.timeout`."""
    every: Duration = "30s"
    """Time between two rounds of checks."""
    allowed_errors: int = 0
    """How many rounds of checks may fail. If one more round fails, the gate fails."""


class GateSettings(Section, frozen=True, kw_only=True):
    """What a release must pass here."""

    scenarios: str = ""
    """File with HTTP checks in the app repository. The gate reads the file at the commit of the release."""
    variables: tuple[str, ...] = ()
    """Variables of the job's `env:` that the scenarios may use as `${NAME}`. Scenarios may use no other
    variables. A name must not begin with `SG_`, `ACTIONS_`, `GITHUB_`, `RUNNER_`, `STAGEGATE_` or
    `INPUT_`."""
    command: tuple[str, ...] = ()
    """Instead of `scenarios`: a test program and its arguments, run without a shell in a work tree of the
    release."""
    junit: str = ""
    """JUnit XML file that `command` writes. Each test case becomes a check. Without this key, only the exit
    code of the command decides."""
    timeout: Duration = "20m"
    """Longest time for the roll-out and the checks together, at most 24h. The input `timeout` overrides this
    key."""
    settle: Duration = "5s"
    """How long the Applications must stay Synced and Healthy before they count as ready."""
    patience: Duration = "5m"
    """How long the gate waits for Argo CD to recover from a temporary error, such as a registry that does not
    respond. The time should be longer than the three minutes after which Argo CD tries again."""
    degraded_after: Duration = "2m"
    """How long an Application may be Degraded before the roll-out fails. A workload past its progress
    deadline fails at once."""
    suspended: Literal["wait", "allow"] = "wait"
    """`allow`: an Application that is Suspended by design counts as healthy."""
    canary: Duration = "1h"
    """How long an Argo Rollout or a Flagger Canary may take for its steps and pauses, in addition to
    `timeout`. After this time the gate ends without a verdict."""
    canary_in_job: Duration = "30m"
    """How much of the time in `canary` one job waits. After it, the run ends with the outcome `waiting`, and
    the next run of the workflow that verifies pins continues the gate."""
    required: tuple[str, ...] = ()
    """Checks that must exist and pass, even if the scenario file has no such check. With `junit`, only these
    test cases decide."""
    strict_digests: bool = False
    """If the gate cannot read the digests of the running images, end with `image-untested` instead of adding
    a note."""
    keep_checking: KeepChecking | None = None
    """Repeat the checks for a while after the first pass. Off by default."""
    on_failure: Literal["none", "rollback"] = "none"
    """`rollback`: if the gate fails, set a hold and propose the last release that was good in this
    environment. With `direct`, commit that release instead of proposing it."""
    on_unproven: Literal["report", "rollback"] = "report"
    """What the gate does if the pins name a release that did not pass the gates of the earlier environments.
    `report`: the gate refuses the release. `rollback`: the gate also proposes a rollback."""


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
    """Environments whose gates a release must pass before it may be promoted to this environment. Empty for a
    first environment."""
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
    """Whether pre-releases such as 1.2.0-rc.1 may be promoted to this environment. Default: true without
    `after`."""
    github_environment: str = ""
    """GitHub Environment with the variables and secrets of its gate; `{app}` and `{name}` are filled in.
    Default: `{name}`, and `{app}-{name}` in a repository of several apps."""
    argocd: ArgoCDSettings | Literal["none"] = ArgoCDSettings()
    """How the gate finds this environment in Argo CD. `none` is short for `{source: http}`: only the version
    that the service itself reports decides."""
    pins: tuple[str | PinSettings, ...] = ()
    """Places in Git that name the release of this environment: files of a known shape, or single values. A
    promotion changes all of them together."""
    promotion: PromotionSettings = PromotionSettings()
    """How a release is promoted to this environment."""
    gate: GateSettings = GateSettings()
    """What a release must pass in this environment."""

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
