"""image-tags: tags pushed images. Tags of the release never move; floating tags are set only on request."""
