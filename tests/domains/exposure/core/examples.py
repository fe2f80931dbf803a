"""What core tests are about: an account, a group, an order, and strategies for amounts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.commitments import Commitment, OrderState
from app.domains.exposure.core.ledger import Exposure

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ACCOUNT_ID = UUID(int=1)
GROUP_ID = UUID(int=9)

cents = st.integers(0, 10_000_00).map(lambda amount: Decimal(amount) / 100)
positive_cents = st.integers(1, 10_000_00).map(lambda amount: Decimal(amount) / 100)
rates = st.decimals(Decimal("0.000001"), Decimal(9999), places=6)


def account(number: int = 1, *, currency: str = "CNY", group_id: UUID | None = None) -> Account:
    """An account that owes nothing."""
    return Account(
        id=UUID(int=number),
        customer_id=f"C{number}",
        segment="main",
        version=0,
        exposure=Exposure(currency),
        fresh_until=NOW,
        basis="",
        group_id=group_id,
    )


def group() -> Group:
    """A group without members."""
    return Group(GROUP_ID, "P", "main", "CNY", version=0, fresh_until=NOW)


def order(
    *, currency: str = "CNY", rate: Decimal = Decimal(1), order_ref: str = "O1", account_id: UUID = ACCOUNT_ID
) -> Commitment:
    """An order on an account in CNY that binds nothing yet."""
    return Commitment(
        segment="main",
        order_ref=order_ref,
        account_id=account_id,
        customer_id="C1",
        currency=currency,
        account_currency="CNY",
        rate=rate,
        state=OrderState.OPEN,
    )
