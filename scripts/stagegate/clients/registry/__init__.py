"""Container registries (OCI distribution): reading artifacts by digest, and pushes with a known result."""

from stagegate.clients.registry.client import Registry, taken
from stagegate.clients.registry.manifest import Manifest
from stagegate.clients.registry.reference import Reference, chart_tag, parse
from stagegate.clients.registry.trouble import Transient

__all__ = [
    "Manifest",
    "Reference",
    "Registry",
    "Transient",
    "chart_tag",
    "parse",
    "taken",
]
