"""doctor: finds problems before the first use, each with the command that fixes it."""
