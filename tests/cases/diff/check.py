"""Tries cases of the rendered difference: one line each, `right` or `wrong: why`.

  python3 lab/toolbox.py run python tests/cases/diff/check.py CHECKOUT [NN | FOLDER ...] [--show]

A case is a folder with case.json; FOLDER is one or holds several, NN begins the name of one beside this file. Kind
`guard`: base/ and target/ are repositories, charts/NAME-VERSION/ is pushed to a real registry, and a whole pin-guard run
in the lab judges base -> target. Kind `compare`: before.yaml and after.yaml are two renderings, shown as the page shows
them. `clusters` is what an Argo CD
reports of its clusters. `{host}` stands for the registry. Right is what `state`, `state_not`, `say`, `never` (regular expressions on all that
is shown) and `seconds` say. `--show` prints what is shown.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def cases(arguments: list[str]) -> list[Path]:
    """The folders of the cases to run; without arguments all beside this file."""
    found: list[Path] = []
    for argument in arguments or [str(HERE)]:
        folder = Path(argument)
        if (folder / "case.json").is_file():
            found.append(folder)
        elif folder.is_dir():
            found += sorted(one.parent for one in folder.glob("*/case.json"))
        else:
            found += sorted(one.parent for one in HERE.glob(f"{argument}*/case.json"))
    return found


def wrong(case: Path, registry: Any, scratch: Path, *, show: bool = False) -> list[str]:
    """Why the shown difference of a case is wrong; nothing when it is right."""
    expected = json.loads((case / "case.json").read_text())
    began = time.monotonic()
    state, shown = (
        compared(case) if expected["kind"] == "compare" else guarded(case, expected, registry, scratch)
    )
    took = time.monotonic() - began
    if show:
        sys.stdout.write(f"{shown}\n[{state}, {took:.1f} s]\n")
    found = []
    if expected.get("state") and state not in expected["state"]:
        found.append(f"state is {state}, right is {' or '.join(expected['state'])}")
    if state in expected.get("state_not", ()):
        found.append(f"state is {state}")
    found += [f"does not say /{one}/" for one in expected.get("say", ()) if not re.search(one, shown)]
    found += [f"says /{one}/" for one in expected.get("never", ()) if re.search(one, shown)]
    if expected.get("seconds") and took > expected["seconds"]:
        found.append(f"takes {took:.1f} s")
    return found


def compared(case: Path) -> tuple[str, str]:
    """Two renderings as the page of a proposal shows their difference."""
    from stagegate import difference as differences
    from stagegate.chart import objects
    from stagegate.difference.change import RiskSeen
    from stagegate.errors import Stop
    from stagegate.proposal import body as text
    from stagegate.proposal.body_values import BodyFacts

    try:
        old, new = (
            objects.parse((case / f"{side}.yaml").read_text(), "case") for side in ("before", "after")
        )
        found = differences.compare(old, new, b"one report")
    except Stop as stop:
        return "stop", f"{stop.what} {stop.why}"
    risks = tuple(
        RiskSeen(kind=one.kind, object=one.object, detail=one.detail) for one in differences.risks(found)
    )
    facts = BodyFacts(
        app="shop", environment="prod", before="1.0.0", after="1.1.0", trust="advisory",
        now="2026-01-01T00:00:00Z", difference=found, risks=risks,
    )  # fmt: skip
    body = text.body(facts)
    return "shown", body.text + body.rest


def guarded(case: Path, expected: dict[str, Any], registry: Any, scratch: Path) -> tuple[str, str]:
    """A whole run of pin-guard: the status, and all that it prints and writes."""
    from stagegate.clients.registry import Registry
    from tests.cases.diff import guard

    store = Registry(frozenset({registry.host}))
    for chart in sorted((case / "charts").iterdir()) if (case / "charts").is_dir() else ():
        push(store, registry.host, chart)
    base, target = files(case / "base", registry.host), files(case / "target", registry.host)
    settings = base.pop("stagegate.yaml").decode()
    target.pop("stagegate.yaml", None)
    with guard.forge(scratch / case.name) as forge, argocd(expected.get("clusters")) as inputs:
        result = guard.run(
            forge, "acme/gitops", scratch / f"{case.name}-work", base, target, settings,
            links=links(case / "base"), later={k: v.encode() for k, v in expected.get("later", {}).items()},
            inputs=inputs,
        )  # fmt: skip
    return result["state"], f"{result['description']}\n{result['summary']}\n{result['comment']}"


@contextmanager
def argocd(clusters: Any) -> Iterator[dict[str, str]]:
    """The inputs for an Argo CD that reports these clusters; none where a case has no Argo CD."""
    from tests.clients.answering import Answer, answering

    if clusters is None:
        yield {}
        return
    body = json.dumps({"metadata": {}, "items": clusters or None}).encode()
    with answering(lambda asked: Answer(200 if asked.path == "/api/v1/clusters" else 404, {}, body)) as made:
        yield {"SG_ARGOCD_SERVER": f"http://{made.host}", "SG_ARGOCD_TOKEN": "a-token"}


def files(tree: Path, host: str) -> dict[str, bytes]:
    """Every file of a tree by its path."""
    found = sorted(path for path in tree.rglob("*") if path.is_file())
    return {
        str(path.relative_to(tree)): path.read_bytes().replace(b"{host}", host.encode()) for path in found
    }


def links(tree: Path) -> dict[str, str]:
    """Every symbolic link of a tree, and where it leads."""
    return {
        str(path.relative_to(tree)): str(path.readlink())
        for path in sorted(tree.rglob("*"))
        if path.is_symlink()
    }


def push(store: Any, host: str, folder: Path) -> None:
    """A chart's folder NAME-VERSION to the registry."""
    from stagegate.chart import package, source
    from stagegate.clients.registry import Manifest
    from stagegate.evidence.release_record import Record

    name, _, version = folder.name.partition("-")
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / name
        subprocess.run(["cp", "-r", str(folder), str(copy)], check=True)
        packed = package.pack(source.read(copy, f"charts/{name}"), Record(commit="0" * 40, images={}))
    manifest = Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=packed.manifest)
    store.push(
        f"{host}/acme/charts/{name}:{version}", manifest, (packed.config, packed.archive), replace=True
    )


def main(argv: list[str]) -> int:
    """0 when every case is right."""
    show = "--show" in argv
    checkout, *arguments = [one for one in argv if one != "--show"]
    sys.path[:0] = [str(Path(checkout).resolve()), str(Path(checkout).resolve() / "scripts")]
    os.environ["STAGEGATE_WRITE_PACE"] = "0"
    os.environ["STAGEGATE_RETRY_PACE"] = "0.01"
    from lab.registry import Registry

    bad = 0
    with tempfile.TemporaryDirectory(prefix="diffcases-") as place:
        (Path(place) / "registry").mkdir()
        with Registry(Path(place) / "registry") as registry:
            for case in cases(arguments):
                why = wrong(case, registry, Path(place), show=show)
                bad += bool(why)
                sys.stdout.write(f"{case.name}: {'wrong: ' + '; '.join(why) if why else 'right'}\n")
                sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
