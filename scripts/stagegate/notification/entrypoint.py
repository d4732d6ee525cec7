"""The entrypoint of actions that may notify people: the error boundary, then the messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from stagegate.model import Result
from stagegate.runner import boundary
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs

I = TypeVar("I", bound=Inputs)  # noqa: E741


def entrypoint(
    action: str,
    kind: type[I],
    main: Callable[[I, Context], Result],
    *,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> int:
    """`boundary.entrypoint`, and after the report the messages that the settings ask for (`notify`)."""
    return boundary.entrypoint(action, kind, main, argv=argv, environ=environ, after=_after)


def _after(action: str, inputs: Inputs, context: Context, result: Result, environ: Mapping[str, str]) -> None:
    from stagegate.notification import deliver  # with the HTTP library, after everything else

    deliver.send(action, inputs, context, result, environ)
