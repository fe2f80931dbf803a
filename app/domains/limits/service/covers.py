"""Cover that is lost opens a request to lower the limit, where the policy says so. People decide on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import structlog

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.events import CoverChanged
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.events import RiskNoted
from app.domains.exposure.core.fx import rate_between
from app.domains.exposure.core.refusals import FxRateMissing
from app.domains.limits.core import approving
from app.domains.limits.core.events import LimitRequestCancelled
from app.domains.limits.core.judging import Current
from app.domains.limits.core.requests import Ask, LimitRequest, RequestMove
from app.domains.limits.repository import requests as repository
from app.domains.limits.service.granting import told
from app.domains.limits.service.requests import current_limit, request_limit
from app.domains.policies import service as policies
from app.domains.policies.core.document import parse
from app.domains.policies.core.refusals import OverrideUnfit
from app.infra.transaction import Transaction
from app.kernel.identity import SYSTEM
from app.kernel.money import ZERO, Money

log: Final = structlog.get_logger("headroom.limits")


async def lower_for_lost_cover(tx: Transaction, event: RiskNoted) -> None:
    """Reaction to less cover on an account: reduced, cancelled or run out.

    A withdrawal that was announced was asked about when it was announced, and is not asked about again on its day.
    """
    if "cover_amount" not in event.after or event.customer_id is None or event.segment is None:
        return
    before, after = (_amount(side.get("cover_amount")) for side in (event.before, event.after))
    if after < before:
        known = await _known_before(tx, event)
        lost = before - after - known
        await _ask(tx, event.customer_id, event.segment, lost=lost, why="cover reduced or ended")


async def lower_for_announced_withdrawal(tx: Transaction, event: CoverChanged) -> None:
    """Reaction to an insurer that announces to withdraw: the cover holds until its day, and the limit should not be
    there longer."""
    if event.after.get("status") != "withdrawal_announced" or event.customer_id is None or event.segment is None:
        return
    ref = event.after["ref"]
    payable = await credit_data.payable_today(tx, customer_id=event.customer_id, segment=event.segment, cover_ref=ref)
    if payable is not None:
        lost = await _on_account(tx, event.customer_id, event.segment, [payable])
        why = f"withdrawal of cover {ref} announced"
        await _ask(tx, event.customer_id, event.segment, lost=lost, why=why, once=True)


async def _ask(tx: Transaction, customer_id: str, segment: str, *, lost: Decimal, why: str, once: bool = False) -> None:
    """Asks for a limit that is lower by what is lost. What waits already is asked for anew, with this in addition: one
    request at a time, for all. `once`: not where the same is what waits."""
    found = await exposure.known_accounts(tx, keys=[(customer_id, segment)])
    if not found or lost <= ZERO or not await _lowers(tx, segment):
        return
    account = found[customer_id, segment]
    current = current_limit(account, await policies.today(tx, segment=segment))
    pending = await repository.pending_cause(tx.session, account.id)
    if current.amount is None or current.amount <= ZERO:
        return
    if once and pending is not None and pending.ask.cause == why:
        return
    start = current.amount if pending is None else min(pending.amount, current.amount)
    if pending is not None:
        await _supersede(tx, pending)
    try:
        await request_limit(tx, ask=_asked(account, current, max(start - lost, ZERO), why), requester=SYSTEM.name)
    except (FxRateMissing, OverrideUnfit) as refusal:  # what the cover is now has to be booked all the same
        log.warning("limit_not_questioned", customer_id=customer_id, segment=segment, code=refusal.code)


async def _lowers(tx: Transaction, segment: str) -> bool:
    return parse((await policies.active(tx, segment=segment)).document).approvals.lower_on_cover_change


async def _known_before(tx: Transaction, event: RiskNoted) -> Decimal:
    """What of a loss was announced, where days have brought it; in account currency."""
    assert event.customer_id is not None
    assert event.segment is not None
    until = event.before.get("cover_until")
    if until is None:
        return ZERO
    since = date.fromisoformat(until)
    found = await credit_data.withdrawn_since(tx, customer_id=event.customer_id, segment=event.segment, since=since)
    return await _on_account(tx, event.customer_id, event.segment, found)


async def _on_account(tx: Transaction, customer_id: str, segment: str, amounts: Sequence[Money]) -> Decimal:
    """Amounts in the account's currency, at today's rates; what no rate leads from counts as nothing."""
    found = await exposure.known_accounts(tx, keys=[(customer_id, segment)])
    if not found or not amounts:
        return ZERO
    currency = found[customer_id, segment].currency
    quotes = await exposure.quotes(tx, on=await policies.today(tx, segment=segment))
    rates = ((amount, rate_between(quotes, amount.currency, currency)) for amount in amounts)
    return sum((amount.convert(rate, currency).amount for amount, rate in rates if rate is not None), ZERO)


async def _supersede(tx: Transaction, pending: LimitRequest) -> None:
    cancelled = approving.withdrawn(pending, RequestMove.CANCEL, now=tx.now)
    await repository.write(tx.session, cancelled, tx.now)
    tx.emit(told(LimitRequestCancelled, cancelled, before=pending, superseded=True))


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
