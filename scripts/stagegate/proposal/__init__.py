"""The pull request of a promotion: branch, body, labels, writing and merging."""
