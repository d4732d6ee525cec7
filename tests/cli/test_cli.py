"""The command `stagegate` lists its actions, explains every reason, and works from a wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stagegate import cli, explain
from stagegate.difference.risks import CLASSES
from stagegate.errors import VERDICTS
from stagegate.runner import definitions
from tests.setup import bare_repositories

ROOT = Path(__file__).resolve().parents[2]


def test_help_names_every_action_and_an_actions_help_every_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    overview = capsys.readouterr().out
    folders = {path.parent.name for path in ROOT.glob("actions/*/action.yml")}
    assert folders == {name for name in folders if f"  {name} " in overview}
    for name in folders:
        assert cli.main([name.replace("-", "_"), "--help"]) == 0
        text = capsys.readouterr().out
        assert all(f"--{flag}\n" in text for flag in definitions.read(name).inputs), name


def test_every_command_answers_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in cli.commands():
        assert cli.main([command, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"stagegate {command}"), command


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("https://github.com/acme/shop.git", "acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("https://github.acme.example/acme/shop.git", ""),  # whose API has another address
        ("/srv/git/acme/shop.git", ""),
    ],
)
def test_a_clone_names_the_repository(
    origin: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", origin], check=True)
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_REPOSITORY", "GITHUB_API_URL"):
        monkeypatch.setenv(variable, "")  # restored afterwards, whatever the command sets
        monkeypatch.delenv(variable)
    assert cli.main(["status"]) == 2
    wanted = f"There is no token for {name}." if name else "The name of this repository is not known."
    assert wanted in capsys.readouterr().out


def test_an_unknown_command_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["promot"]) == VERDICTS["bad-input"].exit_code
    assert "Did you mean promote?" in capsys.readouterr().out


def test_every_reason_is_explained_and_none_that_does_not_exist() -> None:
    assert explain.REASONS.keys() == VERDICTS.keys()
    for reason, (meaning, action) in explain.REASONS.items():
        assert meaning.endswith(".") and action.endswith("."), reason


def test_reasons_rules_and_risks_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for word, part in {
        "no-evidence": "reason, refused, exit code 1",
        "soak": "promotion rule, reason soaking",
        "floating-tag": "chart rule",
        "hook-job": "label stagegate/risk:hook-job",
        "job-permissions": "check of doctor",
    }.items():
        assert cli.main(["explain", word]) == 0
        assert part in capsys.readouterr().out
    assert cli.main(["explain", "prerelease", "--json"]) == 0
    kinds = [one["kind"].partition(",")[0] for one in json.loads(capsys.readouterr().out)]
    assert kinds == ["reason", "promotion rule"]
    assert cli.main(["explain", "soaky"]) == VERDICTS["bad-input"].exit_code
    assert CLASSES.keys() <= explain.RISKS.keys()


def test_json_prints_the_report_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path / "temp"))  # restored afterwards: the command changes it
    assert cli.main(["check", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["action"], report["reason"]) == ("chart-check", "missing-file")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script_that_bash_accepts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out.replace("autoload -U +X bashcompinit && bashcompinit", "")
    probe = "COMP_WORDS=(stagegate promote --env) COMP_CWORD=2; _stagegate; echo ${COMPREPLY[0]}"
    done = subprocess.run(["bash", "-c", script + probe], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "--environment", done.stderr


def test_the_wheel_has_everything_the_command_needs(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(home)
    names = {path.relative_to(home / "stagegate").as_posix() for path in (home / "stagegate").rglob("*")}
    source = ROOT / "scripts" / "stagegate"
    kept = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.suffix in {".py", ".j2", ".yml"}
    }
    assert kept <= names
    program = "import sys; from stagegate.cli import main; sys.exit(main(sys.argv[1:]))"
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("GITHUB_", "SG_"))}
    environ["PYTHONPATH"] = str(home)

    def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *words]
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)

    done = run(tmp_path, "promote", "--help")
    assert done.returncode == 0 and "--environment" in done.stdout, done.stderr
    # What init writes comes from templates, and what doctor checks from a folder: both are in the wheel.
    repository = tmp_path / "repository"
    repository.mkdir()
    bare_repositories.image_only(repository)
    done = run(repository, "init", "--yes", "--stagegate", "acme/stagegate@v0.1.0")
    assert done.returncode == 0 and (repository / "stagegate.yaml").is_file(), done.stderr
    done = run(repository, "doctor", "--offline")
    assert done.returncode == 0 and "doctor found nothing that will break" in done.stdout, done.stdout
    events = repository / ".github/workflows/stagegate.yml"
    events.write_text(events.read_text().replace("      deployments: write # the evidence\n", ""))
    done = run(repository, "doctor", "--offline")
    assert done.returncode == 2 and "does not grant `deployments: write` to events.yml" in done.stdout
