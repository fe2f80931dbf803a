"""What reminders are about: customers with items that are, or are about to be, due, a page of customers at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Item, ItemKind
from app.domains.receivables.repository import dues
from app.infra.transaction import Transaction
from app.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class DueItem:
    """An open invoice or debit note, in its currency: `parts` is what is undisputed of it, by due day.

    `due_on` is the due day of the oldest part that is open, disputed or not; `rate` is account currency per unit of
    its own.
    """

    id: UUID
    invoice_no: str
    kind: ItemKind
    currency: str
    rate: Decimal
    amount: Decimal
    open: Decimal
    disputed: Decimal
    issued_on: date
    due_on: date
    parts: tuple[Instalment, ...]

    def due(self, on: date) -> Decimal:
        """What of it is overdue on the day `on`: undisputed and due before."""
        return sum((part.amount for part in self.parts if part.due_on < on), ZERO)


@dataclass(frozen=True, slots=True)
class CustomerDues:
    """A customer's open items by due day and number; `credits` is what is unallocated, by the currency it is in."""

    customer_id: str
    segment: str
    account_id: UUID
    currency: str
    credits: Mapping[str, Decimal]
    items: tuple[DueItem, ...]


async def dunnable(
    tx: Transaction, *, segment: str, on: date, after_customer: str | None = None, limit: int = 500
) -> Sequence[CustomerDues]:
    """The next at most `limit` customers behind `after_customer`, by id, with an item due by the day `on`, and all
    their open items. For reminders before the due day give a later `on`.

    Who disputes all that is due is among them, so that whoever leaves them out can say why. Takes no locks.
    """
    after = after_customer or ""
    disputing = await dues.disputing(tx.session, segment=segment, until=on, after=after, most=limit)
    accounts = await exposure.accounts_with_dues(
        tx, segment=segment, until=on, after_customer=after, limit=limit, also=disputing
    )
    return await _dues(tx, accounts)


async def dunnable_of(tx: Transaction, *, segment: str, customer_ids: Collection[str]) -> Sequence[CustomerDues]:
    """These customers with all their open items, whether due or not; those without an account are left out."""
    known = await exposure.known_accounts(tx, keys={(customer_id, segment) for customer_id in customer_ids})
    return await _dues(tx, [known[key] for key in sorted(known)])


async def _dues(tx: Transaction, accounts: Sequence[Account]) -> Sequence[CustomerDues]:
    items: dict[UUID, list[DueItem]] = defaultdict(list)
    for item in await dues.open_items(tx.session, [account.id for account in accounts]):
        items[item.account_id].append(_due_item(item))
    in_credit = [account.id for account in accounts if account.exposure.unallocated_credits]
    credits = await dues.credits(tx.session, in_credit)
    return [
        CustomerDues(
            customer_id=account.customer_id,
            segment=account.segment,
            account_id=account.id,
            currency=account.currency,
            credits=credits.get(account.id, {}),
            items=tuple(items[account.id]),
        )
        for account in accounts
    ]


def _due_item(item: Item) -> DueItem:
    return DueItem(
        id=item.id,
        invoice_no=item.invoice_no,
        kind=item.kind,
        currency=item.currency,
        rate=item.rate,
        amount=item.amount,
        open=item.open,
        disputed=item.disputed_open,
        issued_on=item.issued_on,
        due_on=item.due_on,
        parts=item.parts,
    )
