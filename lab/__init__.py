"""A GitHub, a registry, an Argo CD and a cluster small enough to start in a second."""
