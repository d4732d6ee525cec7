"""One gate: roll-out, images, content, checks, images again. Reads the world, writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from stagegate.errors import Stop
from stagegate.gate import images, keep_checking, pods, verdict
from stagegate.gate.comparing import Compared
from stagegate.gate.following import PodReader
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Failed, Judgement
from stagegate.gate.pods import Proof, Relatives
from stagegate.gate.verdict import Conclusion
from stagegate.model import Check, EvidenceKind, Release
from stagegate.runner import log
from stagegate.settings import GateSettings

RunChecks = Callable[[float], tuple[Check, ...]]  # seconds left -> checks


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """A clock in seconds that never goes back, and a function to wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a gate: the verdict, its checks, and the last state of the Applications."""

    conclusion: Conclusion
    checks: tuple[Check, ...] = ()
    rollout: Rollout | None = None
    proven: tuple[str, ...] = ()
    configuration: str = ""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate needs. `source` None: no Argo CD, the service's own version decides (`argocd.source: http`).

    `wait` is the wait for the roll-out, `unwell` says what is wrong with what rolled out, `compare` makes the
    content check; `scenarios` runs all checks once; `moved` names an image whose tag in the registry has moved.
    `tags` are those that images of the release may carry, `claims` those among them that only the release's images
    carry, `allowed` the repositories that may carry them without being part of the release.
    """

    release: Release
    environment: str
    kind: EvidenceKind
    actor: str
    gate: GateSettings
    timeout: float
    source: PodReader | None
    order: Order
    tags: tuple[str, ...]
    claims: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    relatives: Relatives
    scenarios: RunChecks | None
    moved: Callable[[], str]
    compare: Callable[[Rollout], Compared]
    wait: Callable[[Order], Rollout]
    unwell: Callable[[Sequence[str]], str] = lambda _: ""


def run(trial: Trial, clock: Clock = Clock()) -> Seen:  # noqa: B008  a frozen value
    """The whole gate. Stop without a verdict: unreachable, superseded, not allowed, not in time."""
    end = clock.now() + trial.timeout
    rollout: Rollout | None = None
    proof, checks, compared = Proof(), list[Check](), None
    if trial.source is not None:
        rollout, proof = _roll_out(trial, trial.source)
        end += rollout.paused
        if rollout.outcome != "ready":
            return Seen(conclusion=_without_roll_out(trial, rollout), rollout=rollout)
        checks.append(
            Check(name="roll-out", outcome="passed", seconds=rollout.seconds, detail=rollout.detail)
        )
        compared = trial.compare(rollout)
        checks += [compared.check]
    names = [application.name for application in rollout.seen] if rollout is not None else []
    if trial.scenarios is not None:
        checks += _checks(trial, names, end, clock)
    after = _proof(trial, names)
    written = (*_written(rollout), *(compared.images if compared else ()))
    checks += [_images(trial, proof, after), *_record(trial, written, proof, after)]
    return Seen(
        conclusion=verdict.conclude(trial.release, trial.environment, trial.kind, checks, trial.actor),
        checks=tuple(checks),
        rollout=rollout,
        proven=proof.proven,
        configuration=compared.configuration if compared else "",
    )


def _roll_out(trial: Trial, source: PodReader) -> tuple[Rollout, Proof]:
    """Wait for the roll-out; the pods decide last whether it is ready."""
    proofs: dict[str, Proof] = {}

    def judged(name: str) -> Judgement:
        proofs[name] = pods.look(source, name, trial.release.images, trial.tags, trial.relatives)
        return proofs[name].judgement

    order = msgspec.structs.replace(
        trial.order,
        pods=judged,
        stuck=lambda name: pods.stuck(source, name, trial.release.images, trial.tags),
    )
    rollout = trial.wait(order)
    return rollout, _joined(
        [proofs[application.name] for application in rollout.seen if application.name in proofs]
    )


def _without_roll_out(trial: Trial, rollout: Rollout) -> Conclusion:
    """The verdict on a release that did not roll out. Stop where the release is not the cause."""
    name = f"{trial.release.app} {trial.release.version}"
    if rollout.outcome == "superseded":
        raise Stop(
            "superseded",
            f"{name} is no longer the release that {trial.environment} is pinned to.",
            f"{rollout.detail}.",
            f"Wait for the gate of the release that the pins name now. To test {name}, promote it again.",
        )
    if rollout.reason == "wrong-source":
        raise Stop(
            "wrong-source",
            f"{trial.environment} does not deploy an artifact of this release.",
            f"{rollout.detail}.",
            "Correct `argocd.applications`, `chart` or `images` in the settings, or correct the "
            "source in the Application.",
        )
    if rollout.outcome == "paused":
        raise Stop(
            "canary-paused",
            f"The canary of {name} is paused in {trial.environment}.",
            f"{rollout.detail}. This job stops waiting (`gate.canary-in-job`), so there is no verdict yet.",
            "Resume or promote the canary. The next run of the workflow that verifies pins "
            "continues this gate.",
        )
    if rollout.outcome == "timeout" and not rollout.failing:
        raise Stop(
            "timeout",
            f"{name} was not ready in {trial.environment} in time.",
            "The time is over, but no workload of this release failed, so there is no verdict. Last seen: "
            f"{rollout.reason}: {rollout.detail}.",
            "Read about the reason in docs/gate.md, then run the gate again. If the roll-out needs "
            "more time, raise `gate.timeout`.",
        )
    return verdict.rolled_out_badly(
        trial.release,
        trial.environment,
        rollout.outcome,
        rollout.reason,
        rollout.failing or rollout.detail,
        trial.kind,
    )


