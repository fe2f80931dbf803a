"""Open accounts, list them, read their ledgers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.exposure.core.account import Account, AccountKey
from app.domains.exposure.core.events import AccountCurrencyChanged, AccountOpened
from app.domains.exposure.core.ledger import Posting
from app.domains.exposure.core.refusals import AccountCurrencyFixed
from app.domains.exposure.repository import accounts as repository
from app.domains.exposure.repository import decisions
from app.domains.exposure.service.groups import group_above, hold_family
from app.domains.exposure.service.overview import Overview, overviews
from app.domains.exposure.service.positions import account as find_account
from app.domains.exposure.service.positions import lock
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.money import known_currency

Precondition = Callable[[int | None], None]
"""Raises when an edit was not meant for this version of the account (None: there is none yet)."""


async def open_account(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    currency: str,
    precondition: Precondition = lambda version: None,
) -> bool:
    """Opens the customer's account; says whether it is new. An account opened under a group limit shares it.

    One that nothing was ever said about in its currency may still change that. The same again changes nothing. Raises
    `CustomerNotFound`, `SegmentNotFound`, `CurrencyUnknown`, `AccountCurrencyFixed`, and what `precondition` raises.
    """
    await customers.get(tx, customer_id=customer_id)
    await policies.segment(tx, segment=segment)
    known_currency(currency)
    ancestors = await hold_family(tx, customer_id=customer_id, segment=segment)
    if await repository.of_customers(tx.session, [customer_id], segment=segment):
        await _keep_in(tx, customer_id, segment, currency, precondition)
        return False
    precondition(None)
    group = await group_above(tx, ancestors=ancestors, segment=segment)
    account_id = tx.new_id()
    await repository.add(
        tx.session,
        account_id=account_id,
        customer_id=customer_id,
        segment=segment,
        currency=currency,
        group_id=group.id if group else None,
        now=tx.now,
    )
    if group is not None:
        await decisions.move_members(tx.session, {account_id: group.id}, {account_id: tx.new_id()}, tx.now)
    tx.emit(
        AccountOpened(
            subject_id=str(account_id),
            customer_id=customer_id,
            segment=segment,
            after={"currency": currency, "group": str(group.id) if group else None},
        )
    )
    return True


async def accounts_of(
    tx: Transaction, *, customer_id: str, segments: Collection[str] | None = None
) -> Sequence[Overview]:
    """How the customer's accounts stand, in these segments or all. Raises `CustomerNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    found = await repository.of_customers(tx.session, [customer_id])
    seen = [account for account in found if segments is None or account.segment in segments]
    return await overviews(tx, accounts=seen)


async def companions(tx: Transaction, *, customer_ids: Collection[str], segment: str) -> Sequence[str]:
    """Those of the customers that have an account in a segment, and those that share a limit with one of them."""
    return await repository.companions(tx.session, customer_ids, segment=segment)


async def members(tx: Transaction, *, group_ids: Collection[UUID]) -> Sequence[str]:
    """The customers whose accounts share the limit of one of these groups."""
    return await repository.members(tx.session, group_ids) if group_ids else ()


async def list_accounts(
    tx: Transaction, *, page: PageRequest, segments: Collection[str] | None = None
) -> Slice[Overview]:
    """How accounts stand, in the order they were opened, in these segments or all."""
    found = await repository.list_page(tx.session, page, segments=segments)
    return Slice(await overviews(tx, accounts=found.rows), found.next_cursor)


async def list_ledger(
    tx: Transaction, *, customer_id: str, segment: str, page: PageRequest
) -> tuple[Account, Slice[Posting]]:
    """The account and a page of its entries. Raises `AccountNotFound`."""
    account = await find_account(tx, customer_id=customer_id, segment=segment)
    return account, await repository.ledger_page(tx.session, account.id, page)


async def accounts_with_dues(
    tx: Transaction, *, segment: str, until: date, after_customer: str, limit: int, also: Collection[str] = ()
) -> Sequence[Account]:
    """The next at most `limit` accounts of a segment behind a customer, by customer, with something due by `until`.

    By the ladder of due days, in which what is disputed has no rung; those of the customers `also` are among them
    whatever is due. Takes no locks.
    """
    return await repository.with_dues(
        tx.session, segment=segment, until=until, after=after_customer, most=limit, also=also
    )


async def due_ladder(tx: Transaction, *, account_id: UUID) -> Mapping[date, Decimal]:
    """What is open of an account, in its currency, by the day it falls due; what is disputed falls due on none."""
    return await repository.ladder(tx.session, account_id)


async def accounts_with_expired_orders(tx: Transaction, *, batch: int) -> Sequence[tuple[str, str]]:
    """At most `batch` accounts (customer, segment) with a reservation that has run out."""
    return await repository.with_expired_orders(tx.session, tx.now, batch)


async def stale_accounts(
    tx: Transaction, *, after: UUID, scanned: int
) -> tuple[Sequence[tuple[str, str]], UUID | None]:
    """Of the next `scanned` accounts behind the id `after`, those whose standing facts are of an earlier day.

    Also returns the id to go on behind; null at the end.
    """
    return await repository.stale_after(tx.session, tx.now, after=after, scanned=scanned)


async def account_keys(
    tx: Transaction, *, after: UUID, most: int, segment: str | None = None, customers: Collection[str] | None = None
) -> Sequence[AccountKey]:
    """At most `most` accounts behind the id `after`, of a segment and of the customers named, or of all."""
    return await repository.keys_after(tx.session, after=after, segment=segment, customers=customers, most=most)


async def count_accounts(
    tx: Transaction, *, segment: str | None = None, customers: Collection[str] | None = None
) -> int:
    """How many accounts there are in a segment and of the customers named, or at all."""
    return await repository.count(tx.session, segment=segment, customers=customers)


async def _keep_in(tx: Transaction, customer_id: str, segment: str, currency: str, precondition: Precondition) -> None:
    """Keeps an account that there is in `currency`, which it can only change to while nothing is said in another."""
    account = (await lock(tx, keys=[(customer_id, segment)])).of(customer_id, segment)
    precondition(account.version)
    if account.currency == currency:
        return
    if not await repository.is_pristine(tx.session, account.id):
        raise AccountCurrencyFixed(f"{customer_id}'s account in segment {segment} is kept in {account.currency}")
    await repository.change_currency(tx.session, account.id, currency, tx.now)
    tx.emit(
        AccountCurrencyChanged(
            subject_id=str(account.id),
            customer_id=customer_id,
            segment=segment,
            before={"currency": account.currency},
            after={"currency": currency},
        )
    )
