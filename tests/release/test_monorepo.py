"""Three services in one repository: each has its own version, from its own commits."""

from __future__ import annotations

from pathlib import Path

from stagegate import settings as settings_file
from stagegate.release.bump import facts, plan
from stagegate.release.bump.versioned_app import VersionedApp
from tests.clients.test_git import Repository

SERVICES = {
    "svc-a": ("fix: cup", "1.2.4"),
    "svc-b": ("feat: tea", "1.3.0"),
    "svc-c": ("feat!: new API", "2.0.0"),
}


def test_each_service_is_released_by_its_own_commits(tmp_path: Path) -> None:
    origin = Repository(tmp_path / "mono")
    origin.commit("feat: open", {f"services/{name}/VERSION": "1.2.3\n" for name in SERVICES})
    for name in SERVICES:
        origin.git("tag", f"{name}-v1.2.3")
    for name, (message, _) in SERVICES.items():
        origin.commit(message, {f"services/{name}/main.py": "1"})
    for name, (message, version) in SERVICES.items():
        text = f"app: {name}\nversion: {{tag-prefix: {name}-v, files: [services/{name}/VERSION]}}\n"
        config = f"services/{name}/stagegate.yaml"
        settings = settings_file.parse(text.encode(), config)
        app = VersionedApp(settings=settings, config=config)
        (known,) = facts.read([app], None, origin.path, "main", run_id="", today="2026-01-05", env={})
        decided = plan.plan(settings, known, "auto")
        assert (decided.version, decided.tag) == (version, f"{name}-v{version}")
        assert decided.notes.count("- ") == 1
        assert message.partition(": ")[2] in decided.notes


def test_paths_add_shared_folders_and_leave_out_others(tmp_path: Path) -> None:
    origin = Repository(tmp_path / "mono")
    origin.commit("feat: open", {"VERSION": "1.0.0\n"})
    origin.git("tag", "pay-v1.0.0")
    text = "app: pay\nversion: {tag-prefix: pay-v, paths: ['apps/pay/**', 'libs/*.py', '!**/*.md']}\n"
    settings = settings_file.parse(text.encode(), "stagegate.yaml")

    def reason() -> str:
        app = VersionedApp(settings=settings, config="stagegate.yaml")
        (known,) = facts.read([app], None, origin.path, "main", run_id="", today="2026-01-05", env={})
        return plan.plan(settings, known, "auto").reason

    origin.commit("feat: web", {"apps/web/a.py": "1", "libs/deep/a.py": "1", "apps/pay/README.md": "1"})
    assert reason() == "no-release-needed"
    origin.commit("fix: shared", {"libs/money.py": "1"})
    assert reason() == "released"
