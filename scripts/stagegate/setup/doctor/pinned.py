"""Reads the pins of an environment from the work tree."""

from __future__ import annotations

from stagegate import pins
from stagegate.errors import Stop
from stagegate.pins import PinFile
from stagegate.pins import files as pin_files
from stagegate.settings import Environment, PinSettings, Settings
from stagegate.setup.doctor.facts import DoctorFacts


def read(facts: DoctorFacts, settings: Settings, environment: Environment, pin: str | PinSettings) -> PinFile:
    """One pin with its places. Stop(missing-file), or the Stop of the reader of pins."""
    file = pin_files.file_of(pin)
    content = facts.tree.file(file)
    if content is None:
        raise Stop(
            "missing-file",
            f"There is no {file}.",
            f"The settings list this file under `pins` of {environment.name}.",
            "Add the file, or correct `pins`.",
            file=file,
        )
    return pins.read(pin, content, settings, environment)
