"""image-tags: tags for pushed images. Immutable ones for the release, floating ones only on request."""
