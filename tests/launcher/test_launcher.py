"""`scripts/run` builds one environment, however it is started, interrupted or misled."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.package_index import PackageIndex, wheel
from stagegate import cli, installers, libraries, start
from stagegate.errors import VERDICTS
from tests.launcher.conftest import LIBRARY, Toolkit

TRAP = "open({marker!r}, 'a').write(__name__)\nORIGIN = 'the caller'\n"
only_pip = pytest.mark.parametrize("installer", ["pip"], indirect=True)
only_uv = pytest.mark.parametrize("installer", ["uv"], indirect=True)


def test_the_entrypoint_runs_in_the_callers_folder_with_the_locked_library(toolkit: Toolkit) -> None:
    seen = toolkit.probe("two words", "line\nbreak", "$(id)", "")
    assert seen["cwd"] == str(toolkit.workspace)
    assert seen["argv"] == ["two words", "line\nbreak", "$(id)", ""]
    assert seen["semver"] == [
        f"{seen['python']}/lib/{_python_folder()}/site-packages/semver/__init__.py",
        "the lock",
    ]
    assert Path(str(seen["python"])).parent == toolkit.cache
    assert toolkit.run("probe", "fail")[0] == 7
    assert list(toolkit.workspace.iterdir()) == []


def test_once_built_it_needs_neither_index_nor_installer(toolkit: Toolkit) -> None:
    first = toolkit.probe()
    toolkit.index.broken = True
    (toolkit.folder / "bin" / "uv").unlink(missing_ok=True)
    assert toolkit.probe() == first
    assert toolkit.index.downloads == 1


@only_uv
def test_where_uv_fails_pip_installs(toolkit: Toolkit) -> None:
    uv = toolkit.folder / "bin" / "uv"
    uv.unlink()
    uv.write_text("#!/bin/sh\necho 'invalid peer certificate: UnknownIssuer' >&2\nexit 2\n")
    uv.chmod(0o755)
    code, output = toolkit.run("probe")
    assert code == 0, output
    assert "trying pip" in output and "UnknownIssuer" in output


def test_pips_own_configuration_reaches_uv(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://mirror.example/simple\ncert = /certs/company.pem\n")
    given = installers.installer_environ({"PIP_CONFIG_FILE": str(file), "SSL_CERT_FILE": "/certs/job.pem"})
    assert given["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert given["SSL_CERT_FILE"] == "/certs/job.pem", "a variable of the job wins over pip's file"


def test_a_name_may_have_dashes_and_help_lists_the_commands(toolkit: Toolkit) -> None:
    scripts = toolkit.folder / "toolkit" / "scripts"
    (scripts / "two_words.py").write_text("print('ran two words')\n")
    (scripts / "cli.py").write_text("import sys\nprint('cli', sys.argv[1:])\n")
    assert "ran two words" in toolkit.run("two-words")[1]
    assert "cli ['--help']" in toolkit.run("--help")[1]
    assert "cli ['promote', '--local']" in toolkit.run("promote", "--local")[1]
    (scripts / "stagegate" / "actions").mkdir()
    (scripts / "stagegate" / "actions" / "by_hand.py").touch()
    assert "cli ['by-hand']" in toolkit.run("by-hand")[1]


def test_the_launcher_lists_every_command() -> None:
    assert set(start.WORDS) == {*cli.SHORT, *cli.OWN}


def test_three_runs_at_once_share_one_environment(toolkit: Toolkit) -> None:
    toolkit.index.hold(3)
    processes = [toolkit.start() for _ in range(3)]
    toolkit.index.wait_until_asked()
    toolkit.index.release()
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert len(set(outputs)) == 1
    assert len(toolkit.environments()) == 1


def test_an_installation_that_was_killed_is_repeated_and_its_files_are_removed_later(
    toolkit: Toolkit,
) -> None:
    toolkit.index.hold()
    process = toolkit.start()
    toolkit.index.wait_until_asked()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    remains = toolkit.environments()
    assert [name.startswith("building-") for name in remains] == [True]
    toolkit.index.release()

    toolkit.probe()
    assert set(remains) < set(toolkit.environments()), "a folder that another build may still use was removed"

    stale = time.time() - libraries.STALE_SECONDS - 1
    os.utime(toolkit.cache / remains[0], (stale, stale))
    other = wheel("semver", "9.9.10", {"semver/__init__.py": "ORIGIN = 'a newer lock'\n"})
    with PackageIndex(other) as index:
        toolkit.lock(other)
        toolkit.probe(environ={"PIP_INDEX_URL": index.url, "UV_DEFAULT_INDEX": index.url})
    assert len(toolkit.environments()) == 2
    assert not set(remains) & set(toolkit.environments())


def test_an_installation_that_is_ended_removes_its_files(toolkit: Toolkit) -> None:
    toolkit.index.hold()
    process = toolkit.start()
    toolkit.index.wait_until_asked()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert toolkit.environments() == []


def test_no_module_or_setting_of_the_caller_is_used(toolkit: Toolkit) -> None:
    marker = toolkit.folder / "marker"
    hostile = toolkit.folder / "hostile"
    hostile.mkdir()
    names = ("semver", "stagegate", "json", "hashlib", "subprocess", "sitecustomize", "usercustomize", "pip")
    for folder in (hostile, toolkit.workspace):
        for name in names:
            (folder / f"{name}.py").write_text(TRAP.format(marker=str(marker)), encoding="utf-8")
    elsewhere = str(toolkit.folder / "elsewhere")
    settings = f'[pip]\ntarget = "{elsewhere}"\nno-index = true\n'
    (toolkit.workspace / "uv.toml").write_text(settings, encoding="utf-8")
    (toolkit.workspace / "pyproject.toml").write_text(
        '[tool.uv]\nrequired-version = "==0.0.1"\n', encoding="utf-8"
    )
    for name in ("pip.conf", "pip.ini", ".pypirc"):
        (toolkit.workspace / name).write_text("[global]\nno-index = true\n", encoding="utf-8")
    before = sorted(toolkit.workspace.rglob("*"))

    seen = toolkit.probe(
        environ={
            "PYTHONPATH": str(hostile),
            "PYTHONSTARTUP": str(hostile / "semver.py"),
            "PYTHONHOME": str(hostile),
            "PYTHONSAFEPATH": "1",
            "PYTHONUSERBASE": str(hostile),
            "PYTHONINSPECT": "1",
            "VIRTUAL_ENV": str(hostile),
            "UV_PROJECT_ENVIRONMENT": elsewhere,
            "UV_PROJECT": str(toolkit.workspace),
            "UV_PYTHON": "3.9",
            "UV_TARGET": elsewhere,
            "UV_SYSTEM_PYTHON": "1",
            "UV_WORKING_DIR": str(toolkit.workspace),
            "UV_EXCLUDE_NEWER": "2001-01-01",
            "UV_CONSTRAINT": str(hostile / "semver.py"),
            "UV_NO_BINARY": "1",
            "UV_DRY_RUN": "1",
            "PIP_TARGET": elsewhere,
            "PIP_PREFIX": elsewhere,
            "PIP_USER": "1",
            "PIP_REQUIRE_VIRTUALENV": "1",
            "PIP_NO_BINARY": ":all:",
            "PIP_DRY_RUN": "1",
            "PIP_CONSTRAINT": str(hostile / "semver.py"),
        }
    )

    assert seen["semver"] == [
        f"{seen['python']}/lib/{_python_folder()}/site-packages/semver/__init__.py",
        "the lock",
    ]
    assert not [
        file for file in _texts(seen["modules"]) if file.startswith((str(hostile), str(toolkit.workspace)))
    ]
    assert not [
        name for name in _texts(seen["environ"]) if name.startswith("PYTHON") or name == "VIRTUAL_ENV"
    ]
    assert not marker.exists(), f"imported from the caller: {marker.read_text()}"
    assert not Path(elsewhere).exists()
    assert sorted(toolkit.workspace.rglob("*")) == before


def test_another_lock_is_another_environment(toolkit: Toolkit) -> None:
    first = toolkit.probe()["python"]
    toolkit.lock(text=LIBRARY.requirement + "# changed\n")
    assert toolkit.probe()["python"] != first
    assert len(toolkit.environments()) == 2


def test_a_library_with_other_bytes_is_refused_and_leaves_nothing(toolkit: Toolkit) -> None:
    other = wheel("semver", "9.9.9", {"semver/__init__.py": "ORIGIN = 'somebody else'\n"})
    toolkit.lock(other)
    _refused(toolkit, "wrong-source", "other bytes")
    assert toolkit.environments() == []


def test_a_broken_index_is_named_without_its_password(toolkit: Toolkit) -> None:
    toolkit.index.broken = True
    url = toolkit.index.url.replace("://", "://reader:s3cr3t-w0rd@")
    output = _refused(toolkit, "unreachable", "package index", PIP_INDEX_URL=url, UV_DEFAULT_INDEX=url)
    assert "s3cr3t-w0rd" not in output
    assert toolkit.environments() == []


def test_a_lock_line_without_a_hash_is_refused(toolkit: Toolkit) -> None:
    toolkit.lock(text="semver==9.9.9\n")
    _refused(toolkit, "unreachable", "hash")
    assert toolkit.environments() == []


@only_uv
def test_output_of_the_installer_gives_no_command_and_no_secret(toolkit: Toolkit) -> None:
    talker = toolkit.folder / "bin" / "uv"
    talker.unlink()
    url = "https://reader:s3cr3t-w0rd@packages.example/simple"
    lines = ("::error::from the index", "  ::add-mask::x", "##[error]from the index", f"cannot read {url}")
    talker.write_text(
        "#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines) + "exit 1\n", encoding="utf-8"
    )
    talker.chmod(0o755)
    toolkit.index.broken = True  # or pip would do it instead
    output = _refused(toolkit, "unreachable", "cannot read https://***@packages.example/simple")
    assert "s3cr3t-w0rd" not in output
    assert not [line for line in output.splitlines()[:-1] if line.lstrip().startswith(("::", "##["))]
    assert "##[" not in output


@only_pip
def test_without_pip_and_uv_the_fix_is_named(toolkit: Toolkit) -> None:
    bare = toolkit.folder / "bare"
    bare.mkdir()
    libraries.make_home(str(bare))
    path = f"{bare / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
    assert shutil.which("uv", path=path) is None
    _refused(toolkit, "missing-tool", "Neither uv nor pip", PATH=path)


@only_uv
def test_without_python_the_fix_is_named(toolkit: Toolkit) -> None:
    empty = toolkit.folder / "empty"
    empty.mkdir()
    _refused(toolkit, "missing-tool", "python3", PATH=str(empty))


@only_uv
def test_an_old_python_is_replaced_by_a_newer_one_or_reported(toolkit: Toolkit) -> None:
    programs = toolkit.folder / "old"
    programs.mkdir()
    old = next((found for minor in range(9, 5, -1) if (found := _old_python(minor))), None)
    if old:
        (programs / "python3").symlink_to(old)
    else:
        _says_it_is_old(programs / "python3")
    _refused(toolkit, "missing-tool", "3.10 or newer", PATH=str(programs))
    newer = programs / f"python3.{sys.version_info[1]}"
    newer.symlink_to(libraries.base_python())
    (programs / "uv").symlink_to(toolkit.folder / "bin" / "uv")
    assert toolkit.probe(environ={"PATH": str(programs)})["semver"]


@only_uv
@pytest.mark.parametrize(
    ("environ", "reason", "word"),
    [
        (
            {"STAGEGATE_CACHE": "{workspace}/cache", "GITHUB_WORKSPACE": "{workspace}"},
            "bad-input",
            "outside the workspace",
        ),
        ({"STAGEGATE_CACHE": "cache"}, "bad-input", "absolute"),
        ({"STAGEGATE_CACHE": "{folder}/bin/python3/cache"}, "missing-permission", "STAGEGATE_CACHE"),
    ],
)
def test_a_cache_that_cannot_be_used_is_refused(
    toolkit: Toolkit, environ: dict[str, str], reason: str, word: str
) -> None:
    places = {"workspace": toolkit.workspace, "folder": toolkit.folder}
    _refused(toolkit, reason, word, **{name: value.format(**places) for name, value in environ.items()})
    assert list(toolkit.workspace.iterdir()) == []


@only_uv
def test_the_cache_is_the_jobs_own_unless_configured(toolkit: Toolkit) -> None:
    shared = toolkit.folder / "shared"
    for environ, root in (
        ({"STAGEGATE_CACHE": str(shared)}, shared),
        (
            {"RUNNER_TEMP": "", "XDG_CACHE_HOME": str(toolkit.folder / "xdg")},
            toolkit.folder / "xdg" / "stagegate",
        ),
        ({"RUNNER_TEMP": ""}, toolkit.folder / "home" / ".cache" / "stagegate"),
    ):
        assert Path(str(toolkit.probe(environ=environ)["python"])).parent == root


@only_uv
@pytest.mark.parametrize("name", ["", "absent", "../probe", "stagegate/launcher"])
def test_only_an_action_script_is_run(toolkit: Toolkit, name: str) -> None:
    output = toolkit.start(name).communicate(timeout=60)[0]
    assert output.startswith("::error title=")
    assert "There is no action script" in output
    assert toolkit.environments() == []


@only_uv
def test_the_launcher_runs_through_links_and_relative_paths(toolkit: Toolkit) -> None:
    (toolkit.workspace / "vendored").symlink_to(toolkit.folder / "toolkit")
    for command in ("vendored/scripts/run", "../toolkit/scripts/run"):
        done = subprocess.run([command, "probe"], cwd=toolkit.workspace, env=toolkit.environ, check=False)
        assert done.returncode == 0


def _refused(toolkit: Toolkit, reason: str, word: str, **environ: str) -> str:
    outputs = toolkit.folder / "outputs"
    outputs.write_text("", encoding="utf-8")
    code, output = toolkit.run(environ={**environ, "GITHUB_OUTPUT": str(outputs)})
    errors = [line for line in output.splitlines() if line.startswith("::error ")]
    assert code == VERDICTS[reason].exit_code, output
    assert len(errors) == 1, output
    assert reason in errors[0]
    assert word in errors[0]
    assert "Traceback" not in output
    assert f"reason={reason}\n" in outputs.read_text(encoding="utf-8")
    return output


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return value


def _python_folder() -> str:
    return "python{}.{}".format(*sys.version_info[:2])


def test_an_unsupported_python_can_parse_the_launcher() -> None:
    ast.parse(Path(libraries.__file__).with_name("launcher.py").read_text(), feature_version=(3, 6))


def _says_it_is_old(program: Path) -> None:
    """A python3 of today that calls itself 3.9, where there is none."""
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 0, 'final', 0); sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    program.write_text(f"""#!/bin/sh\nshift 2\nexec {libraries.base_python()} -I -S -c "{code}" "$@"\n""")
    program.chmod(0o755)


