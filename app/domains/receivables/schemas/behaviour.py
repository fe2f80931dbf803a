"""Payment behaviour on the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.domains.receivables.core.behaviour import PaymentBehaviour
from app.infra.http.fields import MoneyText, Wire


class PaymentBehaviourOut(Wire):
    """How a customer has paid up to a day; null is what nothing was learned about.

    `payment_index` is from 1, worst, to 100, best, 80 being prompt; `share_on_time` and `disputed_share` are
    percentages; days late are beyond terms, below zero early; `trend` is the change of the index within 90 days;
    `broken_promises` are those of the last year; volumes are in the account's currency.
    """

    customer_id: str
    segment: str
    on: date
    payment_index: MoneyText | None
    share_on_time: MoneyText | None
    average_days_late: MoneyText | None
    longest_lateness: int | None
    trend: MoneyText | None
    settled_items: int
    late_items: int
    disputed_items: int
    disputed_share: MoneyText | None
    broken_promises: int
    known_since: date | None
    relation_months: int | None
    year_volume: MoneyText
    monthly_volume: MoneyText | None


def behaviour_out(found: PaymentBehaviour, *, customer_id: str, segment: str) -> PaymentBehaviourOut:
    """Payment behaviour as it travels."""
    return PaymentBehaviourOut(
        customer_id=customer_id,
        segment=segment,
        on=found.on,
        payment_index=_text(found.payment_index),
        share_on_time=_text(found.share_on_time),
        average_days_late=_text(found.average_days_late),
        longest_lateness=found.longest_lateness,
        trend=_text(found.trend),
        settled_items=found.settled_items,
        late_items=found.late_items,
        disputed_items=found.disputed_items,
        disputed_share=_text(found.disputed_share),
        broken_promises=found.broken_promises,
        known_since=found.known_since,
        relation_months=found.relation_months,
        year_volume=f"{found.year_volume:.2f}",
        monthly_volume=_text(found.monthly_volume),
    )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")
