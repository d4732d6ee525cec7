"""publish-release: publishes a GitHub release."""
