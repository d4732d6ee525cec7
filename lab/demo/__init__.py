"""`make demo`: one release from a commit to production, a broken one that stops, and the way back."""
