"""One gate: roll-out, images, scenarios, a while of watching, images again. Reads the world, writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from stagegate.argocd_app import status as documents
from stagegate.errors import Stop
from stagegate.gate import pods, rollout, verdict
from stagegate.gate.comparing import Compared
from stagegate.gate.following import Source
from stagegate.gate.look import Expected, classify
from stagegate.gate.plan import Failed, Judgement
from stagegate.gate.pods import Proof, Relatives
from stagegate.gate.rollout import Rollout
from stagegate.gate.verdict import Conclusion, Mode
from stagegate.model import Check, Release
from stagegate.runner import log
from stagegate.settings import GateSettings, seconds

Json = dict[str, Any]
Look = Callable[[float], tuple[Check, ...]]  # seconds left -> checks


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate came to: the verdict, its checks, and the Applications as they were last."""

    conclusion: Conclusion
    checks: tuple[Check, ...] = ()
    rollout: Rollout | None = None
    proven: tuple[str, ...] = ()
    configuration: str = ""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate needs. `source` None: no Argo CD, the service's own version decides (`argocd.source: http`).

    `scenarios` runs all checks once; `moved` names an image whose tag in the registry has other content by
    now, or nothing; `compare` makes the content check.
    """

    release: Release
    environment: str
    mode: Mode
    actor: str
    gate: GateSettings
    timeout: float
    source: Source | None
    expected: Expected
    order: rollout.Order
    tags: tuple[str, ...]
    relatives: Relatives
    scenarios: Look | None
    moved: Callable[[], str]
    compare: Callable[[Rollout], Compared]


def run(trial: Trial, *, clock: Callable[[], float] = time.monotonic) -> Seen:
    """The whole gate. Stop for what is nobody's verdict: unreachable, superseded, not allowed."""
    end = clock() + trial.timeout
    found: Rollout | None = None
    proof, compared = Proof(), Compared()
    if trial.source is not None:
        found, proof = _roll_out(trial, clock)
        if found.outcome == "superseded":
            raise Stop(
                "superseded",
                f"{trial.release.app} {trial.release.version} is no longer wanted in {trial.environment}.",
                f"{found.detail}.",
                "If another release is meant to run here, its gate decides; else promote this one first.",
            )
        if found.reason == "wrong-source":
            raise Stop(
                "wrong-source",
                f"{trial.environment} does not deploy what this release publishes.",
                f"{found.detail}.",
                "Correct `argocd.applications`, `chart` or `images` in the settings, or the Application's source.",
            )
        if found.outcome != "ready":
            conclusion = verdict.rolled_out_badly(
                trial.release, trial.environment, found.outcome, found.reason, found.detail
            )
            return Seen(conclusion=conclusion, rollout=found)
    checks: list[Check] = []
    names = [seen.name for seen in found.seen] if found is not None else []
    if found is not None:
        checks.append(Check(name="roll-out", outcome="passed", seconds=found.seconds, detail=found.detail))
        compared = trial.compare(found)
        checks += [compared.check] if compared.check else []
    if trial.mode != "adopt" and trial.scenarios is not None:
        log.say(f"{trial.environment}: scenarios")
        if trial.source is None:
            checks += _until_good(trial.scenarios, end, clock)
        else:
            checks += trial.scenarios(max(0.0, end - clock()))
        checks += _watch(trial, names, clock) if _good(checks) and trial.gate.watch else ()
    after = _proof(trial, names) if trial.source is not None else Proof()
    checks.append(_images(trial, proof, after))
    asked = trial.mode != "adopt"
    conclusion = verdict.conclude(trial.release, trial.environment, trial.mode, checks, asked, trial.actor)
    return Seen(
        conclusion=conclusion,
        checks=tuple(checks),
        rollout=found,
        proven=proof.proven,
        configuration=compared.configuration,
    )


def _roll_out(trial: Trial, clock: Callable[[], float]) -> tuple[Rollout, Proof]:
    """Wait for the roll-out; a look at the pods is the last word on ready."""
    source = trial.source
    proofs: dict[str, Proof] = {}
    assert source is not None  # noqa: S101  the caller asked

    def judged(name: str) -> Judgement:
        proofs[name] = pods.look(source, name, trial.release.images, trial.tags, trial.relatives)
        return proofs[name].judgement

    order = msgspec.structs.replace(trial.order, pods=judged)
    found = rollout.wait(source, trial.expected, order, clock=clock)
    return found, _joined([proofs[seen.name] for seen in found.seen if seen.name in proofs])


