"""Plans the files of `stagegate init`, and writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from stagegate import inside
from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.setup import files, github_app, next_steps, origin, propose, survey
from stagegate.setup.files import SetupFiles
from stagegate.setup.migration import imported
from stagegate.setup.proposed import AppProposal, Wish
from stagegate.setup.survey import Survey
from stagegate.setup.work_tree import WorkTree


class InitPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The files to write with their difference, and notes on what a person has to do."""

    proposals: tuple[AppProposal, ...]
    files: SetupFiles
    difference: str
    notes: tuple[str, ...]


def plan(work_tree: WorkTree, wish: Wish, *, uses: str, owners: str, importing: bool = False) -> InitPlan:
    """The plan for a work tree; with `importing` also from the settings of other tools.

    Stop(missing-file) where no app is found in it.
    """
    surveyed = survey.read(
        work_tree.tree,
        repository=work_tree.repository,
        address=work_tree.address,
        branch=work_tree.branch,
        tags=work_tree.tags,
    )
    import_notes = imported.read(surveyed, work_tree.tree)
    if importing:
        wish = msgspec.structs.replace(wish, images=wish.images or import_notes.images)
    proposals = propose.propose(surveyed, work_tree.tree, wish)
    if importing:
        proposals = imported.applied(proposals, import_notes)
    if not proposals:
        raise Stop(
            "missing-file",
            "No app was found in this repository.",
            "No chart, Application, kustomization, values file or manifest in this repository "
            f"contains an image or chart of {surveyed.owner or 'its owner'}.",
            "If your images have a different owner, pass their names: --image ghcr.io/acme/shop. "
            "If the pins are in a different repository, pass the settings file of that repository: "
            "--policy acme/gitops//stagegate.yaml. If nothing deploys the app yet, begin with a "
            "chart: `helm create charts/shop`.",
        )
    composed = files.compose(
        proposals, surveyed, work_tree.tree, uses, owners or f"@{surveyed.owner or 'acme'}"
    )
    for path, content in files.contents(composed, work_tree.tree).items():
        if Path(path).name == "stagegate.yaml":
            settings_file.parse(content, path)  # the proposed settings must be valid
    return InitPlan(
        proposals=proposals,
        files=composed,
        difference=files.difference(composed, work_tree.tree),
        notes=(
            *_notes(proposals, composed, surveyed, uses, owners),
            *(import_notes.notes if importing else import_notes.hints),
            *(github_app.notes(wish.app, surveyed, proposals) if wish.app else ()),
        ),
    )


def write(plan: InitPlan, work_tree: WorkTree, folder: Path) -> tuple[str, ...]:
    """Write the files and return their paths. A file that was created in the meantime stays."""
    for path in (*plan.files.new, *plan.files.added):
        _demand_inside(folder, path)
    written = []
    for path, content in files.contents(plan.files, work_tree.tree).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path in plan.files.added:
            target.write_bytes(content)
        elif not target.exists():
            with target.open("xb") as file:
                file.write(content)
        else:
            continue
        written.append(path)
    return tuple(written)


def _demand_inside(folder: Path, path: str) -> None:
    """Stop(bad-input) before anything is written, if a link leads a file out of the repository."""
    if inside.place(folder, path) is None:
        place = inside.resolved(folder, path)
        raise Stop(
            "bad-input",
            f"{path} would be written to {place}." if place else f"{path} cannot be written.",
            "A folder in this path is a symbolic link that leads out of the repository."
            if place
            else "A folder in this path is a symbolic link that leads in a circle, or the name is too "
            "long for a file.",
            "Replace the link with a folder, then run init again. init wrote no file.",
        )


def _notes(
    proposals: Sequence[AppProposal], composed: SetupFiles, surveyed: Survey, uses: str, owners: str
) -> list[str]:
    """What a person has to check or do, except for the checks of doctor."""
    notes = [note for proposal in proposals for note in proposal.notes]
    if not surveyed.repository:
        notes.append(
            "This clone has no remote `origin` with an address on a host, so the owner of images, "
            "charts and CODEOWNERS is a guess. Run `git remote add origin <address of the "
            "repository>` and then run init again, or correct `acme` in the files that init writes."
        )
    if composed.kept:
        notes.append(f"init did not change these existing files: {', '.join(composed.kept)}.")
    for proposal in proposals:
        if proposal.source:
            notes.append(
                f"{proposal.config}: `source: {proposal.source}` was guessed from the app's name. The repository "
                f"{proposal.source} needs a stagegate.yaml too. Run in it: "
                f"`stagegate init --policy {surveyed.repository or 'owner/name'}//{proposal.config} "
                f"--image-tag '{proposal.image_tag}'`."
            )
        if proposal.source and proposal.chart_path and proposal.tag_value:
            notes.append(
                f"The Applications of {proposal.name} set the value {proposal.tag_value}, so the templates of its "
                f"chart must take the image tag from `.Values.{proposal.tag_value}`, and its values.yaml must have "
                f"`{next_steps.nested(proposal.tag_value, proposal.tag_now)}`."
            )
        if proposal.chart_path and not proposal.source:
            notes.append(
                f"Before the first release of {proposal.name}, run `stagegate chart-check --config "
                f"{proposal.config}`. The command renders the chart with the values of each "
                "environment, and lists problems that would make a release fail, such as a Secret "
                "that does not exist."
            )
        if not proposal.source and not proposal.policy and not proposal.dockerfile:
            notes.append(
                f"{proposal.name} has no Dockerfile, so put your own build into the job `build` of "
                "the release workflow."
            )
    for workflow in surveyed.workflows:
        if workflow.does and not workflow.ours:
            notes.append(
                f"{workflow.file} also does this work: {', '.join(workflow.does)}. Remove the "
                "steps that the new release workflow replaces, so that each version is made, "
                "tagged and published only once."
            )
    notes += next_steps.notes(proposals, composed, surveyed)
    if uses.startswith(origin.EXAMPLE):
        notes.append(
            f"The workflows call {uses}, which is the address in the examples. Run init again with "
            "--stagegate owner/stagegate@<commit>."
        )
    if not owners:
        notes.append(
            "CODEOWNERS names the owner of the repository. In an organisation, choose a team with "
            "--owners @acme/release."
        )
    return notes