def _old_python(minor: int) -> str | None:
    folders = [str(folder / "bin") for folder in Path.home().glob(f".pyenv/versions/3.{minor}.*")]
    return shutil.which(f"python3.{minor}", path=os.pathsep.join([*folders, os.environ["PATH"]]))


def test_libraries_come_from_a_folder_where_there_is_no_index(toolkit: Toolkit, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / LIBRARY.filename).write_bytes(LIBRARY.content)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/"}
    toolkit.probe(environ={"STAGEGATE_WHEELS": str(wheels), **nowhere})
    assert toolkit.index.downloads == 0


def test_wheels_from_a_folder_are_checked_by_their_hashes(toolkit: Toolkit, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    other = wheel(LIBRARY.name, LIBRARY.filename.split("-")[1], {"other.py": "x = 1\n"})
    (wheels / other.filename).write_bytes(other.content)
    code, output = toolkit.run(environ={"STAGEGATE_WHEELS": str(wheels)})
    assert code != 0
    assert "wrong-source" in output


def test_a_missing_folder_of_wheels_is_reported(toolkit: Toolkit) -> None:
    code, output = toolkit.run(environ={"STAGEGATE_WHEELS": "/nowhere/wheels"})
    assert code == 2
    assert "STAGEGATE_WHEELS is '/nowhere/wheels'" in output
    assert "Unpack the archive of wheels" in output
