"""The checks of doctor. Every file of this folder defines one `CHECK`."""
