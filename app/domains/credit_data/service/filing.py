"""Files records: the one way in which a version of anything gets into a credit file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from app.domains.credit_data.core import events
from app.domains.credit_data.core.records import Filed, Key, Origin
from app.domains.credit_data.core.refusals import DayAhead
from app.domains.credit_data.records import document
from app.domains.credit_data.repository import records as repository
from app.domains.customers import service as customers
from app.infra.transaction import Transaction
from app.kernel.errors import Fault

Content = TypeVar("Content")

Precondition = Callable[[int | None], None]
"""Raises when an edit was not meant for this version of the record (None: there is none yet)."""

_EASTERNMOST: Final = timedelta(hours=14)
"""Where a day begins first: a day that has not begun there is still to come everywhere."""


@dataclass(frozen=True, slots=True)
class Request(Generic[Content]):
    """What is to be filed, and where it comes from."""

    content: Content
    origin: Origin


@dataclass(frozen=True, slots=True)
class Filing(Generic[Content]):
    """The newest version of a record; `created` when there was none before, `changed` when this request made it."""

    record: Filed[Content]
    created: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of a list of records and the cursor of the next."""

    items: Sequence[Filed[Any]]
    next_cursor: str | None


def anything(version: int | None) -> None:
    """The precondition of an edit that is meant for whatever version there is."""


async def file(
    tx: Transaction,
    *,
    key: Key,
    request: Request[Content],
    precondition: Precondition = anything,
    new_id: UUID | None = None,
) -> Filing[Content]:
    """Makes the request the newest version of the record of `key`; the same again changes nothing.

    Raises `CustomerNotFound`, and what `precondition` raises.
    """
    await customers.get(tx, customer_id=key.customer_id)
    await repository.lock(tx.session, key.customer_id, key.kind)
    before = await repository.of_key(tx.session, key, known_at=None)
    known = before if before is not None and not before.retracted else None
    precondition(known.version if known else None)
    if known is not None and (known.content, known.origin) == (request.content, request.origin):
        return Filing(known, created=False, changed=False)
    after: Filed[Content] = Filed(
        id=before.id if before else new_id or tx.new_id(),
        customer_id=key.customer_id,
        kind=key.kind,
        ref=key.ref,
        segment=key.segment,
        version=before.version + 1 if before else 1,
        valid_on=request.origin.valid_on,
        source=request.origin.source,
        independence=request.origin.independence,
        known_at=_after(tx, before),
        entered_by=tx.actor.name,
        content=request.content,
    )
    await repository.add(tx.session, after, row_id=tx.new_id())
    tx.emit(events.filed(document(known.content) if known else None, document(request.content), after))
    return Filing(after, created=known is None, changed=True)


async def withdraw(tx: Transaction, *, record: Filed[Any], reason: str) -> Filed[Any]:
    """Takes the newest version of a record back; the caller holds the lock of its file."""
    after = replace(
        record,
        version=record.version + 1,
        known_at=_after(tx, record),
        entered_by=tx.actor.name,
        retracted=True,
        reason=reason,
    )
    await repository.add(tx.session, after, row_id=tx.new_id())
    tx.emit(events.retracted(after))
    return after


def check_day(tx: Transaction, pointer: str, origin: Origin) -> None:
    """Raises `DayAhead` when a fact is dated on a day that has begun nowhere yet."""
    if origin.valid_on > (tx.now + _EASTERNMOST).date():
        what = f"{origin.valid_on} is still to come"
        raise DayAhead(what, faults=[Fault(pointer, DayAhead.code, what)])


def _after(tx: Transaction, before: Filed[Any] | None) -> datetime:
    """The instant a new version becomes known: of two transactions the one that files later has the later instant, even
    if it began earlier."""
    return max(tx.now, before.known_at) if before else tx.now
