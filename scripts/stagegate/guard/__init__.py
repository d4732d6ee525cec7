"""pin-guard: decides whether a pull request or merge group may merge, as far as pins are concerned."""
