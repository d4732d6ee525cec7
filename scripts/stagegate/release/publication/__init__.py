"""Publishing a GitHub release: facts, plan, apply."""
