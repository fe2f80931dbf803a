"""Use cases that only read: aging, the statement of account, and what the documents of an account sum to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.receivables import adapters
from app.domains.receivables.core import sheets
from app.domains.receivables.core.aging import Aging, buckets, not_due
from app.domains.receivables.core.open_items import OpenItems, lines
from app.domains.receivables.core.refusals import StatementTooLong, at
from app.domains.receivables.core.sheets import Sheet
from app.domains.receivables.core.statements import Statement
from app.domains.receivables.repository import dues, reports
from app.domains.receivables.service.days import today
from app.infra.transaction import Transaction
from app.kernel.money import DIGITS, ZERO
from app.kernel.periods import Window

LINES_MAX: Final = 5_000
"""The lines of a statement or list in JSON, or on paper: some hundred pages, and 200 MB while they are typeset."""
TABLE_LINES_MAX: Final = 50_000
"""Those of one in CSV."""


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """What the open documents of an account sum to, in account currency."""

    receivables: Decimal = ZERO
    unallocated_credits: Decimal = ZERO


async def aging(tx: Transaction, *, customer_id: str, segment: str, on: date | None = None) -> Aging:
    """What is open by how long it is due on the day `on`, today in the segment's zone if null.

    A past day is answered by the days of the documents, as they are known now; today and later by the ladder of
    what is open now.
    Raises `AccountNotFound`.
    """
    account = await exposure.account(tx, customer_id=customer_id, segment=segment)
    current = await today(tx, segment)
    on, digits = on or current, DIGITS[account.currency]
    if on < current:
        open_then, credits = await reports.open_on(
            tx.session, customer_id=customer_id, segment=segment, on=on, digits=digits
        )
        disputed = open_then.get(None, ZERO)
        by_due_day: Mapping[date, Decimal] = {day: amount for day, amount in open_then.items() if day is not None}
    else:
        by_due_day = await exposure.due_ladder(tx, account_id=account.id)
        disputed = await reports.disputed_now(tx.session, account.id, digits=digits)
        credits = account.exposure.unallocated_credits
    return Aging(
        customer_id=customer_id,
        segment=segment,
        currency=account.currency,
        on=on,
        not_due=not_due(by_due_day, on),
        buckets=buckets(by_due_day, on),
        disputed=disputed,
        unallocated_credits=credits,
    )


async def statement(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    since: date | None = None,
    until: date | None = None,
    most: int = LINES_MAX,
) -> Statement:
    """What moved the balance from the day `since` (the first of the month if null) to `until` (today).

    Goes by the days of documents, as they are known now. Raises `AccountNotFound`, `WindowReversed`, and
    `StatementTooLong` when there is more than `most`.
    """
    account = await exposure.account(tx, customer_id=customer_id, segment=segment)
    until = until or await today(tx, segment)
    window = Window(since or until.replace(day=1), until)
    digits = DIGITS[account.currency]
    by_due_day, credits = await reports.open_on(
        tx.session, customer_id=customer_id, segment=segment, on=window.start - timedelta(days=1), digits=digits
    )
    moved = await reports.movements(
        tx.session, customer_id=customer_id, segment=segment, window=window, digits=digits, most=most + 1
    )
    if len(moved) > most:
        raise at(StatementTooLong, "/query/from", f"more than {most:,} movements; ask for fewer days, or for CSV")
    return Statement(
        customer_id=customer_id,
        segment=segment,
        currency=account.currency,
        window=window,
        opening=sum(by_due_day.values(), ZERO) - credits,
        movements=tuple(moved),
    )


async def open_items(tx: Transaction, *, customer_id: str, segment: str, most: int = LINES_MAX) -> OpenItems:
    """What the customer has to pay today, part by part.

    Raises `AccountNotFound`, and `StatementTooLong` when there is more than `most`.
    """
    account = await exposure.account(tx, customer_id=customer_id, segment=segment)
    found = lines(await dues.open_items(tx.session, [account.id], most=most + 1))
    if len(found) > most:
        raise StatementTooLong(f"more than {most:,} open items; ask for CSV, or list the invoices page by page")
    return OpenItems(
        customer_id=customer_id,
        segment=segment,
        on=await today(tx, segment),
        currency=account.currency,
        unallocated_credits=account.exposure.unallocated_credits,
        lines=found,
    )


async def statement_sheet(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    since: date | None = None,
    until: date | None = None,
    most: int = LINES_MAX,
) -> Sheet:
    """The statement as a table in the customer's language. Raises what `statement` raises."""
    found = await statement(tx, customer_id=customer_id, segment=segment, since=since, until=until, most=most)
    customer = await customers.get(tx, customer_id=customer_id)
    return sheets.statement_sheet(found, customer=customer.name, language=customer.language)


async def open_items_sheet(tx: Transaction, *, customer_id: str, segment: str, most: int = LINES_MAX) -> Sheet:
    """The open items as a table in the customer's language. Raises what `open_items` raises."""
    found = await open_items(tx, customer_id=customer_id, segment=segment, most=most)
    customer = await customers.get(tx, customer_id=customer_id)
    return sheets.open_items_sheet(found, customer=customer.name, language=customer.language)


async def pdf(tx: Transaction, *, sheet: Sheet) -> bytes:
    """A sheet on paper. Raises `TypesetterBusy`."""
    return await adapters.pdf(sheet, at=tx.now)


async def document_totals(tx: Transaction, *, account_ids: Collection[UUID]) -> Mapping[UUID, DocumentTotals]:
    """What the open documents of each account sum to: the proof of the account's running totals."""
    found = {
        row["account_id"]: DocumentTotals(row["receivables"] or ZERO, row["credits"] or ZERO)
        for row in await reports.totals(tx.session, account_ids)
    }
    return {account_id: found.get(account_id, DocumentTotals()) for account_id in account_ids}
