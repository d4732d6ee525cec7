"""Rewrites workflow files for what act and GitHub Enterprise Server do not know, and nothing else.

1. `uses: $/path` (this repository at the running commit) becomes `uses: owner/name/path@ref`.
2. `environment: {name: x, deployment: false}` becomes `environment: x`.
3. For act only: it ignores environments, so `vars.X` and `secrets.X` of such a job become `vars.x_X` and
   `secrets.x_X`: the lab passes every environment's values under these names. Where a job calls a file of
   the toolkit, GitHub hands the values of the environment in there to it by itself; act hands on only what the
   caller maps, so there the caller's `secrets.X` are those of that environment.

`python -m lab.rewrite FOLDER owner/name@ref` writes a copy of the repository for GitHub Enterprise Server.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

WORKFLOWS = Path(__file__).resolve().parent.parent / ".github" / "workflows"

_SELF = re.compile(r"(?m)^(\s*(?:- )?uses: )\$/(\S+)")
_ENVIRONMENT = re.compile(r"(?m)^(    environment: )\{name: (.+?), deployment: false\}")
_JOB = re.compile(r"(?m)^(?=  [A-Za-z_][\w-]*:\s*$)")
_CALL = re.compile(r"(?m)^    uses: \S+/\.github/workflows/([\w-]+\.yml)@")
_GIVEN = re.compile(r"(?m)^      environment: (.+)$")
_EXPRESSION = re.compile(r"^\$\{\{ (.+) \}\}$")
_SCOPED = re.compile(r"\b(vars|secrets)\.(?!GITHUB_TOKEN\b)([A-Za-z_]\w*)")


def for_server(text: str, reference: str) -> str:
    """A workflow or action file for a server without `$/` and without `deployment: false`.

    `reference` is `owner/name@ref` of the toolkit.
    """
    repository, _, ref = reference.partition("@")
    text = _SELF.sub(rf"\1{repository}/\2@{ref}", text)
    return _ENVIRONMENT.sub(r"\1\2", text)


def for_act(text: str, reference: str) -> str:
    """As `for_server`, and with the values of environments under names of their own."""
    head, jobs, body = text.partition("\njobs:\n")
    is_reusable = "workflow_call:" in head
    chunks = [_scope(chunk, is_reusable) for chunk in _JOB.split(body)]
    return for_server(head + jobs + "".join(chunks), reference)


def scoped(environment: str, name: str) -> str:
    """The name under which the lab passes an environment's variable or secret to act."""
    return f"{environment}_{name}"


def _scope(job: str, is_reusable: bool) -> str:
    found = _ENVIRONMENT.search(job)
    environment = found[2] if found else _environment_called(job)
    if not environment:
        return job
    expression = _EXPRESSION.match(environment.strip("'\""))

    def name(match: re.Match[str]) -> str:
        kind, value = match[1], match[2]
        if kind == "secrets" and is_reusable:
            return match[0]  # a called file sees only what the caller maps, by its own names
        if expression:
            return f"{kind}[format('{{0}}_{value}', {expression[1]})]"
        return f"{kind}.{scoped(environment, value)}"

    return _SCOPED.sub(name, job)


def _environment_called(job: str) -> str:
    """The environment inside the file of the toolkit that a job calls, as the job would write it; or nothing."""
    called = _CALL.search(job)
    file = WORKFLOWS / called[1] if called else None
    inside = _ENVIRONMENT.search(file.read_text()) if file and file.is_file() else None
    if inside is None or "inputs.environment" not in inside[2]:
        return inside[2] if inside else ""
    given = _GIVEN.search(job)
    return given[1] if given else ""


def snapshot(
    source: Path, target: Path, change: Callable[[str], str], where: str = ".", only: Sequence[str] = ()
) -> Path:
    """Copy what git knows or would add of `source`/`where` to `target`; workflow and action files changed.

    `only` limits it to these paths below `source`.
    """
    paths = only or (where,)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(command, cwd=source, check=True, capture_output=True).stdout.decode()
    for name in sorted(set(listed.split("\0")) - {""}):
        origin = source / name
        if not origin.is_file():
            continue
        copy = target / origin.relative_to(source / where)
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = origin.read_bytes()
        if "/.github/workflows/" in f"/{name}" or copy.name == "action.yml":
            content = change(content.decode()).encode()
        copy.write_bytes(content)
        copy.chmod(origin.stat().st_mode & 0o777)
    return target


def main(arguments: Sequence[str]) -> int:
    """Write the copy for GitHub Enterprise Server; 2 without a folder and a reference."""
    if len(arguments) != 2 or "@" not in arguments[1]:
        print("usage: make ghes OUT=folder REF=owner/name@ref", file=sys.stderr)
        return 2
    root = Path(__file__).resolve().parent.parent
    snapshot(root, Path(arguments[0]), lambda text: for_server(text, arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
