"""The gate after a push is left out where another run is said to be at it: said by the commit's author alone."""

from __future__ import annotations

from functools import partial

import pytest

import tests.actions.test_staging_gate as original
from stagegate.gate import already_done

bench, gate = (original.bench, original.gate)
for _name in ("lab", "shared", "world"):
    if hasattr(original, _name):
        globals()[_name] = getattr(original, _name)
from tests.actions.test_staging_gate import SHOP, STATUS, Bench, Gate


def test_a_person_who_names_a_run_and_writes_its_status_silences_no_gate(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any run of any workflow on any branch will do, and any creator of the status: under `protected` too."""
    run = bench.lab.forge.run_started(SHOP, "sleep.yml", "push", "refs/heads/side", bench.commit, "octo-dev")
    message = f"chore: move\n\nStagegate-App: shop\nStagegate-Environment: staging\nStagegate-Run: {run}"
    bench.lab.push("octo-lead", message, {"deploy/argocd/staging.yaml": lambda text: text + "# moved\n"})
    writer = bench.hub(bench.lab.forge.token("octo-dev"))
    writer.set_status(
        bench.commit, STATUS, "pending", "nothing to see", f"{bench.lab.forge.url}/{SHOP}/actions/runs/{run}"
    )
    monkeypatch.setattr(already_done, "looking", partial(already_done.looking, sleep=lambda _: None))
    done = gate(again="false", token=bench.token(actions="read"))
    print("GATE", done.code, done.outputs["reason"])
    assert done.outputs["reason"] != "already-running"
