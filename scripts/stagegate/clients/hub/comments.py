"""Comments and reactions. They are for people, and no decision depends on them."""

from __future__ import annotations

import msgspec

from stagegate.clients.hub.accounts import Account, actor_of
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import Comment
from stagegate.errors import Stop
from stagegate.runner import log

BODY_LIMIT = 65_536  # characters; GitHub answers 422 to more
_RIGHT = "pull-requests: write"


class _Comment(msgspec.Struct, frozen=True):
    id: int
    created_at: str
    updated_at: str
    body: str | None = None
    user: Account | None = None

    def value(self) -> Comment:
        return Comment(
            id=self.id,
            body=self.body or "",
            author=actor_of(self.user),
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class Talk(Port):
    """The conversation of a pull request or issue."""

    def comments(self, number: int) -> list[Comment]:
        """Every comment, oldest first."""
        path = self._c.path("issues", number, "comments")
        pages = self._c.pages(path, _Comment, f"read the comments of {number}", "issues: read")
        return [comment.value() for comment in pages]

    def comment(self, number: int, body: str) -> Comment:
        """Write a comment; after a lost response our newest one with the same words is taken as it."""
        path = self._c.path("issues", number, "comments")
        body = log.redact(body)

        def create() -> Comment:
            return self._c.write(
                "POST", path, {"body": body}, f"comment on {number}", _RIGHT, _Comment
            ).value()

        def find() -> Comment | None:
            return next(
                (
                    c
                    for c in reversed(self.comments(number))
                    if c.body == body and self.viewer().same(c.author)
                ),
                None,
            )

        return settle(create, find)

    def edit_comment(self, id: int, body: str) -> Comment:
        """Replace the text of a comment of ours."""
        path = self._c.path("issues/comments", id)
        doing = f"edit comment {id}"
        return self._c.write(
            "PATCH", path, {"body": log.redact(body)}, doing, _RIGHT, _Comment, repeatable=True
        ).value()

    def react(self, comment_id: int, content: str) -> bool:
        """Put a reaction (`eyes`, `rocket`, `-1`) under a comment; decoration, so a failure is only False."""
        path = self._c.path("issues/comments", comment_id, "reactions")
        try:
            self._c.write(
                "POST", path, {"content": content}, "react", "issues: write", msgspec.Raw, repeatable=True
            )
        except Stop:
            return False
        return True
