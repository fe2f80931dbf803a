"""The table of API keys."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.metadata import Amount, Base
from app.kernel.identity import ActorKind
from app.kernel.money import Money
from app.support.auth.core.principals import KEY_PREFIX, Principal
from app.support.auth.core.scopes import Scope


class ApiKey(Base):
    """One key: of its text only the hash. After a rotation the hash before is good until `previous_until`."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("kind in ('person', 'service')", name="kind_known"),
        CheckConstraint("(authority_amount is null) = (authority_currency is null)", name="authority_whole"),
        CheckConstraint("(previous_hash is null) = (previous_until is null)", name="overlap_whole"),
        Index("uq_api_keys_live_name", "name", unique=True, postgresql_where=text("revoked_at is null")),
        Index("uq_api_keys_key_hash", "key_hash", unique=True),
        Index(
            "uq_api_keys_previous_hash",
            "previous_hash",
            unique=True,
            postgresql_where=text("previous_hash is not null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    role: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    segments: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    authority_amount: Mapped[Amount | None]
    authority_currency: Mapped[str | None]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    rotated_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def authority(self) -> Money | None:
        """The largest amount the holder may approve."""
        if self.authority_amount is None or self.authority_currency is None:
            return None
        return Money(Decimal(self.authority_amount), self.authority_currency)

    def principal(self) -> Principal:
        """Whom the key stands for. The id outlives rotations."""
        return Principal(
            id=f"{KEY_PREFIX}{self.id}",
            name=self.name,
            kind=ActorKind(self.kind),
            scopes=frozenset(Scope(scope) for scope in self.scopes),
            segments=None if self.segments is None else frozenset(self.segments),
            authority=self.authority,
            roles=frozenset() if self.role is None else frozenset({self.role}),
        )
