"""The version decision: version-bump's facts and plan, beside the `git log` that it reads."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row, side_by_side
from lab.forge import Forge
from stagegate import settings as settings_file
from stagegate.clients import git, hub
from stagegate.release.bump import facts, plan

REPOSITORY = "acme/shop"
SETTINGS = "app: shop\nversion: {files: [VERSION]}\nenvironments: [{name: prod, pins: [deploy/prod.yaml]}]\n"
PIN = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {chart: shop, targetRevision: 1.0.0}}\n"
SIZES = ((2_000, 1), (2_000, 200), (20_000, 1))  # commits since the newest tag, tags
ROUNDS = 3


def rows(folder: Path) -> Iterator[Row]:
    """One row for each size."""
    for number, (commits, tags) in enumerate(SIZES):
        yield decision(folder / str(number), commits, tags)


def decision(folder: Path, commits: int, tags: int) -> Row:
    """Facts and plan in a whole clone, with the forge asked for the head and the version files."""
    folder.mkdir()
    with Forge(folder) as forge:
        repository = forge.repository(REPOSITORY)
        run(Path(repository.path), "git", "fast-import", "--quiet", "--force", stdin=history(commits, tags))
        work = folder / "work"
        run(folder, "git", "clone", "--quiet", str(repository.path), str(work))
        run(work, "git", "remote", "set-url", "origin", f"{forge.url}/{REPOSITORY}.git")
        token = forge.token("", "actions", repositories=[REPOSITORY], permissions={"contents": "write"})
        api = hub.connect(
            REPOSITORY,
            token,
            api_url=forge.url,
            graphql_url=f"{forge.url}/graphql",
            server_url=forge.url,
            pace=0,
        )
        settings = settings_file.parse(SETTINGS.encode(), "stagegate.yaml")
        env = git.credentials(forge.url, token)

        def decide() -> None:
            app = facts.VersionedApp(settings=settings, config="stagegate.yaml")
            (known,) = facts.read([app], api, work, "main", run_id="1", today="2026-01-05", env=env)
            decided = plan.plan(settings, known, "auto")
            if decided.version != f"1.{tags}.0":
                raise RuntimeError(f"decided {decided.version}")

        span = f"v1.{tags - 1}.0..HEAD"
        layout = "--format=%H%x00%P%x00%s%x00%b%x00%an"
        log = ("git", "log", "-z", "--no-renames", "--name-only", layout, span)
        whole, read = side_by_side(ROUNDS, decide, lambda: run(work, *log))
    what = f"version decision, {commits:,} commits, {tags} tag{'s' if tags > 1 else ''}"
    return Row(what, f"{whole:.2f} s", f"`git log` {read:.2f} s", whole / read, "little more than 1")


def history(commits: int, tags: int) -> bytes:
    """A fast-import stream: `tags` tagged commits, then `commits` of every kind that touch two files each."""
    kinds = (
        "feat: what number {} brings",
        "fix(api): number {}",
        "chore: number {}",
        "docs: number {}\\n\\nLonger text.",
    )
    lines: list[str] = []

    def commit(number: int, message: str, files: dict[str, str]) -> None:
        text = message.encode()
        lines.append(
            f"commit refs/heads/main\ncommitter octo-dev <octo-dev@example.com> {1_700_000_000 + number} +0000"
        )
        lines.append(f"data {len(text)}\n{message}")
        lines.extend(
            f"M 100644 inline {path}\ndata {len(body.encode())}\n{body}" for path, body in files.items()
        )

    start = {"stagegate.yaml": SETTINGS, "VERSION": f"1.{tags - 1}.0\n", "deploy/prod.yaml": PIN}
    for number in range(tags):
        commit(
            number,
            f"chore(release): 1.{number}.0",
            start if number == 0 else {f"released/{number}": f"{number}\n"},
        )
        lines.append(f"reset refs/tags/v1.{number}.0\nfrom refs/heads/main\n")
    for number in range(commits):
        files = {
            f"src/module_{number % 97}.py": f"value = {number}\n",
            f"docs/page_{number % 31}.md": f"{number}\n",
        }
        commit(tags + number, kinds[number % len(kinds)].format(number), files)
    return ("\n".join(lines) + "\n").encode()


def run(cwd: Path, *argv: str, stdin: bytes | None = None) -> None:
    """A program that must end well, its output thrown away."""
    subprocess.run(argv, cwd=cwd, input=stdin, check=True, stdout=subprocess.DEVNULL)
