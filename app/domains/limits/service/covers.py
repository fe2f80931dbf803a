"""Cover that is lost opens a request to lower the limit, where the policy says so. People decide on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import structlog

from app.domains.credit_data.core.events import CoverChanged
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.events import RiskNoted
from app.domains.exposure.core.refusals import FxRateMissing
from app.domains.limits.core.judging import Current
from app.domains.limits.core.requests import Ask
from app.domains.limits.repository import requests as repository
from app.domains.limits.service.requests import current_limit, request_limit
from app.domains.policies import service as policies
from app.domains.policies.core.document import parse
from app.domains.policies.core.refusals import OverrideUnfit
from app.infra.transaction import Transaction
from app.kernel.identity import SYSTEM
from app.kernel.money import ZERO, Money
from app.kernel.periods import local_day

log: Final = structlog.get_logger("headroom.limits")


async def lower_for_lost_cover(tx: Transaction, event: RiskNoted) -> None:
    """Reaction to less cover on an account: reduced, withdrawn or run out."""
    if "cover_amount" not in event.after or event.customer_id is None or event.segment is None:
        return
    before, after = (_amount(side.get("cover_amount")) for side in (event.before, event.after))
    if after < before:
        await _ask(tx, event.customer_id, event.segment, lost=before - after, why="cover reduced or ended")


async def lower_for_announced_withdrawal(tx: Transaction, event: CoverChanged) -> None:
    """Reaction to an insurer that announces to withdraw: the cover holds until its day, and the limit should not be
    there longer."""
    if event.after.get("status") != "withdrawal_announced" or event.customer_id is None or event.segment is None:
        return
    known = await exposure.known_accounts(tx, keys=[(event.customer_id, event.segment)])
    for account in known.values():
        lost = account.profile.cover_amount or ZERO
        await _ask(tx, event.customer_id, event.segment, lost=lost, why="withdrawal of cover announced")


async def _ask(tx: Transaction, customer_id: str, segment: str, *, lost: Decimal, why: str) -> None:
    account = await exposure.account(tx, customer_id=customer_id, segment=segment)
    document = (await policies.active(tx, segment=segment)).document
    on = local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)
    current = current_limit(account, on)
    wanted = _lowered(current, lost)
    if wanted is None or not parse(document).approvals.lower_on_cover_change:
        return
    if await repository.has_pending_cause(tx.session, account.id):
        return
    try:
        await request_limit(tx, ask=_asked(account, current, wanted, why), requester=SYSTEM.name)
    except (FxRateMissing, OverrideUnfit) as refusal:  # what the cover is now has to be booked all the same
        log.warning("limit_not_questioned", customer_id=customer_id, segment=segment, code=refusal.code)


def _lowered(current: Current, lost: Decimal) -> Decimal | None:
    """The limit less the cover that is lost; null where there is no amount to lower, or nothing was lost."""
    if current.amount is None or current.amount <= ZERO or lost <= ZERO:
        return None
    return max(current.amount - lost, ZERO)


def _asked(account: Account, current: Current, wanted: Decimal, why: str) -> Ask:
    assert current.amount is not None
    before = Money(current.amount, account.currency)
    return Ask(
        customer_id=account.customer_id,
        segment=account.segment,
        amount=wanted,
        currency=account.currency,
        justification=f"{why}: the limit of {before} was covered by more",
        valid_until=current.until,
        cause=why,
    )


def _amount(text: str | None) -> Decimal:
    return ZERO if text is None else Decimal(text)
