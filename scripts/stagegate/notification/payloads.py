"""Builds the payload of each kind of channel from one notice. Foreign text is escaped in all of them.

Registered secrets are hidden in every text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from stagegate.notification.notices import Notice
from stagegate.runner import log
from stagegate.settings import Channel
from stagegate.settings.notify import filled

_HEADER, _SECTION = 150, 3000  # characters; Slack refuses longer blocks
_CARD = 6000  # characters of one text; a Teams message of more than 28 KB is refused


def body(channel: Channel, notice: Notice, repository: str, run_url: str) -> bytes:
    """The JSON that is posted to a channel."""
    return FORMS[channel.kind](channel, _values(notice, repository, run_url))


def _values(notice: Notice, repository: str, run_url: str) -> dict[str, str]:
    """The placeholders of a template with their values."""
    values = {
        "event": notice.event,
        "title": notice.title,
        "text": notice.text,
        "what": notice.what,
        "why": notice.why,
        "next": notice.next,
        "app": notice.app,
        "environment": notice.environment,
        "version": notice.version,
        "action": notice.action,
        "reason": notice.reason,
        "repository": repository,
        "url": notice.url or run_url,
        "run": run_url,
    }
    return {name: log.redact(value) for name, value in values.items()}


def _webhook(channel: Channel, values: Mapping[str, str]) -> bytes:
    """The channel's template filled, or every placeholder as a key."""
    cut = {name: _cut(value, _CARD) for name, value in values.items()}
    return (filled(log.redact(channel.template), cut) if channel.template else json.dumps(cut)).encode()


def _slack(_: Channel, values: Mapping[str, str]) -> bytes:
    """Block Kit: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/"""
    links = " · ".join(
        f"<{values[name]}|{word}>" for name, word in (("url", "Open"), ("run", "Run")) if values[name]
    )
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(values["title"], _HEADER)}},
        {"type": "section", "text": {"type": "plain_text", "text": _cut(values["text"], _SECTION)}},
    ]
    foot = f"{_escaped(values['repository'])} · `{values['reason']}`{' · ' if links else ''}{links}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": foot}]})
    text = _escaped(_cut(f"{values['title']}. {values['what']}", _SECTION))
    return json.dumps({"text": text, "blocks": blocks}).encode()


def _teams(_: Channel, values: Mapping[str, str]) -> bytes:
    """An Adaptive Card in the envelope of a Workflows webhook. A RichTextBlock shows text without Markdown.

    https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    """
    facts = [("App", "app"), ("Version", "version"), ("Environment", "environment"), ("Reason", "reason")]
    rows = [{"title": word, "value": values[name]} for word, name in facts if values[name]]
    links = [("Open", values["url"]), ("Run", values["run"])]
    actions = [
        {"type": "Action.OpenUrl", "title": word, "url": url}
        for word, url in links
        if url and (word == "Open" or url != values["url"])
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [
            _rich(values["title"], size="Large", weight="Bolder"),
            _rich(_cut(values["text"], _CARD)),
            {"type": "FactSet", "facts": rows},
        ],
        "actions": actions,
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return json.dumps({"type": "message", "attachments": [attachment]}).encode()


def _rich(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _escaped(text: str) -> str:
    """Slack reads `&`, `<` and `>`: `<!channel>` would call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# How a message to each kind of channel is written; `issue` has no address, and `issues` writes it.
FORMS: Mapping[str, Callable[[Channel, Mapping[str, str]], bytes]] = {
    "slack": _slack,
    "teams": _teams,
    "webhook": _webhook,
}
