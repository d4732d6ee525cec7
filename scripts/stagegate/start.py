"""Finds or builds the locked environment, and runs an entrypoint in it.

Standard library only. It is a module of its own because Python keeps the compiled form of modules, and not of the
script that it is started with.
"""

from __future__ import annotations

import os
import sys

from stagegate.libraries import (
    NoLibraries,
    cache_root,
    key,
    site_packages,
    without_python_settings,
)

PYTHON = ("-I", "-S", "-u", "-X", "utf8")  # as in scripts/run
SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# Words of the command `stagegate` that are no action of their own.
WORDS = ("check", "completion", "explain", "gate", "import", "plan", "promote", "rollback", "status")


def main(arguments: list[str]) -> None:
    """Run `scripts/<arguments[0]>.py` with the other arguments, or exit with one annotation.

    Names may be written with dashes or underscores; `--help` or nothing lists the commands. A command that only
    people run, such as `init` or `promote`, is given to the command line.
    """
    name = (arguments[0] if arguments else "--help").replace("-", "_").lstrip("_")
    script = os.path.join(SCRIPTS, name + ".py")
    command_line = os.path.join(SCRIPTS, "cli.py")
    if name in ("help", "h"):
        script, arguments = command_line, ["cli", "--help"]
    elif not os.path.isfile(script) and name.isidentifier() and _is_command(name):
        script, arguments = command_line, ["cli", *arguments]
    try:
        if not name.isidentifier() or not os.path.isfile(script):
            raise NoLibraries(
                "bad-input",
                2,
                f"There is no action script {name!r}.",
                "scripts/run takes the name of an action, such as version-bump or version_bump.",
                "`scripts/run --help` lists them.",
            )
        lock, root = os.path.join(SCRIPTS, "requirements.txt"), cache_root(os.environ)
        home = os.path.join(root, key(lock))
        is_built = os.path.isdir(home)
        if not is_built:
            from stagegate.installers import (
                locked_environment,  # not where it is there, as in every later step
            )

            locked_environment(lock, root)
    except NoLibraries as refusal:
        _report(name, refusal)
        sys.exit(refusal.code)
    if not is_built:  # a process that has installed something is not a clean one
        os.execv(sys.executable, [sys.executable, *PYTHON, *sys.argv])  # noqa: S606
    _activate(home)
    sys.argv = [script, *arguments[1:]]
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec")
    exec(code, {"__name__": "__main__", "__file__": script})  # noqa: S102 - a script of ours, beside this folder


def _activate(home: str) -> None:
    """Make this process one of the environment `home`, without starting another interpreter for it."""
    for name in set(os.environ) - set(without_python_settings(os.environ)):
        del os.environ[name]
    sys.prefix = sys.exec_prefix = home
    sys.executable = os.path.join(home, "bin", "python")
    sys.path.append(site_packages(home))


def _is_command(name: str) -> bool:
    return name in WORDS or os.path.isfile(os.path.join(SCRIPTS, "stagegate", "actions", name + ".py"))


def _report(name: str, refusal: NoLibraries) -> None:
    title = f"{name.replace('_', '-')}: {refusal.reason}" if name else refusal.reason
    for character, escape in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        title = title.replace(character, escape)
    text = str(refusal).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title={title}::{text}", flush=True)
    if os.environ.get("GITHUB_OUTPUT"):
        with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
            file.write(f"outcome=failed\nreason={refusal.reason}\nreport=\n")
