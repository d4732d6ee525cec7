"""stagegate audit: who let what in, when, and by which rules; from Git and GitHub alone."""
