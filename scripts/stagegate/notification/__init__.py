"""Messages about events of a release: selection, texts and delivery."""
