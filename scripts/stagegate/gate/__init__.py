"""The gate: wait for a release in an environment, run scenarios, write evidence."""