def _proof(trial: Trial, names: Sequence[str]) -> Proof:
    assert trial.source is not None  # noqa: S101  the caller asked
    looks = [
        pods.look(trial.source, name, trial.release.images, trial.tags, trial.relatives) for name in names
    ]
    return _joined(looks)


def _joined(proofs: Sequence[Proof]) -> Proof:
    bad = next((p.judgement for p in proofs if p.judgement.reason != "ready"), None)
    joined = Proof(
        proven=tuple(sorted({digest for p in proofs for digest in p.proven})),
        by_tag=tuple(sorted({where for p in proofs for where in p.by_tag})),
    )
    return msgspec.structs.replace(joined, judgement=bad) if bad else joined


def _images(trial: Trial, before: Proof, after: Proof) -> Check:
    """Digests before and after the checks; what could not be seen is said, never called proven."""
    if isinstance(after.judgement, Failed) or after.judgement.reason == "old-pods":
        detail = f"during the checks: {after.judgement.detail}"
        return Check(name="images", outcome="failed", detail=detail)
    if gone := trial.moved():
        return Check(name="images", outcome="failed", detail=gone)
    lost = [image.reference for image in trial.release.images if image.first_party]
    proven = {digest.partition("@")[0] for digest in before.proven} & {
        digest.partition("@")[0] for digest in after.proven
    }
    lost = [reference for reference in lost if reference not in proven]
    if lost and trial.gate.strict_digests:
        raise Stop(
            "image-untested",
            f"Nobody could see which {', '.join(lost)} runs in {trial.environment}.",
            "The token may not read live pods, or no pod runs the image, and `strict-digests` demands the proof.",
            "Give the token `applications, get` on the resources, or set `strict-digests: false`.",
        )
    if lost:
        detail = f"by tag only: {', '.join(lost)}"
        return Check(name="images", outcome="unknown", required=False, detail=detail)
    return Check(name="images", outcome="passed", detail=f"{len(proven)} proven by digest")


def _good(checks: Sequence[Check]) -> bool:
    return all(check.outcome == "passed" for check in checks if check.required)


def _until_good(scenarios: Look, end: float, clock: Callable[[], float]) -> tuple[Check, ...]:
    """Without Argo CD the checks themselves wait: again until all pass, or the time is over."""
    while True:
        checks = scenarios(max(0.0, end - clock()))
        if _good(checks) or clock() >= end:
            return checks
        log.say("the service is not there yet; trying again")
        time.sleep(max(0.0, min(2.0, end - clock())))


def _watch(trial: Trial, names: Sequence[str], clock: Callable[[], float]) -> tuple[Check, ...]:
    """Look for a while: the checks again and again, with as many failures as the settings allow."""
    watch = trial.gate.watch
    if watch is None or trial.scenarios is None:
        return ()
    began, errors, looks, last = clock(), 0, 0, ""
    end = began + seconds(watch.for_)
    while (left := end - clock()) > 0:
        time.sleep(min(seconds(watch.every), left))
        looks += 1
        bad = [c for c in trial.scenarios(max(1.0, end - clock())) if c.required and c.outcome != "passed"]
        bad_pods = "" if trial.source is None else _unwell(trial, names)
        if bad or bad_pods:
            errors += 1
            last = bad_pods or f"{bad[0].name}: {bad[0].detail}"
        if errors > watch.allowed_errors:
            break
    detail = f"{looks} looks, {errors} with errors ({watch.allowed_errors} allowed)"
    outcome: Any = "failed" if errors > watch.allowed_errors or not looks else "passed"
    detail += f"; last: {last}" if last else ""
    return (Check(name="watch", outcome=outcome, seconds=round(clock() - began, 1), detail=detail),)


def _unwell(trial: Trial, names: Sequence[str]) -> str:
    """What is wrong with the Applications now, or nothing."""
    assert trial.source is not None  # noqa: S101  the caller asked
    for name in names:
        document = trial.source.application(name)
        seen, named = documents.read(document), trial.order.named(document)
        known = {s.key: trial.order.commit(s, seen) for s in seen.sources if s.is_git and s.revision}
        reason, detail = classify(seen, msgspec.structs.replace(trial.expected, commits=known, named=named))
        if reason != "ready":
            return f"{name}: {detail}"
    return ""
