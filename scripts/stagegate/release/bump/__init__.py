"""version-bump: which version comes next, and the commit and tag that make it."""
