"""What every section of `stagegate.yaml` is made of."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(title="name", pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
Duration = Annotated[
    str, msgspec.Meta(title="duration", pattern=r"^[0-9]+(s|m|h|d)$", examples=["30m", "20s", "1h"])
]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """Seconds of a duration such as `20m`; the pattern of `Duration` has been checked."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


class Section(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Kebab-case keys, unknown keys refused."""
