"""What the policies of customers let a payment close by itself: discounts in time, small differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal

from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.fx import rate_between
from app.domains.policies import service as policies
from app.domains.policies.core.receivables import Receivables
from app.domains.policies.core.refusals import OverrideUnfit, PolicyMissing
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.matching import SettlementRules
from app.domains.receivables.service.days import today
from app.infra.transaction import Transaction
from app.kernel.money import rounded


async def gather(tx: Transaction, book: Book, accounts: Collection[tuple[str, str]]) -> None:
    """Gives the book the rules of those of `accounts` (customer, segment) that it posts to.

    Where no policy can be had nothing closes by itself: cash is still cash.
    """
    by_segment: dict[str, list[Account]] = defaultdict(list)
    for key in sorted(accounts):
        if book.has_account(key):
            by_segment[key[1]].append(book.account(key))
    for segment, found in by_segment.items():
        try:
            sections = await _sections(tx, segment, [account.customer_id for account in found])
        except (PolicyMissing, OverrideUnfit):
            continue
        rates = await _rates(tx, segment, found, sections)
        for account in found:
            rules = _rules(sections.get(account.customer_id), account.currency, rates.get(account.currency))
            if rules is not None:
                book.rules[account.id] = rules


async def _sections(tx: Transaction, segment: str, customer_ids: Collection[str]) -> Mapping[str, Receivables]:
    known = await customers.find(tx, customer_ids=customer_ids)
    found = await policies.effective_policies(tx, segment=segment, of=known.values())
    return {customer_id: effective.policy.receivables for customer_id, effective in found.items()}


async def _rates(
    tx: Transaction, segment: str, accounts: Collection[Account], sections: Mapping[str, Receivables]
) -> Mapping[str, Decimal | None]:
    """Account currency per unit of the segment's, by account currency; only looked up where an amount is converted."""
    own = (await policies.segment(tx, segment=segment)).currency
    asked = {a.currency for a in accounts if (s := sections.get(a.customer_id)) and s.small_difference is not None}
    quotes = await exposure.quotes(tx, on=await today(tx, segment)) if asked - {own} else {}
    return {currency: rate_between(quotes, own, currency) for currency in asked}


def _rules(section: Receivables | None, currency: str, rate: Decimal | None) -> SettlementRules | None:
    if section is None:
        return None
    early, small = section.early_payment, section.small_difference
    return SettlementRules(
        discount_grace_days=None if early is None else early.grace_days,
        small_amount=None if small is None or rate is None else rounded(small.max_amount * rate, currency),
        small_percent=Decimal(0) if small is None else small.max_percent,
    )
