"""Refusals of the forge: one exception that both REST and GraphQL turn into a response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.forge.values import Body

DOCS = "https://docs.github.com/rest"


class Refusal(Exception):
    """A documented refusal. `status` and `errors` are REST's, `kind` is GraphQL's error type."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[object] = (),
        headers: Mapping[str, str] | None = None,
        kind: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.kind = kind or {403: "FORBIDDEN", 404: "NOT_FOUND"}.get(status, "UNPROCESSABLE")

    def body(self) -> Body:
        """The JSON of REST's response."""
        body: Body = {"message": self.message, "documentation_url": DOCS, "status": str(self.status)}
        if self.errors:
            body["errors"] = self.errors
        return body


def not_found(message: str = "Not Found") -> Refusal:
    """404, also for everything that the caller may not see."""
    return Refusal(404, message)


def invalid(resource: str, field: str, code: str, message: str = "") -> Refusal:
    """422 `Validation Failed` with one error, in GitHub's shape."""
    error: Body = {"resource": resource, "code": code, "field": field}
    if message:
        error["message"] = message
    return Refusal(422, "Validation Failed", errors=[error])


def unprocessable(message: str, *, kind: str = "UNPROCESSABLE") -> Refusal:
    """422 with a plain sentence."""
    return Refusal(422, message, kind=kind)


def malformed(message: str) -> Refusal:
    """422 for a body that GitHub's own schema refuses."""
    return Refusal(422, f"Invalid request.\n\n{message}")
