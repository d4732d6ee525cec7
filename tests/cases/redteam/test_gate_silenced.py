"""The gate after a push runs, although the author of the commit claims that another run tests it."""

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


def test_a_forged_run_and_status_of_a_person_stop_no_gate(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim names any run of any workflow on any branch, with a status by anybody, under `protected` too."""
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
