"""Programs in separate processes, forked from a process that has already imported the package.

Starting an interpreter and importing an action takes ten times as long as what most actions do. Each program still
has a process to itself, with its own environment, working folder, streams and exit code. That `scripts/run` starts
actions the same way is shown by the tests of the launcher, and by one case of each table that is run through here.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BESIDE = (
    "github", "jsonschema", "lab.forge", "lab.registry", "pytest", "requests", "ruamel.yaml", "yaml",
    "tests.actions.test_pin_guard", "tests.actions.test_version_bump", "tests.promotion.shop_world",
)  # fmt: skip
_REQUEST_LIMIT = 1 << 20
_SECONDS = 600  # only ends what hangs


def action(
    name: str, arguments: Sequence[str], *, cwd: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run an action, such as `chart_check`, as `scripts/run` does, with exactly this environment."""
    return _answer({"action": name}, arguments, cwd, environ)


def script(
    path: Path, arguments: Sequence[str] = (), *, cwd: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a Python file as `python PATH` does, with exactly this environment, whose PYTHONPATH is honoured."""
    return _answer({"path": str(path)}, arguments, cwd, environ)


def _answer(
    program: Mapping[str, str], arguments: Sequence[str], cwd: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    words = {**program, "arguments": list(arguments), "cwd": str(cwd), "environ": dict(environ)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        line = _server()
        socket.send_fds(line, [json.dumps(words).encode()], [out.fileno(), err.fileno()])
        answer = line.recv(16)
        assert answer, "the process that others are forked from has ended"
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return subprocess.CompletedProcess([*program.values(), *arguments], int(answer), *texts)


@functools.cache
def _server() -> socket.socket:
    """The connection to this worker's own server, which ends when the connection is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _REQUEST_LIMIT)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
        cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "scripts"), str(ROOT)))},
    )  # fmt: skip
    theirs.close()
    atexit.register(server.wait)
    atexit.register(ours.close)  # registered first, because the last registered one is called first
    return ours


def serve(line: socket.socket) -> None:
    """Fork a process for each request until the other end is closed."""
    package = importlib.import_module("stagegate")
    ours = (module.name for module in pkgutil.walk_packages(package.__path__, "stagegate."))
    for name in (*ours, *BESIDE):
        if name != "stagegate.launcher":  # a program
            importlib.import_module(name)
    gc.freeze()  # imported objects stay: collecting garbage among them would copy their pages into every process
    while True:
        words, streams, _, _ = socket.recv_fds(line, _REQUEST_LIMIT, 2)
        if not words:
            return
        child = os.fork()
        if child == 0:
            line.close()
            _run(json.loads(words), streams)
        for stream in streams:
            os.close(stream)
        line.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def _run(request: dict[str, object], streams: Sequence[int]) -> None:
    """Run the requested program to its end."""
    code: object = 1
    try:
        for number, stream in enumerate(streams, start=1):
            os.dup2(stream, number)
        signal.alarm(_SECONDS)
        _become(request)
        try:
            code = _program(request)
        except SystemExit as ended:
            code = ended.code
            if isinstance(code, str):
                sys.stderr.write(f"{code}\n")
        except BaseException:  # noqa: BLE001 - shown as an interpreter shows it
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code if isinstance(code, int) else int(code is not None))


def _become(request: Mapping[str, object]) -> None:
    """Set the working folder, the environment and the module path of a request."""
    environ = request["environ"]
    assert isinstance(environ, dict)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(str(request["cwd"]))
    tempfile.tempdir = None  # that of the environment
    sys.path[:0] = [folder for folder in environ.get("PYTHONPATH", "").split(os.pathsep) if folder]


def _program(request: Mapping[str, object]) -> object:
    words = request["arguments"]
    assert isinstance(words, list)
    if path := str(request.get("path", "")):
        sys.argv = [path, *words]
        runpy.run_path(path, run_name="__main__")
        return 0
    name = str(request["action"])
    sys.argv = [str(ROOT / "scripts" / f"{name}.py"), *words]
    return importlib.import_module(f"stagegate.actions.{name}").run()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as its:
        serve(its)
