"""The values of the road: what a release, its evidence, a mark, a plan and a report are.

One definition gives the type, the JSON document and its schema. JSON is snake_case, times are RFC 3339 UTC,
durations are seconds, digests are `sha256:<hex>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Annotated, Literal

import msgspec

from stagegate.errors import VERDICTS, Outcome, Stop
from stagegate.patterns import pattern
from stagegate.versions import Version

Digest = Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
Severity = Literal["error", "warning", "note"]
RuleState = Literal["pass", "wait", "stop", "unknown"]
EvidenceKind = Literal["rollout", "look", "adopt", "skip"]
CheckOutcome = Literal["passed", "failed", "skipped", "unknown"]
EvidenceOutcome = Literal["passed", "failed", "skipped", "adopted"]
Content = Literal["compared", "not-comparable"]
Trust = Literal["advisory", "protected"]
MarkKind = Literal["hold", "rollback", "ban", "override"]

IMAGE_TAG = "v{version}"  # the form of image tags, where the settings have no `image-tag`
DIGEST = pattern(r"sha256:[0-9a-f]{64}")
_IMAGE_TAG = pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")  # OCI distribution specification 1.1


# --- the release -----------------------------------------------------------------------------------------


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A container image: repository without tag, and the pushed digest (of the index where there is one)."""

    reference: str
    digest: Digest
    first_party: bool = True


def full_name(repository: str) -> str:
    """An image's repository with the host that Docker means where none is written."""
    first, slash, _ = repository.partition("/")
    if not repository or (slash and ("." in first or ":" in first or first == "localhost")):
        return repository.replace("index.docker.io/", "docker.io/", 1)
    return f"docker.io/{repository}" if slash else f"docker.io/library/{repository}"


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart in an OCI registry: `oci://host/path/name`, its version without `v`, its manifest digest."""

    reference: str
    version: str
    digest: Digest


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an app with everything it ships, each artifact by digest.

    `recorded` is false when nothing recorded the images at publication and they were looked up by tag. `looked_up`:
    they were looked up by tag once, when others' release was recorded.
    """

    app: str
    version: str
    tag: str
    commit: str
    chart: Chart | None = None
    images: tuple[Image, ...] = ()
    recorded: bool = True
    looked_up: bool = False


def parse_version(text: str, *, source: str) -> Version:
    """Strict SemVer 2 (no `v`, no leading zeros); `source` says where the text came from. Stop(bad-input)."""
    try:
        return Version.parse(text)
    except (ValueError, TypeError) as error:
        raise Stop(
            "bad-input",
            f"{text!r} is not a version.",
            f"{source} must be SemVer 2 such as 1.4.0 or 2.0.0-rc.1, without a leading v ({error}).",
            "Correct it and run again.",
        ) from error


def image_tags(version: str, tag: str, form: str = IMAGE_TAG) -> tuple[str, ...]:
    """The tags of a release's images: `form` with the version in it.

    With the default form the git tag is one too, where that is another name: pins and charts may say either. Only
    what a registry takes: `+` becomes `_`, a git tag with a slash is none.
    """
    written = form.replace("{version}", version)
    names = dict.fromkeys(
        name.replace("+", "_") for name in (written, *((tag,) if form == IMAGE_TAG else ()))
    )
    return tuple(name for name in names if _IMAGE_TAG.fullmatch(name))


def is_prerelease(version: str) -> bool:
    """True for 1.2.0-rc.1, false for 1.2.0 (and for 1.2.0+build)."""
    return Version.parse(version).prerelease is not None


# --- who ---------------------------------------------------------------------------------------------------


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as GitHub knows them. Compared by kind and database id: logins can be imitated."""

    kind: Literal["User", "Bot", "Organization", "Mannequin", "EnterpriseUserAccount"]
    id: int
    login: str = ""

    def same(self, other: Actor | None) -> bool:
        """True when both are the same being, whatever the spelling of the login."""
        return other is not None and (self.kind, self.id) == (other.kind, other.id)


# --- gate and evidence ------------------------------------------------------------------------------------


OWN_CHECKS = ("roll-out", "images", "image-record", "content", "keep-checking")  # those of the gate itself


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check of a gate: `skipped` and `unknown` are never `passed`.

    `stands_for` is how many checks this entry replaces where evidence has no room for each of them.
    """

    name: str
    outcome: CheckOutcome
    required: bool = True
    seconds: float = 0.0
    detail: str = ""
    stands_for: int = 1


