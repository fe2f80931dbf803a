"""What is at stake in referred orders, and the queue in that order."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from app.domains.assessments import service as assessments
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.orders import repository
from app.domains.orders.core import cases
from app.domains.orders.core.cases import Case, Stake
from app.domains.orders.core.reviews import Check, Review
from app.domains.orders.repository import CheckFilter, StoredCheck, queue
from app.domains.orders.repository import cases as case_rows
from app.domains.orders.repository.queue import Backlog, Ranked, Rate
from app.domains.policies import service as policies
from app.domains.policies.core.approvals import ReleaseRules
from app.domains.policies.core.document import parse
from app.infra.db.paging import CursorMalformed, PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.money import DIGITS, rounded
from app.kernel.periods import local_day


@dataclass(frozen=True, slots=True)
class Work:
    """What a queue shows of a referred order beside the check: who is at it, and what is at stake."""

    case: Case | None
    stake: Stake | None


async def work_on(tx: Transaction, *, checks: Sequence[StoredCheck]) -> Mapping[UUID, Work]:
    """Who is at these checks and, of those under review, what is at stake."""
    known = await case_rows.find_cases(tx.session, [stored.check.id for stored in checks]) if checks else {}
    waiting = [stored.check for stored in checks if stored.check.review_at(tx.now) is Review.OPEN]
    stakes: dict[UUID, Stake] = {}
    for segment in sorted({check.segment for check in waiting}):
        stakes |= await _stakes(tx, segment, [check for check in waiting if check.segment == segment])
    return {stored.check.id: Work(known.get(stored.check.id), stakes.get(stored.check.id)) for stored in checks}


async def list_by_stake(tx: Transaction, *, page: PageRequest, segment: str, wanted: CheckFilter) -> Slice[StoredCheck]:
    """Checks of a segment under review, those first that put most at stake, whatever the page says of the order.

    Stakes are compared in the segment's currency; one that no exchange rate tells comes first. Raises
    `CursorMalformed`.
    """
    below = None if page.cursor is None else _decoded(page.cursor)
    market = await _market(tx, segment)
    backlog = Backlog(segment, tx.now, wanted.customer_id, wanted.order_ref)
    ranked = await queue.ranked(
        tx.session,
        backlog,
        rates=[market.rate(*pair) for pair in await queue.currencies(tx.session, backlog)],
        on=market.on,
        lost_percent=market.rules.loss_given_default_percent,
        digits=DIGITS[market.currency],
        below=below,
        most=page.limit + 1,
    )
    shown = ranked[: page.limit]
    found = await repository.find_checks(tx.session, [place.id for place in shown])
    more = _encoded(shown[-1]) if len(ranked) > page.limit else None
    return Slice([found[place.id] for place in shown], more)


async def _stakes(tx: Transaction, segment: str, checks: Sequence[Check]) -> dict[UUID, Stake]:
    market, customers = await _market(tx, segment), {check.customer_id for check in checks}
    accounts = await exposure.known_accounts(tx, keys=[(each, segment) for each in customers])
    probabilities = await assessments.probabilities(tx, customer_ids=customers, segment=segment)
    return {
        check.id: market.stake(check, accounts[check.account_key], probabilities.get(check.customer_id))
        for check in checks
    }


@dataclass(frozen=True, slots=True)
class _Market:
    """What the stakes of a segment's orders are computed with."""

    currency: str
    on: date
    quotes: Quotes
    rules: ReleaseRules

    def stake(self, check: Check, account: Account, probability: Decimal | None) -> Stake:
        """The stake in a check."""
        rate = rate_between(self.quotes, check.currency, account.currency)
        worth = None if rate is None else rounded(check.amount * rate, account.currency)
        return cases.stake_of(account, worth, on=self.on, probability=probability, rules=self.rules)

    def rate(self, asked: str, kept: str) -> Rate:
        """How orders in one currency count on accounts in another."""
        return Rate(
            asked,
            kept,
            rate=rate_between(self.quotes, asked, kept),
            digits=DIGITS[kept],
            into_segment=rate_between(self.quotes, kept, self.currency),
        )


async def _market(tx: Transaction, segment: str) -> _Market:
    held = await policies.segment(tx, segment=segment)
    on = local_day(tx.now, held.zone)
    rules = parse((await policies.active(tx, segment=segment)).document).approvals.release
    return _Market(held.currency, on, await exposure.quotes(tx, on=on), rules)


def _encoded(place: Ranked) -> str:
    return base64.urlsafe_b64encode(json.dumps([str(place.stake), str(place.id)]).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> Ranked:
    try:
        padded = (cursor + "=" * (-len(cursor) % 4)).encode("ascii")
        amount, check_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        stake = Decimal(amount)
        if not queue.is_stake(stake):
            raise CursorMalformed
        return Ranked(UUID(check_id), stake)
    except (ValueError, TypeError, AttributeError, binascii.Error, InvalidOperation, RecursionError):
        raise CursorMalformed from None
