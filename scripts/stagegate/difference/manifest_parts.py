"""What a mapping in a manifest is: an object, a pair of name and value, the template of a Secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagegate.difference import secret_fields, secret_names


def is_manifest(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping is an object of Kubernetes, or the part of a Secret that a patch or an annotation has."""
    kind = value.get("kind")
    return isinstance(kind, str) and ("apiVersion" in value or kind == "Secret")


def is_free(kind: str) -> bool:
    """Whether names are the user's own: in ConfigMaps and in texts, and not Kubernetes' fields."""
    return kind in ("", "ConfigMap")


def is_named(name: str, kind: str) -> bool:
    """Whether a name says that its plain value is secret."""
    return secret_names.is_secret(name) and (is_free(kind) or name not in secret_fields.NAMES_ONE)


def plain(name: str) -> str:
    """A name in small letters, without what parts its words."""
    return name.lower().replace("_", "").replace("-", "")


def label(value: Mapping[Any, Any]) -> str:
    """The name of a secret where a mapping is a pair of name and value, else nothing."""
    for key, item in value.items():
        if (
            plain(str(key)) in secret_fields.NAME_KEYS
            and isinstance(item, str)
            and secret_names.is_secret(item)
        ):
            return item
    return ""


def is_template(value: Mapping[Any, Any]) -> bool:
    """Whether this is the template of a Secret, and not the list of what is fetched."""
    return not isinstance(value.get("data"), list)
