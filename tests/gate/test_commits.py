"""The content of the commits that Argo CD compared with, on a forge with real Git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stagegate.argocd_app.status import Application, SourceSeen
from stagegate.gate import commits
from stagegate.gate.expected import Commit
from stagegate.model import Release
from tests.clients.hub_world import REPOSITORY, World, world

PIN, VALUES = "deploy/staging.yaml", "deploy/values.yaml"


def reading(here: World, head: str, release: str) -> Callable[..., Commit]:
    """A reader for `acme/shop`, of commits of a `ref` source or of a chart folder."""

    def pinned_at(commit: str) -> str:
        blob = here.github.files(commit, [PIN])[PIN]
        return blob.content.decode().strip() if blob else ""

    at = commits.reader(
        {REPOSITORY: here.github},
        REPOSITORY,
        head,
        Release(app="shop", version="1.1.0", tag="v1.1.0", commit=release),
        [PIN],
        pinned_at,
    )

    def ask(revision: str, path: str = "") -> Commit:
        address = f"https://github.com/{REPOSITORY}.git"
        source = SourceSeen(repository=address, path=path, ref="" if path else "values", revision=revision)
        chart = SourceSeen(repository="ghcr.io/acme/charts", chart="shop", value_files=(f"$values/{VALUES}",))
        return at(source, Application(name="shop", sources=(chart, source)))

    return ask


def test_only_commits_with_these_pins_and_values_are_current(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        old = here.repo.seed({PIN: "1.0.0\n", VALUES: "a: 1\n"}, "old pin")
        release = here.repo.seed({"app.py": "1\n"}, "release")
        pinned = here.repo.seed({PIN: "1.1.0\n"}, "pin")
        head = here.repo.seed({"README.md": "more\n"}, "readme")
        ask = reading(here, head, release)
        assert [ask(old), ask(release), ask(pinned), ask(head)] == ["behind", "behind", "current", "current"]
        later = here.repo.seed({"app.py": "2\n"}, "unrelated")
        values = here.repo.seed({VALUES: "a: 2\n"}, "newer values")
        newer = here.repo.seed({PIN: "1.2.0\n"}, "newer pin")
        assert [ask(later), ask(values), ask(newer)] == ["current", "current", "superseded"]


def test_values_that_changed_before_the_gate_began_must_be_compared(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        before = here.repo.seed({PIN: "1.1.0\n", VALUES: "a: 1\n"}, "pin")
        head = here.repo.seed({VALUES: "a: 2\n"}, "values")
        ask = reading(here, head, before)
        assert [ask(before), ask(head)] == ["behind", "current"]


def test_a_chart_in_git_must_not_have_changed_since(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        old = here.repo.seed({PIN: "1.1.0\n", "charts/shop/a.yaml": "1\n"}, "pin and chart")
        head = here.repo.seed({"charts/shop/a.yaml": "2\n"}, "chart")
        ask = reading(here, head, old)
        assert [ask(old, "charts/shop"), ask(head, "charts/shop"), ask(old, "other")] == [
            "behind", "current", "current",
        ]  # fmt: skip


def test_each_commit_costs_little(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        head = here.repo.seed({PIN: "1.1.0\n"}, "pin")
        ask = reading(here, head, head)
        before = here.github.calls.read
        ask(head)
        assert here.github.calls.read == before
        later = here.repo.seed({"app.py": "2\n"}, "unrelated")
        ask(later)
        assert here.github.calls.read - before <= 2
