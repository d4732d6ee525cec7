"""The history of a branch, the same from every checkout.

A checkout may have one commit, some or all, and its owner's settings must stay as they are. So missing commits are
fetched into a scratch repository beside it, which borrows the checkout's objects and its connection settings.

Three fetches at most bring the history, however many tags and commits there are. One small pack has the commits
since a tag, and a second one those at its edge. Where the small pack may lack something, the second one is the
whole commit graph without trees and files, and the third one the trees of the commits that matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from stagegate.clients import git
from stagegate.clients.git_graph import Graph
from stagegate.clients.git_room import NO_FILES, NO_TREES, Scratch, demand, fetch, has, missing
from stagegate.clients.process import Completed
from stagegate.runner import log

_REVISIONS = ("rev-list", "--topo-order", "--parents")
_SIDE_LINES = (
    8  # lines that began before a tag, each asked of git on its own; with more the whole graph is walked
)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a history that an app needs: everything since `stable`, a tag and its commit (or nothing).

    `newer` are the commits of its other tags that could lie in the history before it.
    """

    stable: tuple[str, str] | None = None
    newer: frozenset[str] = frozenset()


def complete(room: Scratch, tip: str, spans: Sequence[Span]) -> tuple[Graph, ...]:
    """The history of `tip` for each span, complete at least since its stable tag. Stop(unreachable)."""
    is_complete = room.whole or (not room.shallow and has(room, tip))
    if is_complete and len(spans) == 1:
        return (_walked(room, tip, spans[0]) or graph(room.path, tip),)
    if is_complete:
        return (graph(room.path, tip),) * len(spans)
    small = _small(room, tip, spans)
    if small is None and not room.shallow and not has(room, tip):
        demand(fetch(room, "origin", tip))
        return complete(room, tip, spans)
    return (small or _whole(room, tip, bare=all(span.stable for span in spans)),) * len(spans)


def _small(room: Scratch, tip: str, spans: Sequence[Span]) -> Graph | None:
    """The history since the tag of the only span, from a small fetch where one is needed."""
    if len(spans) != 1 or spans[0].stable is None:
        return None
    (tag, tagged), newer = spans[0].stable, spans[0].newer
    if not newer and tip == tagged and has(room, tip):
        return Graph(parents={tip: ()})
    if not room.shallow:
        return None
    since = _since(room, tip, tag, tagged)
    return since if since and newer <= set(since.parents) else None


def _whole(room: Scratch, tip: str, *, bare: bool) -> Graph:
    """The whole history, `bare` without trees: commits are small, and only some of them are looked into."""
    log.say(f"fetching the whole commit graph of {tip[:12]} without {'trees and ' if bare else ''}files")
    demand(fetch(room, "--unshallow", "origin", tip, lean=NO_TREES if bare else NO_FILES))
    return Graph(parents=graph(room.path, tip).parents, bare=bare)


def trees(room: Scratch, graph: Graph, shas: Iterable[str]) -> None:
    """Fetch the folders of commits and of their first parents, if the graph came without. Stop(unreachable)."""
    if not (graph.bare or room.partial):
        return
    wanted = {sha: None for commit in shas for sha in (commit, *graph.parents.get(commit, ())[:1])}
    if not wanted:
        return
    listed = "\n".join(wanted).encode()
    roots = git.git(
        room.path, "log", "--no-walk=unsorted", "--format=%T", "--stdin", input=listed
    ).text.split()
    absent = missing(room, dict.fromkeys(roots))
    if absent:
        demand(fetch(room, "--stdin", "origin", input="\n".join(absent).encode()))


def _walked(room: Scratch, tip: str, span: Span) -> Graph | None:
    """The history since the tag of a span, by git's own walk; None where that may not be exact.

    git follows commit dates and may take commits from before the tag for newer ones when a clock was wrong. Those
    that descend from the tag are certainly newer. Of the other lines each one's oldest commit is checked.
    """
    tagged = span.stable[1] if span.stable else ""
    if not tagged:
        return None
    done = git.git(room.path, *_REVISIONS, tip, f"^{tagged}", check=False)
    if done.code:
        return None
    parents_of = _parents(done)
    descends: dict[str, bool] = {tagged: True}
    oldest = []
    for sha, parents in reversed(parents_of.items()):
        descends[sha] = any(descends.get(parent, False) for parent in parents)
        if not any(parent in parents_of or parent == tagged for parent in parents):
            oldest.append(sha)
    inside = tip == tagged or descends.get(tip, False)
    doubtful = {*oldest, *(span.newer - parents_of.keys())}
    if not inside or len(doubtful) > _SIDE_LINES:
        return None
    if any(_is_ancestor(room.path, sha, tagged) for sha in doubtful):
        return None
    return Graph(parents={**parents_of, tagged: ()})


def _is_ancestor(path: Path, older: str, newer: str) -> bool:
    return git.git(path, "merge-base", "--is-ancestor", older, newer, check=False).code == 0


def graph(path: Path, tip: str) -> Graph:
    """The commits that this repository has of a history."""
    return Graph(parents=_parents(git.git(path, *_REVISIONS, tip)))


def _parents(done: Completed) -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in done.text.splitlines())
    return {row[0]: tuple(row[1:]) for row in rows}


def blobs(room: Scratch, oids: Iterable[str]) -> dict[str, bytes]:
    """File contents by object id; missing ones are fetched at once, and left out when origin does not give them."""
    wanted = sorted({oid for oid in oids if oid.strip("0")})
    if not wanted:
        return {}
    absent = [] if room.whole else missing(room, wanted)
    if absent:
        fetch(room, "--stdin", "origin", input="\n".join(absent).encode())
    raw = git.git(room.path, "cat-file", "--batch", input="\n".join(wanted).encode()).stdout
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
    if fetch(room, f"--shallow-exclude=refs/tags/{tag}", "origin", tip).code:
        return None
    borders = (room.path / "shallow").read_text().split() if (room.path / "shallow").is_file() else []
    parents = [_written_parents(room.path, border) for border in borders]
    before = {parent for listed in parents for parent in listed}
    if any(len(listed) != 1 for listed in parents) or tagged not in before:
        return None
    # The commits before the edge are needed too, because what a commit changed is told from its parent.
    if before == {tagged}:  # a server answers this in less time than the other question
        done = fetch(room, "--depth=1", "origin", tagged)
        (room.path / "shallow").write_text(f"{tagged}\n")
    else:
        done = fetch(room, "--deepen=1", "origin", tip)
    if done.code:
        return None
    # Besides the tag's own commit they are older than the tag, which this repository cannot see.
    outside = before - {tagged}
    return Graph(
        parents={
            sha: parents_of for sha, parents_of in graph(room.path, tip).parents.items() if sha not in outside
        }
    )


def _written_parents(path: Path, sha: str) -> tuple[str, ...]:
    """The parents in the commit object itself, which a shallow border does not hide. Empty when it is not here."""
    done = git.git(path, "cat-file", "commit", sha, check=False)
    header = done.text.partition("\n\n")[0].splitlines()
    return tuple(line.split()[1] for line in header if line.startswith("parent "))
