"""Reads an audit: commits that moved pins, pull requests and their reviews, verdicts of gates, and marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.evidence import accepted, records
from stagegate.marks import marks
from stagegate.model import Mark, branch_names, moment, rfc3339, statuses, trailers
from stagegate.pins import pinned_version
from stagegate.promotion import app_state
from stagegate.promotion.app_state import AppState
from stagegate.promotion.audit.entry import AuditEntry
from stagegate.promotion.audit.period import Period
from stagegate.proposal import approvals
from stagegate.settings import Settings

_COMMITS = 1_000  # of one pin file that are read
_RECORDS = 1_000
_RENEWALS = 50  # of one mark that are followed back


def read(
    connections: Connections, local_settings: Settings, environment: str, period: Period
) -> tuple[AuditEntry, ...]:
    """Everything about one app, in all environments or one. Stop where something cannot be read: an audit with
    holes would look complete."""
    state = app_state.read(connections, local_settings)
    wanted = [state.settings.environment(environment)] if environment else list(state.settings.environments)
    entries: list[AuditEntry] = []
    for place in wanted:
        entries += _moves(connections, state, place.name, period)
        entries += _gates(connections, state, place.name, period)
    entries += _marks(connections, state, {place.name for place in wanted}, period)
    return tuple(entries)


def _moves(
    connections: Connections, state: AppState, environment: str, period: Period
) -> Iterator[AuditEntry]:
    """Every commit of the default branch that touched the environment's pins."""
    pins = connections.pins
    commits: dict[str, hub.Commit] = {}
    for file in pinned_version.files_of(state.settings.environment(environment)):
        for commit in pins.history(state.head, first=_COMMITS, path=file):
            if moment(commit.committed_at) < period.since:
                break
            if period.has(commit.committed_at):
                commits[commit.sha] = commit
    pulls = _pulls(pins, state, environment) if commits else {}
    for commit in commits.values():
        yield _move(pins, state, environment, commit, pulls.get(commit.sha))


def _pulls(pins: hub.Hub, state: AppState, environment: str) -> Mapping[str, hub.Pull]:
    """The merged promotions and rollbacks of an environment by the commit that merged them."""
    branches = branch_names.both(state.settings.app, environment)
    listed = [pull for name in branches for pull in pins.pulls(head=name, base=state.base, state="closed")]
    return {pull.merge_commit: pull for pull in listed if pull.merged and pull.merge_commit}


def _move(
    pins: hub.Hub, state: AppState, environment: str, commit: hub.Commit, pull: hub.Pull | None
) -> AuditEntry:
    """A commit with the people behind it: from its trailers, or from its pull request on GitHub."""
    own_trailers = commit.trailers if trailers.is_of(commit.trailers, state.settings.app, environment) else {}
    ours = pull is not None or bool(own_trailers)
    what = "rollback" if pull and branch_names.is_rollback(pull.head_ref) else "promotion"
    if "roll back" in commit.message.split("\n", 1)[0]:
        what = "rollback"
    entry = AuditEntry(
        at=rfc3339(moment(commit.committed_at)),
        what=what if ours else "by-hand",  # type: ignore[arg-type]
        app=state.settings.app,
        environment=environment,
        version=own_trailers.get(trailers.VERSION, ""),
        commit=commit.sha,
        detail=commit.message.split("\n", 1)[0][:200],
        proposed_by=own_trailers.get(trailers.PROPOSED_BY, "") or _login(commit.author),
        approved_by=trailers.approvers(own_trailers),
        merged_by=own_trailers.get(trailers.MERGED_BY, "") or ("" if pull else _login(commit.author)),
        overridden=own_trailers.get(trailers.OVERRIDDEN, ""),
        rules=own_trailers.get(trailers.RULES, ""),
        policy=own_trailers.get(trailers.POLICY, ""),
        url=pull.url if pull else f"{pins.server_url}/{pins.repository}/commit/{commit.sha}",
    )
    return _with_pull(pins, entry, pull) if pull else entry


