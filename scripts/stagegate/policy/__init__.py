"""Decides whether a release may move: facts in, results of rules out, nothing read or written."""
