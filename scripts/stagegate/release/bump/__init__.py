"""version-bump: decides the next version, and makes its commit and tag."""
