"""The helm program, 3.14 to 4.x, and its `template`. Its home is private to this process.

Nothing of the user's helm is read (repositories, plugins, logins), so two runners render the same.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stagegate.clients import helm_version, process
from stagegate.errors import Stop
from stagegate.patterns import pattern
from stagegate.runner import log
from stagegate.versions import Version

if TYPE_CHECKING:  # registry clients are loaded only to fetch charts
    pass

INSTALL = "Add the step `uses: azure/setup-helm`, or install helm from https://helm.sh/docs/intro/install/."
OLDEST, TOO_NEW = Version(3, 14), Version(5)
OUTPUT_LIMIT = 64 << 20
SECONDS = 120.0
_NOT_YAML = pattern(r"YAML parse error|error converting YAML|unable to parse|error parsing")
_UNFIT = pattern(r"[^\w.-]+", re.ASCII)  # characters with a meaning for --values or a file system
OURS = pattern(r"[^\s\"']*/stagegate-helm-[^/\s]+/[^/\s]+/(?:\d+/)?")  # the private folder of values
_PLACE = pattern(r"\b[\w.-]+/((?:charts/[\w.-]+/)*templates/[^:\s()]+?)(?::(\d+)(?::\d+)?)?[:)\s]")


@functools.cache
def version() -> str:
    """Version of the helm on PATH, without v. Stop(missing-tool) when there is none or it does not fit."""
    program = process.require("helm", INSTALL)
    remembered = helm_version.remembered(program)
    if _fits(remembered):
        return remembered
    completed = process.run(
        "helm", "version", "--template", "{{.Version}}", env=environment(), timeout=30, check=False
    )
    text = completed.text.strip().removeprefix("v")
    if not _fits(text):
        raise Stop(
            "missing-tool",
            f"The helm on PATH is {text[:40] or 'of unknown version'}.",
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
    with values_files(values, names, set_files) as files:
        argv = ["helm", "template", *files, *flags, "--", release_name, str(chart)]
        completed = _bounded(argv)
        if completed.code and keep_broken and _NOT_YAML.search(completed.errors):
            # Helm prints broken documents only with --debug.
            debugged = _bounded([*argv[:2], "--debug", *argv[2:]])
            completed = msgspec.structs.replace(debugged, code=0) if debugged.stdout.strip() else completed
    if completed.code:
        raise failed(f"Chart {chart.name} does not render.", completed)
    if len(completed.stdout) > OUTPUT_LIMIT:
        raise Stop(
            "findings",
            f"Chart {chart.name} renders to more than {OUTPUT_LIMIT >> 20} MiB.",
            "No cluster accepts this much, so stagegate stops at this size.",
            "Look for a loop in the templates of the chart.",
        )
    try:
        return completed.stdout.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Stop(
            "findings",
            f"Chart {chart.name} renders to something that is not UTF-8.",
            "A template includes a binary file without encoding it.",
            "Encode the binary file with b64enc in the template.",
        ) from error


def _bounded(argv: Sequence[str]) -> process.Completed:
    """Run helm with limits of time and memory, because a chart is untrusted code."""
    return process.run_bounded(
        *argv,
        cwd=Path.cwd(),
        env={**os.environ, **environment()},
        timeout=SECONDS,
        keep=OUTPUT_LIMIT + 1,
    )


def explanation(completed: process.Completed) -> str:
    """Helm's error message on one line, without its advice about flags."""
    lines = [line.strip() for line in completed.errors.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("WARNING:", "Use --debug", "walk.go", "level="))]
    return log.redact(OURS.sub("", " ".join(lines)).removeprefix("Error: "))[:800]


def failed(what: str, completed: process.Completed) -> Stop:
    """Stop(findings) that quotes helm; `file` is the place in the chart that helm names, if any."""
    reason = explanation(completed)
    place = _PLACE.search(reason + " ")
    return Stop(
        "findings",
        what,
        f"helm reported: {reason or f'nothing, and ends with {completed.code}'}.",
        "Correct the chart or the values, then run the job again.",
        file=place[1] if place else None,
        line=int(place[2]) if place and place[2] else None,
    )


@contextmanager
def values_files(
    values: Sequence[bytes], names: Sequence[str], set_files: Sequence[tuple[str, bytes]]
) -> Iterator[list[str]]:
    """Values in files with safe names, because helm splits names at commas.

    Messages get the original names back.
    """
    with tempfile.TemporaryDirectory(dir=private_home()) as folder:
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
def private_home() -> Path:
    """A folder for helm that is removed when this process ends."""
    folder = tempfile.mkdtemp(prefix="stagegate-helm-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def environment(home: Path | None = None) -> dict[str, str]:
    """Variables that give helm a private home, so that it reads nothing of the user's."""
    home = home or private_home()
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
