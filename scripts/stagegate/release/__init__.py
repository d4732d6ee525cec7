"""The first stretch: version, commit, tag, GitHub release."""
