"""Runs the commands of doctor's findings on the forge, with the values that only a person knows."""

from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from lab.forge import Forge
from stagegate.actions import doctor
from stagegate.runner.boundary import entrypoint
from tests.setup.bare_repositories import git
from tests.setup.test_init import alone

Finding = Mapping[str, str]
_SET = re.compile(r"gh (variable|secret) set (\w+)(?: --env (\S+))? --repo ([\w.-]+/[\w.-]+)")
_LINES = re.compile(r"printf '([^']*)' \| gh secret set (\w+) --env (\S+) --repo ([\w.-]+/[\w.-]+)")
_ENVIRONMENT = re.compile(r"gh api --method PUT repos/([\w.-]+/[\w.-]+)/environments/(\S+)")
_TAG = re.compile(r"git tag -a (\S+) -m \S+ <commit of \S+> && git push origin (\S+)")
_WRITE = re.compile(r"Write `([^`]+)` (?:under `([\w.]+)`|for (\S+)) in (\S+?)\.(?: |$)")


class Held(defaultdict[str, dict[str, str]]):
    """Variables or secrets by GitHub Environment; those of the repository are under the empty name."""

    def __init__(self) -> None:
        super().__init__(dict)

    def seen(self) -> dict[str, dict[str, str]]:
        """The values for a job of each Environment: its own, and those of the repository."""
        return {name: {**self[""], **own} for name, own in {"stagegate": {}, **self}.items()}


@dataclass(frozen=True)
class Adviser:
    """An administrator who runs doctor in a clone of a repository and applies its advice.

    `value(repository, environment, name)` is what this person knows. `variables` and `secrets` are by repository.
    """

    forge: Forge
    repository: str
    clone: Path
    value: Callable[[str, str, str], str]
    variables: Mapping[str, Held]
    secrets: Mapping[str, Held]

    def findings(self) -> list[Finding]:
        """The findings of doctor."""
        said, url = StringIO(), self.forge.url
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
            alone(patch, self.clone)
            for name, value in {"API": url, "GRAPHQL": f"{url}/graphql", "SERVER": url}.items():
                patch.setenv(f"GITHUB_{name}_URL", value)
            patch.setenv("GITHUB_REPOSITORY", self.repository)
            token = self.forge.token("octo-admin")
            entrypoint("doctor", doctor.Doctor, doctor.main, argv=[f"--token={token}"])
        (line,) = [one for one in said.getvalue().splitlines() if one.startswith("findings=")]
        found: list[Finding] = json.loads(line.removeprefix("findings="))
        return found

    def obeyed(self, one: Finding) -> bool:
        """Apply the fix of a finding; false for a fix that is neither a command nor a line to write."""
        fix = str(one["fix"])
        if made := _ENVIRONMENT.match(fix):
            self.forge.environment(made[1], made[2], branches=["main"])
        elif tag := _TAG.match(fix):  # of these newcomers only the commit before the adoption is known
            git(self.clone, "tag", "-a", tag[1], "-m", tag[1], "HEAD")
            found = self.forge.world.find(self.repository)
            assert found is not None
            git(self.clone, "push", "-q", str(found.path), tag[2])
        elif edit := _WRITE.match(fix):
            _write(self.clone / edit[4], edit[1], edit[2] or "", edit[3] or "")
        elif lines := _LINES.match(fix):
            text, name, environment, repository = lines.groups()
            names = [line.partition("=")[0] for line in text.split("\\n")]
            held = {each: self.value(repository, _bare(environment), each) for each in names}
            self._set("secret", repository, environment, name, "\n".join(f"{k}={v}" for k, v in held.items()))
        else:
            for kind, name, environment, repository in _SET.findall(fix):
                value = self.value(repository, _bare(environment), name)
                self._set(kind, repository, environment, name, value)
            return bool(_SET.search(fix))
        return True

    def _set(self, kind: str, repository: str, environment: str, name: str, text: str) -> None:
        """`gh variable set` or `gh secret set`."""
        place = _bare(environment)
        (self.variables if kind == "variable" else self.secrets)[repository][place][name] = text
        if kind == "variable":
            self.forge.variable(repository, name, text, environment=place)
        else:
            self.forge.secret(repository, name, environment=place)


def _write(file: Path, line: str, keys: str, item: str) -> None:
    """Add a line to a YAML file: below the key of a path such as `spec.template.spec`, or to the item of a name."""
    lines = file.read_text().splitlines(keepends=True)
    place, indent = -1, ""
    for key in keys.split(".") if keys else [f"- name: {item}"]:
        wanted = re.compile(rf"( *){re.escape(key)}{':' if keys else ''}(?: #.*)?\n")
        place, indent = next(
            (number, found[1])
            for number, text in enumerate(lines)
            if number > place and (found := wanted.fullmatch(text)) and len(found[1]) >= len(indent)
        )
    lines.insert(place + 1, f"{indent}  {line}\n")
    file.write_text("".join(lines))


def _bare(word: str) -> str:
    """A word of a command without its quotes."""
    return shlex.split(word)[0] if word else ""
