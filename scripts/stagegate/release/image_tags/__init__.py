"""image-tags: names for pushed images. Immutable ones for the release, floating ones only if asked for."""
