"""Adoption: what a repository contains, which settings and workflows fit it, and what breaks on first use."""
