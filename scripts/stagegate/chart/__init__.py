"""The chart: render, check, package, publish."""

from stagegate.patterns import compiled_later

with compiled_later():  # its reader in Python has many, and libyaml reads here
    import yaml  # noqa: F401
