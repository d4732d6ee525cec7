"""A plan from the clone alone runs git a few times and loads no library for HTTP or rich text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.clients.test_git import Repository

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "requests",
    "urllib3",
    "http.client",
    "ssl",
    "github",
    "jinja2",
    "ruamel.yaml",
    "jsonschema",
    "yaml",
    "tempfile",
)
SCRIPT = """
import json, sys
from stagegate.clients import process
calls, run = [], process.run
def counted(*argv, **given):
    calls.append(next(word for word in argv[1:] if word[0] != "-" and "=" not in word))
    return run(*argv, **given)
process.run = counted
from stagegate.actions.version_bump import run as action
code = action()
print(json.dumps([code, calls, sorted(sys.modules)]), file=sys.stderr)
"""


def test_a_local_plan_loads_no_heavy_library_and_runs_git_five_times(tmp_path: Path) -> None:
    origin = Repository(tmp_path / "shop")
    origin.commit("feat: open", {"VERSION": "1.0.0\n", "stagegate.yaml": "app: shop\n"})
    origin.git("tag", "v1.0.0")
    for number in range(20):
        origin.commit(f"feat: number {number}", {"a": str(number)})
    names = ("PATH", "HOME")
    environ = {name: os.environ[name] for name in names} | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "--mode", "plan"],
        cwd=origin.path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    code, calls, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stdout
    assert "version=1.1.0" in done.stdout
    assert calls == ["symbolic-ref", "rev-parse", "show-ref", "rev-list", "log"]
    assert not set(HEAVY) & set(modules)
