"""One issue for each environment of an app: opened by the first event, closed by a passed gate."""

from __future__ import annotations

from stagegate import markdown
from stagegate.clients import hub
from stagegate.notification.notices import Notice


def title(app: str, environment: str) -> str:
    """The issue's title, by which it is found again."""
    return f"stagegate: {app} in {environment}" if environment else f"stagegate: {app}"


def tell(github: hub.Hub, notice: Notice, run_url: str) -> None:
    """Open the issue, or put the event below the open one."""
    text = _body(notice, run_url)
    existing = _open(github, title(notice.app, notice.environment))
    if existing is None:
        github.open_issue(title(notice.app, notice.environment), text)
    elif existing.body.strip() != text.strip():
        github.comment(existing.number, text)
        github.edit_issue(existing.number, body=text)


def close(github: hub.Hub, app: str, environment: str, why: str) -> bool:
    """Close the open issue with a sentence; False where none is open."""
    existing = _open(github, title(app, environment))
    if existing is None:
        return False
    github.comment(existing.number, str(markdown.neutral(why)))
    github.edit_issue(existing.number, state="closed")
    return True


def _open(github: hub.Hub, wanted: str) -> hub.Issue | None:
    return next((issue for issue in github.open_issues() if issue.title == wanted), None)


def _body(notice: Notice, run_url: str) -> str:
    parts = [markdown.neutral(part) for part in (notice.what, notice.why, notice.next) if part]
    links = [markdown.link(word, url) for word, url in (("Open", notice.url), ("Run", run_url)) if url]
    head = f"**{notice.event.capitalize()}** {markdown.code(notice.reason)} {markdown.cell(notice.version)}"
    return "\n\n".join([head.rstrip(), *map(str, parts), " · ".join(map(str, links))]).strip() + "\n"
