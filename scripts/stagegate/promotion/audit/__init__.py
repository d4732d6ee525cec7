"""stagegate audit: every promotion with its people, time and rules, from Git and GitHub alone."""
