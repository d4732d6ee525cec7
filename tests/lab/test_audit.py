"""The look-up of advisories: a known advisory fails, and a failed look-up is reported."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from pytest_mock import MockerFixture

from lab import audit

KNOWN = {"name": "a", "version": "1.0", "vulns": [{"id": "PYSEC-1"}]}
FINE = {"name": "b", "version": "2.0", "vulns": []}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("listed", "code", "said"),
    [
        ([KNOWN, FINE], 1, "a 1.0: PYSEC-1"),
        ([FINE, SKIPPED], 0, "there is no advisory for 1"),
        ([SKIPPED], 0, "cannot be reached"),
        (None, 0, "cannot be reached"),
    ],
)
def test_an_advisory_fails_and_a_failed_look_up_is_reported(
    listed: list[Any] | None,
    code: int,
    said: str,
    mocker: MockerFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "" if listed is None else json.dumps({"dependencies": listed})
    answer = subprocess.CompletedProcess([], 1, stdout=text, stderr="ConnectionError")
    mocker.patch.object(subprocess, "run", return_value=answer)
    assert audit.main() == code
    assert said in capsys.readouterr().out
