"""Orders as the order desk sees them: as they stand now, and as they come over from the system before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import Commitment, OrderMove, OrderState
from app.domains.exposure.core.refusals import OrderRefConflict, OrderResolved
from app.domains.orders.core.refusals import NothingToLoad, OrderConflict
from app.kernel.errors import Fault
from app.kernel.money import MAX_AMOUNT, ZERO, AmountOutOfRange, TooManyDecimals, exact, render


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedOrder:
    """An order that was accepted before Headroom: its three amounts in `currency`, and how long to keep credit for it.

    `rate` is account currency per unit of `currency`, null: the day's.
    """

    customer_id: str
    segment: str
    order_ref: str
    currency: str
    approved: Decimal
    shipped: Decimal = ZERO
    invoiced: Decimal = ZERO
    ship_on: date | None = None
    reservation_days: int | None = None
    rate: Decimal | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The segment and the reference of the order."""
        return self.segment, self.order_ref


def check_amounts(accepted: AcceptedOrder) -> None:
    """Refuses an order without any amount. Raises `NothingToLoad`."""
    if not (accepted.approved or accepted.shipped or accepted.invoiced):
        message = "an accepted order has an approved, shipped or invoiced amount"
        raise NothingToLoad(message, faults=[Fault("/approved", NothingToLoad.code, message)])


def check_range(accepted: AcceptedOrder, rate: Decimal) -> None:
    """Refuses an order that is worth more in account currency than the ledger can hold. Raises `AmountOutOfRange`."""
    if max(accepted.approved, accepted.shipped, accepted.invoiced) * rate > MAX_AMOUNT:
        raise AmountOutOfRange(f"in account currency the order would be worth more than {MAX_AMOUNT}")


def check_repetition(known: Commitment, accepted: AcceptedOrder) -> None:
    """Refuses to load what is there and differs. Raises `OrderRefConflict`, `OrderConflict`."""
    if known.customer_id != accepted.customer_id:
        raise OrderRefConflict(f"{known.order_ref!r} is an order of another customer")
    there = (known.currency, known.approved, known.shipped, known.invoiced, known.ship_on)
    same = there == (accepted.currency, accepted.approved, accepted.shipped, accepted.invoiced, accepted.ship_on)
    if not same or accepted.rate not in (None, known.rate):
        raise OrderConflict(f"{known.order_ref!r} is there already, and stands otherwise")


def loaded(
    accepted: AcceptedOrder, *, account_id: UUID, account_currency: str, rate: Decimal, expires_at: datetime
) -> Commitment:
    """The commitment of an accepted order: approved without a decision, its state by its amounts."""
    order = Commitment(
        segment=accepted.segment,
        order_ref=accepted.order_ref,
        account_id=account_id,
        customer_id=accepted.customer_id,
        currency=accepted.currency,
        account_currency=account_currency,
        rate=rate,
        state=OrderState.OPEN,
        shipped=accepted.shipped,
        invoiced=accepted.invoiced,
    )
    return commitments.approve(order, amount=accepted.approved, ship_on=accepted.ship_on, expires_at=expires_at)


def standing(order: Commitment, now: datetime) -> Commitment:
    """The order as it stands at `now`: a reservation that has run out counts no more, recorded or not."""
    run_out = order.open > 0 and order.expires_at is not None and order.expires_at <= now
    return commitments.expire(order) if run_out else order


def check_unresolved(order: Commitment, move: OrderMove) -> None:
    """Refuses to end an order of which nothing is left. Raises `OrderResolved`."""
    if not order.allows(move):
        raise OrderResolved(f"the order {order.order_ref!r} is {order.state.value}: nothing is left to {move.value}")


def in_currency(amount: Decimal, currency: str, *, pointer: str = "/amount") -> Decimal:
    """`amount`, at `pointer` of a request, in the currency of its order. Raises `TooManyDecimals`,
    `AmountOutOfRange`."""
    try:
        return exact(amount, currency).amount
    except (TooManyDecimals, AmountOutOfRange) as refusal:
        fault = Fault(pointer, refusal.code, refusal.detail)
        raise type(refusal)(refusal.detail, faults=[fault]) from None


def amounts(order: Commitment) -> dict[str, str]:
    """An order's state and amounts as events tell them, in order currency."""
    return {
        "state": order.state.value,
        "approved": render(order.approved, order.currency),
        "shipped": render(order.shipped, order.currency),
        "invoiced": render(order.invoiced, order.currency),
        "open": render(order.open, order.currency),
        "delivered": render(order.delivered, order.currency),
        "currency": order.currency,
    }
