"""The chart: render, check, package, publish."""
