"""Expands recorded ApplicationSets and compares with what the real controller of Argo CD made of them.

  python3 lab/toolbox.py run python tests/cases/argo/expanded.py CHECKOUT FOLDER [--inputs FOLDER]

FOLDER holds NAME.yaml (an ApplicationSet) and NAME.json (`applications` and `errors`, or `refused`). `tree/` (the files
of every repository at every revision) and `clusters.json` are looked for there, then in the folder of `--inputs`.
Prints `ok` or `DIFF` for each and exits 1 on a difference.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def cases(folder: Path) -> Iterator[Path]:
    """The recordings in a folder."""
    yield from (
        one
        for one in sorted(folder.glob("*.json"))
        if one.with_suffix(".yaml").is_file() and one.stem != "clusters"
    )
    clusters = folder / "clusters.yaml"
    if clusters.is_file() and isinstance(json.loads((folder / "clusters.json").read_text()), dict):
        yield folder / "clusters.json"


def first(name: str, folders: list[Path]) -> Path | None:
    """The first place that has an input."""
    return next((folder / name for folder in folders if (folder / name).exists()), None)


def difference(case: Path, folders: list[Path]) -> str:
    """Why what we make is not what the controller made; empty when it is."""

    from stagegate import yaml_1_1
    from stagegate.argocd_app.sets import expand, generators, parameters
    from stagegate.argocd_app.tree import Tree, from_folder

    place = first("tree", folders)
    clusters = first("clusters.json", folders)
    listed = json.loads(clusters.read_text()) if clusters else None
    around = generators.Surroundings(
        tree=lambda *_: from_folder(place) if place else Tree({}, lambda _: {}),
        clusters=tuple(
            generators.KnownCluster(name=one["name"], server=one["server"], labels=one.get("labels") or {},
                               annotations=one.get("annotations") or {}, project=one.get("project") or "")
            for one in listed
        ) if isinstance(listed, list) else None,
    )  # fmt: skip
    document = yaml_1_1.load(case.with_suffix(".yaml").read_text())
    recorded = json.loads(case.read_text())
    try:
        made = expand.expand(document, around)
    except parameters.NotExpandable as note:
        return f"not expanded: {note}"
    if "refused" in recorded:
        return "" if made.errors and not made.applications else "the API server refuses it, and we expand it"
    ours = {one["metadata"]["name"]: shown(one) for one in made.applications}
    theirs = {one["name"]: one for one in recorded["applications"]}
    if ours != theirs:
        return f"\n  ours   {json.dumps(ours, sort_keys=True)}\n  theirs {json.dumps(theirs, sort_keys=True)}"
    return (
        ""
        if bool(made.errors) == bool(recorded["errors"])
        else f"errors {made.errors} and {recorded['errors']}"
    )


def shown(application: Any) -> dict[str, Any]:
    """An Application as the recordings list it."""
    metadata = application["metadata"]
    more = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    return {"name": metadata["name"], **more, "spec": application["spec"]}


def main(argv: list[str]) -> int:
    """0 when everything is as recorded."""
    more = [Path(argv[argv.index("--inputs") + 1])] if "--inputs" in argv else []
    checkout, folder = argv[0], Path(argv[1])
    sys.path.insert(0, str(Path(checkout).resolve() / "scripts"))
    bad = 0
    for case in cases(folder):
        why = difference(case, [folder, *more])
        bad += bool(why)
        sys.stdout.write(f"{'DIFF' if why else 'ok'} {case.stem}{': ' + why if why else ''}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
