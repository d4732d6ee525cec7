"""The registry of pin shapes: every module of this folder that defines `SHAPE`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from stagegate.pins.shape import Shape


@cache
def all_shapes() -> tuple[Shape, ...]:
    """Every shape, in the order in which they are tried."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    shapes = [module.SHAPE for module in modules if hasattr(module, "SHAPE")]
    return tuple(sorted(shapes, key=lambda shape: (shape.order, shape.name)))


def document_shapes() -> tuple[Shape, ...]:
    """The shapes that read a whole document."""
    return tuple(shape for shape in all_shapes() if shape.places)


def source_shapes() -> tuple[Shape, ...]:
    """The shapes that read one Argo CD source."""
    return tuple(shape for shape in all_shapes() if shape.source_places)
