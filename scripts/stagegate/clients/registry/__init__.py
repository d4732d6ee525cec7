"""Container registries (OCI distribution): what exists there, by digest, and pushes that end known."""

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
