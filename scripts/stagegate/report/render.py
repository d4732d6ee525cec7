"""Templates for text a person reads. Every value is neutralised unless a filter has made it safe already."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from stagegate import markdown
from stagegate.report import times

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: object) -> str:
    """The text of `templates/<template>` with values; a name that nobody gave is an error."""
    return _environment().get_template(template).render(**values)


def render_html(template: str, **values: object) -> str:
    """The HTML document of `templates/<template>`: every value is escaped."""
    return _html_environment().get_template(template).render(**values)


@lru_cache(maxsize=1)
def _html_environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # as below

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = times.utc
    return environment


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # paid only by those who write text

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  Markdown, not HTML: `finalize` neutralises instead
        finalize=markdown.neutral,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell": markdown.cell,
        "code": markdown.code,
        "fence": markdown.fence,
        "link": markdown.link,
        "reviewed": markdown.reviewed,
        "utc": times.utc,
        "counted": times.counted,
        "short": lambda digest: markdown.code(str(digest).removeprefix("sha256:")[:12]),
        "safe_markdown": markdown.Safe,
    }
    return environment
