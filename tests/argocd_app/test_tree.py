"""The files of a commit with edits laid over them."""

from __future__ import annotations

from stagegate.argocd_app.tree import Entry, Tree

OLD, NEW = b"newTag: v1.0.0\n", b"newTag: v1.1.0\n"
# `git hash-object`: what another process reads of the same content.
OLD_ID, NEW_ID = "e7cd74c676bf58d5e9a990a61949fc00c896cfcb", "62e94450ac1ad50b818d3ae42b16bff5c5f302d0"


def test_an_edited_file_has_the_id_that_git_would_give_it() -> None:
    tree = Tree({"a.yaml": Entry(oid=OLD_ID), "link": Entry(oid=NEW_ID, link=True)}, lambda _: {})
    edited = tree.with_contents({"a.yaml": NEW, "b.yaml": OLD, "link": NEW})
    assert {path: entry.oid for path, entry in edited.entries.items()} == {
        "a.yaml": NEW_ID,
        "b.yaml": OLD_ID,
        "link": NEW_ID,
    }
    assert edited.entries["link"].link, "nothing changed there"
    assert tree.with_contents({"a.yaml": OLD}).entries == tree.entries
