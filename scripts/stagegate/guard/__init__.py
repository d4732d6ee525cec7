"""pin-guard: may this pull request (or merge group) merge, as far as pins are concerned?"""
