"""The history of a branch, the same from every checkout.

A checkout may have one commit, some or all, and its owner's settings must stay as they are. So missing commits are
fetched into a scratch repository beside it, which borrows the checkout's objects and its connection settings.

Three requests at most bring the history, however many tags and commits there are: the list of refs, one small pack
with the commits since a tag, and either the commits at its edge or, where the small pack may lack something, the
whole history without file contents.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from stagegate.clients import git
from stagegate.clients.process import Completed, ProgramFailed
from stagegate.errors import Stop
from stagegate.runner import log

_SECONDS = 900.0
_PLAIN = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
_LEAN = "--filter=blob:none"
# Connection settings of the checkout: the only ones the scratch repository takes over.
_CONNECTION = re.compile(
    r"^(remote\.origin\.(?!promisor|partialclonefilter)|http\.|credential\.|url\.|core\.sshcommand)"
)


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """The refs of origin: the tip of one branch (empty when it does not exist) and all tags -> their commits."""

    tip: str
    tags: Mapping[str, str]


class Scratch(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that can be fetched into without changing the checkout; `env` reaches origin as it does."""

    path: Path
    env: Mapping[str, str]


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """The commits of a branch in topological order, newest first, each with its parents."""

    parents: Mapping[str, tuple[str, ...]]

    def reach(self, tips: Iterable[str]) -> frozenset[str]:
        """The given commits and everything in their history; commits outside the graph are left out."""
        waiting = [tip for tip in tips if tip in self.parents]
        reached = set(waiting)
        while waiting:
            for parent in self.parents[waiting.pop()]:
                if parent in self.parents and parent not in reached:
                    reached.add(parent)
                    waiting.append(parent)
        return frozenset(reached)

    def since(self, bases: Iterable[str]) -> tuple[str, ...]:
        """Commits that are not in the history of `bases`, newest first.

        Walked here instead of by `git log base..tip`, which trusts commit dates and stops early when a clock
        was wrong.
        """
        before = self.reach(bases)
        return tuple(sha for sha in self.parents if sha not in before)


@contextmanager
def scratch(checkout: Path, env: Mapping[str, str] | None = None) -> Iterator[Scratch]:
    """A scratch repository for a checkout; it is removed at the end. Stop(missing-file) outside a repository."""
    head = git.head(checkout)
    with tempfile.TemporaryDirectory(prefix="stagegate-history-") as folder:
        path = Path(folder)
        git.git(path, "init", "--quiet", "--bare", ".")
        (path / "objects/info/alternates").write_text(str(_inside(checkout, "objects")) + "\n")
        borders = _inside(checkout, "shallow")
        if borders.is_file():
            (path / "shallow").write_bytes(borders.read_bytes())
        git.git(path, "update-ref", "refs/heads/checkout", head)
        yield Scratch(path=path, env=_connection(checkout, env or {}))


def remote(room: Scratch, branch: str) -> Remote:
    """The branch and the tags of origin, in one request. Stop(unreachable)."""
    patterns = (f"refs/heads/{branch}", "refs/tags/*")
    try:
        done = git.git(
            room.path, "ls-remote", "--upload-pack=git-upload-pack", "origin", *patterns, env=room.env
        )
    except ProgramFailed as error:
        raise git.unreachable(error) from error
    return _refs(done.text.splitlines(), branch)


def local(checkout: Path, branch: str) -> Remote:
    """The same refs as the checkout has them: the commit that is checked out stands for its branch."""
    done = git.git(checkout, "show-ref", "--dereference", "--tags", check=False)
    lines = [line.replace(" ", "\t", 1) for line in done.text.splitlines()]
    named = git.git(
        checkout, "rev-parse", "--quiet", "--verify", f"refs/heads/{branch}^{{commit}}", check=False
    )
    current = git.git(checkout, "symbolic-ref", "--quiet", "--short", "HEAD", check=False).text.strip()
    tip = git.head(checkout) if named.code or current in ("", branch) else named.text.strip()
    return Remote(tip=tip, tags=_refs(lines, branch).tags)


def complete(room: Scratch, tip: str, stable: Mapping[str, str], newer: Mapping[str, str]) -> Graph:
    """The history of `tip`, complete at least since the tag `stable`. Stop(unreachable).

    `stable` is the tag with the highest final version and its commit (or nothing); `newer` are tags with higher
    versions, which may be part of the history before it.
    """
    whole = not git.is_shallow(room.path)
    if whole and _has(room, tip):
        return graph(room.path, tip)
    if not newer and tip in stable.values() and _has(room, tip):
        return Graph(parents={tip: ()})
    if not whole and stable:
        since = _since(room, tip, *next(iter(stable.items())))
        if since and set(newer.values()) <= set(since.parents):
            return since
    log.say(f"fetching the whole history of {tip[:12]} without file contents")
    done = _fetch(room, *(() if whole else ("--unshallow",)), "origin", tip)
    if done.code:
        raise git.unreachable(ProgramFailed(done))
    return graph(room.path, tip)


def graph(path: Path, tip: str) -> Graph:
    """The commits that this repository has of a history."""
    done = git.git(path, "rev-list", "--topo-order", "--parents", tip)
    rows = (line.split() for line in done.text.splitlines())
    return Graph(parents={row[0]: tuple(row[1:]) for row in rows})


