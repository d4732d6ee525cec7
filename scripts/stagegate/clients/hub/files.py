"""Reads files of the repository by API, without a clone, and checks them by object id."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Sequence

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import TooLarge
from stagegate.clients.hub.values import Blob
from stagegate.errors import Stop
from stagegate.model.git_files import SUBMODULE

BATCH = 100  # files in one query


class GraphBlob(msgspec.Struct, frozen=True):
    """An object in a response, with its text where it is a file; `kind` is GraphQL's type."""

    oid: str
    kind: str = ""
    text: str | None = None


class NamedObjects(msgspec.Struct, frozen=True):
    """Objects that a query asked for by name; None for one that does not exist."""

    repository: dict[str, GraphBlob | None]


class _RawBlob(msgspec.Struct, frozen=True):
    content: str
    encoding: str


def object_id(content: bytes, like: str) -> str:
    """Git's id of a blob, by the hash that made `like` (SHA-1, or SHA-256 in newer repositories)."""
    make = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return make(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def exact_text(text: str | None, oid: str) -> bytes | None:
    """GraphQL's text as bytes if they are exactly the blob, else None (binary, recoded or cut)."""
    if text is None:
        return None
    content = text.encode("utf-8", "surrogatepass")
    return content if object_id(content, oid) == oid else None


class Files(Port):
    """Contents by name or by id."""

    def files(self, ref: str, paths: Sequence[str]) -> dict[str, Blob | None]:
        """Files of one commit (branch, tag or sha), byte for byte; None where there is no such file.

        One GraphQL query for up to 100 of them. What GraphQL does not give exactly (binary, other
        encodings, long ones) is noticed by its object id and fetched by REST. Stop(missing-file) when `ref`
        itself does not exist.
        """
        names = list(dict.fromkeys(paths))
        responses = self._known(ref, names)
        absent = [name for name in names if name not in responses]
        for start in range(0, len(absent), BATCH):
            responses |= self._portions(ref, absent[start : start + BATCH])
        caches = memory.current()
        if caches is not None and memory.is_commit(ref):
            caches.files |= {(self.repository, ref, name): responses[name] for name in absent}
        return {name: responses[name] for name in names}

    def _known(self, ref: str, names: Sequence[str]) -> dict[str, Blob | None]:
        """Files of a commit that were read before, or whose content was read in another commit."""
        caches = memory.current()
        if caches is None or not memory.is_commit(ref):
            return {}
        tree = caches.trees.get((self.repository, ref))
        blobs: dict[str, Blob | None] = {}
        for name in names:
            place = (self.repository, ref, name)
            oid, mode = tree.get(name, ("", "")) if tree is not None else ("", "")
            if place in caches.files:
                blobs[name] = caches.files[place]
            elif oid in caches.contents and mode != SUBMODULE:
                blobs[name] = Blob(oid=oid, content=caches.contents[oid])
            elif tree is not None and (mode == SUBMODULE or (not oid and is_plain(name))):
                blobs[name] = None
        return blobs

    def _portions(self, ref: str, paths: Sequence[str]) -> dict[str, Blob | None]:
        """The files in one query, or in halves where GitHub finds that too much."""
        try:
            return self._some_files(ref, paths)
        except TooLarge:
            if len(paths) == 1:
                raise
            half = len(paths) // 2
            return self._portions(ref, paths[:half]) | self._portions(ref, paths[half:])

    def _some_files(self, ref: str, paths: Sequence[str]) -> dict[str, Blob | None]:
        declared = "".join(f", $f{i}: String!" for i in range(len(paths)))
        fields = " ".join(
            f"f{i}: object(expression: $f{i}) {{ oid kind: __typename ... on Blob {{ text }} }}"
            for i in range(len(paths))
        )
        text = f"""query($owner: String!, $name: String!, $ref: String!{declared}) {{
          repository(owner: $owner, name: $name) {{ ref: object(expression: $ref) {{ oid }} {fields} }} }}"""
        variables = {"ref": ref, **{f"f{i}": f"{ref}:{path}" for i, path in enumerate(paths)}}
        objects = self._c.query(text, variables, NamedObjects, f"read files at {ref[:12]}").repository
        if objects["ref"] is None:
            raise no_commit(self.repository, ref)
        return {path: self._blob(objects[f"f{i}"]) for i, path in enumerate(paths)}

    def _blob(self, entry: GraphBlob | None) -> Blob | None:
        if entry is None or entry.kind != "Blob":  # a folder is not a file
            return None
        content = exact_text(entry.text, entry.oid)
        content = self.blob(entry.oid) if content is None else content
        caches = memory.current()
        if caches is not None:
            caches.contents[entry.oid] = content
        return Blob(oid=entry.oid, content=content)

    def texts(self, oids: Sequence[str]) -> dict[str, bytes]:
        """Contents by object id in one GraphQL query: those of the first 100 that it gives exactly."""
        some = oids[:BATCH]
        fields = " ".join(
            f'f{i}: object(oid: "{oid}") {{ oid kind: __typename ... on Blob {{ text }} }}'
            for i, oid in enumerate(some)
        )
        text = f"""query($owner: String!, $name: String!) {{
          repository(owner: $owner, name: $name) {{ {fields} }} }}"""
        try:
            objects = self._c.query(text, {}, NamedObjects, "read old version files").repository
        except TooLarge:
            return {}
        exact = ((entry.oid, exact_text(entry.text, entry.oid)) for entry in objects.values() if entry)
        return {oid: content for oid, content in exact if content is not None}

    def blob(self, oid: str) -> bytes:
        """A blob's bytes by its id; Stop(unknown-state) when they do not match the id."""
        raw = self._c.get(self._c.path("git/blobs", oid), _RawBlob, f"read blob {oid[:12]}", "contents: read")
        content = base64.b64decode(raw.content) if raw.encoding == "base64" else raw.content.encode()
        if object_id(content, oid) != oid:
            raise Stop(
                "unknown-state",
                f"GitHub's copy of blob {oid[:12]} does not match its ID.",
                "The response was cut off or changed during the transfer.",
                "Run the job again.",
            )
        return content


def is_plain(path: str) -> bool:
    """Whether a path is written as Git lists it."""
    return posixpath.normpath(path) == path and not path.startswith("/")


def no_commit(repository: str, ref: str) -> Stop:
    """The Stop for a commit, branch or tag that does not exist."""
    return Stop(
        "missing-file",
        f"{repository} has no commit, branch or tag {ref}.",
        f"stagegate needs the files of {ref}.",
        f"Check the name {ref}; the branch or tag may have been deleted.",
    )
