"""Creates refs once, and moves them only from their expected commit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.accounts import AUTHOR, Author
from stagegate.clients.hub.files import exact_text
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.refusals import Refused, StaleHead, TooLarge, Uncertain
from stagegate.clients.hub.response import PageInfo
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.trees import Trees
from stagegate.clients.hub.values import ZERO, RefFile, RefUpdate

_WRITE = "contents: write"
TAGS = "refs/tags/"  # where Git keeps tags


class _Payload(msgspec.Struct, frozen=True):
    """The result of a mutation when only its success matters."""


class RefTarget(msgspec.Struct, frozen=True):
    """What a ref points to, and for an annotated tag what that points to."""

    oid: str
    message: str | None = None  # null for an annotated tag with an empty message
    target: RefTarget | None = None


class _Ref(msgspec.Struct, frozen=True):
    target: RefTarget


class NamedRefs(msgspec.Struct, frozen=True):
    """Refs that a query asked for by name; None for one that does not exist."""

    repository: dict[str, _Ref | None]


class _Sha(msgspec.Struct, frozen=True):
    sha: str


class RestRef(msgspec.Struct, frozen=True):
    """A ref as REST shows it."""

    ref: str
    object: _Sha


class _Text(msgspec.Struct, frozen=True):
    oid: str
    text: str | None = None


class _Entry(msgspec.Struct, frozen=True):
    object: _Text | None = None


class _Signature(msgspec.Struct, frozen=True):
    valid: bool = msgspec.field(name="isValid")
    by_github: bool = msgspec.field(name="wasSignedByGitHub")


class _Parents(msgspec.Struct, frozen=True):
    nodes: list[RefTarget] = []


class _Tip(msgspec.Struct, frozen=True, rename="camel"):
    oid: str
    committed_date: str = ""
    author: Author | None = None
    signature: _Signature | None = None
    parents: _Parents = _Parents()
    tree: RefTarget | None = None
    file: _Entry | None = None


class _Node(msgspec.Struct, frozen=True):
    prefix: str
    name: str
    target: _Tip


class MarkedRefs(msgspec.Struct, frozen=True, rename="camel"):
    """A page of refs with the file that each has."""

    nodes: list[_Node]
    page_info: PageInfo


class _Marks(msgspec.Struct, frozen=True):
    repository: dict[str, MarkedRefs]


MARKED = """refs(refPrefix: $prefix, first: $first, after: $after) {
    nodes { prefix name target { oid ... on Commit { committedDate author { ...by }
      signature { isValid wasSignedByGitHub } parents(first: 2) { nodes { oid } } tree { oid }
      file(path: $file) { object { oid ... on Blob { text } } } } } }
    pageInfo { hasNextPage endCursor } }"""
_REF_FILES = f"""query($owner: String!, $name: String!, $prefix: String!, $file: String!, $first: Int!,
  $after: String) {{ repository(owner: $owner, name: $name) {{ {MARKED} }} }}{AUTHOR}"""


def _tree_of(file: str, blob: str) -> str:
    """The id that Git gives a tree with this one plain file: equal ids mean that there is nothing else in it."""
    entry = b"100644 " + file.encode() + b"\0" + bytes.fromhex(blob)
    return hashlib.sha1(b"tree %d\0" % len(entry) + entry, usedforsecurity=False).hexdigest()


class Refs(Trees):
    """Names of the repository."""

    @remembered
    def head(self, branch: str) -> str | None:
        """Commit at the tip of a branch, None when there is no such branch."""
        name = f"refs/heads/{branch}"
        return self._tips([name], f"read the head of {branch}")[name]

    def _tips(self, names: Sequence[str], doing: str) -> dict[str, str | None]:
        """The current targets of full ref names, in one query."""
        declared = "".join(f", $r{i}: String!" for i in range(len(names)))
        fields = " ".join(
            f"r{i}: ref(qualifiedName: $r{i}) {{ target {{ oid }} }}" for i in range(len(names))
        )
        text = f"""query($owner: String!, $name: String!{declared}) {{
          repository(owner: $owner, name: $name) {{ {fields} }} }}"""
        variables = {f"r{i}": name for i, name in enumerate(names)}
        targets = self._c.query(text, variables, NamedRefs, doing).repository
        tips = {name: targets[f"r{i}"] for i, name in enumerate(names)}
        return {name: ref.target.oid if ref else None for name, ref in tips.items()}

    def refs(self, prefix: str) -> dict[str, str]:
        """All refs whose full name begins with `prefix` (`refs/heads/stagegate/`), and what they point to."""
        if memory.current() is not None and prefix.startswith(TAGS):  # the tags of every app at once
            return {ref: sha for ref, sha in self._refs(TAGS).items() if ref.startswith(prefix)}
        return self._refs(prefix)

    @remembered
    def _refs(self, prefix: str) -> dict[str, str]:
        path = self._c.path(f"git/matching-refs/{prefix.removeprefix('refs/')}")
        pages = self._c.pages(path, RestRef, f"list the refs under {prefix}", "contents: read")
        return {ref.ref: ref.object.sha for ref in pages}

    @remembered
    def ref_files(self, prefix: str, file: str) -> dict[str, RefFile]:
        """One file at the tip of every ref under the folder `prefix`: one query for 100 refs."""
        prefix = prefix.rstrip("/") + "/"
        after: str | None = None
        files: dict[str, RefFile] = {}
        size = 100
        while True:
            variables = {"prefix": prefix, "file": file, "first": size, "after": after}
            try:
                response = self._c.query(_REF_FILES, variables, _Marks, f"read {file} under {prefix}")
            except TooLarge:
                if size == 1:
                    raise
                size = max(1, size // 4)
                continue
            page = response.repository["refs"]
            files |= {node.prefix + node.name: self._ref_file(node.target, file) for node in page.nodes}
            if not page.page_info.has_next_page:
                return files
            after = page.page_info.end_cursor

    def _ref_file(self, tip: _Tip, file: str) -> RefFile:
        blob = tip.file.object if tip.file else None
        content = None
        if blob:
            content = exact_text(blob.text, blob.oid)
            content = self.blob(blob.oid) if content is None else content
        return RefFile(
            oid=tip.oid,
            content=content,
            author=tip.author.actor() if tip.author else None,
            committed_at=tip.committed_date,
            signed=tip.signature is not None and tip.signature.valid and tip.signature.by_github,
            parents=tuple(parent.oid for parent in tip.parents.nodes),
            alone=blob is not None and tip.tree is not None and tip.tree.oid == _tree_of(file, blob.oid),
        )

    def create_ref(self, ref: str, sha: str) -> bool:
        """Create a full ref name; False when it already points to `sha`, Stop(stale-base) when elsewhere."""
        try:
            self._new_ref(ref, sha)
            return True
        except (Refused, Uncertain) as trouble:
            if isinstance(trouble, Refused) and "already exists" not in trouble.message.lower():
                raise
            existing = self._tips([ref], f"read {ref}")[ref]
            if existing == sha:
                return isinstance(trouble, Uncertain)
            if existing is not None:
                raise StaleHead(ref, f"The ref already exists and points to {existing[:12]}.") from trouble
            self._new_ref(ref, sha)
            return True

    def _new_ref(self, ref: str, sha: str) -> None:
        self._c.write(
            "POST", self._c.path("git/refs"), {"ref": ref, "sha": sha}, f"create {ref}", _WRITE, RestRef
        )

    def update_refs(self, updates: Sequence[RefUpdate]) -> None:
        """Move, create or delete refs, all or none; StaleHead when one is not at its `before`."""
        repository = self._c.see_repository().repository
        fields = {
            "repositoryId": repository.id if repository else "",
            "refUpdates": [
                {"name": u.name, "beforeOid": u.before, "afterOid": u.after, "force": u.force}
                for u in updates
            ],
        }
        names = [u.name for u in updates]
        doing = f"move {', '.join(names)}"

        def change() -> bool:
            self._c.mutate("updateRefs", fields, "clientMutationId", doing, _WRITE, _Payload)
            return True

        def done() -> bool | None:
            """True when the updates were made, None when none was; StaleHead after the change of another run."""
            tips = {name: tip or ZERO for name, tip in self._tips(names, doing).items()}
            if all(tips[u.name] == u.after for u in updates):
                return True
            for u in updates:
                if tips[u.name] != u.before:
                    raise StaleHead(u.name, f"The ref points to {tips[u.name][:12]}, not to {u.before[:12]}.")
            return None

        try:
            settle(change, done)
        except Refused as refusal:
            if refusal.reason == "protected-branch" or refusal.status in (401, 403):
                raise
            if done() is None:
                raise
