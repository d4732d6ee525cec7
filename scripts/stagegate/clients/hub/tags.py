"""Tags: made once, and followed to the commit that they name."""

from __future__ import annotations

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.refs import TAGS, NamedRefs, Refs, RefTarget, RestRef
from stagegate.clients.hub.refusals import Refused
from stagegate.clients.hub.response import PageInfo
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import Tag
from stagegate.errors import Stop

_WRITE = "contents: write"


class _Sha(msgspec.Struct, frozen=True):
    sha: str


class _TagRef(msgspec.Struct, frozen=True):
    prefix: str
    name: str
    target: RefTarget

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


_TAGGED = "target { oid ... on Tag { message target { oid ... on Tag { target { oid } } } } }"
_TAG = f"""query($owner: String!, $name: String!, $ref: String!) {{
  repository(owner: $owner, name: $name) {{ ref(qualifiedName: $ref) {{ {_TAGGED} }} }} }}"""
TAGGED = f"""tags: refs(refPrefix: "{TAGS}", first: $first, orderBy: {{field: TAG_COMMIT_DATE, direction: DESC}}) {{
    nodes {{ prefix name {_TAGGED} }} pageInfo {{ hasNextPage endCursor }} }}"""


class RepositoryTags(Refs):
    """Tags of the repository."""

    def _learn_tags(self, tags: TaggedRefs) -> None:
        """Keep tags that came with another response."""
        for node in tags.nodes:
            tag = node.tag()
            memory.learn(self, "tag", (tag.name,), tag)
        if not tags.page_info.has_next_page:
            listed = {node.prefix + node.name: node.target.oid for node in tags.nodes}
            memory.learn(self, "_refs", (TAGS,), dict(sorted(listed.items())))

    @remembered
    def tag(self, name: str) -> Tag | None:
        """A tag by its short name, followed to the commit; None when there is none."""
        response = self._c.query(_TAG, {"ref": f"refs/tags/{name}"}, NamedRefs, f"read the tag {name}")
        ref = response.repository["ref"]
        if ref is None:
            return None
        return _TagRef(prefix=TAGS, name=name, target=ref.target).tag()

    def create_tag(self, name: str, sha: str, message: str) -> Tag:
        """An annotated tag on a commit, or the one that is there already on this commit. The tagger is the token.

        Stop(tag-taken) where it is on another commit: published versions never move.
        """
        doing = f"create the tag {name}"
        tag_object = self.tag_object(name, sha, message)
        try:
            settle(lambda: self._tag_ref(name, tag_object, doing), lambda: self.tag(name))
        except Refused as refusal:
            if "already exists" not in refusal.message.lower():
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
                "GitHub first reported that the tag exists, and then that it does not exist.",
                "Run the job again.",
            )
        if existing.target_commit != sha:
            raise Stop(
                "tag-taken",
                f"The tag {name} already belongs to a different commit.",
                f"The tag names {existing.target_commit[:12]}, not {sha[:12]}, and the tag of a "
                "published version never changes.",
                "Choose the next version. If nothing was published from the tag, you can delete "
                "the tag instead.",
            )
        return existing

    def _tag_ref(self, name: str, sha: str, doing: str) -> object:
        body = {"ref": f"refs/tags/{name}", "sha": sha}
        return self._c.write("POST", self._c.path("git/refs"), body, doing, _WRITE, RestRef)
