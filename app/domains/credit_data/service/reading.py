"""Use cases that only read: records as they were known at an instant, their versions, and the credit file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.domains.credit_data.core.credit_file import CreditFile
from app.domains.credit_data.core.records import Filed, Key, Kind
from app.domains.credit_data.core.refusals import RecordNotFound
from app.domains.credit_data.repository import records as repository
from app.domains.credit_data.service.filing import RecordPage
from app.domains.customers import service as customers
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction

MAX_OF_A_KIND: Final = 500
"""The newest records of each kind that a credit file holds."""


async def credit_file(tx: Transaction, *, customer_id: str, segment: str, known_at: datetime) -> CreditFile:
    """All that was known of the customer at `known_at`, of covers and answers in the segment. Raises
    `CustomerNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    return (await credit_files(tx, customer_ids=[customer_id], segment=segment, known_at=known_at))[customer_id]


async def credit_files(
    tx: Transaction, *, customer_ids: Collection[str], segment: str, known_at: datetime
) -> Mapping[str, CreditFile]:
    """The credit files of customers that exist, by customer: one statement, however many they are."""
    found = await repository.known(
        tx.session, customer_ids=customer_ids, segment=segment, known_at=known_at, most=MAX_OF_A_KIND
    )
    return {
        customer_id: _credit_file(customer_id, segment, known_at, records) for customer_id, records in found.items()
    }


async def record(tx: Transaction, *, key: Key, known_at: datetime | None = None) -> Filed[Any]:
    """The record of `key` as it was known at `known_at`, now if null. Raises `RecordNotFound`."""
    return _there(await repository.of_key(tx.session, key, known_at=known_at), key.customer_id, key.ref)


async def find_record(
    tx: Transaction, *, customer_id: str, kind: Kind, record_id: UUID, known_at: datetime | None = None
) -> Filed[Any]:
    """The record with this id as it was known at `known_at`, now if null. Raises `RecordNotFound`."""
    found = await repository.of_id(tx.session, customer_id, record_id, known_at=known_at)
    return _there(found if found is not None and found.kind is kind else None, customer_id, str(record_id))


async def record_versions(tx: Transaction, *, customer_id: str, record_id: UUID) -> Sequence[Filed[Any]]:
    """Every version of a record, the first one first, what was taken back too. Raises `RecordNotFound`."""
    found = await repository.versions(tx.session, customer_id, record_id)
    if not found:
        raise RecordNotFound(f"{customer_id} has no record {record_id}")
    return found


async def list_records(
    tx: Transaction,
    *,
    customer_id: str,
    kind: Kind,
    page: PageRequest,
    segment: str | None = None,
    known_at: datetime | None = None,
) -> RecordPage:
    """The customer's records of a kind by the instant they became known, as they were known at `known_at`.

    Raises `CustomerNotFound`.
    """
    await customers.get(tx, customer_id=customer_id)
    found = await repository.page(
        tx.session, page, customer_id=customer_id, kind=kind, segment=segment, known_at=known_at
    )
    return RecordPage(found.rows, found.next_cursor)


def _credit_file(customer_id: str, segment: str, known_at: datetime, records: Sequence[Filed[Any]]) -> CreditFile:
    def of(kind: Kind) -> tuple[Filed[Any], ...]:
        return tuple(record for record in records if record.kind is kind)

    return CreditFile(
        customer_id=customer_id,
        segment=segment,
        known_at=known_at,
        statements=of(Kind.STATEMENT),
        reports=of(Kind.REPORT),
        trade_references=of(Kind.REFERENCE),
        adverse_events=of(Kind.ADVERSE_EVENT),
        covers=of(Kind.COVER),
        answers=of(Kind.ANSWER),
    )


def _there(found: Filed[Any] | None, customer_id: str, name: str) -> Filed[Any]:
    if found is None or found.retracted:
        raise RecordNotFound(f"{customer_id} has no record {name}")
    return found
