"""Facts and rules in a few words."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from app.domains.dunning.core.facts import CustomerFacts, DunnableItem
from app.domains.policies.core.dunning import CurrencyAmount, Dunning, DunningLevel

TODAY = date(2026, 3, 2)
ACCOUNT = UUID(int=1)


def item(number: str = "INV-1", overdue: int = 10, open: str = "100.00", **more: Any) -> DunnableItem:
    """An item that is overdue for so many days today; negative: due in so many."""
    due_on = TODAY - timedelta(days=overdue)
    currency = more.pop("currency", "CNY")
    return DunnableItem(
        item_id=uuid5(ACCOUNT, number),
        invoice_no=number,
        currency=currency,
        amount=Decimal(open),
        open=Decimal(open),
        issued_on=due_on - timedelta(days=30),
        due_on=due_on,
        disputed=Decimal(more.pop("disputed", 0)),
        **more,
    )


def customer(*items: DunnableItem, **more: Any) -> CustomerFacts:
    return CustomerFacts(account_id=ACCOUNT, customer_id="C1", segment="main", currency="CNY", items=items, **more)


def level(days: int, since: int = 7, **more: Any) -> DunningLevel:
    return DunningLevel(days_overdue=days, min_days_since_previous=since, **more)


def amount(text: str, currency: str = "CNY") -> tuple[CurrencyAmount, ...]:
    return (CurrencyAmount(currency, Decimal(text)),)


RULES = Dunning(levels=(level(5), level(20, 10), level(35, 10)))


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)
