"""stagegate takes a release from build to production with GitHub Actions and Argo CD.

docs/architecture.md explains which folder holds what, and which may import which.
"""

__version__ = "0.1.0"
REPOSITORY = "acme/stagegate"  # on github.com; where bugs are reported
