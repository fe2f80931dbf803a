"""The wire format of credit checks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from app.domains.customers.core.terms import DueFrom, PaymentTerms, TermsKind
from app.domains.orders.core.facts import Checkpoint, CheckRequest, Replacement
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    Flag,
    Line,
    MoneyText,
    Percentage,
    PositiveAmount,
    Reference,
    SegmentName,
    Whole,
    Wire,
    decimals_fit,
)

MAX_REPLACED = 50

Days = Annotated[Whole, Field(ge=0, le=3650)]


class TermsIn(Wire):
    """The payment terms of one order, where they are not the customer's."""

    kind: TermsKind = TermsKind.ACCOUNT
    net_days: Days = 30
    due_from: DueFrom = DueFrom.INVOICE
    discount_percent: Percentage | None = None
    discount_days: Days = 0

    def terms(self) -> PaymentTerms:
        """As the core knows them."""
        return PaymentTerms(
            self.kind,
            self.net_days,
            self.due_from,
            self.discount_percent or PaymentTerms().discount_percent,
            self.discount_days,
        )


class ReplacementIn(Wire):
    """A part of another order, in that order's currency, that this one replaces."""

    order_ref: Reference
    amount: PositiveAmount


class CreditCheckIn(Wire):
    """May this order leave on credit? `amount` is gross, in `currency`."""

    customer_id: Reference
    segment: SegmentName = "main"
    order_ref: Reference
    amount: PositiveAmount
    currency: CurrencyCode
    checkpoint: Checkpoint = Checkpoint.ORDER
    requested_ship_on: BusinessDay | None = None
    payment_terms: TermsIn | None = None
    reserve: Flag = True
    reservation_days: Annotated[Whole, Field(ge=0, le=3650)] | None = None
    replaces: Annotated[list[ReplacementIn], Field(max_length=MAX_REPLACED)] = Field(default_factory=list)
    on_behalf_of: Line | None = None
    ship_to: Line | None = None

    @model_validator(mode="after")
    def _decimals(self) -> CreditCheckIn:
        decimals_fit(self, "amount")
        refs = [part.order_ref for part in self.replaces]
        if len(set(refs)) < len(refs):
            raise ValueError("an order is replaced at most once")
        return self

    def request(self) -> CheckRequest:
        """As the core knows it."""
        return CheckRequest(
            customer_id=self.customer_id,
            segment=self.segment,
            order_ref=self.order_ref,
            amount=self.amount,
            currency=self.currency,
            checkpoint=self.checkpoint,
            requested_ship_on=self.requested_ship_on,
            terms=self.payment_terms.terms() if self.payment_terms else None,
            reserve=self.reserve,
            reservation_days=self.reservation_days,
            replaces=tuple(Replacement(part.order_ref, part.amount) for part in self.replaces),
            on_behalf_of=self.on_behalf_of,
            ship_to=self.ship_to,
        )


Measure = str | int | None
Verdict = Literal["pass", "warn", "refer", "decline", "off"]


class LimitWindowOut(Wire):
    """A limit and the days it holds, both ends included."""

    kind: Literal["granted", "unlimited", "none"]
    amount: MoneyText | None
    valid_from: BusinessDay | None
    valid_until: BusinessDay | None


class LimitOut(LimitWindowOut):
    """The limits of an account and what they come to; `effective_amount` is null when unlimited."""

    currency: CurrencyCode
    temporary: LimitWindowOut | None
    standing: Literal["in_force", "in_grace", "expired", "missing"]
    effective_amount: MoneyText | None


class ExposureOut(Wire):
    """What the customer owed or was about to owe when the check was decided."""

    currency: CurrencyCode
    receivables: MoneyText
    open_orders: MoneyText
    delivered: MoneyText
    unallocated_credits: MoneyText
    total: MoneyText


class ReasonOut(Wire):
    """One thing that speaks against the order. `currency` is there where `value` is an amount."""

    code: str
    effect: Literal["warn", "refer", "decline"]
    message: str
    value: Measure
    threshold: Measure
    shortfall: MoneyText | None = None
    currency: CurrencyCode | None = None


class RuleOut(Wire):
    """One rule's verdict."""

    rule: str
    code: str
    verdict: Verdict
    value: Measure
    threshold: Measure
    currency: CurrencyCode | None = None


class RemedyOut(Wire):
    """One way out, and the reasons it cures."""

    action: Literal["pay_overdue", "pay", "reduce_order", "prepay", "raise_limit"]
    amount: MoneyText
    currency: CurrencyCode
    cures: list[str]


class ReservationOut(Wire):
    """Credit set aside for the order, in its currency."""

    amount: MoneyText
    currency: CurrencyCode
    state: Literal["active", "used", "freed", "expired"]
    expires_at: datetime


class PolicyOut(Wire):
    """The policy that decided."""

    segment: str
    version: int
    profile: str
    override_id: UUID | None


class CreditCheckOut(Wire):
    """The decision on one order."""

    id: UUID
    customer_id: str
    segment: str
    order_ref: str
    amount: MoneyText
    currency: CurrencyCode
    fx_rate: str | None = None
    checkpoint: Checkpoint
    outcome: Literal["approved", "referred", "declined"]
    review: Literal["none", "open", "released", "rejected", "superseded", "lapsed"]
    reasons: list[ReasonOut]
    rules: list[RuleOut]
    limit: LimitOut
    exposure: ExposureOut
    headroom_before: MoneyText | None
    headroom_after: MoneyText | None
    remedies: list[RemedyOut]
    reservation: ReservationOut | None
    policy: PolicyOut
    account_currency: CurrencyCode
    account_version: int
    decided_at: datetime
