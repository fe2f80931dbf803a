"""What adverse events do to the accounts of a customer, as the policy of each segment says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domains.credit_data.core.records import Kind
from app.domains.credit_data.core.references import AdverseEvent
from app.domains.credit_data.repository import records as repository
from app.domains.customers import service as customers
from app.domains.customers.core.customer import Customer
from app.domains.policies import service as policies
from app.domains.policies.core.credit_data import AdverseEventHold, Stop
from app.domains.policies.core.refusals import OverrideUnfit, PolicyMissing
from app.domains.policies.core.segments import MAIN
from app.infra.transaction import Transaction
from app.kernel.periods import local_day

MAX_EVENTS: Final = 500


@dataclass(frozen=True, slots=True)
class Stopping:
    """Whether an account in a segment is to be stopped, and why; null: it is not."""

    segment: str
    stop: Stop | None
    reason: str


async def stopping(tx: Transaction, *, customer_id: str) -> Sequence[Stopping]:
    """What the adverse events that are not over mean for the customer's account in each segment.

    Raises `CustomerNotFound`.
    """
    customer = await customers.get(tx, customer_id=customer_id)
    filed = await repository.known(
        tx.session,
        customer_ids=[customer_id],
        segment=MAIN,
        known_at=None,
        kinds=[Kind.ADVERSE_EVENT],
        most=MAX_EVENTS,
    )
    events: list[AdverseEvent] = [record.content for record in filed[customer_id]]
    found: list[Stopping] = []
    for segment in await policies.list_segments(tx):
        today = local_day(tx.now, segment.zone)
        pending = [event for event in events if not event.is_resolved(today)]
        found.append(_judged(segment.segment, await _rule(tx, segment.segment, customer), pending))
    return found


def _judged(segment: str, rule: AdverseEventHold | None, pending: Sequence[AdverseEvent]) -> Stopping:
    gravest = max(pending, key=lambda event: event.severity, default=None)
    if rule is None or gravest is None or gravest.severity < rule.min_severity:
        return Stopping(segment, None, "no grave event is pending")
    return Stopping(segment, rule.hold, f"{gravest.kind.value} of {gravest.occurred_on}, severity {gravest.severity}")


async def _rule(tx: Transaction, segment: str, customer: Customer) -> AdverseEventHold | None:
    """The rule of the policy in effect; where none can be had, the usual one: a fact is filed whatever the policy."""
    try:
        found = await policies.effective_policy(tx, segment=segment, customer=customer)
    except (OverrideUnfit, PolicyMissing):
        return AdverseEventHold()
    return found.policy.credit_data.adverse_event_hold


async def is_on_file(tx: Transaction, *, customer_id: str) -> bool:
    """Whether anything was ever filed for the customer."""
    return await repository.any_of(tx.session, customer_id)
