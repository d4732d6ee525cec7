"""Application documents of Argo CD: their status and what they render from."""
