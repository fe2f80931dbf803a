"""Keyset paging: a page costs the same at the start and at the end of a long list.

A cursor is the key of the last row, opaque to the caller: URL-safe base64 of JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, literal, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.errors import Fault, Invalid

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500
MAX_CURSOR: Final = 1024
_NUMBER: Final = re.compile(r"-?[0-9]{1,26}([.][0-9]{1,12})?")

Row = TypeVar("Row")


class CursorMalformed(Invalid):
    """The cursor is not one that this list gave out."""

    code = "cursor_malformed"
    title = "Malformed cursor"

    def __init__(self) -> None:
        super().__init__(
            "the cursor is not one that this list gave out in this order",
            faults=[Fault("/query/cursor", self.code, "take it from next_cursor of the page before")],
        )


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list: at most `limit` rows after `cursor`; with `changed_after` only rows changed since."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    changed_after: datetime | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """One page of rows and the cursor of the next; None at the end."""

    rows: Sequence[Row]
    next_cursor: str | None


async def fetch(
    session: AsyncSession,
    statement: Select[Row],
    page: PageRequest,
    *,
    keys: Sequence[InstrumentedAttribute[Any]],
) -> Slice[Row]:
    """The page of the entities that `statement` selects, in the order of `keys`.

    `keys` are columns of the entity, unique together; the first is the instant of the last change where the list
    honours `changed_after`. Raises `CursorMalformed`.
    """
    if page.changed_after is not None:
        statement = statement.where(keys[0] > page.changed_after)
    if page.cursor is not None:
        after = tuple_(*(literal(v, k.type) for v, k in zip(_decode(page.cursor, page, keys), keys, strict=True)))
        statement = statement.where(tuple_(*keys) < after if page.descending else tuple_(*keys) > after)
    order = [key.desc() if page.descending else key.asc() for key in keys]
    rows = (await session.scalars(statement.order_by(*order).limit(page.limit + 1))).all()
    if len(rows) <= page.limit:
        return Slice(rows, None)
    rows = rows[: page.limit]
    return Slice(rows, encode_cursor(page, [getattr(rows[-1], key.key) for key in keys]))


def encode_cursor(page: PageRequest, values: Sequence[Any]) -> str:
    """The cursor behind the row with these key values."""
    members = [page.descending, *(v if isinstance(v, int) else _text(v) for v in values)]
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


def text_key(page: PageRequest) -> str | None:
    """What the page begins behind, in a list ordered by one text; null at the beginning. Raises `CursorMalformed`."""
    if page.cursor is None:
        return None
    try:
        descending, member = json.loads(base64.b64decode(_padded(page.cursor), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise CursorMalformed from None
    if descending is not page.descending:
        raise CursorMalformed
    key: str = _typed(member, str)
    return key


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _decode(cursor: str, page: PageRequest, keys: Sequence[InstrumentedAttribute[Any]]) -> list[Any]:
    try:
        descending, *members = json.loads(base64.b64decode(_padded(cursor), altchars=b"-_", validate=True))
        if descending is not page.descending or len(members) != len(keys):
            raise CursorMalformed
        return [_typed(member, key.type.python_type) for member, key in zip(members, keys, strict=True)]
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise CursorMalformed from None


def _padded(cursor: str) -> bytes:
    if len(cursor) > MAX_CURSOR:
        raise CursorMalformed
    return (cursor + "=" * (-len(cursor) % 4)).encode("ascii")


def _number(member: str) -> Decimal:
    if not _NUMBER.fullmatch(member):
        raise CursorMalformed
    return Decimal(member)


def _typed(member: Any, kind: type[Any]) -> Any:
    if kind is int:
        if type(member) is not int or abs(member) >= 1 << 63:
            raise CursorMalformed
        return member
    if type(member) is not str or not member.isprintable():
        raise CursorMalformed
    if kind is UUID:
        return UUID(member)
    if kind is str:
        return member
    if kind is Decimal:
        return _number(member)
    value = kind.fromisoformat(member)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise CursorMalformed
    return value
