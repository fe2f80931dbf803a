"""The principal: whoever an API key or a token stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.kernel.errors import Forbidden, NotFound, Unauthenticated
from app.kernel.identity import Actor, ActorKind
from app.kernel.money import Money
from app.support.auth.core.scopes import IMPLIED_BY, Scope

KEY_PREFIX: Final = "key:"
"""What the id of a principal begins with who holds an API key: the key's id follows."""


class CredentialsMissing(Unauthenticated):
    """The request carries no credentials."""

    code = "credentials_missing"
    title = "Credentials are missing"


class CredentialsInvalid(Unauthenticated):
    """The key or token is unknown, expired, revoked or not meant for this service."""

    code = "credentials_invalid"
    title = "The credentials are not valid"


class ScopeMissing(Forbidden):
    """The caller lacks every scope that would allow this."""

    code = "scope_missing"
    title = "The caller may not do this"


class SegmentNotFound(NotFound):
    """There is no such segment, or not for this caller."""

    code = "segment_not_found"
    title = "No such segment"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: `id` is stable and private to them, `name` goes into the journal.

    `segments` confines them (None: all); `authority` is the largest amount they may approve (None: no authority);
    `roles` are the jobs that their credentials name, which say whose turn it is where several people approve.
    """

    id: str
    name: str
    kind: ActorKind
    scopes: frozenset[Scope]
    segments: frozenset[str] | None = None
    authority: Money | None = None
    roles: frozenset[str] = frozenset()

    @property
    def actor(self) -> Actor:
        """Who the journal names."""
        return Actor(self.name, self.kind)

    def may(self, scope: Scope) -> bool:
        """Whether `scope` is theirs, by itself or within a wider one."""
        return (
            scope in self.scopes or Scope.ADMIN in self.scopes or bool(self.scopes & IMPLIED_BY.get(scope, frozenset()))
        )

    def require(self, *scopes: Scope) -> None:
        """Refuses unless at least one of `scopes` is theirs. Raises `ScopeMissing`."""
        if not any(self.may(scope) for scope in scopes):
            needed = " or ".join(sorted(scopes))
            raise ScopeMissing(f"needs the scope {needed}", challenge="insufficient_scope")

    def sees(self, segment: str) -> bool:
        """Whether they may see the objects of `segment`."""
        return self.segments is None or segment in self.segments

    def confine(self, segment: str) -> str:
        """`segment` itself, refused as if it did not exist when they may not see it. Raises `SegmentNotFound`."""
        if not self.sees(segment):
            raise SegmentNotFound(f"there is no segment {segment!r}")
        return segment
