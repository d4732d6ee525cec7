"""The chart: render, check, package, publish."""

from stagegate.patterns import compiled_later

with compiled_later():  # its Python parser has many patterns, and libyaml is used instead
    import yaml  # noqa: F401
