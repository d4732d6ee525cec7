"""The helm program, 3.14 to 4.x: lint, template, dependency build. Its home is private to this process.

Nothing of the user's helm is read (repositories, plugins, logins), so two runners render the same.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stagegate.clients import helm_version, process
from stagegate.errors import Stop
from stagegate.model import Severity
from stagegate.patterns import pattern
from stagegate.runner import log
from stagegate.versions import Version

if TYPE_CHECKING:  # the clients of registries are not loaded where nothing is fetched
    from stagegate.clients.registry.credentials import Credentials

INSTALL = "Add the step `uses: azure/setup-helm`, or install helm from https://helm.sh/docs/intro/install/."
OLDEST, TOO_NEW = Version(3, 14), Version(5)
OUTPUT_LIMIT = 64 << 20
_SECONDS = 120.0
_FETCH_SECONDS = 300.0
_LINT = pattern(r"^\[(ERROR|WARNING|INFO)\] ?(?:([^\s:][^:]*): )?(.*)$")
_SEVERITIES: Mapping[str, Severity] = {"ERROR": "error", "WARNING": "warning", "INFO": "note"}
_NOT_YAML = pattern(r"YAML parse error|error converting YAML|unable to parse|error parsing")
_UNREACHABLE = pattern(
    r"dial tcp|no such host|connection refused|i/o timeout|network is unreachable|TLS handshake timeout"
    r"|connection reset|context deadline exceeded|50[0234] (?:Internal|Bad|Service|Gateway)"
)
_UNFIT = pattern(
    r"[^\w.-]+", re.ASCII
)  # characters that --values or a file system could take for something else
_OURS = pattern(r"[^\s\"']*/stagegate-helm-[^/\s]+/[^/\s]+/(?:\d+/)?")  # the private folder of values
_PLACE = pattern(r"\b[\w.-]+/((?:charts/[\w.-]+/)*templates/[^:\s()]+?)(?::(\d+)(?::\d+)?)?[:)\s]")


class LintMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `helm lint`; `file` is inside the chart, or empty."""

    severity: Severity
    file: str
    text: str


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of `helm lint`; `passed` is its own verdict (with strict, warnings fail)."""

    passed: bool
    messages: tuple[LintMessage, ...]


@functools.cache
def version() -> str:
    """Version of the helm on PATH, without v. Stop(missing-tool) when there is none or it does not fit."""
    program = process.require("helm", INSTALL)
    remembered = helm_version.remembered(program)
    if _fits(remembered):
        return remembered
    done = process.run(
        "helm", "version", "--template", "{{.Version}}", env=_environment(), timeout=30, check=False
    )
    text = done.text.strip().removeprefix("v")
    if not _fits(text):
        raise Stop(
            "missing-tool",
            f"helm on PATH is {text[:40] or 'of unknown version'}.",
            f"stagegate works with helm {OLDEST.major}.{OLDEST.minor} to {TOO_NEW.major - 1}.x.",
            INSTALL,
        )
    helm_version.remember(program, text)
    return text


def _fits(version: str) -> bool:
    try:
        return OLDEST <= Version.parse(version) < TOO_NEW
    except ValueError:
        return False


def lint(
    chart: Path,
    values: Sequence[bytes] = (),
    *,
    names: Sequence[str] = (),
    strict: bool = False,
    namespace: str = "default",
    set_values: Sequence[tuple[str, str, bool]] = (),
    set_files: Sequence[tuple[str, bytes]] = (),
    kube_version: str = "",
) -> Lint:
    """`helm lint` of a chart folder with the values of a rendering, in the form that `template` takes."""
    version()
    with _files(values, names, set_files) as flags:
        argv = [
            "helm",
            "lint",
            *flags,
            *(f"--set{'-string' if text else ''}={name}={value}" for name, value, text in set_values),
            *([f"--kube-version={kube_version}"] if kube_version else []),
            f"--namespace={namespace}",
            *(["--strict"] if strict else []),
            "--",
            str(chart),
        ]
        done = process.run(*argv, env=_environment(), timeout=_SECONDS, check=False)
    messages = tuple(_lint_messages(_OURS.sub("", done.text)))
    if done.code and not any(m.severity == "error" or (strict and m.severity == "warning") for m in messages):
        messages += (
            LintMessage(severity="error", file="", text=explanation(done) or f"ended with {done.code}"),
        )
    return Lint(passed=done.code == 0, messages=messages)


def template(
    chart: Path,
    *,
    release_name: str,
    namespace: str,
    values: Sequence[bytes] = (),
    names: Sequence[str] = (),
    set_values: Sequence[tuple[str, str, bool]] = (),
    kube_version: str = "",
    api_versions: Sequence[str] = (),
    include_crds: bool = True,
    set_files: Sequence[tuple[str, bytes]] = (),
    include_tests: bool = True,
    check_schema: bool = True,
    keep_broken: bool = False,
) -> str:
    """`helm template` of a chart folder or archive: the rendered YAML. Stop(findings) with helm's words.

    `values` are the bytes of values files, later ones winning; `set_values` (name, value, whether
    the value must stay text; helm's own escaping applies) win over all of them, `set_files` (name, content)
    over those. helm older than 3.16 checks the schema in any case. With `keep_broken`, a document that is not
    YAML is returned as it was rendered, and does not stop the others.
    """
    installed = Version.parse(version())
    flags = [f"--namespace={namespace}", *(["--include-crds"] if include_crds else [])]
    flags += [f"--kube-version={kube_version}"] if kube_version else []
    flags += [f"--api-versions={api}" for api in api_versions]
    flags += [f"--set{'-string' if text else ''}={name}={value}" for name, value, text in set_values]
    flags += [] if include_tests else ["--skip-tests"]
    flags += ["--skip-schema-validation"] if not check_schema and installed >= Version(3, 16) else []
    with _files(values, names, set_files) as files:
        argv = ["helm", "template", *files, *flags, "--", release_name, str(chart)]
        done = _bounded(argv)
        if done.code and keep_broken and _NOT_YAML.search(done.errors):
            # Helm prints what it rendered, and the documents with it, only when it is asked to debug.
            debugged = _bounded([*argv[:2], "--debug", *argv[2:]])
            done = msgspec.structs.replace(debugged, code=0) if debugged.stdout.strip() else done
    if done.code:
        raise failed(f"Chart {chart.name} does not render.", done)
    if len(done.stdout) > OUTPUT_LIMIT:
        raise Stop(
            "findings",
            f"Chart {chart.name} renders to more than {OUTPUT_LIMIT >> 20} MiB.",
            "No cluster accepts that much, and stagegate stops there.",
            "Look for a loop in its templates.",
        )
    try:
        return done.stdout.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Stop(
            "findings",
            f"Chart {chart.name} renders to something that is not UTF-8.",
            "A template includes a binary file as it is.",
            "Encode it with b64enc.",
        ) from error


def _bounded(argv: Sequence[str]) -> process.Completed:
    """Run helm with limits: a chart is a program of somebody else, and may take neither time nor memory at will."""
    return process.run_bounded(
        *argv,
        cwd=Path.cwd(),
        env={**os.environ, **_environment()},
        timeout=_SECONDS,
        keep=OUTPUT_LIMIT + 1,
    )


def dependency_build(chart: Path, logins: Mapping[str, Credentials] | None = None) -> None:
    """`helm dependency build`: fetch what Chart.lock names into the chart's `charts/`. Stop(findings).

    `logins` by registry host are given to helm in a private file that is removed afterwards; registries
    without one use docker's configuration. HTTP repositories of the lock are made known to helm first.
    """
    version()
    with tempfile.TemporaryDirectory(dir=_home()) as private:
        env = _environment(Path(private))
        auths = {h: {"auth": c.basic.removeprefix("Basic ")} for h, c in (logins or {}).items() if c.password}
        if auths:
            config = Path(env["HELM_REGISTRY_CONFIG"])
            config.touch(mode=0o600)
            config.write_text(json.dumps({"auths": auths}), encoding="utf-8")
        for number, url in enumerate(_repositories(chart)):
            added = process.run(
                "helm", "repo", "add", "--", f"r{number}", url, env=env, timeout=_FETCH_SECONDS, check=False
            )
            if added.code:
                raise _fetching(f"The chart repository {url} cannot be used.", added)
        done = process.run(
            "helm", "dependency", "build", "--", str(chart), env=env, timeout=_FETCH_SECONDS, check=False
        )
    if done.code:
        raise _fetching(f"The dependencies of chart {chart.name} cannot be fetched.", done)


def _fetching(what: str, done: process.Completed) -> Stop:
    """Stop(unreachable) where the network or the server failed, else Stop(findings)."""
    if not _UNREACHABLE.search(done.errors):
        return failed(what, done)
    return Stop(
        "unreachable",
        what,
        f"helm reported: {explanation(done)}.",
        "Run again when the server can be reached.",
    )


def explanation(done: process.Completed) -> str:
    """Helm's own sentence about its failure, on one line, without its advice about flags."""
    lines = [line.strip() for line in done.errors.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("WARNING:", "Use --debug", "walk.go", "level="))]
    return log.redact(_OURS.sub("", " ".join(lines)).removeprefix("Error: "))[:800]


