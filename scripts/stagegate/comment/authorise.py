"""Decides whether a comment command may be carried out. Pure and fail-closed: every doubt is a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stagegate.comment import parse
from stagegate.comment.command import Command
from stagegate.comment.commands import COMMANDS
from stagegate.comment.event import CommentEvent
from stagegate.comment.read import Thread
from stagegate.errors import Stop
from stagegate.marks import marks
from stagegate.model import branch_names, moment
from stagegate.policy import permissions
from stagegate.policy.permissions import ORDER
from stagegate.promotion.apps import App
from stagegate.settings.app import Allowed


def ignored(event: CommentEvent) -> str:
    """Why a comment gets no reply, or nothing. Policy decides about the comment of a bot: `ignored_bot`."""
    if not parse.begins(event.body):
        return "the comment does not begin with a command"
    if event.action != "created":
        return f"the comment was {event.action or 'changed'}, but only a new comment can be a command"
    if event.author is not None and event.author.kind not in ("User", "Bot"):
        return f"{event.author.login} is a {event.author.kind.lower()}"
    return ""


def ignored_bot(event: CommentEvent, every_app: Iterable[App]) -> str:
    """Why the comment of a bot gets no reply, or nothing. Bots could otherwise reply to each other for ever."""
    login = event.author.login if event.author else ""
    if any(permissions.is_named_bot(app.settings, login) for app in every_app):
        return ""
    return f"{login} is a bot, and `commands.bots` does not list this bot"


def check(event: CommentEvent, thread: Thread) -> None:
    """Stop(not-authorised) unless the comment is unchanged, and its author has access to the repository.

    A repeated run continues only if the reply of the first run shows that the command is not done.
    """
    comment = thread.comment
    if event.author is None:
        raise _no(
            "The author of this comment no longer exists on GitHub.",
            "A command needs an author who has a permission.",
        )
    if comment is None:
        raise _no(
            "The comment was deleted.",
            "stagegate follows a command only if the comment still exists unchanged.",
        )
    if not event.author.same(comment.author):
        raise _no(
            "The comment now has a different author.",
            "The event of this run and GitHub name different authors of the comment.",
        )
    if comment.body != event.body or comment.updated_at != comment.created_at:
        raise _no(
            "The comment was edited.",
            "stagegate ignores commands in edited comments, because other people cannot see what changed.",
        )
    if thread.permission not in ORDER[1:] and not permissions.is_bot(event.author.login):
        raise _no(
            f"{event.author.login} has no permission on this repository.",
            f"GitHub reports the permission: {thread.permission}.",
        )
    if event.attempt > 1 and thread.answer is None:
        raise _no(
            "This run was started again, and the reply of the first run is missing.",
            "It is therefore unknown whether the first run carried out the command.",
        )


def permit(event: CommentEvent, thread: Thread, command: Command, selected: Sequence[App]) -> None:
    """Stop(not-authorised) unless author and repeater of the run have the permission, and the place is open."""
    pull, required = thread.pull, least(selected, command)
    accounts = {event.author.login if event.author else "": thread.permission}
    if event.repeated_by:
        accounts |= {event.repeated_by: thread.repeater_permission or "none"}
    for login, permission in accounts.items():
        if permissions.is_bot(login):
            _permit_bot(login, command, selected)
        elif ORDER.index(permission) < ORDER.index(required):
            raise Stop(
                "not-authorised",
                f"{login} has no permission for /{command.name}.",
                f"The command requires {required}, and GitHub reports the permission {permission} for {login}.",
                "Ask a person who has this permission, or change `commands` in the settings.",
            )
    if COMMANDS[command.name].only_reads:
        return
    if not event.is_open or (pull is not None and pull.state != "open"):
        raise _no(
            "This pull request or issue is closed.", "Commands only work on open issues and pull requests."
        )
    if event.is_pull and pull is None:
        raise _no(
            "The pull request cannot be found.",
            "A command is only valid for the head of its pull request, and this head is unknown.",
        )
    if pull is not None and pull.head_repository != thread.repository:
        raise _no(
            "This pull request comes from a fork.",
            "Commands only work on pull requests from a branch of this repository.",
        )


def bound(thread: Thread, selected: Iterable[App], command: Command) -> str:
    """The head that a command on its own promotion is bound to; empty elsewhere. Stop(stale-base).

    A head newer than the comment is one that its author cannot have seen.
    """
    pull, comment = thread.pull, thread.comment
    if pull is None or comment is None or COMMANDS[command.name].only_reads:
        return ""
    if not any(pull.head_ref in own_branches(app, command.environment) for app in selected):
        return ""
    if not thread.head_at or moment(thread.head_at) > moment(comment.created_at):
        raise Stop(
            "stale-base",
            f"#{pull.number} changed after the comment.",
            f"The head {pull.head_sha[:12]} of the pull request is newer than the comment, so the "
            "author of the comment cannot have seen this head.",
            "Review the pull request again, and write the command again.",
        )
    return pull.head_sha


def own_branches(app: App, environment: str) -> tuple[str, ...]:
    """Branches of the promotion and of the rollback of an app into an environment (all of them when empty)."""
    name = app.settings.app
    names = [place.name for place in app.settings.environments]
    places = [environment] if environment and environment != marks.ALL else names
    return tuple(branch for place in places for branch in branch_names.both(name, place))


def least(selected: Iterable[App], command: Command) -> str:
    """The permission that a command requires: the strongest one where several apps are meant.

    Where policy names teams or logins, or a person may lift their own hold, being able to read is enough here, and
    who exactly may is decided when the command is carried out.
    """
    definition = COMMANDS[command.name]
    if definition.permission is None:
        return "read"
    required = []
    for app in selected:
        allowed = definition.permission(app.settings.commands)
        if definition.permission_for_own is not None:
            allowed = permissions.joined(allowed, definition.permission_for_own(app.settings.commands))
        required.append(_lowest(allowed))
    return max(required, key=ORDER.index)


def _permit_bot(login: str, command: Command, selected: Sequence[App]) -> None:
    """Stop(not-authorised) unless the policy of each app names the bot; reading needs no permission."""
    for app in selected:
        if not COMMANDS[command.name].only_reads and not permissions.is_named_bot(app.settings, login):
            raise permissions.refusal_of_bot(app.settings, login, command.name)


def _lowest(allowed: Allowed) -> str:
    if permissions.teams(allowed) or permissions.names(allowed):
        return "read"
    return permissions.lowest(allowed) or "admin"


def _no(what: str, why: str) -> Stop:
    return Stop(
        "not-authorised", what, why, "Write the command in a new comment on an open pull request or issue."
    )
