"""What a decision does to the account: the one place where a credit check has consequences."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import Commitment, OrderState
from app.domains.exposure.core.ledger import Source
from app.domains.exposure.core.positions import Positions
from app.domains.orders.core.decision import Decision, Outcome
from app.domains.orders.core.facts import CheckFacts
from app.domains.orders.core.trial import current, reduced
from app.kernel.records import changed


def carry_out(
    positions: Positions, facts: CheckFacts, decision: Decision, *, check_id: UUID, counts_until: date | None
) -> UUID | None:
    """Posts what `decision` means for the order, and for the orders it replaces, to `positions`.

    A check that does not reserve has no consequences. Returns the check whose open review this decision supersedes.
    """
    if not facts.request.reserve:
        return None
    source = Source("credit_check", str(check_id))
    positions.change_order(_after(facts, decision, check_id), source, counts_until=counts_until)
    if decision.outcome is Outcome.APPROVED:
        for part in reduced(facts):
            positions.change_order(part, source, counts_until=counts_until)
    return facts.order.review_id if facts.order else None


def _after(facts: CheckFacts, decision: Decision, check_id: UUID) -> Commitment:
    asked = decision.order
    if decision.outcome is Outcome.APPROVED and facts.asked_terms.on_credit:
        assert asked is not None, "an order without a rate is never approved"
        return commitments.approve(
            asked,
            amount=asked.approved,
            ship_on=facts.request.requested_ship_on,
            expires_at=decision.reservation.expires_at if decision.reservation else None,
        )
    order = current(facts)
    if asked is not None and not order.binds:
        order = changed(order, currency=asked.currency, rate=asked.rate)
    if decision.outcome is Outcome.DECLINED:
        return commitments.decline(order)
    if decision.outcome is Outcome.REFERRED:
        amount = asked.approved if asked is not None else facts.request.amount
        return commitments.hold(order, amount=amount, review_id=check_id)
    return _without_credit(order)


def _without_credit(order: Commitment) -> Commitment:
    """An order paid before or at delivery reserves nothing; what an earlier approval reserved is freed."""
    freed = commitments.cancel(order)
    return freed if freed.binds or freed.invoiced else changed(freed, state=OrderState.OPEN)