def failed(what: str, done: process.Completed) -> Stop:
    """Stop(findings) that quotes helm; `file` is the place in the chart that helm names, if any."""
    reason = explanation(done)
    place = _PLACE.search(reason + " ")
    return Stop(
        "findings",
        what,
        f"helm reported: {reason or f'nothing, and ends with {done.code}'}.",
        "Correct the chart or the values and run again.",
        file=place[1] if place else None,
        line=int(place[2]) if place and place[2] else None,
    )


def _lint_messages(output: str) -> Iterator[LintMessage]:
    """Messages with their continuation lines joined."""
    current: LintMessage | None = None
    for line in output.splitlines():
        finding_line = _LINT.match(line)
        if finding_line or not line.strip() or line.startswith("==>"):
            if current:
                yield current
            current = None
        if finding_line:
            current = LintMessage(
                severity=_SEVERITIES[finding_line[1]], file=finding_line[2] or "", text=finding_line[3]
            )
        elif current:
            current = msgspec.structs.replace(current, text=f"{current.text} {line.strip()}")
    if current:
        yield current


def _repositories(chart: Path) -> list[str]:
    """HTTP repositories that Chart.lock names: helm fetches from known ones only."""
    lock = chart / "Chart.lock"
    text = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
    return sorted(set(re.findall(r"^\s*(?:- )?repository:\s*[\"']?(https?://[^\s\"']+)", text, re.MULTILINE)))


