"""What is known of customers' items from notices, claims, stops and promises: for many customers at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.dunning.core.facts import PendingPromise, Stop
from app.domains.dunning.core.interest import ReferenceRate
from app.domains.dunning.core.promises import PromiseState
from app.domains.dunning.tables import (
    PENDING,
    DunningClaimRow,
    DunningNoticeRow,
    DunningStopRow,
    PromiseRow,
    StatutoryRateRow,
)

ItemKey = tuple[UUID, date]

_IDS: Final = bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))

_REACHED: Final = text("""
    select l.item_id, l.due_on, max(l.level) as level, max(n.run_on) as noticed_on,
           max(l.level) filter (where n.effect = 'soft_hold') as holding
      from dunning_lines l join dunning_notices n on n.id = l.notice_id
     where l.item_id = any(:ids) and l.is_raised and l.is_live and n.state in ('sent', 'settled')
     group by l.item_id, l.due_on""").bindparams(_IDS)

_CLAIMED: Final = text("""
    select item_id, due_on, max(accrued_until) as until, bool_or(kind = 'compensation') as compensated
      from dunning_claims where account_id = any(:ids) and item_id is not null
     group by item_id, due_on""").bindparams(_IDS)


@dataclass(frozen=True, slots=True)
class Reached:
    """The highest level of an item among notices that were sent, and the day of the last of them."""

    level: int
    noticed_on: date
    is_holding: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """Up to which day interest on an item was claimed, and whether the fixed sum was."""

    until: date | None
    is_compensated: bool


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim that is neither waived nor, as far as known here, paid."""

    account_id: UUID
    currency: str
    amount: Decimal
    booked_as: str | None


async def reached(session: AsyncSession, item_ids: Collection[UUID]) -> Mapping[ItemKey, Reached]:
    """By item and due day; items of which no notice was sent are left out."""
    if not item_ids:
        return {}
    rows = await session.execute(_REACHED, {"ids": list(item_ids)})
    return {(r.item_id, r.due_on): Reached(r.level, r.noticed_on, r.holding is not None) for r in rows}


async def claimed(session: AsyncSession, account_ids: Collection[UUID]) -> Mapping[ItemKey, Claimed]:
    """By item and due day: what was claimed beside it."""
    rows = await session.execute(_CLAIMED, {"ids": list(account_ids)})
    return {(r.item_id, r.due_on): Claimed(r.until, r.compensated) for r in rows}


async def claims(session: AsyncSession, account_ids: Collection[UUID]) -> Sequence[OpenClaim]:
    """The claims of the accounts that were not waived."""
    row = DunningClaimRow
    found = await session.execute(
        select(row.account_id, row.currency, row.amount, row.booked_as).where(
            row.account_id == func.any(list(account_ids)), row.state != "waived"
        )
    )
    return [OpenClaim(*each) for each in found]


async def pending_accounts(session: AsyncSession, account_ids: Collection[UUID]) -> set[UUID]:
    """The accounts that have a notice which is proposed or on its way."""
    found = await session.scalars(
        select(DunningNoticeRow.account_id).where(
            DunningNoticeRow.account_id == func.any(list(account_ids)), text(PENDING)
        )
    )
    return set(found)


async def stops(
    session: AsyncSession, segment: str, customer_ids: Collection[str], on: date
) -> Mapping[str, tuple[Stop, ...]]:
    """The stops that are in force on the day `on` or later, by customer."""
    row = DunningStopRow
    rows = await session.scalars(
        select(row)
        .where(
            row.customer_id == func.any(list(customer_ids)),
            row.segment == segment,
            row.lifted_at.is_(None),
            (row.until.is_(None)) | (row.until >= on),
        )
        .order_by(row.id)
    )
    found: dict[str, list[Stop]] = defaultdict(list)
    for each in rows:
        stop = Stop(
            reason=each.reason, until=each.until, is_legal=each.kind == "legal_case", invoice_no=each.invoice_no
        )
        found[each.customer_id].append(stop)
    return {customer: tuple(each) for customer, each in found.items()}


async def promises(
    session: AsyncSession, segment: str, customer_ids: Collection[str]
) -> tuple[Mapping[str, tuple[PendingPromise, ...]], Mapping[str, date]]:
    """The open promises, and the day on which one was last broken, by customer."""
    row = PromiseRow
    rows = await session.scalars(
        select(row)
        .where(
            row.customer_id == func.any(list(customer_ids)),
            row.segment == segment,
            row.state.in_([PromiseState.OPEN, PromiseState.BROKEN, PromiseState.PARTLY_KEPT]),
        )
        .order_by(row.id)
    )
    pending: dict[str, list[PendingPromise]] = defaultdict(list)
    broken: dict[str, date] = {}
    for each in rows:
        if each.state == PromiseState.OPEN:
            pending[each.customer_id].append(
                PendingPromise(
                    promised_on=each.promised_on,
                    currency=each.currency,
                    amount=each.amount - each.received,
                    invoice_nos=tuple(each.invoices),
                )
            )
        elif each.ended_on is not None:
            broken[each.customer_id] = max(each.ended_on, broken.get(each.customer_id, each.ended_on))
    return {customer: tuple(each) for customer, each in pending.items()}, broken


async def added_rates(session: AsyncSession) -> Sequence[ReferenceRate]:
    """The reference rates that were entered here."""
    rows = await session.scalars(select(StatutoryRateRow))
    return [ReferenceRate(row.reference, row.valid_from, row.percent, row.source) for row in rows]
