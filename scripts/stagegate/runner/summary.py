"""The beginning of every job summary and every reply: one line with the result, why, and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stagegate.errors import VERDICTS, Outcome
from stagegate.markdown import Safe, cell, link, neutral
from stagegate.model import Message, Result

MARKS: Mapping[Outcome | None, str] = {
    "done": "✅",
    "nothing-to-do": "✅",
    "waiting": "⏳",
    "refused": "⛔",
    "failed": "❌",
    "bug": "❌",
    None: "⏳",  # not ended
}
_FIRST_LINE = 400  # characters; of many apps each has its own part below
_LINKS = {"pr-url": "pull request", "rollback": "rollback", "release-url": "release", "reply-url": "answer"}


def head(outcome: Outcome | None, message: Message, about: Iterator[str]) -> Safe:
    """The first lines: what happened, what it is about (each part finished Markdown), why, and what to do next."""
    what = " ".join(message.what.split())
    first = what if len(what) <= _FIRST_LINE else what[:_FIRST_LINE].rsplit(" ", 1)[0] + " …"
    lines = [f"### {MARKS[outcome]} {neutral(first)}", " · ".join(filter(None, about))]
    if message.why:
        lines.append(neutral(message.why))
    if message.next:
        lines.append(f"**Next:** {neutral(message.next)}")
    return Safe("\n\n".join(lines) + "\n")


def about(result: Result, *, run_url: str) -> Iterator[str]:
    """What a result is about, and links: reason, app, version, environment, what it wrote, the run."""
    yield str(cell(result.reason))
    yield " ".join(cell(word) for word in (result.app, result.version) if word) + (
        f" in {cell(result.environment)}" if result.environment else ""
    )
    if result.dry_run:
        yield "dry run: nothing was changed"
    for name, words in _LINKS.items():
        if url := result.outputs.get(name, ""):
            yield link(words, url)
    if run_url:
        yield link("run", run_url)


def of(action: str, result: Result, run_url: str) -> str:
    """The summary of an action: its first lines, then the details of the result."""
    first, *rest = about(result, run_url=run_url)
    shown = head(VERDICTS[result.reason].outcome, result.message, iter([f"{action}: {first}", *rest]))
    details = result.summary.strip("\n")
    return f"{shown}\n{details}\n" if details else shown
