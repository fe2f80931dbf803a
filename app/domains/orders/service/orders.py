"""Orders: look them up, load accepted ones at cutover, cancel and close them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from decimal import Decimal

from sqlalchemy.exc import IntegrityError

from app.domains.exposure import service as exposure
from app.domains.exposure.core import commitments
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.commitments import Commitment, OrderMove, OrderState
from app.domains.exposure.core.ledger import Source
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.service import FiledOrder
from app.domains.orders.core import orders
from app.domains.orders.core.order_events import OrderCancelled, OrderClosed, OrderLoaded
from app.domains.orders.core.orders import AcceptedOrder, amounts
from app.domains.orders.core.refusals import OrderConflict
from app.domains.orders.service.gathering import locked_order, reserved_until, supersede_review
from app.domains.policies import service as policies
from app.domains.receivables.core.refusals import FxRateContradictory
from app.infra.db.failures import UNIQUE_VIOLATION, sqlstate
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Fault
from app.kernel.events import Event
from app.kernel.periods import local_day


async def get(tx: Transaction, *, segment: str, order_ref: str) -> FiledOrder:
    """The order as it stands now. Raises `OrderNotFound`."""
    return _standing(tx, await exposure.filed_order(tx, segment=segment, order_ref=order_ref))


async def list_orders(
    tx: Transaction,
    *,
    page: PageRequest,
    segments: Collection[str] | None = None,
    customer_id: str | None = None,
    state: OrderState | None = None,
) -> Slice[FiledOrder]:
    """Orders by segment and reference, in these segments or all; `state` is the recorded one."""
    found = await exposure.list_orders(tx, page=page, segments=segments, customer_id=customer_id, state=state)
    return Slice([_standing(tx, filed) for filed in found.rows], found.next_cursor)


async def load(tx: Transaction, *, accepted: AcceptedOrder) -> tuple[FiledOrder, bool]:
    """Loads an order that was accepted before Headroom, without a decision; True if it was not there before.

    Raises `NothingToLoad`, `AccountNotFound`, `OrderRefConflict`, `OrderConflict`, `FxRateMissing`,
    `FxRateContradictory`, `AmountOutOfRange`.
    """
    orders.check_amounts(accepted)
    positions = await exposure.lock(tx, keys=[(accepted.customer_id, accepted.segment)])
    await exposure.load_orders(tx, positions=positions, keys=[accepted.key])
    known = positions.orders.get(accepted.key)
    if known is not None:
        orders.check_repetition(known, accepted)
        return await get(tx, segment=accepted.segment, order_ref=accepted.order_ref), False
    order = await _loaded(tx, accepted, positions.of(accepted.customer_id, accepted.segment))
    positions.change_order(order, Source("order_load", order.order_ref))
    await _save_new(tx, positions, order)
    tx.emit(_told(OrderLoaded, None, order))
    return FiledOrder(order, created_at=tx.now, changed_at=tx.now), True


async def cancel(tx: Transaction, *, segment: str, order_ref: str, reason: str) -> FiledOrder:
    """Frees what is open of an order: A becomes max(S, I). Raises `OrderNotFound`, `OrderResolved`."""
    before, after = await _end(tx, segment, order_ref, OrderMove.CANCEL, commitments.cancel)
    tx.emit(_told(OrderCancelled, before, after, reason=reason))
    return await get(tx, segment=segment, order_ref=order_ref)


async def close(tx: Transaction, *, segment: str, order_ref: str, reason: str) -> FiledOrder:
    """Frees what is open and what is delivered: nothing more will be invoiced. Raises `OrderNotFound`,
    `OrderResolved`."""
    before, after = await _end(tx, segment, order_ref, OrderMove.CLOSE, commitments.close)
    tx.emit(_told(OrderClosed, before, after, reason=reason))
    return await get(tx, segment=segment, order_ref=order_ref)


async def _end(
    tx: Transaction, segment: str, order_ref: str, move: OrderMove, ended: Callable[[Commitment], Commitment]
) -> tuple[Commitment, Commitment]:
    positions, before = await locked_order(tx, segment=segment, order_ref=order_ref)
    orders.check_unresolved(before, move)
    after = ended(before)
    positions.change_order(after, Source(move.value, order_ref))
    await exposure.save(tx, positions=positions)
    await supersede_review(tx, order=before)
    return before, after


async def _loaded(tx: Transaction, accepted: AcceptedOrder, account: Account) -> Commitment:
    expires_at = await reserved_until(
        tx,
        customer_id=accepted.customer_id,
        segment=accepted.segment,
        ship_on=accepted.ship_on,
        days=accepted.reservation_days,
    )
    rate = await _rate(tx, accepted, account.currency)
    orders.check_range(accepted, rate)
    return orders.loaded(
        accepted, account_id=account.id, account_currency=account.currency, rate=rate, expires_at=expires_at
    )


async def _rate(tx: Transaction, accepted: AcceptedOrder, into: str) -> Decimal:
    if accepted.rate is None:
        segment = await policies.segment(tx, segment=accepted.segment)
        return await exposure.rate(tx, currency=accepted.currency, into=into, on=local_day(tx.now, segment.zone))
    if accepted.currency == into and accepted.rate != 1:
        message = f"the account is kept in {into} too"
        raise FxRateContradictory(message, faults=[Fault("/fx_rate", FxRateContradictory.code, message)])
    return accepted.rate


async def _save_new(tx: Transaction, positions: Positions, order: Commitment) -> None:
    """Writes `positions` with a new order whose reference another customer may be taking at this moment."""
    try:
        await exposure.save(tx, positions=positions)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        raise OrderConflict(f"{order.order_ref!r} has just been taken by another order") from error


def _standing(tx: Transaction, filed: FiledOrder) -> FiledOrder:
    return replace(filed, order=orders.standing(filed.order, tx.now))


def _told(kind: type[Event], before: Commitment | None, after: Commitment, **more: str) -> Event:
    return kind(
        subject_id=after.order_ref,
        segment=after.segment,
        customer_id=after.customer_id,
        before=amounts(before) if before else {},
        after={**amounts(after), **more},
    )
