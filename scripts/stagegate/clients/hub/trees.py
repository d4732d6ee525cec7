"""The lists of files that commits have, with Git's modes, and where two commits differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.files import BATCH, Files, GraphBlob, NamedObjects, is_plain, no_commit
from stagegate.clients.hub.memory import lasting
from stagegate.errors import Stop
from stagegate.model.git_files import SUBMODULE


class _Entry(msgspec.Struct, frozen=True):
    path: str
    type: str
    sha: str = ""
    mode: str = ""


class _Tree(msgspec.Struct, frozen=True):
    tree: list[_Entry]
    truncated: bool = False


class _Mode(msgspec.Struct, frozen=True):
    mode: int


class _Modes(msgspec.Struct, frozen=True):
    repository: dict[str, dict[str, _Mode | None] | None]


class Trees(Files):
    """Which files there are."""

    def differing(self, before: str, after: str, paths: Sequence[str]) -> tuple[str, ...]:
        """The files that two commits do not have alike, among `paths` and in the folders among them.

        One GraphQL query for up to 50 paths, then two lists for each folder that differs. Stop(missing-file)
        when a commit does not exist, Stop(unknown-state) when a folder is too large to be listed.
        """
        differing_paths: dict[str, None] = {}
        names = list(dict.fromkeys(paths))
        for start in range(0, len(names), BATCH // 2):
            batch = names[start : start + BATCH // 2]
            sides = self._objects(
                [before, after, *(f"{side}:{p}" for side in (before, after) for p in batch)]
            )
            if None in sides[:2]:
                raise no_commit(self.repository, before if sides[0] is None else after)
            for name, old, new in zip(batch, sides[2 : 2 + len(batch)], sides[2 + len(batch) :], strict=True):
                if old != new:
                    left, right = self._blobs(name, old), self._blobs(name, new)
                    differing_paths |= {
                        p: None for p in sorted({*left, *right}) if left.get(p) != right.get(p)
                    }
        return tuple(differing_paths)

    def modes(self, ref: str, paths: Sequence[str]) -> dict[str, str]:
        """How Git has files of one commit: `100644` (or `100755`) for a file, `120000` for a symbolic link,
        `160000` for a submodule, `40000` for a folder; empty where there is nothing. One query for up to 100."""
        names = list(dict.fromkeys(paths))
        caches = memory.current()
        tree = caches.trees.get((self.repository, ref)) if caches is not None else None
        responses = {} if tree is None else {name: _mode(tree, name) for name in names if is_plain(name)}
        absent = [name for name in names if name not in responses]
        for start in range(0, len(absent), BATCH):
            batch = absent[start : start + BATCH]
            declared = "".join(f", $p{i}: String!" for i in range(len(batch)))
            fields = " ".join(f"p{i}: file(path: $p{i}) {{ mode }}" for i in range(len(batch)))
            text = f"""query($owner: String!, $name: String!, $ref: String!{declared}) {{
              repository(owner: $owner, name: $name) {{ commit: object(expression: $ref) {{
                ... on Commit {{ {fields} }} }} }} }}"""
            variables = {"ref": ref, **{f"p{i}": path for i, path in enumerate(batch)}}
            commit = self._c.query(text, variables, _Modes, f"read file modes at {ref[:12]}").repository[
                "commit"
            ]
            if commit is None:
                raise no_commit(self.repository, ref)
            entries = [commit.get(f"p{i}") for i in range(len(batch))]
            responses |= {
                path: f"{entry.mode:o}" if entry else "" for path, entry in zip(batch, entries, strict=True)
            }
        return responses

    def paths(self, ref: str) -> list[str]:
        """Every file of one commit (branch, tag or sha), without submodules. Stop(missing-file)."""
        return [path for path, (_, mode) in self.entries(ref).items() if mode != SUBMODULE]

    def lists_in(self, entries: Callable[[str], dict[str, tuple[str, str]] | None]) -> None:
        """In a run that remembers, ask this function for the `entries` of a commit first; None: it has no such."""
        caches = memory.current()
        if caches is not None:
            caches.work_trees[self.repository] = entries

    @lasting
    def entries(self, ref: str) -> dict[str, tuple[str, str]]:
        """Every file and submodule of one commit with its object id and Git's mode, as in `modes`.

        One request, none for a commit that the work tree has; more of them only where GitHub lists a part (over
        100,000 files). Stop(missing-file) where there is no such commit, branch or tag.
        """
        caches = memory.current() if memory.is_commit(ref) else None
        work_tree = caches.work_trees.get(self.repository) if caches is not None else None
        listed = (work_tree(ref) if work_tree is not None else None) or self._requested_entries(ref)
        if caches is not None:
            caches.trees[self.repository, ref] = listed
        return listed

    def _requested_entries(self, ref: str) -> dict[str, tuple[str, str]]:
        doing = f"list the files of {ref[:12]}"
        try:
            return dict(self._listed(ref, "", doing))
        except Stop as stop:
            if self._objects([ref]) == [None]:
                raise no_commit(self.repository, ref) from stop
            raise

    def _listed(self, ref: str, prefix: str, doing: str) -> Iterator[tuple[str, tuple[str, str]]]:
        listed = self._c.get(self._c.path("git/trees", ref), _Tree, doing, "contents: read", recursive=1)
        folders = listed.truncated  # then folder by folder
        if folders:
            listed = self._c.get(self._c.path("git/trees", ref), _Tree, doing, "contents: read")
        for entry in listed.tree:
            if entry.type in ("blob", "commit"):
                yield f"{prefix}{entry.path}", (entry.sha, entry.mode)
            elif folders and entry.type == "tree":
                yield from self._listed(entry.sha, f"{prefix}{entry.path}/", doing)

    def _tree(self, ref: str, doing: str) -> list[_Entry]:
        listed = self._c.get(self._c.path("git/trees", ref), _Tree, doing, "contents: read", recursive=1)
        if listed.truncated:
            raise Stop(
                "unknown-state",
                f"{self.repository} has more files than GitHub lists at once.",
                f"{doing[:1].upper()}{doing[1:]}: stagegate could miss a file.",
                "Name single files in the settings, or move the deployed files into smaller folders.",
            )
        return listed.tree

    def _blobs(self, name: str, folder: GraphBlob | None) -> dict[str, str]:
        """Files and their ids below a folder; of a file itself; none of what is not there."""
        if folder is None or folder.kind != "Tree":
            return {name: folder.oid} if folder else {}
        listed = self._tree(folder.oid, f"list the files of {name or 'the repository'}")
        return {
            f"{name}/{entry.path}".lstrip("/"): f"{entry.mode} {entry.sha}"
            for entry in listed
            if entry.type != "tree"
        }

    def _objects(self, expressions: Sequence[str]) -> list[GraphBlob | None]:
        """The objects of expressions such as `main:folder`, in one query; None for what is not there."""
        declared = "".join(f", $e{i}: String!" for i in range(len(expressions)))
        fields = " ".join(
            f"e{i}: object(expression: $e{i}) {{ oid kind: __typename }}" for i in range(len(expressions))
        )
        text = f"""query($owner: String!, $name: String!{declared}) {{
          repository(owner: $owner, name: $name) {{ {fields} }} }}"""
        variables = {f"e{i}": expression for i, expression in enumerate(expressions)}
        objects = self._c.query(text, variables, NamedObjects, "compare files of two commits").repository
        return [objects[f"e{i}"] for i in range(len(expressions))]


def _mode(tree: Mapping[str, tuple[str, str]], path: str) -> str:
    """Git's mode of a path in a tree that lists files only."""
    if path in tree:
        return tree[path][1]
    return "40000" if any(name.startswith(f"{path}/") for name in tree) else ""
