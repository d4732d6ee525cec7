"""Rewrites the parts of workflow files that act and GitHub Enterprise Server do not support.

1. `uses: $/path` (this repository at the running commit) becomes `uses: owner/name/path@ref`.
2. `environment: {name: x, deployment: false}` becomes `environment: x`.
3. For act only, which has no environments and passes one token to all jobs: `vars.X` and `secrets.X` of a job
   with an environment are read from the JSON values `vars.LAB` and `secrets.LAB`, which hold those of every
   environment, and `github.token` becomes the job's own entry of `secrets.LAB_TOKENS`. Every action of the toolkit
   and every checkout is given that token. A called workflow gets both JSON values, and sees a secret of an
   environment only if its caller maps the name.

`python -m lab.rewrite FOLDER owner/name@ref` writes a copy of the repository for GitHub Enterprise Server.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_SELF = re.compile(r"(?m)^(\s*(?:- )?uses: )\$/(\S+)")
_ENVIRONMENT = re.compile(r"(?m)^(    environment: )\{name: (.+?), deployment: false\}")
_JOB = re.compile(r"(?m)^(?=  [A-Za-z_][\w-]*:\s*(?:#.*)?$)")
_CALL = re.compile(r"(?m)^    uses: \S+/\.github/workflows/([\w-]+\.yml)@")
_MAPPED = re.compile(r"(?m)^      (\w+): \$\{\{ secrets\.\1 \}\}(?= #|$)")
_EXPRESSION = re.compile(r"^\$\{\{ (.+) \}\}$")
_STEP = re.compile(r"(?m)^(?=      - )")
_GIVEN_TOKEN = re.compile(r"(?m)^(?:      - |        )uses: (?:\$/|acme/stagegate/|actions/checkout@).*\n")
_PASSED = "LAB", "LAB_TOKENS"
_SCOPED = re.compile(r"\b(vars|secrets)\.(?!GITHUB_TOKEN\b|LAB)([A-Za-z_]\w*)")


def for_server(text: str, reference: str) -> str:
    """A workflow or action file for a server without `$/` and without `deployment: false`.

    `reference` is `owner/name@ref` of the toolkit.
    """
    repository, _, ref = reference.partition("@")
    text = _SELF.sub(rf"\1{repository}/\2@{ref}", text)
    return _ENVIRONMENT.sub(r"\1\2", text)


def for_act(text: str, reference: str, file: str = "") -> str:
    """As `for_server`, and with environments and a token for each job. `file` is the name of the workflow file."""
    head, jobs, body = text.partition("\njobs:\n")
    is_reusable = "workflow_call:" in head
    chunks = [_job(chunk, file, is_reusable=is_reusable) for chunk in _JOB.split(body)]
    return for_server(head + jobs + "".join(chunks), reference)


def token_key(file: str, job: str) -> str:
    """The name under which the lab passes the token of a job to act."""
    return f"{file}/{job}"


def _job(job: str, file: str, *, is_reusable: bool) -> str:
    if not job.strip():
        return job
    if _CALL.search(job):
        return _calling(job)
    name = job.split(":", 1)[0].strip()
    token = f"fromJSON(secrets.LAB_TOKENS)['{token_key(file, name)}']"
    job = "".join(_with_token(step, token) for step in _STEP.split(_scope(job, is_reusable)))
    return re.sub(r"\bgithub\.token\b", lambda _: token, job)


def _calling(job: str) -> str:
    """A job that calls a workflow: it passes on the lab's values, and the names that it maps."""
    job = _MAPPED.sub(r"      \1: ${{ secrets.\1 || 'mapped' }}", job.rstrip()) + "\n"
    passed = "".join(f"      {name}: ${{{{ secrets.{name} }}}}\n" for name in _PASSED)
    if "    secrets:\n" in job:
        return job.replace("    secrets:\n", f"    secrets:\n{passed}") + "\n"
    return f"{job}    secrets:\n{passed}\n"


def _with_token(step: str, token: str) -> str:
    match = _GIVEN_TOKEN.search(step)
    if not match or re.search(r"(?m)^          token:", step):
        return step
    line = f"          token: ${{{{ {token} }}}}\n"
    if "        with:\n" in step:
        return step.replace("        with:\n", f"        with:\n{line}", 1)
    return step[: match.end()] + f"        with:\n{line}" + step[match.end() :]


def _scope(job: str, is_reusable: bool) -> str:
    found = _ENVIRONMENT.search(job)
    if not found:
        return job
    expression = _EXPRESSION.match(found[2].strip("'\""))
    environment = expression[1] if expression else f"'{found[2]}'"

    def value(match: re.Match[str]) -> str:
        kind, name = match[1], match[2]
        scoped = f"fromJSON({kind}.LAB)[{environment}].{name}"
        return f"(secrets.{name} && {scoped})" if kind == "secrets" and is_reusable else scoped

    return _SCOPED.sub(value, job)


def snapshot(
    source: Path,
    target: Path,
    change: Callable[[str, str], str],
    where: str = ".",
    only: Sequence[str] = (),
) -> Path:
    """Copy what git knows or would add of `source`/`where` to `target`; `change` gets text and name of workflow
    and action files.

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
            content = change(content.decode(), copy.name).encode()
        copy.write_bytes(content)
        copy.chmod(origin.stat().st_mode & 0o777)
    return target


def main(arguments: Sequence[str]) -> int:
    """Write the copy for GitHub Enterprise Server; 2 without a folder and a reference."""
    if len(arguments) != 2 or "@" not in arguments[1]:
        print("usage: make ghes OUT=folder REF=owner/name@ref", file=sys.stderr)
        return 2
    root = Path(__file__).resolve().parent.parent
    snapshot(root, Path(arguments[0]), lambda text, _: for_server(text, arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
