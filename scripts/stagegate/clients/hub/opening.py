"""The first query of a run: account of the token, head of the default branch, files and marks there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.accounts import AUTHOR
from stagegate.clients.hub.commits import Commits
from stagegate.clients.hub.files import BATCH, GraphBlob
from stagegate.clients.hub.identity import About, Branch, Repository, Viewer
from stagegate.clients.hub.refs import MARKED, MarkedRefs
from stagegate.clients.hub.refusals import TooLarge
from stagegate.clients.hub.response import ObjectId
from stagegate.clients.hub.tags import TAGGED, RepositoryTags, TaggedRefs
from stagegate.clients.hub.values import RefFile


class _Entry(msgspec.Struct, frozen=True):
    object: GraphBlob | None = None


class _History(msgspec.Struct, frozen=True):
    nodes: list[ObjectId]


class _DefaultBranch(msgspec.Struct, frozen=True):
    name: str
    target: dict[str, msgspec.Raw]


class _Repository(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    default_branch_ref: _DefaultBranch | None = None
    refs: MarkedRefs | None = None
    tags: TaggedRefs | None = None


class _Answer(msgspec.Struct, frozen=True):
    viewer: Viewer
    repository: _Repository | None


class Openings(Commits, RepositoryTags):
    """The first query of a run, whose answers the methods for its parts then give without a request."""

    def open(self, paths: Sequence[str], prefix: str, file: str) -> None:
        """Read ahead: `viewer`, `default_branch`, its `head`, `files` of that commit, `ref_files(prefix, file)`.

        Also what the branch `contains`, as far as its newest 100 commits say, `tag` for the newest 100 tags, and
        `refs` for all tags where there are no more. One query for up to 100 paths. Only in a run that remembers,
        and only while the head is not known: at its beginning, and after a write.
        """
        caches = memory.current()
        if caches is None or (self._c.is_known and memory.knows(self, "head", (self._c.default_branch,))):
            return
        names = list(dict.fromkeys(paths))[:BATCH]
        declared = "".join(f", $f{i}: String!" for i in range(len(names)))
        fields = " ".join(
            f"f{i}: file(path: $f{i}) {{ object {{ oid kind: __typename ... on Blob {{ text }} }} }}"
            for i in range(len(names))
        )
        # Files of the commit, not of the name of the branch, which may move while GitHub answers.
        text = f"""query($owner: String!, $name: String!, $prefix: String!, $file: String!, $first: Int!,
          $after: String{declared}) {{
          viewer {{ login databaseId }}
          repository(owner: $owner, name: $name) {{ id
            defaultBranchRef {{ name target {{ oid ... on Commit {{ {fields}
              history(first: $first) {{ nodes {{ oid }} }} }} }} }}
            {MARKED} {TAGGED} }} }}{AUTHOR}"""
        variables = {f"f{i}": path for i, path in enumerate(names)}
        page = {"prefix": prefix, "file": file, "first": BATCH, "after": None}
        doing = f"read {self.repository} and the head of its default branch"
        try:
            response = self._c.query(text, {**page, **variables}, _Answer, doing)
        except TooLarge:
            return
        if response.repository is None:
            raise self._c.invisible()
        self._learn(caches, response.viewer, response.repository, names)
        refs = response.repository.refs
        if refs is not None and not refs.page_info.has_next_page:
            memory.learn(self, "ref_files", (prefix, file), self._marked(refs, file))
        if response.repository.tags is not None:
            self._learn_tags(response.repository.tags)

    def _learn(
        self, caches: memory.Memory, viewer: Viewer, repository: _Repository, names: Sequence[str]
    ) -> None:
        default = repository.default_branch_ref
        branch = Branch(name=default.name) if default else None
        self._c.know(About(viewer=viewer, repository=Repository(id=repository.id, default_branch_ref=branch)))
        if default is None:
            return
        head = msgspec.json.decode(default.target["oid"], type=str)
        memory.learn(self, "head", (default.name,), head)
        history = msgspec.json.decode(default.target["history"], type=_History)
        caches.reached |= {(self.repository, default.name, commit.oid) for commit in history.nodes}
        for number, name in enumerate(names):
            entry = msgspec.json.decode(default.target[f"f{number}"], type=_Entry | None)
            caches.files[self.repository, head, name] = self._blob(entry.object if entry else None)

    def _marked(self, refs: MarkedRefs, file: str) -> dict[str, RefFile]:
        return {node.prefix + node.name: self._ref_file(node.target, file) for node in refs.nodes}
