"""The facts of doctor for files that a test writes down, without a repository on disk."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.argocd_app.tree import Entry, Tree
from stagegate.setup.doctor import read
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.work_tree import WorkTree


def of(files: Mapping[str, str], config: str = "stagegate.yaml") -> DoctorFacts:
    """The facts about acme/shop with these files, without any request. The settings must be valid."""
    contents = {path: text.encode() for path, text in files.items()}
    tree = Tree(
        {path: Entry(oid=path) for path in contents}, lambda wanted: {path: contents[path] for path in wanted}
    )
    place = WorkTree(tree=tree, tags=(), repository="acme/shop", address="", branch="main")
    facts = read.local(place, config)
    assert not [app.trouble for app in facts.apps if app.trouble]
    return facts
