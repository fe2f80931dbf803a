"""Wire formats of accounts, limits, holds, ledgers and exchange rates. Amounts are in the account's currency."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from app.domains.exposure.core.account import Account
from app.domains.exposure.core.headroom import GroupStanding
from app.domains.exposure.core.holds import Hold, HoldKind
from app.domains.exposure.core.ledger import Component, Exposure, Posting
from app.domains.exposure.core.limits import EffectiveLimit, Limit, LimitKind
from app.domains.exposure.service import DayRates, Overview
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    ExchangeRate,
    Flag,
    MoneyText,
    NonNegativeAmount,
    Prose,
    SegmentName,
    Wire,
    money_text,
)
from app.kernel.money import Money, render

MAX_QUOTES = 200
"""There are fewer currencies in the world."""

DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]+([.][0-9]+)?$")]


class AccountIn(Wire):
    """What opens an account."""

    currency: CurrencyCode


class LimitIn(Wire):
    """A decision on a limit. Days are the segment's, both included."""

    kind: LimitKind
    amount: Annotated[NonNegativeAmount | None, Field(description="When granted; 0 is no credit")] = None
    valid_from: Annotated[BusinessDay | None, Field(description="Default: today")] = None
    valid_until: Annotated[BusinessDay | None, Field(description="Default: until another decision")] = None
    temporary: Annotated[
        Flag, Field(description="Replaces the base limit inside its window; of kind none it withdraws temporary limits")
    ] = False
    reason: Prose


class HoldIn(Wire):
    """A hold set by hand."""

    kind: Literal[HoldKind.SOFT, HoldKind.FORCED]
    reason: Prose


class UnholdIn(Wire):
    """Why the hold set by hand is lifted."""

    reason: Prose


class LimitWindowOut(Wire):
    """A decision and the days it holds."""

    kind: LimitKind
    amount: MoneyText | None
    valid_from: date
    valid_until: date | None


class LimitOut(Wire):
    """The base limit, the temporary one of today, and what binds: null when unlimited."""

    kind: LimitKind
    amount: MoneyText | None
    valid_from: date | None
    valid_until: date | None
    temporary: LimitWindowOut | None
    effective_amount: MoneyText | None


class ExposureOut(Wire):
    """The parts of the exposure and total = receivables + open_orders + delivered − unallocated_credits."""

    receivables: MoneyText
    open_orders: MoneyText
    delivered: MoneyText
    unallocated_credits: MoneyText
    total: MoneyText


class GroupOut(Wire):
    """The shared limit, in the group's currency. Without an exchange rate for a member's exposure nobody knows the
    group's: `exposure` and `headroom` are null and nothing is available."""

    customer_id: str
    currency: CurrencyCode
    limit: MoneyText | None
    exposure: MoneyText | None
    headroom: MoneyText | None
    fx_rate_missing: bool


class OverdueOut(Wire):
    """What is late: the amount, the earliest due day and the days since."""

    amount: MoneyText
    oldest_due_on: date | None
    days: int


class HoldSourceOut(Wire):
    """One source's hold."""

    source: str
    kind: HoldKind
    reason: str
    by: str
    at: datetime


class HoldOut(Wire):
    """The strongest of all holds, and every source's."""

    kind: HoldKind
    sources: list[HoldSourceOut]


class AccountOut(Wire):
    """One customer in one segment. Of an earlier instant (`as_of`) version, grade and dunning level are null."""

    customer_id: str
    segment: SegmentName
    currency: CurrencyCode
    version: int | None
    limit: LimitOut
    exposure: ExposureOut
    headroom: MoneyText | None
    available: MoneyText | None
    utilisation_percent: DecimalText | None
    group: GroupOut | None
    overdue: OverdueOut
    dunning_level: int | None
    grade: str | None
    hold: HoldOut
    as_of: datetime | None


class LedgerSourceOut(Wire):
    """The document that caused an entry."""

    type: str
    ref: str


class LedgerEntryOut(Wire):
    """One change of one component, and the component after it."""

    seq: int
    at: datetime
    component: Component
    amount: MoneyText
    balance: MoneyText
    currency: CurrencyCode
    source: LedgerSourceOut


