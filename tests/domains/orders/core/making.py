"""Facts and policies for tests of the order check: everything plain unless said otherwise, amounts as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domains.customers.core.terms import PaymentTerms
from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.commitments import Commitment, OrderState
from app.domains.exposure.core.ledger import Exposure
from app.domains.exposure.core.limits import Limit, LimitKind
from app.domains.orders.core.decide import decide
from app.domains.orders.core.decision import Judgement, Verdict
from app.domains.orders.core.facts import CheckFacts, CheckRequest, Rates
from app.domains.policies.core.document import Policy
from app.domains.policies.core.order_checks import OrderChecks

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
ACCOUNT = UUID(int=1)
GROUP = UUID(int=2)
ONE = Decimal(1)
LONG_AGO = date(2020, 1, 1)


def granted(amount: str, *, since: date = LONG_AGO, until: date | None = None) -> Limit:
    """A limit of `amount` on these days."""
    return Limit(LimitKind.GRANTED, Decimal(amount), since, until)


UNLIMITED = Limit(LimitKind.UNLIMITED, None, LONG_AGO, None)
WITHDRAWN = Limit(LimitKind.NONE, None, LONG_AGO, None)


A_THOUSAND = granted("1000")


def an_account(*, owes: str = "0", limit: Limit | None = A_THOUSAND, currency: str = "CNY", **more: Any) -> Account:
    """An account with `owes` in receivables."""
    return Account(
        id=ACCOUNT,
        customer_id="C-1",
        segment="main",
        version=7,
        exposure=more.pop("exposure", Exposure(currency, receivables=Decimal(owes))),
        fresh_until=NOW + timedelta(hours=1),
        basis="",
        base_limit=limit,
        **more,
    )


def a_group(totals: Mapping[str, str], *, limit: Limit | None, currency: str = "CNY") -> Group:
    """A group whose members owe `totals`."""
    return Group(
        id=GROUP,
        customer_id="C-0",
        segment="main",
        currency=currency,
        version=1,
        fresh_until=NOW + timedelta(hours=1),
        base_limit=limit,
        totals={code: Decimal(amount) for code, amount in totals.items()},
    )


def an_order(order_ref: str = "O-1", *, currency: str = "CNY", rate: Decimal = ONE, **amounts: Any) -> Commitment:
    """An order that was approved for, has shipped and is invoiced for `amounts`."""
    told = {"state": OrderState.OPEN, **amounts}
    members: dict[str, Any] = {name: Decimal(value) if type(value) is str else value for name, value in told.items()}
    return Commitment(
        segment="main",
        order_ref=order_ref,
        account_id=ACCOUNT,
        customer_id="C-1",
        currency=currency,
        account_currency="CNY",
        rate=rate,
        **members,
    )


def with_orders(account: Account, *orders: Commitment) -> Account:
    """The account with `orders` in its exposure."""
    exposure = replace(
        account.exposure,
        open_orders=sum((order.open_amount for order in orders), account.exposure.open_orders),
        delivered=sum((order.delivered_amount for order in orders), account.exposure.delivered),
    )
    held = sum((order.held_amount for order in orders), account.held_orders)
    return replace(account, exposure=exposure, held_orders=held)


def the_facts(
    amount: str = "100",
    *,
    account: Account | None = None,
    group: Group | None = None,
    order: Commitment | None = None,
    replaced: tuple[Commitment, ...] = (),
    currency: str = "CNY",
    rates: Rates | None = None,
    terms: PaymentTerms | None = None,
    at: datetime = NOW,
    ship_from: datetime | None = None,
    **request: Any,
) -> CheckFacts:
    """The facts of a check over `amount`; what is not named is a member of the request."""
    return CheckFacts(
        at=at,
        on=at.date(),
        ship_from=ship_from or at,
        request=CheckRequest("C-1", "main", "O-1", Decimal(amount), currency, **request),
        terms=terms or PaymentTerms(),
        account=account or an_account(),
        rates=rates or Rates(ONE if currency == "CNY" else None, ONE, {"CNY": ONE} if group else {}),
        group=group,
        order=order,
        replaced=replaced,
    )


def a_policy(**order_checks: Any) -> Policy:
    """A policy of the rules that can't be off, and of `order_checks`."""
    return Policy(OrderChecks(**order_checks))


def verdict(rule: str, facts: CheckFacts, policy: Policy | None = None) -> Verdict:
    """What `rule` says of `facts`."""
    return next(found for found in decide(facts, policy or a_policy()).verdicts if found.rule == rule)


def judgement(rule: str, facts: CheckFacts, policy: Policy | None = None) -> Judgement:
    """How `rule` judges `facts`."""
    return verdict(rule, facts, policy).judgement


def codes(facts: CheckFacts, policy: Policy | None = None) -> list[str]:
    """The codes of the reasons, in their order."""
    return [reason.code for reason in decide(facts, policy or a_policy()).reasons]
