"""Messages about what happened to a release: which, their words, and their delivery."""
