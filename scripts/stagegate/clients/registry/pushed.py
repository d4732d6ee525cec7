"""Checks that the images of a release were pushed."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.clients.registry.client import Registry
from stagegate.clients.registry.reference import parse
from stagegate.errors import Stop


def demand(images: Mapping[str, str], store: Registry) -> None:
    """Every image (name -> digest) exists in its registry. Stop(bad-input) naming the one that does not."""
    for image, digest in images.items():
        if store.digest(parse(image).at(digest)) is None:
            raise Stop(
                "bad-input",
                f"{image}@{digest} is not in the registry.",
                "A release may contain only images that the registry already has.",
                "Push the images first, and pass the digests that the push printed.",
            )
