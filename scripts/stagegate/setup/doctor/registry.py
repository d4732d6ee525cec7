"""The registry of doctor's checks: every module of `checks` defines one `CHECK`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from stagegate.setup.doctor import checks
from stagegate.setup.doctor.check import DoctorCheck


@cache
def all_checks() -> tuple[DoctorCheck, ...]:
    """Every check, by name. A module of the folder without a `CHECK` of its name is an error."""
    names = sorted(module.name for module in pkgutil.iter_modules(checks.__path__))
    return tuple(_of(name) for name in names)


def _of(name: str) -> DoctorCheck:
    check = getattr(importlib.import_module(f"{checks.__name__}.{name}"), "CHECK", None)
    if not isinstance(check, DoctorCheck) or check.name != name.replace("_", "-"):
        raise TypeError(f"{name}.py must define CHECK, a DoctorCheck with the name {name.replace('_', '-')}")
    return check
