"""A GitHub stand-in over bare repositories: REST, GraphQL, git over HTTP, rights, rules, events, faults.

Validated against GitHub's public documentation; it holds the refusals a promotion meets, not all of GitHub.
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
