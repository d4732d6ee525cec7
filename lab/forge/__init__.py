"""A fake GitHub over bare repositories: REST, GraphQL, Git over HTTP, permissions, rules, events, faults.

Validated against GitHub's public documentation; it contains the refusals that a promotion can get, not all of
GitHub.
"""

from lab.forge.forge import Forge
from lab.forge.records import Deployment, PullRequest, Release
from lab.forge.state import Repository
from lab.forge.values import App, Call, Event, User

Repo = Repository

__all__ = [
    "App",
    "Call",
    "Deployment",
    "Event",
    "Forge",
    "PullRequest",
    "Release",
    "Repo",
    "Repository",
    "User",
]
