"""`stagegate.yaml`: what an adopter declares. One definition gives types, published schema and reference.

The text below a field says what it is for: it stands in docs/settings.md and in the schema that editors show.
"""

from __future__ import annotations

from stagegate.settings.app import Commands, Settings, TrustSettings
from stagegate.settings.environment import (
    ArgoCDSettings,
    Environment,
    Freeze,
    GateSettings,
    KeepChecking,
    Merge,
    PinSettings,
    PromotionSettings,
    Required,
    Window,
)
from stagegate.settings.loading import load
from stagegate.settings.notify import Channel, Notify
from stagegate.settings.reading import parse, schema
from stagegate.settings.release import (
    ChartChecks,
    ChartSettings,
    LevelLabels,
    Silence,
    VersionFile,
    Versioning,
)
from stagegate.settings.rendering import ClusterSettings, Render
from stagegate.settings.section import Duration, Name, Section, seconds
from stagegate.settings.shared_policy import Shared, extended

__all__ = [
    "ArgoCDSettings",
    "Channel",
    "ChartChecks",
    "ChartSettings",
    "ClusterSettings",
    "Commands",
    "Duration",
    "Environment",
    "Freeze",
    "GateSettings",
    "KeepChecking",
    "LevelLabels",
    "Merge",
    "Name",
    "Notify",
    "PinSettings",
    "PromotionSettings",
    "Render",
    "Required",
    "Section",
    "Settings",
    "Shared",
    "Silence",
    "TrustSettings",
    "VersionFile",
    "Versioning",
    "Window",
    "extended",
    "load",
    "parse",
    "schema",
    "seconds",
]
