"""Decides whether a release may move: takes facts, returns rule results, reads and writes nothing."""
