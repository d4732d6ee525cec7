"""The promotion: rules, pins, marks, pull request."""
