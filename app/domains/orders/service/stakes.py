"""What is at stake in referred orders, and the queue in that order."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from app.domains.assessments import service as assessments
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.orders import repository
from app.domains.orders.core import cases
from app.domains.orders.core.cases import Case, Stake
from app.domains.orders.core.reviews import Review
from app.domains.orders.repository import CheckFilter, StoredCheck
from app.domains.orders.repository import cases as case_rows
from app.domains.orders.repository.cases import OpenCheck
from app.domains.policies import service as policies
from app.domains.policies.core.approvals import ReleaseRules
from app.domains.policies.core.document import parse
from app.infra.db.paging import CursorMalformed, PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.money import rounded
from app.kernel.periods import local_day

QUEUE_MOST: Final = 2_000
"""Open reviews of a segment that are ranked by their stake, the oldest; a department with more has another problem."""


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
        asked = [
            OpenCheck(check.id, check.customer_id, segment, check.amount, check.currency)
            for check in waiting
            if check.segment == segment
        ]
        stakes |= (await _Market.of(tx, segment, asked)).stakes(asked)
    return {stored.check.id: Work(known.get(stored.check.id), stakes.get(stored.check.id)) for stored in checks}


async def list_by_stake(tx: Transaction, *, page: PageRequest, segment: str, wanted: CheckFilter) -> Slice[StoredCheck]:
    """Checks of a segment under review, those first that put most at stake, whatever the page says of the order.

    Stakes are compared in the segment's currency; one that no exchange rate tells comes first. Raises
    `CursorMalformed`.
    """
    asked = await case_rows.open_checks(
        tx.session,
        segment=segment,
        customer_id=wanted.customer_id,
        order_ref=wanted.order_ref,
        at=tx.now,
        most=QUEUE_MOST,
    )
    market = await _Market.of(tx, segment, asked)
    ranked = sorted(((market.rank(stake), check_id) for check_id, stake in market.stakes(asked).items()), reverse=True)
    if page.cursor is not None:
        after = _decoded(page.cursor)
        ranked = [key for key in ranked if key < after]
    shown = ranked[: page.limit]
    found = [await repository.find_check(tx.session, check_id) for _, check_id in shown]
    more = _encoded(shown[-1]) if len(ranked) > page.limit else None
    return Slice([stored for stored in found if stored is not None], more)


@dataclass(frozen=True, slots=True)
class _Market:
    """What the stakes of a segment's orders are computed with."""

    currency: str
    on: date
    quotes: Quotes
    rules: ReleaseRules
    accounts: Mapping[tuple[str, str], Account]
    probabilities: Mapping[str, Decimal]

    @classmethod
    async def of(cls, tx: Transaction, segment: str, checks: Sequence[OpenCheck]) -> _Market:
        held = await policies.segment(tx, segment=segment)
        on = local_day(tx.now, held.zone)
        customers = {check.customer_id for check in checks}
        return cls(
            currency=held.currency,
            on=on,
            quotes=await exposure.quotes(tx, on=on),
            rules=parse((await policies.active(tx, segment=segment)).document).approvals.release,
            accounts=await exposure.known_accounts(tx, keys=[(each, segment) for each in customers]),
            probabilities=await assessments.probabilities(tx, customer_ids=customers, segment=segment),
        )

    def stakes(self, checks: Sequence[OpenCheck]) -> dict[UUID, Stake]:
        """The stake in each check."""
        return {check.id: self._stake(check) for check in checks}

    def rank(self, stake: Stake) -> Decimal:
        """A stake in the segment's currency, to compare it with others."""
        if stake.worst is None:
            return _UNKNOWN
        rate = rate_between(self.quotes, stake.worst.currency, self.currency)
        return _UNKNOWN if rate is None else stake.worst.convert(rate, self.currency).amount

    def _stake(self, check: OpenCheck) -> Stake:
        account = self.accounts[check.customer_id, check.segment]
        rate = rate_between(self.quotes, check.currency, account.currency)
        worth = None if rate is None else rounded(check.amount * rate, account.currency)
        known = self.probabilities.get(check.customer_id)
        return cases.stake_of(account, worth, on=self.on, probability=known, rules=self.rules)


_UNKNOWN: Final = Decimal("1e30")
"""Above every amount."""


def _encoded(key: tuple[Decimal, UUID]) -> str:
    return base64.urlsafe_b64encode(json.dumps([str(key[0]), str(key[1])]).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[Decimal, UUID]:
    try:
        padded = (cursor + "=" * (-len(cursor) % 4)).encode("ascii")
        amount, check_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        rank = Decimal(amount)
        if not rank.is_finite():
            raise CursorMalformed
        return rank, UUID(check_id)
    except (ValueError, TypeError, AttributeError, binascii.Error, InvalidOperation, RecursionError):
        raise CursorMalformed from None
