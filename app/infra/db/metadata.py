"""The metadata that every table belongs to, and the column types they share."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Date, DateTime, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Amount = Annotated[Decimal, mapped_column(Numeric(24, 4))]
"""An amount of money; its currency is another column of the same row."""
Rate = Annotated[Decimal, mapped_column(Numeric(24, 12))]
"""Units of one currency per unit of another."""
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Day = Annotated[date, mapped_column(Date)]
Document = Annotated[dict[str, Any], mapped_column(JSONB)]
Counter = Annotated[int, mapped_column(BigInteger)]
Identifier = Annotated[UUID, mapped_column(PgUUID(as_uuid=True))]


class Base(DeclarativeBase):
    """The declarative base of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {
        str: Text,
        datetime: DateTime(timezone=True),
        date: Date,
        int: BigInteger,
        UUID: PgUUID(as_uuid=True),
        dict[str, Any]: JSONB,
        list[str]: JSON,
    }
