"""The channels for messages; without channels, none are sent."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, get_args

import msgspec

from stagegate.patterns import pattern
from stagegate.settings.section import Duration, Name, Section

NoticeEvent = Literal["proposal", "refusal", "failure", "rollback", "waiting"]
ChannelKind = Literal["slack", "teams", "webhook", "issue"]
EVENTS: tuple[NoticeEvent, ...] = get_args(NoticeEvent)
Variable = Annotated[str, msgspec.Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
PLACEHOLDERS = (
    "event", "title", "text", "what", "why", "next", "app", "environment", "version", "action", "reason",
    "repository", "url", "run",
)  # fmt: skip
LONGEST = 20_000  # characters of a template
_NAMED = pattern(r"\{([a-z-]+)\}")


class Channel(Section, frozen=True, kw_only=True):
    """One place that messages go to."""

    kind: ChannelKind
    """`slack`: an incoming webhook. `teams`: a Workflows webhook, which accepts Adaptive Cards. `webhook`:
    any address that accepts JSON. `issue`: one GitHub issue for each environment of an app."""
    url: Variable | Literal[""] = ""
    """Name of the variable with the webhook's address, such as `SLACK_URL`: a line of the secret
    `STAGEGATE_VARIABLES`, or a variable of the job. The host must be in `STAGEGATE_HOSTS`. The
    type `issue` does not use this key."""
    token: Variable | Literal[""] = ""
    """Only for the type `issue`: name of the variable with a token that has `issues: write`. Default: a token of
    the GitHub App (`app-id`, `app-key`), or the job's own token without an App."""
    events: tuple[NoticeEvent, ...] = EVENTS
    """The events that this channel gets. Default: every event."""
    environments: tuple[Name, ...] = ()
    """The environments whose events this channel gets. Default: every environment."""
    template: str = ""
    """For the type `webhook`: the JSON of the message, with placeholders such as `{title}` inside its
    strings. Default: an object with every placeholder as a key. At most 20000 characters. If the template has
    a mistake, no message is sent, but the result of the run does not change."""

    @property
    def key(self) -> str:
        """What tells this channel from others of the same settings."""
        return self.url or self.kind


class Notify(Section, frozen=True, kw_only=True):
    """Messages about what happens to releases. A message that cannot be delivered never fails a run."""

    channels: tuple[Channel, ...] = ()
    """The channels that get messages. Default: none."""
    waiting_after: Duration = "1d"
    """How long a proposal may be open before the event `waiting` is sent. stagegate checks this time when it
    evaluates open proposals, so a workflow must run the evaluation by `schedule`."""


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders replaced, each escaped for a JSON string."""
    import json  # only where a channel has a template

    return _NAMED.sub(
        lambda match: json.dumps(values[match[1]])[1:-1] if match[1] in values else match[0], template
    )


def contradictions(notify: Notify) -> Iterator[tuple[int, str]]:
    """What the types of a channel cannot express: the channel's index and a sentence."""
    keys = [channel.key for channel in notify.channels]
    for index, channel in enumerate(notify.channels):
        is_issue = channel.kind == "issue"
        if is_issue == bool(channel.url):
            yield index, f"a channel of kind {channel.kind} {'has no' if is_issue else 'needs'} `url`"
        if channel.token and not is_issue:
            yield index, "`token` is only allowed for a channel of the type `issue`"
        if keys.index(channel.key) != index:
            yield index, f"two channels use the variable {channel.key}"
        if channel.template and channel.kind != "webhook":
            yield index, "`template` is only allowed for a channel of the type `webhook`"


def template_mistake(template: str) -> str:
    """What is wrong in a template, in one sentence; empty where nothing is.

    Such a mistake does not make the settings invalid, because a message never fails a run.
    """
    import json

    if len(template) > LONGEST:
        return f"The template has {len(template)} characters, but the limit is {LONGEST}."
    unknown = [name for name in _NAMED.findall(template) if name not in PLACEHOLDERS]
    if unknown:
        return f"{{{unknown[0]}}} is not a placeholder; the placeholders are {', '.join(PLACEHOLDERS)}."
    try:
        json.loads(filled(template, dict.fromkeys(PLACEHOLDERS, "x")))
    except (ValueError, RecursionError) as error:
        return f"The template is not JSON ({error}); write placeholders inside strings."
    return ""


def template_line(content: bytes, channel: Channel) -> int:
    """The line of a channel's template in a settings file; 0 where the file does not have the channel."""
    from stagegate import declared

    notify = declared.mapping(content, "").get("notify")
    channels = notify.get("channels") if isinstance(notify, dict) else None
    for index, one in enumerate(channels if isinstance(channels, list) else ()):
        if isinstance(one, dict) and one.get("url") == channel.url and "template" in one:
            return declared.line(declared.compose(content), ("notify", "channels", index, "template"))
    return 0