def _checks(trial: Trial, names: Sequence[str], end: float, clock: Clock) -> tuple[Check, ...]:
    """The checks once (without Argo CD until they pass), then for as long as the settings say."""
    assert trial.scenarios is not None  # noqa: S101  the caller asked
    log.say(f"{trial.environment}: scenarios")
    if trial.source is None:
        checks = _until_good(trial.scenarios, end, clock)
    else:
        checks = trial.scenarios(max(0.0, end - clock.now()))
    again = trial.gate.keep_checking
    if again is None or trial.kind == "adopt" or any(c.required and c.outcome != "passed" for c in checks):
        return checks
    more = keep_checking.check(again, trial.scenarios, lambda: trial.unwell(names), clock.now, clock.sleep)
    return (*checks, more)


def _until_good(scenarios: RunChecks, end: float, clock: Clock) -> tuple[Check, ...]:
    """Without Argo CD the checks themselves wait: again until all pass, or the time is over."""
    while True:
        checks = scenarios(max(0.0, end - clock.now()))
        if all(c.outcome == "passed" for c in checks if c.required) or clock.now() >= end:
            return checks
        log.say("the service does not respond yet; trying again")
        clock.sleep(max(0.0, min(2.0, end - clock.now())))


def _proof(trial: Trial, names: Sequence[str]) -> Proof:
    source = trial.source
    if source is None:
        return Proof()
    looks = [pods.look(source, name, trial.release.images, trial.tags, trial.relatives) for name in names]
    return _joined(looks)


def _joined(proofs: Sequence[Proof]) -> Proof:
    def together(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(sorted({item for group in groups for item in group}))

    bad = next((p.judgement for p in proofs if p.judgement.reason != "ready"), None)
    joined = Proof(
        proven=together(p.proven for p in proofs),
        recognised=together(p.recognised for p in proofs),
        by_tag=together(p.by_tag for p in proofs),
        untested=together(p.untested for p in proofs),
    )
    return msgspec.structs.replace(joined, judgement=bad) if bad else joined


def _images(trial: Trial, before: Proof, after: Proof) -> Check:
    """Digests before and after the checks; what could not be seen is said, never called proven."""
    if isinstance(after.judgement, Failed) or after.judgement.reason == "old-pods":
        detail = f"during the checks: {after.judgement.detail}"
        return Check(name="images", outcome="failed", detail=detail)
    if gone := trial.moved():
        return Check(name="images", outcome="failed", detail=gone)
    proven = {digest.partition("@")[0] for digest in before.proven} & {
        digest.partition("@")[0] for digest in after.proven
    }
    own_images = [image.reference for image in trial.release.images if image.first_party]
    lost = [reference for reference in own_images if reference not in proven]
    if lost and trial.gate.strict_digests:
        raise Stop(
            "image-untested",
            f"The gate could read no digest of {', '.join(lost)} in {trial.environment}.",
            "The token is not allowed to read pods, or no pod runs the image, but `strict-digests` requires "
            "the digests.",
            "Give the token `applications, get` on the resources of the Application, or set "
            "`strict-digests: false`.",
        )
    if lost:
        detail = f"compared only by tag: {', '.join(lost)}"
        return Check(name="images", outcome="unknown", required=False, detail=detail)
    return Check(name="images", outcome="passed", detail=f"{len(proven)} proven by digest")


def _written(rollout: Rollout | None) -> tuple[str, ...]:
    """The images that Argo CD lists for the Applications."""
    documents = rollout.documents if rollout else ()
    lists = [
        ((document.get("status") or {}).get("summary") or {}).get("images") or () for document in documents
    ]
    return tuple(image for listed in lists for image in listed if isinstance(image, str))


def _record(trial: Trial, written: Iterable[str], *proofs: Proof) -> tuple[Check, ...]:
    """A check only where an image has the release's tag but is not in its record: such an image is untested.

    Adopting records what runs, so there it is only said.
    """
    recognised = {reference for proof in proofs for reference in proof.recognised}
    all_written = dict.fromkeys((*written, *(reference for proof in proofs for reference in proof.untested)))
    bad = images.untested_references(
        (reference for reference in all_written if reference not in recognised),
        trial.release.images,
        trial.claims,
        trial.allowed,
    )
    if not bad:
        return ()
    detail = f"{', '.join(bad)} has the release's tag, but the release record does not contain this image"
    return (Check(name="image-record", outcome="failed", required=trial.kind != "adopt", detail=detail),)
