"""Text for people: templates, summary, status page. Made from model values only."""
