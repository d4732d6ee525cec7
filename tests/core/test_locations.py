"""Settings files are found without `config`; where several places are possible, a message asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate.actions import chart_check, environments
from stagegate.errors import Stop
from stagegate.promotion import apps
from stagegate.runner.context import Context
from stagegate.settings import locations


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (("cart/stagegate.yaml", "pay/stagegate.yaml"), ("cart/stagegate.yaml", "pay/stagegate.yaml")),
        (("apps/shop/stagegate.yaml", "apps/shop/values.yaml"), ("apps/shop/stagegate.yaml",)),
        (("services/b/stagegate.yaml", "services/a/stagegate.yaml", "services/stagegate.yaml.bak"), None),
        (("services/a/b/stagegate.yaml", "teams/a/stagegate.yaml", ".cache/stagegate.yaml", "README.md"), ()),
        (("apps/shop/my-stagegate.yaml", "x/Stagegate.yaml"), ()),
        ((), ()),
    ],
)
def test_one_folder_of_apps_is_found(paths: tuple[str, ...], found: tuple[str, ...] | None) -> None:
    expected = ("services/a/stagegate.yaml", "services/b/stagegate.yaml") if found is None else found
    assert locations.find(paths) == expected


def test_no_app_is_left_out_where_two_folders_have_settings() -> None:
    with pytest.raises(Stop) as stop:
        locations.find(("docs/stagegate.yaml", "apps/shop/stagegate.yaml", "apps/cart/stagegate.yaml"))
    assert stop.value.reason == "bad-input"
    assert "docs/stagegate.yaml, apps/cart/stagegate.yaml" in stop.value.what
    assert "apps/*/stagegate.yaml" in stop.value.next


def work_tree(folder: Path, *files: str) -> Context:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"app: {Path(file).parent.name or 'root'}\n")
    return Context.from_environ({"GITHUB_WORKSPACE": str(folder)})


def configs(context: Context, pattern: str = locations.FILE) -> list[str]:
    return [app.config for app in apps.here(context, pattern)]


def test_a_file_in_the_root_is_the_only_one(tmp_path: Path) -> None:
    context = work_tree(tmp_path, "stagegate.yaml", "apps/shop/stagegate.yaml")
    assert configs(context) == ["stagegate.yaml"]
    assert configs(context, "apps/*/stagegate.yaml") == ["apps/shop/stagegate.yaml"]


def test_every_app_of_the_work_tree_is_found(tmp_path: Path) -> None:
    context = work_tree(tmp_path, "services/b/stagegate.yaml", "services/a/stagegate.yaml")
    assert configs(context) == ["services/a/stagegate.yaml", "services/b/stagegate.yaml"]
    assert apps.are_several(apps.here(context, locations.FILE), locations.FILE)


def test_the_message_names_every_place_that_was_searched(tmp_path: Path) -> None:
    with pytest.raises(Stop) as stop:
        apps.here(work_tree(tmp_path), locations.FILE)
    assert stop.value.reason == "missing-file"
    assert all(pattern in stop.value.what for pattern in (locations.FILE, *locations.PATTERNS))


def test_an_action_about_one_app_takes_the_only_one(tmp_path: Path) -> None:
    inputs = chart_check.ChartCheck()
    context = work_tree(tmp_path, "apps/shop/stagegate.yaml")
    assert apps.of_one(inputs, context).config == "apps/shop/stagegate.yaml"
    named = environments.Environments(config="apps/other/stagegate.yaml")
    assert apps.of_one(named, context) == named
    with pytest.raises(Stop) as stop:
        apps.of_one(inputs, work_tree(tmp_path, "apps/cart/stagegate.yaml"))
    assert "apps/cart/stagegate.yaml, apps/shop/stagegate.yaml" in stop.value.what


def test_without_any_file_the_default_name_is_reported(tmp_path: Path) -> None:
    assert apps.of_one(chart_check.ChartCheck(), work_tree(tmp_path)).config == locations.FILE
