"""Allocations: which item is settled by how much of which payment or credit note."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from app.domains.exposure.core.refusals import FxRateMissing
from app.domains.receivables.core.items import Item, ItemStatus
from app.domains.receivables.core.matching import Earned, Settlement, nothing_earned
from app.domains.receivables.core.refusals import (
    AllocationExceedsItem,
    AllocationExceedsPayment,
    CurrencyDiffers,
    InvoiceNotPayable,
    InvoiceOfAnotherCustomer,
    InvoiceUnknown,
    SettlesContradictory,
    SettlesNothing,
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
    """An item settled by `amount` of a payment or credit note, by `discount` and by a small `difference`, all in the
    item's currency; `cash` is what that used of the payment or credit note, in its currency.

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
    difference: Decimal
    cash: Decimal
    currency: str
    fx_difference: Decimal | None
    effective_on: date
    made_by: str
    made_at: datetime
    undone_at: datetime | None = None

    @property
    def settles(self) -> Decimal:
        """What the item is relieved of."""
        return self.amount + self.discount + self.difference


RateInto = Callable[[str], Decimal | None]
"""Units of a currency per unit of what is allocated; null when no rate leads there."""


def no_rates(_: str) -> None:
    """No rate leads into any other currency."""


def listed(
    lines: Sequence[AllocationLine],
    find: Callable[[str], Item | None],
    *,
    cash: Decimal,
    currency: str,
    group: Collection[str],
    earned: Earned = nothing_earned,
    rate_into: RateInto = no_rates,
) -> tuple[Settlement, ...]:
    """The settlements that `lines` ask for. `find` knows items by number; those of the customers in `group` may be
    settled. What was written off of an item may be paid too. A line that pays an item all but the discount it has
    `earned` takes that discount. Where the item is in another currency and the line does not say what it settles, the
    cash is converted at `rate_into`.

    Raises `InvoiceUnknown`, `InvoiceOfAnotherCustomer`, `InvoiceNotPayable`, `FxRateMissing`, `SettlesContradictory`,
    `SettlesNothing`, `TooManyDecimals`, `AllocationExceedsItem` or `AllocationExceedsPayment`, with a pointer to the
    line; nothing is settled then.
    """
    settlements: list[Settlement] = []
    relieved: dict[UUID, Decimal] = defaultdict(lambda: ZERO)
    left = cash
    for index, line in enumerate(lines):
        place = f"/allocations/{index}"
        item = payable(find(line.invoice_no), line.invoice_no, group, pointer=f"{place}/invoice_no")
        _check_line(line, item, currency, place)
        if line.settles is None and item.currency != currency:
            line = _converted(line, item, currency, rate_into, place, already=relieved[item.id])
        settlement = _as_asked(line, item, currency, earned, untouched=not relieved[item.id])
        relieved[item.id] += settlement.settles
        left -= line.amount
        if relieved[item.id] > item.open + item.written_off:
            message = f"{item.invoice_no} has {item.open} {item.currency} open, {relieved[item.id]} would be settled"
            raise at(AllocationExceedsItem, f"{place}/amount", message)
        if left < 0:
            message = f"{cash} {currency} can be allocated, {cash - left} would be"
            raise at(AllocationExceedsPayment, f"{place}/amount", message)
        settlements.append(settlement)
    return tuple(settlements)


def payable(item: Item | None, invoice_no: str, group: Collection[str], *, pointer: str) -> Item:
    """`item`, found under `invoice_no`, if a credit of a member of `group` may settle it.

    Raises `InvoiceUnknown`, `InvoiceOfAnotherCustomer` or `InvoiceNotPayable`, at `pointer`.
    """
    if item is None:
        raise at(InvoiceUnknown, pointer, f"there is no invoice {invoice_no}")
    if item.customer_id not in group:
        raise at(InvoiceOfAnotherCustomer, pointer, f"{invoice_no} belongs to somebody outside the customer's group")
    if item.is_credit or item.status is ItemStatus.CANCELLED:
        what = "a credit note" if item.is_credit else "cancelled"
        raise at(InvoiceNotPayable, pointer, f"{invoice_no} is {what}")
    return item


def in_one_currency(item: Item, currency: str, *, pointer: str) -> Item:
    """`item`, if it is in `currency`. Raises `CurrencyDiffers`."""
    if item.currency != currency:
        raise at(CurrencyDiffers, pointer, f"{item.invoice_no} is in {item.currency}, not in {currency}")
    return item


def fx_difference(settlement: Settlement, *, used: Decimal, relieved: Decimal, account_currency: str) -> Decimal | None:
    """What the cash was worth (`used`) less what it relieved the item of, both in account currency; a gain is positive.

    Discount and small difference are no exchange difference, so they are taken out of `relieved`. Null when the item's
    account is kept in another currency than `account_currency`, the one of the payment's.
    """
    item = settlement.item
    if item.account_currency != account_currency:
        return None
    granted = settlement.discount + settlement.difference
    return used - (relieved - rounded(granted * item.rate, account_currency))


def _as_asked(line: AllocationLine, item: Item, currency: str, earned: Earned, *, untouched: bool) -> Settlement:
    discount = line.discount
    if not discount and untouched and line.paid < item.open:
        offered = earned(item)
        discount = offered if line.paid + offered == item.open else ZERO
    return Settlement(item, line.paid, discount, cash=None if item.currency == currency else line.amount)


def _converted(
    line: AllocationLine, item: Item, currency: str, rate_into: RateInto, place: str, *, already: Decimal
) -> AllocationLine:
    """The line, saying what its cash is worth in the item's currency. Cash that is, to its last minor unit, what the
    rest of the item comes to pays all of it: there is no closer amount that the payer could have sent."""
    rate = rate_into(item.currency)
    if rate is None:
        message = f"no rate leads from {currency} to {item.currency}; say what of {item.invoice_no} is settled"
        raise at(FxRateMissing, f"{place}/settles", message)
    rest = item.open - already - line.discount
    settles = rest if rest > 0 and rounded(rest / rate, currency) == line.amount else line.amount * rate
    settles = rounded(settles, item.currency)
    if not settles:
        message = f"{line.amount} {currency} are worth nothing in {item.currency}"
        raise at(SettlesNothing, f"{place}/amount", message)
    return replace(line, settles=settles)


def _check_line(line: AllocationLine, item: Item, currency: str, place: str) -> None:
    if line.settles is not None and item.currency == currency and line.settles != line.amount:
        raise at(SettlesContradictory, f"{place}/settles", f"{item.invoice_no} is in {currency} too")
    settles = ZERO if line.settles is None else line.settles
    asked = (("amount", line.amount, currency), ("discount", line.discount, item.currency))
    for member, amount, code in (*asked, ("settles", settles, item.currency)):
        if amount != rounded(amount, code):
            raise at(TooManyDecimals, f"{place}/{member}", f"{code} has {DIGITS[code]} decimals")
