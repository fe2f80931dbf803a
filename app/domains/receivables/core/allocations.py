"""Allocations: which item is settled by how much of which payment or credit note."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domains.receivables.core.items import Item, ItemStatus
from app.domains.receivables.core.refusals import (
    AllocationExceedsItem,
    AllocationExceedsPayment,
    CurrencyDiffers,
    InvoiceNotPayable,
    InvoiceOfAnotherCustomer,
    InvoiceUnknown,
    at,
)
from app.domains.receivables.core.requests import AllocationLine
from app.kernel.money import DIGITS, ZERO, TooManyDecimals, rounded


class CreditKind(StrEnum):
    """What settles an item."""

    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """An item settled by `amount` of a payment or credit note and by `discount`, all in the item's currency.

    `fx_difference` (account currency) is what the cash was worth less what the item was; null between accounts of
    different currencies. `effective_on` is the later of both documents' days.
    """

    id: UUID
    credit: CreditKind
    credit_id: UUID
    credit_ref: str
    item_id: UUID
    invoice_no: str
    customer_id: str
    account_id: UUID
    segment: str
    amount: Decimal
    discount: Decimal
    currency: str
    fx_difference: Decimal | None
    effective_on: date
    made_by: str
    made_at: datetime
    undone_at: datetime | None = None

    @property
    def settles(self) -> Decimal:
        """What the item is relieved of."""
        return self.amount + self.discount


@dataclass(frozen=True, slots=True)
class Settlement:
    """A part of an item to be settled: by `amount` of cash, and by `discount`."""

    item: Item
    amount: Decimal
    discount: Decimal = ZERO

    @property
    def settles(self) -> Decimal:
        """What the item is relieved of."""
        return self.amount + self.discount


NOTHING_TAKEN: Final[Mapping[UUID, Decimal]] = {}


def taken(settlements: Iterable[Settlement]) -> Mapping[UUID, Decimal]:
    """What `settlements` relieve each item of, by the item's id."""
    sums: dict[UUID, Decimal] = defaultdict(lambda: ZERO)
    for settlement in settlements:
        sums[settlement.item.id] += settlement.settles
    return sums


def oldest_first(
    items: Iterable[Item], cash: Decimal, *, already: Mapping[UUID, Decimal] = NOTHING_TAKEN
) -> tuple[Settlement, ...]:
    """Settles `items`, given by due day and number, one after another until `cash` is used up.

    `already` is what an item is relieved of by settlements that go before these.
    """
    settlements = []
    left = cash
    for item in items:
        amount = min(left, item.open - already.get(item.id, ZERO))
        if amount > 0:
            settlements.append(Settlement(item, amount))
            left -= amount
        if left <= 0:
            break
    return tuple(settlements)


def listed(
    lines: Sequence[AllocationLine],
    find: Callable[[str], Item | None],
    *,
    cash: Decimal,
    currency: str,
    group: Collection[str],
) -> tuple[Settlement, ...]:
    """The settlements that `lines` ask for. `find` knows items by number; those of the customers in `group` may be
    settled.

    Raises `InvoiceUnknown`, `InvoiceOfAnotherCustomer`, `InvoiceNotPayable`, `CurrencyDiffers`, `TooManyDecimals`,
    `AllocationExceedsItem` or `AllocationExceedsPayment`, with a pointer to the line; nothing is settled then.
    """
    settlements: list[Settlement] = []
    relieved: dict[UUID, Decimal] = defaultdict(lambda: ZERO)
    left = cash
    for index, line in enumerate(lines):
        place = f"/allocations/{index}"
        item = payable(find(line.invoice_no), line.invoice_no, currency, group, pointer=f"{place}/invoice_no")
        _check_decimals(line, currency, place)
        relieved[item.id] += line.settles
        left -= line.amount
        if relieved[item.id] > item.open:
            message = f"{item.invoice_no} has {item.open} {currency} open, {relieved[item.id]} would be settled"
            raise at(AllocationExceedsItem, f"{place}/amount", message)
        if left < 0:
            message = f"{cash} {currency} can be allocated, {cash - left} would be"
            raise at(AllocationExceedsPayment, f"{place}/amount", message)
        settlements.append(Settlement(item, line.amount, line.discount))
    return tuple(settlements)


def payable(item: Item | None, invoice_no: str, currency: str, group: Collection[str], *, pointer: str) -> Item:
    """`item`, found under `invoice_no`, if a credit in `currency` of a member of `group` may settle it.

    Raises `InvoiceUnknown`, `InvoiceOfAnotherCustomer`, `InvoiceNotPayable` or `CurrencyDiffers`, at `pointer`.
    """
    if item is None:
        raise at(InvoiceUnknown, pointer, f"there is no invoice {invoice_no}")
    if item.customer_id not in group:
        raise at(InvoiceOfAnotherCustomer, pointer, f"{invoice_no} belongs to somebody outside the customer's group")
    if item.is_credit or item.status is ItemStatus.CANCELLED:
        what = "a credit note" if item.is_credit else "cancelled"
        raise at(InvoiceNotPayable, pointer, f"{invoice_no} is {what}")
    if item.currency != currency:
        raise at(CurrencyDiffers, pointer, f"{invoice_no} is in {item.currency}, not in {currency}")
    return item


def fx_difference(settlement: Settlement, *, used: Decimal, relieved: Decimal, account_currency: str) -> Decimal | None:
    """What the cash was worth (`used`) less what it relieved the item of, both in account currency; a gain is positive.

    The discount is no exchange difference, so it is taken out of `relieved`. Null when the item's account is kept in
    another currency than `account_currency`, the one of the payment's.
    """
    item = settlement.item
    if item.account_currency != account_currency:
        return None
    return used - (relieved - rounded(settlement.discount * item.rate, account_currency))


def _check_decimals(line: AllocationLine, currency: str, place: str) -> None:
    for member, amount in (("amount", line.amount), ("discount", line.discount)):
        if amount != rounded(amount, currency):
            raise at(TooManyDecimals, f"{place}/{member}", f"{currency} has {DIGITS[currency]} decimals")
