"""Branches, tags and other refs: created once, moved only from where they were expected to be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.accounts import AUTHOR, Author
from stagegate.clients.hub.files import Files, exact_text
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.refusals import Refused, StaleHead, TooLarge, Uncertain
from stagegate.clients.hub.response import PageInfo
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import ZERO, RefFile, RefUpdate, Tag
from stagegate.errors import Stop

_WRITE = "contents: write"
TAGS = "refs/tags/"  # where Git keeps tags


class _Payload(msgspec.Struct, frozen=True):
    """What a mutation gives back when only its success matters."""


class _Object(msgspec.Struct, frozen=True):
    oid: str
    message: str | None = None  # null for an annotated tag with an empty message
    target: _Object | None = None


class _Ref(msgspec.Struct, frozen=True):
    target: _Object


class _Refs(msgspec.Struct, frozen=True):
    repository: dict[str, _Ref | None]


class _Sha(msgspec.Struct, frozen=True):
    sha: str


class _RestRef(msgspec.Struct, frozen=True):
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
    nodes: list[_Object] = []


class _Tip(msgspec.Struct, frozen=True, rename="camel"):
    oid: str
    committed_date: str = ""
    author: Author | None = None
    signature: _Signature | None = None
    parents: _Parents = _Parents()
    tree: _Object | None = None
    file: _Entry | None = None


class _Node(msgspec.Struct, frozen=True):
    prefix: str
    name: str
    target: _Tip


class _TagRef(msgspec.Struct, frozen=True):
    prefix: str
    name: str
    target: _Object

    def tag(self) -> Tag:
        """The tag, followed to the commit."""
        target = self.target
        annotated = target.target is not None
        while target.target is not None:
            target = target.target
        return Tag(
            name=(self.prefix + self.name).removeprefix(TAGS),
            target_commit=target.oid,
            message=(self.target.message or "").rstrip("\n") if annotated else "",
            annotated=annotated,
            object_id=self.target.oid if annotated else "",
        )


class TaggedRefs(msgspec.Struct, frozen=True, rename="camel"):
    """The newest tags, and whether there are others."""

    nodes: list[_TagRef]
    page_info: PageInfo


class MarkedRefs(msgspec.Struct, frozen=True, rename="camel"):
    """A page of refs with the file that each has."""

    nodes: list[_Node]
    page_info: PageInfo


class _Marks(msgspec.Struct, frozen=True):
    repository: dict[str, MarkedRefs]


_TAGGED = "target { oid ... on Tag { message target { oid ... on Tag { target { oid } } } } }"
_TAG = f"""query($owner: String!, $name: String!, $ref: String!) {{
  repository(owner: $owner, name: $name) {{ ref(qualifiedName: $ref) {{ {_TAGGED} }} }} }}"""
TAGGED = f"""tags: refs(refPrefix: "{TAGS}", first: $first, orderBy: {{field: TAG_COMMIT_DATE, direction: DESC}}) {{
    nodes {{ prefix name {_TAGGED} }} pageInfo {{ hasNextPage endCursor }} }}"""

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


class Refs(Files):
    """Names of the repository."""

    @remembered
    def head(self, branch: str) -> str | None:
        """Commit at the tip of a branch, None when there is no such branch."""
        name = f"refs/heads/{branch}"
        return self._tips([name], f"read the head of {branch}")[name]

    def _tips(self, names: Sequence[str], doing: str) -> dict[str, str | None]:
        """What full ref names point to right now, in one query."""
        declared = "".join(f", $r{i}: String!" for i in range(len(names)))
        fields = " ".join(
            f"r{i}: ref(qualifiedName: $r{i}) {{ target {{ oid }} }}" for i in range(len(names))
        )
        text = f"""query($owner: String!, $name: String!{declared}) {{
          repository(owner: $owner, name: $name) {{ {fields} }} }}"""
        variables = {f"r{i}": name for i, name in enumerate(names)}
        targets = self._c.query(text, variables, _Refs, doing).repository
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
        pages = self._c.pages(path, _RestRef, f"list the refs under {prefix}", "contents: read")
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
                answer = self._c.query(_REF_FILES, variables, _Marks, f"read {file} under {prefix}")
            except TooLarge:
                if size == 1:
                    raise
                size = max(1, size // 4)
                continue
            page = answer.repository["refs"]
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

    def _learn_tags(self, tags: TaggedRefs) -> None:
        """Keep tags that came with another answer."""
        for node in tags.nodes:
            tag = node.tag()
            memory.learn(self, "tag", (tag.name,), tag)
        if not tags.page_info.has_next_page:
            listed = {node.prefix + node.name: node.target.oid for node in tags.nodes}
            memory.learn(self, "_refs", (TAGS,), dict(sorted(listed.items())))

    def create_ref(self, ref: str, sha: str) -> bool:
        """Create a full ref name; False when it already points to `sha`, Stop(stale-base) when elsewhere."""
        try:
            self._new_ref(ref, sha)
            return True
        except (Refused, Uncertain) as trouble:
            if isinstance(trouble, Refused) and "already exists" not in trouble.said.lower():
                raise
            existing = self._tips([ref], f"read {ref}")[ref]
            if existing == sha:
                return isinstance(trouble, Uncertain)
            if existing is not None:
                raise StaleHead(ref, f"It exists and points to {existing[:12]}.") from trouble
            self._new_ref(ref, sha)
            return True

    def _new_ref(self, ref: str, sha: str) -> None:
        self._c.write(
            "POST", self._c.path("git/refs"), {"ref": ref, "sha": sha}, f"create {ref}", _WRITE, _RestRef
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
            """True when it has happened, None when nothing has; StaleHead when somebody else was there."""
            tips = {name: tip or ZERO for name, tip in self._tips(names, doing).items()}
            if all(tips[u.name] == u.after for u in updates):
                return True
            for u in updates:
                if tips[u.name] != u.before:
                    raise StaleHead(u.name, f"It points to {tips[u.name][:12]}, not to {u.before[:12]}.")
            return None

        try:
            settle(change, done)
        except Refused as refusal:
            if refusal.reason == "protected-branch" or refusal.status in (401, 403):
                raise
            if done() is None:
                raise

    @remembered
    def tag(self, name: str) -> Tag | None:
        """A tag by its short name, followed to the commit; None when there is none."""
        answer = self._c.query(_TAG, {"ref": f"refs/tags/{name}"}, _Refs, f"read the tag {name}")
        ref = answer.repository["ref"]
        if ref is None:
            return None
        return _TagRef(prefix=TAGS, name=name, target=ref.target).tag()

    def create_tag(self, name: str, sha: str, message: str) -> Tag:
        """An annotated tag on a commit. One that is there already on this commit is returned as it is;

        on another commit it is Stop(tag-taken): published versions never move. The tagger is the token.
        """
        doing = f"create the tag {name}"
        made = self.tag_object(name, sha, message)
        try:
            settle(lambda: self._tag_ref(name, made, doing), lambda: self.tag(name))
        except Refused as refusal:
            if "already exists" not in refusal.said.lower():
                raise
            return self._taken(name, sha)
        return Tag(name=name, target_commit=sha, message=message, annotated=True)

    def tag_object(self, name: str, sha: str, message: str) -> str:
        """An annotated tag's object, which no ref names yet; its sha. The tagger is the token."""
        body = {"tag": name, "message": message, "object": sha, "type": "commit"}
        doing = f"create the tag {name}"
        # Without a ref it is garbage: writing it twice does no harm.
        return self._c.write("POST", self._c.path("git/tags"), body, doing, _WRITE, _Sha, repeatable=True).sha

    def _taken(self, name: str, sha: str) -> Tag:
        """The tag that stood in the way, if it means the same commit."""
        existing = self.tag(name)
        if existing is None:
            raise Stop(
                "unknown-state",
                f"The tag {name} cannot be read.",
                "GitHub first reported that it exists, and then that it does not.",
                "Run it again.",
            )
        if existing.target_commit != sha:
            raise Stop(
                "tag-taken",
                f"The tag {name} exists on another commit.",
                f"It names {existing.target_commit[:12]}, not {sha[:12]}; a published version never moves.",
                "Choose the next version, or delete the tag if nothing was published from it.",
            )
        return existing

    def _tag_ref(self, name: str, sha: str, doing: str) -> object:
        body = {"ref": f"refs/tags/{name}", "sha": sha}
        return self._c.write("POST", self._c.path("git/refs"), body, doing, _WRITE, _RestRef)
