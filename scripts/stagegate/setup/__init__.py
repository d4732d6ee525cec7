"""Adoption: surveys a repository, proposes settings and workflows, and finds what breaks on first use."""
