"""The version decision: version-bump beside the git calls that it needs, and beside other release tools."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench import peers
from bench.table import Row, cpu_seconds
from bench.table import side_by_side as measured
from stagegate import settings as settings_file
from stagegate.clients import git_refs, git_room
from stagegate.release.bump import edits, facts, plan, released
from stagegate.release.bump.versioned_app import VersionedApp

SETTINGS = "app: shop\nversion: {files: [VERSION]}\nenvironments: [{name: prod, pins: [deploy/prod.yaml]}]\n"
PIN = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {chart: shop, targetRevision: 1.0.0}}\n"
SIZES = ((2_000, 1), (2_000, 200), (20_000, 1))  # commits since the newest tag, tags
ROUNDS = 5
side_by_side = partial(measured, clock=cpu_seconds)  # seconds of processor time: the same on a busy machine
PLAN = (str(Path(__file__).resolve().parents[1] / "scripts" / "run"), "version_bump", "--mode", "plan")


def rows(folder: Path) -> Iterator[Row]:
    """One row for each size, then a local plan, a first release, a shallow checkout, and the peers."""
    for number, (commits, tags) in enumerate(SIZES):
        yield decision(folder / str(number), commits, tags)
    large = clone(folder / "large", 400, 49, before=20_000)
    yield local_plan(large)
    yield first_release(clone(folder / "untagged", 20_000, 0))
    yield from shallow(folder / "shallow", large)
    yield from peers.rows(folder / "peers", large, lambda: run(large, *PLAN))


def clone(folder: Path, commits: int, tags: int, *, before: int = 0) -> Path:
    """A work tree with a generated history."""
    folder.mkdir(parents=True)
    run(folder, "git", "init", "--quiet", "--initial-branch=main")
    run(folder, "git", "fast-import", "--quiet", "--force", stdin=history(commits, tags, before=before))
    run(folder, "git", "reset", "--quiet", "--hard")
    run(folder, "git", "remote", "add", "origin", "https://github.com/acme/shop.git")
    return folder


def local_plan(work: Path) -> Row:
    """`version-bump --mode plan` as the installed command, beside two interpreters and the same git calls."""
    ours, bare, *calls = side_by_side(
        ROUNDS,
        lambda: run(work, *PLAN),
        lambda: run(work, "python3", "-c", "pass"),
        lambda: run(work, "git", "symbolic-ref", "--quiet", "--short", "HEAD"),
        lambda: run(work, "git", "rev-parse", "--is-shallow-repository", "HEAD^{commit}"),
        lambda: run(work, "git", "show-ref", "--dereference", "--head", "--heads", "--tags"),
        lambda: run(work, "git", "rev-list", "--topo-order", "--parents", "HEAD", "^v1.48.0"),
        lambda: run(work, "git", "log", "--raw", "--no-abbrev", "-z", "v1.48.0..HEAD"),
    )
    floor = 2 * bare + sum(calls)
    what = "local plan, 20,000 commits, 49 tags, 400 since"
    compared = f"2 x `python3 -c pass` and 5 git calls {floor:.2f} s"
    return Row(what, f"{ours:.2f} s", compared, ours / floor, "2", ours / floor <= 2)


def first_release(work: Path) -> Row:
    """A first release, which reads every commit."""
    ours, log = side_by_side(
        ROUNDS, lambda: run(work, *PLAN), lambda: run(work, "git", "log", "--raw", "--no-abbrev", "-z")
    )
    return Row(
        "first release, 20,000 commits",
        f"{ours:.2f} s",
        f"`git log --raw` {log:.2f} s",
        ours / log,
        "2",
        ours / log <= 2,
    )


def shallow(folder: Path, origin: Path) -> Iterator[Row]:
    """The history for a checkout of one commit, beside the smallest fetch that brings the same commits."""
    run(origin, "git", "config", "uploadpack.allowFilter", "true")
    app = VersionedApp(
        settings=settings_file.parse(SETTINGS.encode(), "stagegate.yaml"), config="stagegate.yaml"
    )
    sizes: list[int] = []

    def ours() -> None:
        with git_room.scratch(work) as room:
            lines = released.of([app], room, git_refs.remote(room, "main"))
            edits.known(room, lines)
            sizes.append(size(room.path / "objects"))

    def smallest() -> None:
        bare = folder / f"bare-{len(sizes)}-{os.urandom(4).hex()}"
        run(folder, "git", "init", "--quiet", "--bare", str(bare))
        run(bare, "git", "ls-remote", f"file://{origin}", "refs/heads/main", "refs/tags/*")
        flags = ("--quiet", "--no-tags", "--filter=tree:0", "--shallow-exclude=v1.48.0")
        run(bare, "git", "fetch", *flags, f"file://{origin}", "main")
        sizes.append(-size(bare / "objects"))

    folder.mkdir()
    work = folder / "work"
    run(folder, "git", "clone", "--quiet", "--depth=1", "--no-tags", f"file://{origin}", str(work))
    taken, least = side_by_side(ROUNDS, ours, smallest)
    yield Row(
        "history for depth 1, time",
        f"{taken:.2f} s",
        f"smallest fetch {least:.2f} s",
        taken / least,
        "2",
        taken / least <= 2,
    )
    ours_bytes, least_bytes = max(sizes), -min(sizes)
    ratio = ours_bytes / least_bytes
    yield Row(
        "history for depth 1, bytes",
        f"{ours_bytes // 1024} KiB",
        f"{least_bytes // 1024} KiB",
        ratio,
        "2",
        ratio <= 2,
    )


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def decision(folder: Path, commits: int, tags: int) -> Row:
    """Facts and plan from a whole clone, in this process."""
    work = clone(folder, commits, tags)
    app = VersionedApp(
        settings=settings_file.parse(SETTINGS.encode(), "stagegate.yaml"), config="stagegate.yaml"
    )

    def decide() -> None:
        (known,) = facts.read([app], None, work, "main", run_id="1", today="2026-01-05", env={})
        decided = plan.plan(app.settings, known, "auto")
        if decided.version != f"1.{tags}.0":
            raise RuntimeError(f"decided {decided.version}")

    log = ("git", "log", "-z", "--raw", "--no-abbrev", f"v1.{tags - 1}.0..HEAD")
    whole, read = side_by_side(ROUNDS, decide, lambda: run(work, *log))
    what = f"version decision, {commits:,} commits, {tags} tag{'s' if tags > 1 else ''}"
    return Row(what, f"{whole:.2f} s", f"`git log` {read:.2f} s", whole / read, "little more than 1")


def history(commits: int, tags: int, *, before: int = 0) -> bytes:
    """A fast-import stream: `before` commits, `tags` tagged ones, then `commits` of every kind with two files."""
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

    start = {"stagegate.yaml": SETTINGS, "VERSION": f"1.{max(tags - 1, 0)}.0\n", "deploy/prod.yaml": PIN}
    commit(0, "chore: open", start)
    for number in range(before):
        commit(number, "chore: earlier", {f"src/module_{number % 97}.py": f"value = {-number}\n"})
    for number in range(tags):
        commit(number, f"chore(release): 1.{number}.0", {f"released/{number}": f"{number}\n"})
        lines.append(f"reset refs/tags/v1.{number}.0\nfrom refs/heads/main\n")
    for number in range(commits):
        files = {
            f"src/module_{number % 97}.py": f"value = {number}\n",
            f"docs/page_{number % 31}.md": f"{number}\n",
        }
        commit(tags + number, kinds[number % len(kinds)].format(number), files)
    return ("\n".join(lines) + "\n").encode()


def run(cwd: Path, *argv: str, stdin: bytes | None = None) -> None:
    """Run a program that must succeed, and discard its output. No variable of a runner is passed on."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("GITHUB_", "PYTHON"))}
    quiet = subprocess.DEVNULL
    subprocess.run(argv, cwd=cwd, input=stdin, check=True, stdout=quiet, stderr=quiet, env=environ)
