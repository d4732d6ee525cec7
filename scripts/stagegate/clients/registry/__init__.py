"""Container registries (OCI distribution): what exists there, by digest, and pushes that end known."""

from stagegate.clients.registry.client import INDEX_TYPES, MANIFEST_TYPES, Manifest, Registry, taken
from stagegate.clients.registry.reference import Reference, chart_tag, parse
from stagegate.clients.registry.trouble import Transient

__all__ = [
    "INDEX_TYPES",
    "MANIFEST_TYPES",
    "Manifest",
    "Reference",
    "Registry",
    "Transient",
    "chart_tag",
    "parse",
    "taken",
]
