"""Loads `stagegate.yaml` from a work tree, with the shared policy that lies in the same tree."""

from __future__ import annotations

from pathlib import Path, PurePath

from stagegate.errors import Stop
from stagegate.settings import shared_policy
from stagegate.settings.app import Settings
from stagegate.settings.reading import parse


def load(path: Path, file: str) -> Settings:
    """Settings from a file of a work tree; `file` is its path there. Stop(missing-file), Stop(bad-settings).

    Shared policy of the same work tree is below them. That of another repository is not, because policy is only
    read from a default branch.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        if "*" in file or "?" in file:
            raise Stop(
                "missing-file",
                f"{file} is a pattern for several files, but this action reads the settings of one app.",
                "Only promote-pr, pin-guard, pr-command, version-bump and status-report accept "
                "several apps at once.",
                "Set the input `config` to one file.",
            ) from error
        raise Stop(
            "missing-file",
            f"The file {file} does not exist.",
            "Every action reads its settings from this file.",
            "Check out the repository first, or set the input `config` to the settings file.",
        ) from error
    except OSError as error:
        raise Stop(
            "missing-file",
            f"{file} cannot be read.",
            f"{error.strerror}.",
            "Make sure that the path is a readable file.",
        ) from error
    settings = parse(content, file)
    if settings.extends and "//" not in settings.extends:
        root = path.parents[len(PurePath(file).parts) - 1]
        return shared_policy.extended(content, file, shared_policy.beside(root, settings.extends))
    return settings
