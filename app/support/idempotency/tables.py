"""The table of answers kept under an `Idempotency-Key`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.metadata import Base


class IdempotencyKey(Base):
    """One answer of one caller. Status and body are null only inside the transaction that is working on it; a body
    that named somebody who was erased is null ever after.

    `customer_ids` are the customers that the request changed something of, so that their answers can be found. The
    answers of the credit check have none: nothing in them comes from a contact.

    Bodies that fit a page are not compressed: they live for days only, and compressing one costs the database as much
    as writing the account it is about.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("ix_idempotency_keys_created_at", "created_at"),
        Index(
            "ix_idempotency_keys_customer_ids",
            "customer_ids",
            postgresql_using="gin",
            postgresql_where=text("customer_ids is not null"),
        ),
        {"postgresql_with": {"toast_tuple_target": 8160}},
    )

    principal_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(Integer)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    media_type: Mapped[str | None]
    created_at: Mapped[datetime]
    customer_ids: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
