"""Renders recorded Applications and compares with what a real Argo CD rendered, object by object.

  python3 lab/toolbox.py run python tests/cases/argo/rendered.py CHECKOUT FOLDER [--inputs FOLDER]

FOLDER holds NAME.json: `application`, and `manifests` or `error`. `tree/` (the files of every repository at revision
main), `charts/` (archives) are looked for there, then in the folder of `--inputs`. Jsonnet and plugins must be reported
as not rendered. Prints `ok` or `DIFF` for each and exits 1 on a difference.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KUBERNETES = "1.36.1"
TRACKING = "argocd.argoproj.io/tracking-id"


def cases(folder: Path) -> list[Path]:
    """The recorded answers in a folder."""
    return [one for one in sorted(folder.glob("*.json")) if "application" in json.loads(one.read_text())]


def difference(case: Path, folders: list[Path]) -> str:
    """Why what we render is not what Argo CD rendered; empty when it is."""
    from stagegate.argocd_app.sources import ApplicationSource
    from stagegate.argocd_app.tree import Tree, from_folder
    from stagegate.difference.manifests import application
    from stagegate.difference.manifests.surroundings import Around, NotRendered
    from stagegate.errors import Stop

    def first(name: str) -> Path | None:
        return next((folder / name for folder in folders if (folder / name).exists()), None)

    def tree(_: str, revision: str) -> Tree:
        place = first("tree")
        if revision not in ("main", "HEAD", "refs/heads/main") or place is None:
            raise Stop(
                "missing-file",
                f"Unable to resolve {revision!r} to a commit SHA.",
                "It is not there.",
                "Correct it.",
            )
        return from_folder(place)

    def chart(source: ApplicationSource) -> bytes:
        archive = first(f"charts/{source.chart or source.address.rpartition('/')[2]}-{source.revision}.tgz")
        if archive is None:
            raise Stop(
                "missing-file",
                f"{source.chart} {source.revision} not found.",
                "It is not there.",
                "Correct it.",
            )
        return archive.read_bytes()

    recorded = json.loads(case.read_text())
    try:
        ours = [
            masked(one.body)
            for one in application.render(
                recorded["application"], Around(tree=tree, chart=chart, kube_version=KUBERNETES)
            )
        ]
    except NotRendered as note:
        return "" if "jsonnet" in str(note).lower() or "plugin" in str(note) else f"not rendered: {note}"
    except Stop as stop:
        if "error" not in recorded:
            return f"refused: {stop.what} {stop.why}"
        return (
            ""
            if same_cause(f"{stop.what} {stop.why}", recorded["error"])
            else f"{stop.what} {stop.why} | {recorded['error']}"
        )
    if "error" in recorded:
        return f"rendered, and Argo CD says: {recorded['error']}"
    theirs = [masked(without_tracking(one)) for one in recorded["manifests"]]
    left, right = (sorted(json.dumps(one, sort_keys=True) for one in side) for side in (ours, theirs))
    if left == right:
        return ""
    return (
        "\n  only ours   "
        + "\n              ".join(one for one in left if one not in right)
        + ("\n  only theirs " + "\n              ".join(one for one in right if one not in left))
    )


def same_cause(ours: str, theirs: str) -> bool:
    """Whether two errors share the words that are not everybody's: a file, a key, a name."""
    import re

    def words(text: str) -> set[str]:
        text = re.sub(r"<[^>]*>|`[^`]*`", " ", text)
        return set(re.findall(r"[\w./-]{4,}", text.lower())) - {
            "failed",
            "error",
            "helm",
            "template",
            "exit",
            "status",
        }

    return bool(words(ours) & words(theirs)) or any(
        word in theirs.lower() for word in words(ours) if "." in word
    )


def masked(body: Any) -> dict[str, Any]:
    """A Secret as Argo CD shows it: every value hidden, `stringData` under `data`."""
    if body.get("kind") != "Secret" or body.get("apiVersion") != "v1":
        return dict(body)
    rest = {key: value for key, value in body.items() if key not in ("data", "stringData")}
    return {
        **rest,
        "data": dict.fromkeys({**(body.get("data") or {}), **(body.get("stringData") or {})}, "++++++++"),
    }


def without_tracking(body: dict[str, Any]) -> dict[str, Any]:
    """An object without Argo CD's tracking annotation."""
    metadata = body.get("metadata") or {}
    notes = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != TRACKING}
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**body, "metadata": {**rest, "annotations": notes} if notes else rest}


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
