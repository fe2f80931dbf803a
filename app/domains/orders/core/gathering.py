"""Facts from positions: what one check is decided from, put together the same way at the desk and in a review."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.domains.customers.core.terms import PaymentTerms
from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import OrderCurrencyFixed, OrderRefConflict
from app.domains.orders.core.check_refusals import ReplacedOrderUnknown
from app.domains.orders.core.facts import CheckFacts, CheckRequest, Rates
from app.domains.orders.core.orders import in_currency
from app.kernel.periods import start_of


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies round an account at the instant `at`, which is on the day `on` in its segment's zone: the segment's
    currency, the customer's terms, the rates of the day."""

    at: datetime
    on: date
    zone: ZoneInfo
    segment_currency: str
    terms: PaymentTerms
    quotes: Quotes

    def ship_from(self, ship_on: date | None) -> datetime:
        """When goods leave at the earliest: now, or when the day `ship_on` begins."""
        return self.at if ship_on is None else max(self.at, start_of(ship_on, self.zone))


def gathered(positions: Positions, request: CheckRequest, around: Surroundings) -> CheckFacts:
    """The facts of a check of `request`; its account, group and orders are among `positions`.

    Raises `OrderRefConflict`, `OrderCurrencyFixed`, `ReplacedOrderUnknown`, `TooManyDecimals`.
    """
    account = positions.of(request.customer_id, request.segment)
    group = positions.group_of(account)
    return CheckFacts(
        at=around.at,
        on=around.on,
        ship_from=around.ship_from(request.requested_ship_on),
        request=request,
        terms=around.terms,
        account=account,
        rates=Rates(
            order=rate_between(around.quotes, request.currency, account.currency),
            policy=rate_between(around.quotes, around.segment_currency, account.currency),
            into_group=_into_group(around.quotes, group, account.currency) if group else {},
        ),
        group=group,
        order=_own(positions, request, account),
        replaced=tuple(_replaced(positions, request, account)),
    )


def _own(positions: Positions, request: CheckRequest, account: Account) -> Commitment | None:
    order = positions.orders.get((request.segment, request.order_ref))
    if order is None:
        return None
    if order.account_id != account.id:
        raise OrderRefConflict(f"{request.order_ref} is an order of another customer")
    used = order.approved or order.shipped or order.invoiced
    if used and order.currency != request.currency:
        raise OrderCurrencyFixed(f"{request.order_ref} is kept in {order.currency}")
    return order


def _replaced(positions: Positions, request: CheckRequest, account: Account) -> Iterator[Commitment]:
    for index, part in enumerate(request.replaces):
        order = positions.orders.get((request.segment, part.order_ref))
        if order is None or order.account_id != account.id or part.order_ref == request.order_ref:
            raise ReplacedOrderUnknown(f"{part.order_ref} is no other order of {request.customer_id}")
        in_currency(part.amount, order.currency, pointer=f"/replaces/{index}/amount")
        yield order


def _into_group(quotes: Quotes, group: Group, currency: str) -> dict[str, Decimal]:
    """Group currency per unit of each member's; a currency without a rate is left out."""
    rates = {code: rate_between(quotes, code, group.currency) for code in {*group.totals, currency}}
    return {code: rate for code, rate in rates.items() if rate is not None}
