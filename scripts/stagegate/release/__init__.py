"""Makes a release: version, commit, tag, GitHub release."""
