"""Gathers the facts of an assessment out of the slices below."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from app.domains.assessments.core.facts import (
    Adverse,
    AssessmentFacts,
    Company,
    Experience,
    Reference,
    Reply,
    Report,
    Security,
    Statement,
)
from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.credit_file import CreditFile
from app.domains.customers.core.customer import Customer
from app.domains.customers.core.terms import TermsKind
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.policies.core.segments import Segment
from app.domains.receivables import service as receivables
from app.domains.receivables.core.behaviour import PaymentBehaviour
from app.infra.transaction import Transaction
from app.kernel.money import MAX_AMOUNT, Money, rounded
from app.kernel.periods import local_day


async def gather(
    tx: Transaction, *, of: Collection[Customer], segment: Segment, accounts: Mapping[str, Account]
) -> Mapping[str, AssessmentFacts]:
    """Everything known of each customer at this instant, in the segment's currency at today's rates, by customer.

    `accounts` are those that the customers have in the segment. So many statements, however many customers there are.
    """
    on = local_day(tx.now, segment.zone)
    ids = [customer.customer_id for customer in of]
    files = await credit_data.credit_files(tx, customer_ids=ids, segment=segment.segment, known_at=tx.now)
    paid = await receivables.behaviours(tx, customer_ids=accounts.keys(), segment=segment.segment, on=on)
    rates = Rates(segment.currency, await exposure.quotes(tx, on=on))
    experiences = {known: _experience(paid[known], account, rates, on) for known, account in accounts.items()}
    return {
        customer.customer_id: _facts(
            customer, segment, files[customer.customer_id], experiences.get(customer.customer_id), rates, on
        )
        for customer in of
    }


def _facts(
    customer: Customer, segment: Segment, file: CreditFile, experience: Experience | None, rates: Rates, on: date
) -> AssessmentFacts:
    return AssessmentFacts(
        customer_id=customer.customer_id,
        segment=segment.segment,
        currency=segment.currency,
        on=on,
        company=_company(customer),
        statements=_statements(file, rates, on),
        reports=_reports(file, rates, on),
        references=_references(file, rates, on),
        adverse=_adverse(file, on),
        securities=_securities(file, rates, on),
        replies=tuple(
            Reply(filed.content.item, filed.content.answer, filed.content.answered_on) for filed in file.answers
        ),
        experience=experience,
    )


class Rates:
    """Exchange rates of a day into one currency."""

    def __init__(self, currency: str, quotes: Quotes) -> None:
        self.currency = currency
        self._quotes = quotes

    def rate(self, currency: str) -> Decimal | None:
        """Units of the currency per unit of `currency`; null where no rate leads there."""
        return Decimal(1) if currency == self.currency else rate_between(self._quotes, currency, self.currency)

    def worth(self, money: Money | None) -> Decimal | None:
        """What an amount is worth, at most what an account can hold; null without it or without a rate."""
        rate = None if money is None else self.rate(money.currency)
        if money is None or rate is None:
            return None
        return rounded(min(money.amount * rate, MAX_AMOUNT.to_integral_value()), self.currency)


def _experience(known: PaymentBehaviour, account: Account, rates: Rates, on: date) -> Experience | None:
    """Our own experience, where something was invoiced on the account."""
    if known.known_since is None:
        return None
    volume = None if known.monthly_volume is None else Money(known.monthly_volume, account.currency)
    return Experience(
        as_of=on,
        settled_items=known.settled_items,
        payment_index=known.payment_index,
        share_on_time=known.share_on_time,
        average_days_late=known.average_days_late,
        longest_lateness=known.longest_lateness,
        disputed_share=known.disputed_share,
        broken_promises=known.broken_promises,
        relation_months=known.relation_months,
        monthly_purchases=rates.worth(volume),
    )


def _company(customer: Customer) -> Company:
    on_account = customer.terms.kind is TermsKind.ACCOUNT
    return Company(
        country=customer.country,
        industry=customer.industry,
        size=customer.size.value if customer.size else None,
        founded_on=customer.founded_on,
        net_days=customer.terms.net_days if on_account else None,
    )


def _statements(file: CreditFile, rates: Rates, on: date) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            period_end=filed.content.period_end,
            months=filed.content.months,
            source=filed.source,
            independence=filed.independence,
            figures=filed.content.figures,
            rate=rates.rate(filed.content.currency),
        )
        for filed in file.statements
        if filed.content.period_end <= on
    )


def _reports(file: CreditFile, rates: Rates, on: date) -> tuple[Report, ...]:
    return tuple(
        Report(
            agency=report.agency,
            reported_on=report.reported_on,
            score=report.normalised_score,
            rating=report.rating,
            probability_of_default=report.probability_of_default,
            recommended_limit=rates.worth(report.recommended_limit),
        )
        for report in (filed.content for filed in file.reports)
        if report.reported_on <= on
    )


def _references(file: CreditFile, rates: Rates, on: date) -> tuple[Reference, ...]:
    return tuple(
        Reference(reference.reported_on, rates.worth(reference.credit_limit), reference.days_late)
        for reference in (filed.content for filed in file.trade_references)
        if reference.reported_on <= on
    )


def _adverse(file: CreditFile, on: date) -> tuple[Adverse, ...]:
    return tuple(
        Adverse(event.kind, event.occurred_on, event.severity, event.resolved_on)
        for event in (filed.content for filed in file.adverse_events)
        if event.occurred_on <= on
    )


def _securities(file: CreditFile, rates: Rates, on: date) -> tuple[Security, ...]:
    """Covers in force today. One in a currency without a rate covers nothing that could be told."""
    return tuple(
        Security(worth, cover.insured_percent)
        for cover in (filed.content for filed in file.covers)
        if cover.counts_on(on) and (worth := rates.worth(cover.payable)) is not None
    )
