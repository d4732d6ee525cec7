"""What each reason means and what to do about it: the source of `stagegate explain` and of a page of the docs."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from stagegate.errors import VERDICTS

# reason -> what it means, what to do next.
REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "released": ("A new version was committed and tagged.", "Nothing to do."),
        "tagged": ("Image tags were written for the release.", "Nothing to do."),
        "published": ("The chart or the GitHub release was published.", "Nothing to do."),
        "passed": ("The gate passed, and its evidence was recorded.", "Nothing to do."),
        "adopted": (
            "The running release was recorded without tests, as a target for rollbacks.",
            "The adopted release is no evidence for the next environment. The next release that "
            "passes the gate will be.",
        ),
        "skipped": (
            "A person skipped the gate and gave a reason.",
            "The release needs an override before it can enter the next environment.",
        ),
        "proposed": ("A promotion pull request was opened.", "Review and merge the pull request."),
        "updated": ("The pull request, or the pins in the work tree, changed.", "Review the change."),
        "committed": (
            "stagegate changed the pins with a direct commit.",
            "The gate of the environment runs next.",
        ),
        "merged": ("stagegate merged the promotion pull request.", "The gate of the environment runs next."),
        "marked": (
            "A hold, ban or override was set.",
            "`/status` shows the mark. `/unhold` and `/unban` lift a hold or a ban.",
        ),
        "unmarked": ("A hold or ban was lifted.", "Open promotions were evaluated again."),
        "planned": (
            "The run changed nothing, because it was a dry run.",
            "Run the action without `dry-run`.",
        ),
        "verified": ("All checked values agree.", "Nothing to do."),
        "reported": ("The requested report was written.", "Nothing to do."),
        "already-released": ("This version exists for exactly this commit.", "Nothing to do."),
        "no-release-needed": (
            "No commit since the last release requires a new version.",
            "Use `feat:` or `fix:` in the title of a commit, or set the version with `bump`.",
        ),
        "already-published": ("The same content is published under this version.", "Nothing to do."),
        "already-passed": (
            "The release has already passed the gate of this environment, and neither pins nor "
            "values have changed since then.",
            "To run the gate again anyway, use `again: true`.",
        ),
        "already-proposed": (
            "A pull request with exactly this promotion is open.",
            "Review and merge the pull request.",
        ),
        "already-running": (
            "The run that changed the pin is already running this gate.",
            "Wait for the result of the other run.",
        ),
        "no-difference": ("The pins already name this release.", "Nothing to do."),
        "soaking": (
            "The release has not been good long enough in the earlier environment.",
            "Wait until the time in `next-at`, or use `/override <environment> <version> soak <reason>`.",
        ),
        "frozen": (
            "A freeze is in force.",
            "Wait until the freeze ends, or use an override of the rule `freeze`.",
        ),
        "window-closed": (
            "Promotions are allowed only while a window is open.",
            "Wait until a window opens, or use an override of the rule `window`.",
        ),
        "awaiting-review": (
            "The promotion needs an approval of the newest commit of its pull request.",
            "Approve the pull request.",
        ),
        "queued": ("A different release is promoted first.", "A later evaluation proposes this release."),
        "canary-paused": (
            "A Rollout or Canary is paused for longer than one job waits (`gate.canary-in-job`).",
            "Resume or promote the Rollout or Canary. The next run of the workflow that verifies "
            "pins continues the gate.",
        ),
        "no-evidence": (
            "The release has not passed the gate of an earlier environment.",
            "Run the gate of that environment first, or set the rule `evidence` aside with an override.",
        ),
        "evidence-mismatch": (
            "The digests to be promoted are not the digests that were tested.",
            "Find out who replaced the artifact. Publish a new version.",
        ),
        "evidence-revoked": (
            "A later gate of the same release failed.",
            "Fix the release and publish a new version.",
        ),
        "out-of-order": (
            "The release does not run in an earlier environment.",
            "Promote the release to the earlier environment first.",
        ),
        "older-version": (
            "The version is older than the one that runs.",
            "Use `/rollback` to go back on purpose.",
        ),
        "held-back": ("A hold is in force.", "Read the reason of the hold. `/unhold` lifts the hold."),
        "banned-version": (
            "This version is banned.",
            "Promote a different version, or lift the ban with `/unban`.",
        ),
        "prerelease": (
            "Pre-releases may not enter this environment.",
            "Release the final version, or set `prereleases: true`.",
        ),
        "risky-change": (
            "The change has a risk that a person must accept.",
            "Read the difference, then add the label that the message names.",
        ),
        "not-authorised": (
            "The person who started the run or the command does not have the permission that the "
            "settings require.",
            "Ask somebody who has the permission, or change `commands` in stagegate.yaml.",
        ),
        "image-untested": (
            "An image of the release has no recorded digest, so it was not tested.",
            "Publish the image with the release, or list the image in `images-allowed`.",
        ),
        "irreversible": (
            "A change between the two releases cannot be undone by a rollback.",
            "Fix the problem in a newer release, or use an override of the rule `irreversible`.",
        ),
        "rollout-failed": (
            "Argo CD could not roll the release out.",
            "Read the named objects and their events, fix the release, publish a new version.",
        ),
        "checks-failed": ("A scenario of the gate failed.", "Read which check failed, then fix the release."),
        "no-checks": ("The gate has nothing to check.", "Add a scenario file, or mark a check as required."),
        "image-moved": (
            "The running image changed while the checks ran.",
            "Find out what replaced the image, then run the gate again.",
        ),
        "content-differs": (
            "The cluster runs something other than this release.",
            "Compare the pin, the chart and the Application with what the message names.",
        ),
        "findings": ("A check found errors.", "Each finding names its cause and how to fix it."),
        "bad-input": ("An input is missing or wrong.", "Correct the input that the message names."),
        "bad-settings": ("stagegate.yaml is wrong.", "Correct the lines that the message names."),
        "missing-tool": ("A program is not on PATH.", "Install the program in a step before this one."),
        "missing-file": ("A file does not exist or cannot be read.", "Check the path and the checkout."),
        "missing-permission": (
            "The token does not have a permission.",
            "Add it under `permissions:` of the job, or pass another token.",
        ),
        "protected-branch": (
            "The branch does not accept direct commits.",
            "Use an App that may bypass the rule, or `strategy: latest` with `merge: stagegate`.",
        ),
        "wrong-source": (
            "The content comes from a place that the settings do not allow.",
            "Correct the source or the settings.",
        ),
        "ambiguous-pin": (
            "The pin cannot be changed without guessing.",
            "Copy the line that the message suggests into the settings.",
        ),
        "empty-secret": (
            "A variable that a scenario uses is empty.",
            "Set the secret or variable in the GitHub Environment of the job.",
        ),
        "unreachable": ("A service did not respond.", "Run the job again when the service can be reached."),
        "rate-limited": (
            "GitHub's rate limit is used up.",
            "Run the job again after the time that the message names.",
        ),
        "server-error": (
            "A service responded with an error.",
            "Read the status page of the service, then run the job again.",
        ),
        "unknown-state": (
            "A fact that the decision needs could not be read, and unknown never counts as passed.",
            "Run the job again when the service that the message names responds.",
        ),
        "token-expired": (
            "The token is not valid.",
            "Create a new token and store it in the place that the error message names.",
        ),
        "version-taken": (
            "This version already exists with different content.",
            "Publish a new version: a published version never changes.",
        ),
        "tag-taken": ("The Git tag already exists at a different commit.", "Use a new version."),
        "stale-base": ("The branch changed while stagegate worked.", "Run the job again."),
        "foreign-commits": (
            "The promotion branch contains commits that stagegate did not make.",
            "Move these commits to a branch of your own, or delete the promotion branch.",
        ),
        "superseded": ("A newer pin replaced this release.", "The gate of the newer release decides."),
        "not-latest": ("A newer version exists.", "Start from the newest version."),
        "timeout": (
            "The gate's time ran out.",
            "Read the last state in the message, and docs/gate.md about this state.",
        ),
        "bug": ("stagegate failed unexpectedly.", "Report the block that the log shows."),
    }
)


# Risk class -> what it means. A change of such a class needs the label `stagegate/risk:<class>`.
RISKS: Mapping[str, str] = MappingProxyType(
    {
        "stateful-removed": "A StatefulSet, a volume claim or another object with data is removed.",
        "stateful-shrunk": "Storage becomes smaller, or something that keeps state gets fewer members.",
        "immutable-field": "Kubernetes refuses a change of this field; Argo CD would have to replace the object.",
        "crd-changed": "A CustomResourceDefinition changes or loses a version.",
        "rbac-widened": "An account gets more permissions in the cluster.",
        "replicas-zero": "A workload is scaled to zero.",
        "new-registry": "An image comes from a registry that this environment did not use.",
        "image-replaced": "An image is replaced by a different image, not by a newer version of it.",
        "secret-regenerated": "The chart generates a different value for a Secret each time it is rendered.",
        "hook-job": "A hook Job is new, or does something different from before.",
        "service-account": "A workload runs under a different service account.",
        "namespace": "An object moves to a different namespace, or a Namespace changes.",
        "not-rendered": "A part of the change could not be rendered, so its effect is unknown.",
        "moving": "A source deploys from a branch or another reference that can change without a pull request.",
        "foreign": "A source is at an address that is possibly not one of your repositories.",
    }
)


class Explanation(NamedTuple):
    """A word of stagegate: what kind of word it is, what it means, and what to do."""

    kind: str
    meaning: str
    next: str


def reasons() -> dict[str, Explanation]:
    """Every reason."""
    return {
        word: Explanation(
            f"reason, {VERDICTS[word].outcome}, exit code {VERDICTS[word].exit_code}", meaning, action
        )
        for word, (meaning, action) in REASONS.items()
    }


def risks() -> dict[str, Explanation]:
    """Every risk class."""
    return {
        word: Explanation(
            "risk class",
            meaning,
            f"Review the difference in the pull request, then add the label stagegate/risk:{word}.",
        )
        for word, meaning in RISKS.items()
    }


def explain(
    words: Sequence[str], rules: Mapping[str, Explanation] | None = None, *, as_json: bool = False
) -> int:
    """Print what a reason, a rule of `rules` or a risk class means; without a word, list them all.

    A word may be several of them, such as `prerelease`. Returns the exit code: 2 for an unknown word.
    """
    known = (reasons(), rules or {}, risks())
    names = sorted({name for each in known for name in each})
    if not words:
        rows = [f"{name:<22} {each[name].meaning}" for each in known for name in each]
        sys.stdout.write("\n".join(rows) + "\n")
        return 0
    word = words[0].strip("`").lower()
    explanations = [each[word] for each in known if word in each]
    if not explanations:
        near = difflib.get_close_matches(word, names, 1)
        hint = f"Did you mean {near[0]}?" if near else "`stagegate explain` lists all of them."
        sys.stderr.write(f"{word!r} is not a reason, rule, risk or check of stagegate. {hint}\n")
        return VERDICTS["bad-input"].exit_code
    if as_json:
        rows_of = [{"word": word, **one._asdict()} for one in explanations]
        if word in VERDICTS:
            rows_of[0] |= {"outcome": VERDICTS[word].outcome, "exit_code": VERDICTS[word].exit_code}
        sys.stdout.write(json.dumps(rows_of) + "\n")
        return 0
    for one in explanations:
        sys.stdout.write(f"{word}: {one.kind}\n  {one.meaning}\n  {one.next}\n")
    return 0
