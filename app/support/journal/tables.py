"""The tables of the journal. Events are only ever inserted; their public order and its blocks are tables beside them.

Triggers refuse every change of the three (see the migration `journal_blocks`), except by retention and rebase.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.infra.db.metadata import Base
from app.support.journal.core.encoding import Block


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id, which never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in SQL."""
        return "xid8"


ischema_names["xid8"] = Xid8


class JournalEvent(Base):
    """One state change: who changed what from what to what.

    `xid` is the transaction that wrote it. Ids are drawn before the commit, so their order is not the order in which
    events become visible; the sealer orders by `xid` once no older transaction is left.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_xid_id", "xid", "id"),
        Index("ix_events_customer_id_id", "customer_id", "id", postgresql_where=text("customer_id is not null")),
        Index("ix_events_type_id", "type", "id"),
        Index("ix_events_exceptional_id", "id", postgresql_where=text("exceptional")),
        CheckConstraint("actor_kind in ('person', 'service', 'system')", name="actor_kind_known"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    at: Mapped[datetime]
    type: Mapped[str]
    actor: Mapped[str]
    actor_kind: Mapped[str]
    request_id: Mapped[str]
    segment: Mapped[str | None]
    customer_id: Mapped[str | None]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    exceptional: Mapped[bool] = mapped_column(server_default=text("false"))


class EventSeal(Base):
    """The place of an event in the public order: gapless, and never given before all earlier ones."""

    __tablename__ = "event_seals"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), unique=True)
    sealed_at: Mapped[datetime]
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    """The digest of the event, as it was when it was sealed: see `core.encoding`."""


class JournalBlock(Base):
    """A stretch of the order that was closed at once, with the digest that stands for it and all before it."""

    __tablename__ = "journal_blocks"
    __table_args__ = (
        CheckConstraint("last_seq >= first_seq", name="not_empty"),
        Index("uq_journal_blocks_first_seq", "first_seq", unique=True),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    root: Mapped[bytes] = mapped_column(LargeBinary)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    closed_at: Mapped[datetime]
    digest: Mapped[bytes] = mapped_column(LargeBinary)

    def facts(self) -> Block:
        """The row as the core knows it."""
        return Block(self.number, self.first_seq, self.last_seq, self.root, self.previous, self.closed_at, self.digest)


class JournalSealer(Base):
    """How far the sealer has come: the next transaction to look at and the last place given. One row."""

    __tablename__ = "journal_sealer"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    next_xid: Mapped[int] = mapped_column(Xid8)
    last_seq: Mapped[int]