def _with_pull(pins: hub.Hub, entry: AuditEntry, pull: hub.Pull) -> AuditEntry:
    """The pull request on GitHub: the people who merged and approved it, and its last status."""
    whole = pins.pull(pull.number) or pull
    approved = approvals.people(approvals.valid(pins.reviews(pull.number)), pull)
    status = next((s for s in pins.statuses(pull.head_sha) if s.context == statuses.PINS), None)
    head = pins.commit_info(pull.head_sha)
    named = head.trailers if head else {}
    status_line = f"{status.state}: {status.description}" if status else ""
    return AuditEntry(
        **{
            **{name: getattr(entry, name) for name in AuditEntry.__struct_fields__},
            "version": entry.version or named.get(trailers.VERSION, ""),
            "proposed_by": named.get(trailers.PROPOSED_BY, "") or _login(pull.author),
            "approved_by": entry.approved_by or approved,
            "merged_by": entry.merged_by or _login(whole.merged_by),
            "rules": entry.rules or status_line,
            "overridden": entry.overridden
            or (status_line.partition("OVERRIDDEN")[2].strip(" :") if status_line else ""),
        }
    )


def _gates(
    connections: Connections, state: AppState, environment: str, period: Period
) -> Iterator[AuditEntry]:
    """Every verdict of the environment's gate by an identity whose evidence counts."""
    app = state.settings.app
    trusted = accepted.accepted(state.settings, connections.app, connections.pins)
    listed = connections.app.deployments(records.task(app), environment=environment, first=_RECORDS)
    for record in records.records(listed, app, environment, trusted):
        evidence = record.evidence
        if evidence is None or not period.has(record.since):
            continue
        by = evidence.promotion
        yield AuditEntry(
            at=rfc3339(moment(record.since)),
            what="gate",
            app=app,
            environment=environment,
            version=evidence.version,
            commit=evidence.commit,
            outcome=evidence.outcome,
            by=evidence.actor,
            detail=_why(
                evidence.reason, [check.detail for check in evidence.checks if check.outcome != "passed"]
            ),
            proposed_by=by.proposed_by if by else "",
            approved_by=by.approved_by if by else (),
            merged_by=by.merged_by if by else "",
            overridden=by.overridden if by else "",
            rules=by.rules if by else "",
            policy=evidence.policy,
            url=evidence.run.url,
        )


def _why(reason: str, details: list[str]) -> str:
    return "; ".join(filter(None, (reason, *details)))[:400]


def _marks(
    connections: Connections, state: AppState, places: set[str], period: Period
) -> Iterator[AuditEntry]:
    """Every hold, ban and override of the app, with those that they replaced, and when each was lifted."""
    pins, app = connections.pins, state.settings.app
    for ref, file in pins.ref_files(marks.PREFIX, marks.FILE).items():
        placed = marks.place(ref, file.oid, file.content)
        if placed is None or placed.app not in (app, marks.ALL):
            continue
        if placed.environment not in ("", marks.ALL, *places):
            continue
        for sha, mark in _chain(pins, file.oid, file.content):
            if mark.removed is None and period.has(mark.since):
                rules = f"{', '.join(mark.rules)} " if mark.rules else ""
                until = f" (until {mark.until})" if mark.until else ""
                yield AuditEntry(
                    at=mark.since,
                    what=placed.place,
                    app=app,
                    environment=placed.environment,
                    version=placed.version or mark.to,
                    commit=sha,
                    by=mark.owner,
                    overridden=rules.strip(),
                    detail=f"{mark.reason}{until}",
                    url=f"{pins.server_url}/{pins.repository}/commit/{sha}",
                )
            if mark.removed is not None and period.has(mark.removed.at):
                yield AuditEntry(
                    at=mark.removed.at,
                    what="lifted",
                    app=app,
                    environment=placed.environment,
                    version=placed.version or mark.to,
                    commit=sha,
                    by=mark.removed.by,
                    detail=f"{placed.place} by {mark.owner}: {mark.reason}",
                    url=f"{pins.server_url}/{pins.repository}/commit/{sha}",
                )


def _chain(pins: hub.Hub, sha: str, content: bytes | None) -> Iterator[tuple[str, Mark]]:
    """A mark and those before it, as each names the commit of the one that it replaced."""
    for _ in range(_RENEWALS):
        mark = marks.decode(content)
        if mark is None:
            return
        yield sha, mark
        if not mark.previous:
            return
        sha = mark.previous
        blob = pins.files(sha, [marks.FILE])[marks.FILE]
        content = blob.content if blob else None


def _login(actor: object) -> str:
    return str(getattr(actor, "login", "") or "")
