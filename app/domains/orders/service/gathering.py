"""Gather what a decision outside the desk needs, under locks: the order, its account, the facts, the policy."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.positions import Positions
from app.domains.orders import repository
from app.domains.orders.core.facts import CheckFacts, CheckRequest
from app.domains.orders.core.gathering import Surroundings, gathered
from app.domains.orders.core.reviews import Review, ReviewMove, check_open
from app.domains.orders.repository import StoredCheck
from app.domains.policies import service as policies
from app.domains.policies.core.compiled import EffectivePolicy
from app.infra.transaction import Transaction
from app.kernel.periods import local_day, start_of


async def locked_order(tx: Transaction, *, segment: str, order_ref: str) -> tuple[Positions, Commitment]:
    """Locks the account of an order, and reads the order as it then stands.

    Raises `OrderNotFound`, `AccountBusy`.
    """
    known = await exposure.order(tx, segment=segment, order_ref=order_ref)
    positions = await exposure.lock(tx, keys=[(known.customer_id, segment)])
    await exposure.load_orders(tx, positions=positions, keys=[known.key])
    return positions, positions.orders[known.key]


async def locked_check(tx: Transaction, stored: StoredCheck) -> tuple[Positions, StoredCheck]:
    """Locks the account of a check under review, then the check: somebody may have decided, or asked anew, in between.

    Raises `ReviewClosed`, `AccountBusy`.
    """
    check = stored.check
    positions = await exposure.lock(tx, keys=[check.account_key])
    found = await repository.lock_check(tx.session, check.id)
    assert found is not None, "a check under review is not deleted"
    check_open(found.check, now=tx.now)
    await exposure.load_orders(tx, positions=positions, keys=[check.key])
    assert positions.orders[check.key].review_id == check.id, "an order knows its open review"
    return positions, found


async def supersede_review(tx: Transaction, *, order: Commitment) -> None:
    """Ends the open review of an order whose account is locked; without one there is nothing to end."""
    stored = await repository.find_check(tx.session, order.review_id) if order.review_id else None
    if stored is not None and stored.check.review is Review.OPEN:
        ended = stored.check.moved(ReviewMove.SUPERSEDE, at=tx.now)
        await repository.write_review(tx.session, ended, tx.now)


async def policy_of(tx: Transaction, *, customer_id: str, segment: str) -> EffectivePolicy:
    """The policy in force for the customer today."""
    customer = await customers.get(tx, customer_id=customer_id)
    return await policies.effective_policy(tx, segment=segment, customer=customer)


async def reserved_until(
    tx: Transaction, *, customer_id: str, segment: str, ship_on: date | None = None, days: int | None = None
) -> datetime:
    """How long credit is set aside from now or from `ship_on`: the policy's days; `days` may only shorten them."""
    checks = (await policy_of(tx, customer_id=customer_id, segment=segment)).policy.order_checks
    zone = (await policies.segment(tx, segment=segment)).zone
    begins = tx.now if ship_on is None else max(tx.now, start_of(ship_on, zone))
    longest = checks.reservation_days
    return begins + timedelta(days=longest if days is None else min(days, longest))


async def gather(tx: Transaction, *, positions: Positions, request: CheckRequest) -> CheckFacts:
    """The facts of a check of `request` as they are now; the account is in `positions`, locked."""
    segment = await policies.segment(tx, segment=request.segment)
    keys = [(request.segment, ref) for ref in (request.order_ref, *(part.order_ref for part in request.replaces))]
    await exposure.load_orders(tx, positions=positions, keys=keys)
    customer = await customers.get(tx, customer_id=request.customer_id)
    today = local_day(tx.now, segment.zone)
    quotes = await exposure.quotes(tx, on=today)
    around = Surroundings(tx.now, today, segment.zone, segment.currency, customer.terms, quotes)
    return gathered(positions, request, around)