def count_tests(checks: Iterable[Check], outcome: str = "") -> int:
    """How many checks there are besides those that every gate makes; with `outcome` only those that ended so."""
    theirs = (check for check in checks if check.name not in OWN_CHECKS)
    return sum(check.stands_for for check in theirs if outcome in ("", check.outcome))


class ApplicationSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The Argo CD Application the gate looked at, and since when it was healthy (server time)."""

    source: str
    name: str
    revision: str = ""
    healthy_since: str = ""


class WorkflowRun(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow run: id, attempt (from 1) and its address."""

    id: str
    attempt: int = 1
    url: str = ""


class Skip(msgspec.Struct, frozen=True, kw_only=True):
    """Who skipped a gate, and why."""

    reason: str
    actor: str


class PromotedBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who brought a release to an environment, as the commit that moved its pins says.

    `overridden` are the rules that were set aside, with whom and why; `rules` are the rules as they stood.
    """

    commit: str
    proposed_by: str = ""
    approved_by: tuple[str, ...] = ()
    merged_by: str = ""
    overridden: str = ""
    rules: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a gate's verdict, bound to exact digests. At most 16 KiB as JSON.

    `files` is the digest of the pins and of every file that the environment's Applications use, as the gate began.
    `promotion` is who brought it here, where a commit says so.
    `tests` are the checks without the gate's own: every text counts these.
    """

    schema: Literal["stagegate/evidence/1"] = "stagegate/evidence/1"
    kind: EvidenceKind
    app: str
    environment: str
    outcome: EvidenceOutcome
    reason: str
    version: str
    tag: str
    commit: str
    chart: Chart | None
    images: tuple[Image, ...]
    configuration: str = ""
    content: Content = "not-comparable"
    application: ApplicationSeen | None = None
    checks: tuple[Check, ...] = ()
    started: str
    finished: str
    run: WorkflowRun
    actor: str
    policy: str = ""
    files: str = ""
    promotion: PromotedBy | None = None
    skip: Skip | None = None

    @property
    def tests(self) -> int:
        """How many checks were made besides those that every gate makes."""
        return count_tests(self.checks)

    @property
    def tests_passed(self) -> int:
        """How many of these passed."""
        return count_tests(self.checks, "passed")


# --- marks -------------------------------------------------------------------------------------------------


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """Who took a mark away, and when."""

    by: str
    at: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A hold, ban or override, as `mark.json` on its ref. `kind: rollback` is a hold made by a rollback.

    `app`, `environment` and `version` repeat what the ref names, so that a mark counts on no other ref; without
    `app` it has the form that was written before. `previous` is the commit of the mark that it replaced.
    """

    kind: MarkKind
    app: str = ""
    environment: str = ""
    version: str = ""
    owner: str
    reason: str
    since: str
    until: str = ""
    rules: tuple[str, ...] = ()
    to: str = ""
    previous: str = ""
    removed: Removed | None = None


# --- plan --------------------------------------------------------------------------------------------------


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one rule: its state for the merge, a sentence, and when a wait ends (RFC 3339, or empty).

    `override`: the owner and the reason of the override by which it passes; `detail` then is why it would not.
    """

    rule: str
    state: RuleState
    detail: str
    until: str = ""
    override: str = ""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One scalar that changes in one file. `path` is the place inside the file, `line` counts from 1.

    `also`: lines of the file where the version before still stands, because they are not the app's.
    """

    repository: str
    file: str
    line: int
    path: str
    before: str
    after: str
    shape: str
    also: tuple[int, ...] = ()


class PullRequestText(msgspec.Struct, frozen=True, kw_only=True):
    """What the promotion pull request says."""

    branch: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What promote-pr decided, and would do: the same facts and clock give the same plan."""

    schema: Literal["stagegate/plan/1"] = "stagegate/plan/1"
    now: str
    facts_digest: str
    decision: str
    rules: tuple[RuleResult, ...] = ()
    edits: tuple[Edit, ...] = ()
    pull_request: PullRequestText | None = None


