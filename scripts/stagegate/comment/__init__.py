"""pr-command: commands that people write as comments."""
