"""Text for people: templates, summaries, the status page. Made from model values only."""
