"""Links between rendered objects: for each kind of object, whether its targets exist."""
