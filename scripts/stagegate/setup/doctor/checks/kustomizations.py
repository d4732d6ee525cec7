"""kustomizations: each pinned kustomization builds: its files exist and can be read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.setup.doctor.check import DoctorCheck
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.migration import broken


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """The findings of `stagegate migrate` in the folder of each pinned kustomization."""
    folders = {
        posixpath.dirname(pin_files.file_of(pin))
        for _, _, environment in facts.places
        for pin in environment.pins
        if pin_files.is_kustomization(pin_files.file_of(pin))
    }
    for folder in sorted(folders):
        for mistake in broken.find(facts.tree, folder):
            yield msgspec.structs.replace(mistake, severity="error")


CHECK = DoctorCheck(
    name="kustomizations",
    looks_at="Pinned kustomizations and the files they use: whether a file is missing or cannot be read",
    cure="Correct the file.",
    check=check,
)
