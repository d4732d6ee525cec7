"""Sends the messages of a finished run. A failure here does not change the run's result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial

import msgspec

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.model import Result, moment
from stagegate.notification import issues, memory, notices, payloads, templates, webhooks
from stagegate.notification.attempts import Attempts
from stagegate.notification.notices import Notice
from stagegate.promotion import apps
from stagegate.promotion.apps import App
from stagegate.proposal import find
from stagegate.runner import log, variables
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.settings import Channel, seconds

_TEXTS = ("what", "why", "next", "version", "url")  # of a notice, where a secret could be


def send(action: str, inputs: Inputs, context: Context, result: Result, environ: Mapping[str, str]) -> None:
    """Tell every channel what it wants to hear and has not heard. Only for runs of a workflow."""
    if not context.run_id or not context.repository or inputs.dry_run:
        return
    try:
        notices_to_send = notices.of(action, result)
        is_news = bool(notices_to_send or notices.open_proposals(result))
        if is_news or notices.settled(action, result):
            memories: Memories = {}
            attempts = Attempts()
            for index, app in enumerate(_configured(inputs, context, is_news=is_news)):
                # What ended before it had an app is told once, not for every app of the repository.
                own = [
                    notice
                    for notice in notices_to_send
                    if notice.app or getattr(inputs, "app", "") or not index
                ]
                _Delivery(action, inputs, context, app, environ, (memories, attempts)).run(result, own)
    except Stop as stop:
        _warn("The notifications of this run could not be sent.", stop)
    except Exception as error:  # noqa: BLE001  a message is never a reason for a failed run
        log.annotate("warning", f"Notifications ended with {type(error).__name__}: {error}", title="notify")


# What was told, by repository and tag; without a tag, on the commit of the run. The apps of a run share it.
Memories = dict[tuple[str, str], memory.Told]


class _Delivery:
    """The messages of one app."""

    def __init__(
        self,
        action: str,
        inputs: Inputs,
        context: Context,
        app: App,
        environ: Mapping[str, str],
        shared: tuple[Memories, Attempts],
    ) -> None:
        self.action, self.inputs, self.context = action, inputs, context
        self.app, self.settings, self.environ = app, app.settings, environ
        self.memories, self.attempts = shared

    def run(self, result: Result, told: Iterable[Notice]) -> None:
        """Tell what is new, then record what is over."""
        for notice in [*map(self._placed, told), *self._waiting(result)]:
            if notice.app == self.settings.app:
                self._tell(notice)
        for part in notices.settled(self.action, result):
            if part.app == self.settings.app:
                self._settle(part)

    def _placed(self, notice: Notice) -> Notice:
        """The notice with app, environment and version of the inputs, where the run ended before it had them."""
        place = {
            name: getattr(notice, name) or getattr(self.inputs, name, "")
            for name in ("app", "environment", "version")
        }
        place["app"] = place["app"] or self.settings.app
        return msgspec.structs.replace(notice, **place)

    def _waiting(self, result: Result) -> Iterable[Notice]:
        """The proposals of this app that have been open for too long, by GitHub's clock."""
        if not any("waiting" in channel.events for channel in self.settings.notify.channels):
            return
        limit = self.settings.notify.waiting_after
        pins = hub.from_context(self.context, _pins_token(self.inputs))
        for proposal in notices.open_proposals(result):
            if proposal.app != self.settings.app:
                continue
            since = find.pushed_at(pins, proposal.branch, proposal.head)
            if since and pins.now() - moment(since) > timedelta(seconds=seconds(limit)):
                yield notices.waiting(self.action, proposal, since, limit)

    def _tell(self, notice: Notice) -> None:
        wanted = [channel for channel in self.settings.notify.channels if _wants(channel, notice)]
        if not wanted:
            return
        told = self._memory(notice.version)
        new = [channel for channel in wanted if not told.has(notice, channel)]
        sent = [channel for channel in new if self._attempt(channel, partial(self._send, channel, notice))]
        if sent:
            told.remember(notice, sent)

    def _send(self, channel: Channel, notice: Notice) -> None:
        notice = msgspec.structs.replace(
            notice, **{name: log.redact(getattr(notice, name)) for name in _TEXTS}
        )
        run_url = self.context.run_url
        if channel.kind == "issue":
            issues.tell(self._issues(channel), notice, run_url)
        else:
            templates.demand_valid(channel, self.app, self.context)
            body = payloads.body(channel, notice, self.context.repository, run_url)
            webhooks.post(channel, body, self.environ, self.attempts.seconds())

    def _settle(self, part: Result) -> None:
        """An environment is well again: an issue about it is closed, and the next failure is news."""
        channels = self.settings.notify.channels
        if not channels:
            return
        self._memory(part.version).forget(self.action, part.app, part.environment)
        if self.action == notices.GATE:
            why = f"{part.version} has passed the gate of {part.environment}."
            for channel in channels:
                if channel.kind == "issue":
                    self._attempt(channel, partial(self._close, channel, part, why))

    def _close(self, channel: Channel, part: Result, why: str) -> None:
        issues.close(self._issues(channel), part.app, part.environment, why)

    def _attempt(self, channel: Channel, effect: Callable[[], object]) -> bool:
        """Whether a channel took the message; a warning where it did not."""
        if self.attempts.is_silent(channel.key):
            return False
        try:
            effect()
        except Stop as stop:
            self.attempts.failed(channel.key, stop)
            _warn(f"The channel {channel.key} got no message.", stop)
            return False
        return True

    def _memory(self, version: str) -> memory.Told:
        """The record of messages about a version: on the commit of its tag, else on this run's commit."""
        own = self.settings.source_repository or self.context.repository
        name = self.settings.version.tag_prefix + version if version else ""
        if (own, name) not in self.memories:
            app = hub.from_context(self.context, self.inputs.token or _pins_token(self.inputs), own)
            tag = app.tag(name) if name else None
            pins = hub.from_context(self.context, _pins_token(self.inputs))
            self.memories[own, name] = (
                memory.Told(pins, self.context.sha) if tag is None else memory.Told(app, tag.target_commit)
            )
        return self.memories[own, name]

    def _issues(self, channel: Channel) -> hub.Hub:
        """The run's repository with the token that may write issues."""
        app_id, app_key = getattr(self.inputs, "app_id", ""), getattr(self.inputs, "app_key", "")
        token = variables.for_tests({channel.token}, self.environ).get(channel.token, "")
        log.mask(token)
        if not token and (app_id or app_key):
            token = hub.installation_token(
                self.context.api_url, self.context.repository, app_id, app_key, {"issues": "write"}
            )
        return hub.from_context(self.context, token or _pins_token(self.inputs))


def _configured(inputs: Inputs, context: Context, *, is_news: bool) -> list[App]:
    """The apps with channels: from the work tree, else from the default branch.

    Without news and without a work tree nothing is read.
    """
    try:
        here = apps.here(context, inputs.config)
    except Stop:
        here = ()
    if not here and not is_news:
        return []
    if not here or any("//" in app.settings.extends for app in here):
        here = apps.read(hub.from_context(context, _pins_token(inputs)), inputs.config)
    return [app for app in here if app.settings.notify.channels]


def _wants(channel: Channel, notice: Notice) -> bool:
    return notice.event in channel.events and (
        not channel.environments or notice.environment in channel.environments
    )


def _pins_token(inputs: Inputs) -> str:
    return getattr(inputs, "pins_token", "") or inputs.token


def _warn(what: str, stop: Stop) -> None:
    text = " ".join(filter(None, (what, stop.what, stop.why, stop.next)))
    log.annotate("warning", text, title="notify", file=stop.file, line=stop.line)
