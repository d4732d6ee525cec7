"""Doctor: finds what will break before the first use, each finding with the command that fixes it."""
