"""Which pins are audited in a run about all apps of a repository."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_mock import MockerFixture

from stagegate import settings
from stagegate.promotion import audit_pins
from stagegate.runner.context import Context

BEFORE, AFTER = "0" + "a" * 38 + "0", "00" + "b" * 37 + "0"  # zeros at both ends belong to the commit
SETTINGS = settings.parse(
    b"""app: shop
environments:
  - {name: staging, pins: [deploy/staging.yaml]}
  - {name: prod, after: [staging], pins: [deploy/prod.yaml]}
""",
    "stagegate.yaml",
)


@pytest.mark.parametrize(
    ("event", "before", "files", "behind", "due"),
    [
        ("push", BEFORE, ["deploy/prod.yaml", "README.md"], 0, ("prod",)),
        ("push", BEFORE, ["README.md"], 0, ()),
        ("push", BEFORE, ["README.md"], 1, ("staging", "prod")),
        ("push", BEFORE, [f"{number}.md" for number in range(300)], 0, ("staging", "prod")),
        ("push", "0" * 40, [], 0, ("staging", "prod")),
        ("schedule", "", [], 0, ("staging", "prod")),
        ("workflow_dispatch", "", [], 0, ()),
    ],
)
def test_a_push_audits_the_environments_whose_files_it_changed(
    event: str,
    before: str,
    files: list[str],
    behind: int,
    due: tuple[str, ...],
    tmp_path: Path,
    mocker: MockerFixture,
) -> None:
    (tmp_path / "event.json").write_text(json.dumps({"before": before, "after": AFTER}))
    environ = {
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
    }
    compare = mocker.Mock(return_value=SimpleNamespace(files=tuple(files), behind=behind))
    started: Any = SimpleNamespace(
        alone=False,
        context=Context.from_environ(environ),
        connections=SimpleNamespace(pins=SimpleNamespace(compare=compare)),
    )
    state: Any = SimpleNamespace(settings=SETTINGS)
    assert audit_pins.due(started, state, ("staging", "prod")) == due
    assert all(call.args == (BEFORE, AFTER) for call in compare.call_args_list)
