"""Commitments: what an order binds, from its approval to the last invoice.

An order has three amounts in its own currency: approved A, shipped S, invoiced I. Open is max(A − max(S, I), 0),
delivered max(S − I, 0); the sequence of shipping and invoicing never matters. Closing an order waives what was
delivered and will never be invoiced, so that delivered is max(S − I − waived, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app.domains.exposure.core.ledger import Component, Entry, Source
from app.kernel.money import ZERO, rounded
from app.kernel.records import changed


class OrderState(StrEnum):
    """Where an order stands, as the order desk sees it."""

    HELD = "held"
    DECLINED = "declined"
    OPEN = "open"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    PARTLY_INVOICED = "partly_invoiced"
    INVOICED = "invoiced"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class OrderMove(StrEnum):
    """What can happen to an order."""

    APPROVE = "approve"
    REFER = "refer"
    DECLINE = "decline"
    SHIP = "ship"
    TAKE_BACK = "take_back"
    INVOICE = "invoice"
    CANCEL_INVOICE = "cancel_invoice"
    CANCEL = "cancel"
    CLOSE = "close"
    EXPIRE = "expire"


_FACTS: Final = frozenset(
    {
        OrderMove.APPROVE,
        OrderMove.REFER,
        OrderMove.DECLINE,
        OrderMove.SHIP,
        OrderMove.TAKE_BACK,
        OrderMove.INVOICE,
        OrderMove.CANCEL_INVOICE,
    }
)
"""Decisions and facts that any state must take: an order can always be asked for again, and what left has left."""

_LIVE: Final = _FACTS | {OrderMove.CANCEL, OrderMove.CLOSE, OrderMove.EXPIRE}

LEGAL: Final[dict[OrderState, frozenset[OrderMove]]] = {
    OrderState.HELD: _LIVE,
    OrderState.DECLINED: _FACTS | {OrderMove.CANCEL, OrderMove.CLOSE},
    OrderState.OPEN: _LIVE,
    OrderState.PARTLY_SHIPPED: _LIVE,
    OrderState.SHIPPED: _FACTS | {OrderMove.CLOSE},
    OrderState.PARTLY_INVOICED: _LIVE,
    OrderState.INVOICED: _FACTS,
    OrderState.CLOSED: _FACTS,
    OrderState.CANCELLED: _FACTS,
    OrderState.EXPIRED: _FACTS,
}
"""The moves that are legal in each state; the state after a move follows from the amounts."""


@dataclass(frozen=True, slots=True)
class Release:
    """A person's release of a referred order: what the desk honours until `until` without referring again."""

    amount: Decimal
    codes: tuple[str, ...]
    credit_days: int
    discount_percent: Decimal
    until: datetime