class FxRatesIn(Wire):
    """Published rates: 1 base = rate of each quoted currency."""

    base: CurrencyCode
    rates: Annotated[dict[CurrencyCode, ExchangeRate], Field(min_length=1, max_length=MAX_QUOTES)]


class FxRatesOut(Wire):
    """The rates of one base and day."""

    date: date
    base: CurrencyCode
    rates: dict[CurrencyCode, DecimalText]
    entered_by: str
    entered_at: datetime


def account_out(overview: Overview) -> AccountOut:
    """How an account stands, on the wire."""
    account, then = overview.account, overview.known_at is not None
    return AccountOut(
        customer_id=account.customer_id,
        segment=account.segment,
        currency=account.currency,
        version=None if then else account.version,
        limit=_limit_out(account, overview.limit),
        exposure=_exposure_out(account.exposure),
        headroom=_money(overview.headroom),
        available=_money(overview.available),
        utilisation_percent=_decimal(overview.utilisation_percent),
        group=_group_out(overview.group) if overview.group else None,
        overdue=OverdueOut(
            amount=render(account.overdue.amount, account.currency),
            oldest_due_on=account.overdue.oldest_due_on,
            days=account.overdue.days(overview.on),
        ),
        dunning_level=None if then else account.profile.dunning_level,
        grade=None if then else account.profile.grade,
        hold=HoldOut(kind=account.hold, sources=[_hold_out(hold) for hold in overview.holds]),
        as_of=overview.known_at,
    )


def ledger_entry_out(posting: Posting, currency: str) -> LedgerEntryOut:
    """A line of the ledger, on the wire."""
    line, entry = posting.line, posting.line.entry
    return LedgerEntryOut(
        seq=line.seq,
        at=posting.at,
        component=entry.component,
        amount=render(entry.amount, currency),
        balance=render(line.balance, currency),
        currency=currency,
        source=LedgerSourceOut(type=entry.source.type, ref=entry.source.ref),
    )


def fx_rates_out(day: DayRates) -> FxRatesOut:
    """Published rates, on the wire."""
    return FxRatesOut(
        date=day.on,
        base=day.base,
        rates={quote: _plain(rate) for quote, rate in day.rates.items()},
        entered_by=day.entered_by,
        entered_at=day.entered_at,
    )


def _limit_out(account: Account, limit: EffectiveLimit) -> LimitOut:
    base = account.base_limit
    return LimitOut(
        kind=base.kind if base else LimitKind.NONE,
        amount=_amount(base, account.currency) if base else None,
        valid_from=base.valid_from if base else None,
        valid_until=base.valid_until if base else None,
        temporary=_window_out(limit.limit, account.currency) if limit.temporary and limit.limit else None,
        effective_amount=_money(limit.amount),
    )


def _window_out(limit: Limit, currency: str) -> LimitWindowOut:
    return LimitWindowOut(
        kind=limit.kind,
        amount=_amount(limit, currency),
        valid_from=limit.valid_from,
        valid_until=limit.valid_until,
    )


def _exposure_out(exposure: Exposure) -> ExposureOut:
    currency = exposure.currency
    return ExposureOut(
        receivables=render(exposure.receivables, currency),
        open_orders=render(exposure.open_orders, currency),
        delivered=render(exposure.delivered, currency),
        unallocated_credits=render(exposure.unallocated_credits, currency),
        total=money_text(exposure.total),
    )


def _group_out(standing: GroupStanding) -> GroupOut:
    return GroupOut(
        customer_id=standing.group.customer_id,
        currency=standing.group.currency,
        limit=_money(standing.limit.amount) if standing.binds else None,
        exposure=_money(standing.exposure),
        headroom=_money(standing.headroom),
        fx_rate_missing=standing.fx_rate_missing,
    )


def _hold_out(hold: Hold) -> HoldSourceOut:
    return HoldSourceOut(source=hold.source, kind=hold.kind, reason=hold.reason, by=hold.set_by, at=hold.set_at)


def _amount(limit: Limit, currency: str) -> str | None:
    return None if limit.amount is None else render(limit.amount, currency)


def _money(amount: Money | None) -> str | None:
    return None if amount is None else money_text(amount)


def _decimal(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _plain(rate: Decimal) -> str:
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
