"""The tables of the journal. Events are only ever inserted; their public order is a table beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.infra.db.metadata import Base


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


class JournalSealer(Base):
    """How far the sealer has come: the next transaction to look at and the last place given. One row."""

    __tablename__ = "journal_sealer"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    next_xid: Mapped[int] = mapped_column(Xid8)
    last_seq: Mapped[int]
