"""API keys on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.infra.http.fields import CurrencyCode, Line, MoneyText, NonNegativeAmount, SegmentName, Timestamp, Whole, Wire
from app.infra.http.fields import decimals_fit as check_decimals
from app.kernel.identity import ActorKind
from app.support.auth.core.scopes import Role, Scope

HolderKind = Literal[ActorKind.PERSON, ActorKind.SERVICE]


class AuthorityIn(Wire):
    """The largest amount that the holder may approve."""

    amount: NonNegativeAmount
    currency: CurrencyCode

    @model_validator(mode="after")
    def decimals_fit(self) -> Self:
        """The amount has no more decimals than the currency."""
        check_decimals(self, "amount")
        return self


class AuthorityOut(Wire):
    """The largest amount that the holder may approve."""

    amount: MoneyText
    currency: str


class ApiKeyIn(Wire):
    """A key to be made. At least a role or one scope."""

    name: Line
    kind: HolderKind
    role: Role | None = None
    scopes: Annotated[tuple[Scope, ...], Field(max_length=len(Scope))] = ()
    authority: AuthorityIn | None = None
    segments: Annotated[list[SegmentName], Field(min_length=1, max_length=100)] | None = None
    expires_at: Timestamp | None = None

    @model_validator(mode="after")
    def grants_something(self) -> Self:
        """A key without any scope opens nothing."""
        if self.role is None and not self.scopes:
            raise PydanticCustomError("scopes_missing", "name a role or at least one scope")
        return self


class RotationIn(Wire):
    """How long the text before goes on working."""

    overlap_seconds: Annotated[Whole, Field(ge=0, le=30 * 86_400)] = 86_400


class ApiKeyOut(Wire):
    """A key as lists show it: never its text."""

    id: str
    name: str
    kind: ActorKind
    role: Role | None
    scopes: list[Scope]
    authority: AuthorityOut | None
    segments: list[str] | None
    prefix: str
    created_at: datetime
    created_by: str
    rotated_at: datetime | None
    previous_key_until: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class DutyConflictOut(Wire):
    """A rule of the segregation of duties, and the scopes that break it together."""

    code: str
    rule: str
    scopes: list[Scope]


class NewApiKeyOut(ApiKeyOut):
    """A key just made: its text is shown this once. `conflicts` are the duties that its scopes break."""

    key: str
    conflicts: list[DutyConflictOut]


class ConflictedOut(Wire):
    """Somebody who holds more than one person should. The bootstrap key has no instant and no maker."""

    principal_id: str
    name: str
    kind: ActorKind
    role: Role | None
    scopes: list[Scope]
    segments: list[str] | None
    created_at: datetime | None
    created_by: str | None
    conflicts: list[DutyConflictOut]
