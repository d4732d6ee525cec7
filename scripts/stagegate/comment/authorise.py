"""May this comment be obeyed? Pure, and closed by default: every doubt is a refusal with its reason."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.comment import parse
from stagegate.comment.parse import Command
from stagegate.comment.read import Asked, Scene
from stagegate.errors import Stop
from stagegate.marks import marks
from stagegate.model import moment
from stagegate.policy.permissions import ORDER
from stagegate.promotion.apps import App
from stagegate.proposal import names

_READING = ("status", "help")


def ignored(asked: Asked) -> str:
    """Why a comment is passed over in silence, or nothing. Bots would answer each other for ever."""
    if not parse.begins(asked.body):
        return "the comment does not begin with a command"
    if asked.action != "created":
        return f"the comment was {asked.action or 'changed'}, and only a new one is a command"
    if asked.author is not None and asked.author.kind != "User":
        return f"{asked.author.login} is a {asked.author.kind.lower()}"
    return ""


def check(asked: Asked, scene: Scene) -> None:
    """Stop(not-authorised) unless the comment stands as it was written, by somebody who may see the repository.

    A run that is repeated goes on only where our answer says that it is not done: without one nobody knows.
    """
    comment = scene.comment
    if asked.author is None:
        raise _no(
            "The comment's author is not known to GitHub any more.",
            "A command needs somebody who may give it.",
        )
    if comment is None:
        raise _no("The comment is not there any more.", "It was deleted after it was written.")
    if not asked.author.same(comment.author):
        raise _no("The comment has another author now.", "The event and GitHub disagree.")
    if comment.body != asked.body or comment.updated_at != comment.created_at:
        raise _no("The comment was edited.", "Only what was written first can be a command.")
    if scene.permission not in ORDER[1:]:
        raise _no(f"{asked.author.login} has no right here.", f"GitHub says {scene.permission}.")
    if asked.attempt > 1 and scene.answer is None:
        raise _no(
            "This run is a repetition, and the answer of the first is not there.",
            "So nobody can say whether the command was carried out already.",
        )


def permit(asked: Asked, scene: Scene, command: Command, least: str) -> None:
    """Stop(not-authorised) unless the author, and who repeats the run, has the right where commands are taken."""
    pull = scene.pull
    people = {asked.author.login if asked.author else "": scene.permission}
    if asked.again:
        people |= {asked.again: scene.again or "none"}
    for login, has in people.items():
        if ORDER.index(has) < ORDER.index(least):
            raise Stop(
                "not-authorised",
                f"{login} may not /{command.name}.",
                f"It needs {least}, and GitHub says {has}.",
                "Ask somebody who has it, or change `commands` in the settings.",
            )
    if command.name in _READING:
        return
    if not asked.is_open or (pull is not None and pull.state != "open"):
        raise _no(
            "This pull request or issue is closed.", "Commands are only taken where the talk is still open."
        )
    if asked.is_pull and pull is None:
        raise _no("The pull request cannot be found.", "What the command is bound to is not known.")
    if pull is not None and pull.head_repository != scene.repository:
        raise _no(
            "This pull request comes from a fork.", "Commands are only taken in the repository's own ones."
        )


def bound(scene: Scene, meant: Iterable[App], command: Command) -> str:
    """The head that a command on its own promotion is bound to; empty elsewhere. Stop(stale-base).

    A head newer than the comment is one that its author cannot have seen.
    """
    pull, comment = scene.pull, scene.comment
    if pull is None or comment is None or command.name in _READING:
        return ""
    if not any(pull.head_ref in own_branches(app, command.environment) for app in meant):
        return ""
    if not scene.head_at or moment(scene.head_at) > moment(comment.created_at):
        raise Stop(
            "stale-base",
            f"#{pull.number} changed after the comment.",
            f"Its head {pull.head_sha[:12]} is newer, so the comment cannot be about it.",
            "Look at it again, and write the command again.",
        )
    return pull.head_sha


def own_branches(app: App, environment: str) -> tuple[str, ...]:
    """Branches of the promotion and of the rollback of an app into an environment (all of them when empty)."""
    name = app.settings.app
    every = [place.name for place in app.settings.environments]
    places = [environment] if environment and environment != marks.ALL else every
    return tuple(
        branch for place in places for branch in (names.promotion(name, place), names.rollback(name, place))
    )


def least(meant: Iterable[App], command: Command) -> str:
    """The right that policy asks for, the strongest where several apps are meant; reading needs only `read`."""
    if command.name in _READING:
        return "read"
    wanted: list[str] = [getattr(app.settings.commands, command.name) for app in meant]
    return max(wanted, key=ORDER.index)


def _no(what: str, why: str) -> Stop:
    return Stop(
        "not-authorised", what, why, "Write the command in a new comment on an open pull request or issue."
    )