# --- report ------------------------------------------------------------------------------------------------


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, why, and what to do next."""

    what: str
    why: str = ""
    next: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A write, done or (in a dry run) only intended."""

    kind: str
    target: str
    before: str = ""
    after: str = ""
    done: bool = True


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a check found, with its place and its cure."""

    rule: str
    severity: Severity
    message: str
    environment: str = ""
    object: str = ""
    file: str = ""
    line: int = 0
    why: str = ""
    fix: str = ""
    silenced: str = ""


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests were made to GitHub: `read` are GET and GraphQL queries, `write` all others."""

    read: int = 0
    write: int = 0


class OpenProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion or rollback that was open when it was judged: its pull request, and what its status is."""

    app: str
    environment: str
    version: str
    number: int
    url: str
    branch: str
    head: str
    status: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an entrypoint hands to the runner: outputs, summary (Markdown) and the fields of its report.

    `fails`: exit 1 although the outcome alone would be 0 (`fail-on-waiting`). `parts`: the results that this one
    joins. `proposals`: what is still open after an evaluation.
    """

    outputs: Mapping[str, str] = {}
    summary: str = ""
    fails: bool = False
    parts: tuple[Result, ...] = ()
    proposals: tuple[OpenProposal, ...] = ()
    reason: str
    message: Message
    app: str = ""
    environment: str = ""
    version: str = ""
    dry_run: bool = False
    trust: Trust | None = None
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    checks: tuple[Check, ...] = ()
    evidence: Evidence | None = None
    calls: Calls = Calls()

    def with_outputs(self, outputs: Mapping[str, str]) -> Result:
        """The same result with other outputs."""
        return msgspec.structs.replace(self, outputs=outputs)

    def report(self, action: str) -> msgspec.Struct:
        """The public JSON document of this result, a Report."""
        fields = {field.name: getattr(self, field.name) for field in _REPORTED}
        return Report(action=action, outcome=VERDICTS[self.reason].outcome, **fields)


_UNREPORTED = ("outputs", "summary", "fails", "parts", "proposals")
_REPORTED = [field for field in msgspec.structs.fields(Result) if field.name not in _UNREPORTED]
# Made from the fields of Result, because a subclass could not put its own before them.
Report = msgspec.defstruct(
    "Report",
    [
        ("schema", Literal["stagegate/report/1"], "stagegate/report/1"),
        ("action", str),
        ("outcome", Outcome),
        *((f.name, f.type) if f.required else (f.name, f.type, f.default) for f in _REPORTED),
    ],
    namespace={"__doc__": "What every action leaves behind as JSON; outcome follows from reason."},
    frozen=True,
    kw_only=True,
)


# --- time and documents ------------------------------------------------------------------------------------


def rfc3339(moment: datetime) -> str:
    """`2026-01-05T12:00:00Z`: UTC, whole seconds."""
    return moment.astimezone(timezone.utc).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """An RFC 3339 time as an aware UTC datetime; ValueError when it is not one or has no zone."""
    parsed = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return parsed.astimezone(timezone.utc)


def to_json(value: object) -> bytes:
    """Canonical JSON (sorted keys, no spaces): equal values give equal bytes, so it can be hashed."""
    return msgspec.json.encode(value, order="sorted")


def digest_of(value: object) -> str:
    """`sha256:<hex>` of the canonical JSON of a value, or of bytes as they are."""
    import hashlib

    raw = value if isinstance(value, bytes) else to_json(value)
    return "sha256:" + hashlib.sha256(raw).hexdigest()