@dataclass(frozen=True, slots=True)
class Commitment:
    """What one order binds. Amounts in order currency; `rate`, kept while it binds, is account currency per unit."""

    segment: str
    order_ref: str
    account_id: UUID
    customer_id: str
    currency: str
    account_currency: str
    rate: Decimal
    state: OrderState
    approved: Decimal = ZERO
    shipped: Decimal = ZERO
    invoiced: Decimal = ZERO
    waived: Decimal = ZERO
    held: Decimal = ZERO
    ship_on: date | None = None
    expires_at: datetime | None = None
    review_id: UUID | None = None
    release: Release | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The segment and the reference: what names an order."""
        return self.segment, self.order_ref

    @property
    def open(self) -> Decimal:
        """The reservation: approved, neither shipped nor invoiced, in order currency."""
        return max(self.approved - max(self.shipped, self.invoiced), ZERO)

    @property
    def delivered(self) -> Decimal:
        """Shipped, not yet invoiced, in order currency."""
        return max(self.shipped - self.invoiced - self.waived, ZERO)

    @property
    def delivered_amount(self) -> Decimal:
        """The delivered part in account currency."""
        return self._worth(self.delivered)

    @property
    def open_amount(self) -> Decimal:
        """The open part in account currency: what the whole binds less what is delivered, so that shipping never
        moves the total, not even by a rounding."""
        delivered = self.delivered
        if not delivered:
            return self._worth(self.open)
        return self._worth(self.open + delivered) - self._worth(delivered)

    @property
    def held_amount(self) -> Decimal:
        """What a referred check of the order asks for beyond what is bound, in account currency."""
        return self._worth(self.held)

    @property
    def binds(self) -> bool:
        """Whether any part of the order still counts."""
        return _binds(self.approved, self.shipped, self.invoiced, self.waived)

    def _worth(self, amount: Decimal) -> Decimal:
        """`amount` of the order in account currency, rounded half up; in the same currency nothing is to round."""
        if self.currency == self.account_currency and self.rate == 1:
            return amount
        return rounded(amount * self.rate, self.account_currency)

    def allows(self, move: OrderMove) -> bool:
        """Whether `move` is legal now: a table, and for cancelling that something is left to free."""
        if move is OrderMove.CANCEL:
            return move in LEGAL[self.state] and (self.open > 0 or self.held > 0)
        return move in LEGAL[self.state]


def approve(order: Commitment, *, amount: Decimal, ship_on: date | None, expires_at: datetime | None) -> Commitment:
    """The order after approval of `amount` as its whole value, the shipped part included."""
    return _settled(order, approved=amount, held=ZERO, review_id=None, ship_on=ship_on, expires_at=expires_at)


def reduce(order: Commitment, *, amount: Decimal) -> Commitment:
    """The order after `amount` of its open part was freed for another order that replaces it."""
    approved = max(order.approved - amount, order.shipped, order.invoiced)
    return _settled(order, approved=approved, empty=OrderState.CANCELLED)


def hold(order: Commitment, *, amount: Decimal, review_id: UUID) -> Commitment:
    """The order after a check was referred: what is approved stays, what is asked for beyond it waits for a review."""
    beyond = max(amount - max(order.approved, order.shipped, order.invoiced), ZERO)
    state = order.state if order.binds else OrderState.HELD
    return changed(order, held=beyond, review_id=review_id, state=state)


def decline(order: Commitment) -> Commitment:
    """The order after a check was declined or a review rejected: what is approved stays."""
    return _settled(order, held=ZERO, review_id=None, empty=OrderState.DECLINED)


def lapse(order: Commitment) -> Commitment:
    """The order after its review lapsed: nobody decided in time."""
    return _settled(order, held=ZERO, review_id=None, empty=OrderState.EXPIRED)


def ship(order: Commitment, *, amount: Decimal) -> Commitment:
    """The order after goods worth `amount` have left."""
    return _settled(order, shipped=order.shipped + amount)


def take_back(order: Commitment, *, amount: Decimal, reorder: bool) -> Commitment:
    """The order after a shipment of `amount` came back; its approval falls with it unless it is to be sent again."""
    approved = order.approved if reorder else max(order.approved - amount, ZERO)
    return _settled(order, shipped=order.shipped - amount, approved=approved, empty=OrderState.CANCELLED)


def invoice(order: Commitment, *, amount: Decimal) -> Commitment:
    """The order after `amount` of it was invoiced; more than was approved is a fact like any other."""
    return _settled(order, invoiced=order.invoiced + amount)


def cancel_invoice(order: Commitment, *, amount: Decimal) -> Commitment:
    """The order after an invoice over `amount` was cancelled: what was delivered is delivered again.

    What was open before it was invoiced is open again, unless the order's open part has been freed since.
    """
    invoiced = order.invoiced - amount
    approved = order.approved if order.expires_at is not None else min(order.approved, max(order.shipped, invoiced))
    return _settled(order, invoiced=invoiced, approved=approved, empty=OrderState.CANCELLED)


def cancel(order: Commitment) -> Commitment:
    """The order after its open part was freed: A becomes max(S, I)."""
    return _freed(order, held=ZERO, review_id=None, empty=OrderState.CANCELLED)


def expire(order: Commitment) -> Commitment:
    """The order after its reservation ran out: A becomes max(S, I); a review of it goes on."""
    return _freed(order, empty=OrderState.HELD if order.held else OrderState.EXPIRED)


def close(order: Commitment) -> Commitment:
    """The order after it was closed: nothing more will be shipped or invoiced."""
    waived = order.waived + order.delivered
    freed = _freed(order, held=ZERO, review_id=None, waived=waived, empty=OrderState.CLOSED)
    return changed(freed, state=OrderState.CLOSED)


def entries(before: Commitment | None, after: Commitment, source: Source) -> tuple[Entry, ...]:
    """The ledger entries, in account currency, that lead from `before` (null: no order yet) to `after`."""
    was_open, was_delivered = (before.open_amount, before.delivered_amount) if before else (ZERO, ZERO)
    moves = (
        (Component.OPEN_ORDERS, after.open_amount - was_open),
        (Component.DELIVERED, after.delivered_amount - was_delivered),
    )
    return tuple(Entry(component, amount, source) for component, amount in moves if amount)


def _freed(order: Commitment, *, empty: OrderState, **members: Any) -> Commitment:
    approved = max(order.shipped, order.invoiced)
    return _settled(order, approved=approved, expires_at=None, empty=empty, **members)


def _settled(order: Commitment, *, empty: OrderState | None = None, **members: Any) -> Commitment:
    """The order with other `members`, in the state that its amounts say; `empty` is the one of an order of nothing.

    Nothing is waived but what is shipped and not invoiced: what leaves after a closed order was invoiced late, or came
    back, is delivered like any other.
    """
    approved = members.get("approved", order.approved)
    shipped = members.get("shipped", order.shipped)
    invoiced = members.get("invoiced", order.invoiced)
    waived = members.get("waived", order.waived)
    if waived:
        waived = min(waived, max(shipped - invoiced, ZERO))
    state = _state_by_amounts(approved, shipped, invoiced, waived, empty=empty or order.state)
    return changed(order, **members | {"waived": waived, "state": state})


def _binds(approved: Decimal, shipped: Decimal, invoiced: Decimal, waived: Decimal) -> bool:
    """Whether anything is open or delivered."""
    return approved > max(shipped, invoiced) or shipped - invoiced > waived


def _state_by_amounts(
    approved: Decimal, shipped: Decimal, invoiced: Decimal, waived: Decimal, *, empty: OrderState
) -> OrderState:
    if not (approved or shipped or invoiced):
        return empty
    if not _binds(approved, shipped, invoiced, waived):
        return OrderState.INVOICED if invoiced else empty
    if invoiced:
        return OrderState.PARTLY_INVOICED
    if shipped:
        return OrderState.SHIPPED if shipped >= approved else OrderState.PARTLY_SHIPPED
    return OrderState.OPEN
