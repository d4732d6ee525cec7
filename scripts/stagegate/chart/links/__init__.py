"""Links between rendered objects: what each object of a kind points at, and whether that is there."""