@contextmanager
def _files(
    values: Sequence[bytes], names: Sequence[str], set_files: Sequence[tuple[str, bytes]]
) -> Iterator[list[str]]:
    """Values as files of our own, called as theirs in helm's messages: helm splits the names of files at commas."""
    with tempfile.TemporaryDirectory(dir=_home()) as folder:
        flags = []
        for number, content in enumerate(values):
            name = names[number].rpartition("/")[2] if number < len(names) else ""
            path = Path(folder) / str(number) / (_UNFIT.sub("-", name)[-100:] or "values.yaml")
            path.parent.mkdir()
            path.write_bytes(content)
            flags.append(f"--values={path}")
        for number, (name, content) in enumerate(set_files):
            path = Path(folder) / f"parameter-{number}"
            path.write_bytes(content)
            flags.append(f"--set-file={name}={path}")
        yield flags


@functools.cache
def _home() -> Path:
    folder = tempfile.mkdtemp(prefix="stagegate-helm-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _environment(home: Path | None = None) -> dict[str, str]:
    home = home or _home()
    return {
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_DATA_HOME": str(home / "data"),
        "HELM_PLUGINS": str(home / "plugins"),
        "HELM_REGISTRY_CONFIG": str(home / "registry.json"),
        "HELM_REPOSITORY_CONFIG": str(home / "repositories.yaml"),
        "HELM_REPOSITORY_CACHE": str(home / "repository"),
        "HELM_DEBUG": "false",
        "KUBECONFIG": str(home / "no-cluster"),
    }
