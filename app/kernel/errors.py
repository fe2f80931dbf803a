"""Refusals: every failure that Headroom foresees, by name.

A refusal has a public `code` and a `title` and knows nothing of HTTP; its family (the direct subclass of `Refusal` it
descends from) says what kind of answer it is. `app/infra/http/problem.py` maps families to status codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where (JSON pointer), what (code) and for people (message)."""

    pointer: str
    code: str
    message: str


class Refusal(Exception):
    """A foreseen failure. Raising one rolls the transaction back."""

    code: ClassVar[str] = ""
    title: ClassVar[str] = ""
    attempt: Event | None = None
    """What the journal is told of the attempt, in a transaction of its own: some refusals must be remembered."""

    def __init__(
        self,
        detail: str = "",
        *,
        faults: Sequence[Fault] = (),
        retry_after: float | None = None,
        **extra: Any,
    ) -> None:
        """`detail` is for people; `faults` name places in the input; `retry_after` is in seconds; `extra` are further
        members of the problem document."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.faults = tuple(faults)
        self.retry_after = retry_after
        self.extra: Mapping[str, Any] = extra


class Malformed(Refusal):
    """The request cannot be read at all (400)."""


class Unauthenticated(Refusal):
    """Nobody we know is calling (401)."""


class Forbidden(Refusal):
    """We know who is calling, and they may not (403)."""


class NotFound(Refusal):
    """There is no such thing, or not for this caller (404)."""


class NotAllowed(Refusal):
    """The resource has no such method (405)."""


class Conflict(Refusal):
    """The request is right but the state of things is not (409)."""


class Stale(Refusal):
    """The caller edits a version that is no longer the current one (412)."""


class TooLarge(Refusal):
    """The request is larger than we read (413)."""


class UnsupportedMedia(Refusal):
    """The request is not in a format we read (415)."""


class Invalid(Refusal):
    """The request can be read and says something that cannot be (422)."""


class Unconditional(Refusal):
    """The edit must say which version it edits (428)."""


class Busy(Refusal):
    """Not now; the same request may pass in a moment (503)."""

    turn: Awaitable[object] | None = None
    """Where it is worth trying again in a new transaction before the caller is told to come again: ends when it is."""