def blobs(room: Scratch, oids: Iterable[str]) -> dict[str, bytes]:
    """File contents by object id; missing ones are fetched at once, and left out when origin does not give them."""
    wanted = sorted({oid for oid in oids if oid.strip("0")})
    if not wanted:
        return {}
    listed = "\n".join(wanted).encode()
    checked = git.git(room.path, "cat-file", "--batch-check", input=listed).text.splitlines()
    missing = [line.split()[0] for line in checked if line.endswith(" missing")]
    if missing:
        _fetch(room, "--stdin", "origin", input="\n".join(missing).encode())
    raw = git.git(room.path, "cat-file", "--batch", input=listed).stdout
    contents, at = {}, 0
    for _ in wanted:
        end = raw.index(b"\n", at)
        words_of = raw[at:end].split()
        at = end + 1
        if len(words_of) == 3 and words_of[1] == b"blob":
            size = int(words_of[2])
            contents[words_of[0].decode()] = raw[at : at + size]
            at += size + 1
    return contents


def _since(room: Scratch, tip: str, tag: str, tagged: str) -> Graph | None:
    """The tag's commit and all commits since it, from a small fetch; None when some may be missing.

    The server cuts all parents of a commit as soon as one of them lies before the tag, so a merge at the edge may
    hide commits of the merged branch: only an edge of commits with one parent is complete. One of those parents
    must be the tag's commit, otherwise the tag is not in this history.
    """
    if _fetch(room, f"--shallow-exclude=refs/tags/{tag}", "origin", tip).code:
        return None
    borders = (room.path / "shallow").read_text().split() if (room.path / "shallow").is_file() else []
    parents = [_written_parents(room.path, border) for border in borders]
    before = {parent for listed in parents for parent in listed}
    if any(len(listed) != 1 for listed in parents) or tagged not in before:
        return None
    # The commits before the edge are needed too, because what a commit changed is told from its parent.
    if _fetch(room, "--deepen=1", "origin", tip).code:
        return None
    # Besides the tag's own commit they are older than the tag, which this repository cannot see.
    outside = before - {tagged}
    return Graph(
        parents={sha: found for sha, found in graph(room.path, tip).parents.items() if sha not in outside}
    )


def _fetch(room: Scratch, *words: str, input: bytes | None = None) -> Completed:
    """One fetch without file contents; afterwards a missing object is missing, and never fetched on the side."""
    # Objects asked for by id are wanted even when a commit that holds them is here: no negotiation then.
    whole = ("-c", "fetch.negotiationAlgorithm=noop") if input else ()
    arguments = (*whole, *git.FETCH, "--no-write-fetch-head", _LEAN, *words)
    try:
        return git.git(room.path, *arguments, env=room.env, input=input, check=False, timeout=_SECONDS)
    finally:
        (room.path / "config").write_text(_PLAIN)


def _written_parents(path: Path, sha: str) -> tuple[str, ...]:
    """The parents in the commit object itself, which a shallow border does not hide. Empty when it is not here."""
    done = git.git(path, "cat-file", "commit", sha, check=False)
    header = done.text.partition("\n\n")[0].splitlines()
    return tuple(line.split()[1] for line in header if line.startswith("parent "))


def _has(room: Scratch, sha: str) -> bool:
    return not git.git(room.path, "cat-file", "-e", f"{sha}^{{commit}}", check=False).code


def _refs(lines: Iterable[str], branch: str) -> Remote:
    tip, tags = "", {}
    for line in lines:
        sha, _, ref = line.partition("\t")
        name = ref.removeprefix("refs/tags/")
        if ref == f"refs/heads/{branch}":
            tip = sha
        elif name.endswith("^{}"):
            tags[name.removesuffix("^{}")] = sha
        elif name != ref:
            tags.setdefault(name, sha)
    return Remote(tip=tip, tags=tags)


def _inside(checkout: Path, name: str) -> Path:
    return (checkout / git.git(checkout, "rev-parse", "--git-path", name).text.strip()).resolve()


def _connection(checkout: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Variables that reach origin as the checkout does, its own settings before those in `env`."""
    listed = git.git(checkout, "config", "--local", "--includes", "--list", "-z", check=False).text.split(
        "\0"
    )
    pairs = [tuple(entry.partition("\n")[::2]) for entry in listed if _CONNECTION.match(entry)]
    count = int(env.get("GIT_CONFIG_COUNT", "0"))
    pairs += [(env[f"GIT_CONFIG_KEY_{n}"], env[f"GIT_CONFIG_VALUE_{n}"]) for n in range(count)]
    numbered = {
        f"GIT_CONFIG_{kind}_{n}": text
        for n, pair in enumerate(pairs)
        for kind, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return {**env, **numbered, "GIT_CONFIG_COUNT": str(len(pairs))}


def check_branch(branch: str) -> str:
    """A branch name as git allows it, whatever alphabet. Stop(bad-input)."""
    if (
        not branch
        or branch.startswith("-")
        or re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|$)|/$|\.$|^/", branch)
    ):
        raise Stop(
            "bad-input",
            f"{branch!r} is not the name of a branch.",
            "git does not allow such a name.",
            "Give the input `branch` the name of an existing branch.",
        )
    return branch
