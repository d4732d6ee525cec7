"""The history of a branch, the same from every checkout.

A checkout may have one commit, some or all, and its owner's settings must stay as they are. So missing commits are
fetched into a scratch repository beside it, which borrows the checkout's objects and its connection settings.

Two fetches at most bring the commits, however many tags and commits there are. A small one has a tag's commit and
those that descend from it. Where a newer commit may lie outside of that, a second one is the whole commit graph
without trees and files. One more has the trees that decide, and one the old contents of version files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from stagegate.clients import git
from stagegate.clients.git_graph import Graph
from stagegate.clients.git_room import NO_FILES, NO_TREES, ROOT_TREES, Scratch, demand, fetch, has, missing
from stagegate.clients.process import Completed
from stagegate.runner import log

_REVISIONS = ("rev-list", "--topo-order", "--parents")
_TREES = ("rev-list", "--objects", "--no-walk", "--filter=blob:none", "--missing=print")
_WHOLE = "--depth=2147483647"  # git's number for all; `--unshallow` needs a border
_SIDE_LINES = (
    8  # lines that began before a tag, each asked of git on its own; with more the whole graph is walked
)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a history that an app needs: everything since `stable`, a tag and its commit (or nothing).

    `newer` are the commits of its other tags that could lie in the history before it.
    """

    stable: tuple[str, str] | None = None
    newer: frozenset[str] = frozenset()


def complete(room: Scratch, tip: str, spans: Sequence[Span], *, lean: str = NO_FILES) -> tuple[Graph, ...]:
    """The history of `tip` for each span, complete at least since its stable tag. Stop(unreachable).

    With `lean` = ROOT_TREES, the trees of a small history may be those of root folders alone.
    """
    is_complete = room.whole or (not room.shallow and has(room, tip))
    if is_complete and len(spans) == 1:
        return (_walked(room, tip, spans[0]) or graph(room.path, tip),)
    if is_complete:
        return (graph(room.path, tip),) * len(spans)
    if not room.shallow:
        demand(fetch(room, "origin", tip, negotiate=True))
        return complete(room, tip, spans, lean=lean)
    small = _small(room, tip, spans[0], lean) if len(spans) == 1 else None
    return (small or _whole(room, tip, spans),) * len(spans)


def _small(room: Scratch, tip: str, span: Span, lean: str) -> Graph | None:
    """The history since the tag of a span, where all of it descends from that tag; fetched if it is not here."""
    if span.stable is None:
        return None
    tag, tagged = span.stable
    borders = room.path / "shallow"
    had = borders.read_text()
    borders.write_text(f"{had}{tagged}\n")
    is_alone = tip in had.split() and tip != tagged  # as in a checkout of one commit
    since = None if is_alone else _descendants(room, tip, tagged)
    if since is None:
        borders.write_text(f"{tagged}\n")  # the server sends this commit, and none before it
        # The tagged commit is fetched too: its tree shows what the commit after it changed.
        completed = fetch(room, f"--shallow-exclude=refs/tags/{tag}", "origin", tip, tagged, lean=lean)
        borders.write_text(f"{tagged}\n")
        found = None if completed.code else _descendants(room, tip, tagged)
        since = found and msgspec.structs.replace(found, trees="root" if lean == ROOT_TREES else "all")
    return since if since and span.newer <= since.parents.keys() else None


def _descendants(room: Scratch, tip: str, tagged: str) -> Graph | None:
    """The commits of `tip` where each one's parents are here, down to the tag's commit and nothing else.

    All of them are then newer than the tag, whatever their dates are, and none can be missing. A branch that began
    before the tag ends in a commit that is not here or in another first commit.
    """
    completed = git.git(room.path, *_REVISIONS, tip, check=False)
    parents_of = {} if completed.code else _parents(completed)
    first = [sha for sha, parents in parents_of.items() if not parents]
    return Graph(parents=parents_of) if first == [tagged] else None


def _whole(room: Scratch, tip: str, spans: Sequence[Span]) -> Graph:
    """The whole history; without trees where there are tags, because only some commits are then looked into."""
    tags = [span.stable[0] for span in spans if span.stable]
    bare = len(tags) == len(spans)
    why = f"some commits may not descend from {' and '.join(tags[:2])}" if bare else "there is no release yet"
    log.say(
        f"fetching all commits of the branch without {'folders and ' if bare else ''}files, because {why}"
    )
    # git would fetch a border that is not here on its own, one after another.
    (room.path / "shallow").unlink(missing_ok=True)
    demand(fetch(room, _WHOLE, "origin", tip, lean=NO_TREES if bare else NO_FILES))
    return Graph(parents=graph(room.path, tip).parents, trees="none" if bare else "all")


def trees(room: Scratch, graph: Graph, shas: Iterable[str], oids: Iterable[str] = ()) -> None:
    """Fetch the folders of commits and of their parents, if the graph came without, and with them `oids`.

    Stop(unreachable).
    """
    if graph.trees == "all" and not room.partial:
        return
    listed = "".join(f"{sha}\n{sha}^@\n" for sha in shas).encode()
    if not listed:
        return
    walked = git.git(room.path, *_TREES, "--stdin", input=listed).text.splitlines()
    absent = [line[1:] for line in walked if line.startswith("?")]
    absent += missing(room, [oid for oid in oids if oid.strip("0")])
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
    completed = git.git(room.path, *_REVISIONS, tip, f"^{tagged}", check=False)
    if completed.code:
        return None
    parents_of = _parents(completed)
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


def _parents(completed: Completed) -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in completed.text.splitlines())
    return {row[0]: tuple(row[1:]) for row in rows}


def blobs(
    room: Scratch, oids: Iterable[str], ask: Callable[[list[str]], Mapping[str, bytes]] | None = None
) -> dict[str, bytes]:
    """File contents by object id; missing ones are fetched at once, and left out when origin does not give them.

    `ask` is asked for the missing ones first, and may have some of them.
    """
    object_ids = sorted({oid for oid in oids if oid.strip("0")})
    if not object_ids:
        return {}
    absent = [] if room.whole else missing(room, object_ids)
    contents = dict(ask(absent)) if ask and absent else {}
    absent = [oid for oid in absent if oid not in contents]
    if absent:
        fetch(room, "--stdin", "origin", input="\n".join(absent).encode())
    object_ids = [oid for oid in object_ids if oid not in contents]
    raw = git.git(room.path, "cat-file", "--batch", input="\n".join(object_ids).encode()).stdout
    at = 0
    for _ in object_ids:
        end = raw.index(b"\n", at)
        words_of = raw[at:end].split()
        at = end + 1
        if len(words_of) == 3 and words_of[1] == b"blob":
            size = int(words_of[2])
            contents[words_of[0].decode()] = raw[at : at + size]
            at += size + 1
    return contents
