"""Use cases of claims: what a notice charges, booking it to the account, waiving it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog

from app.domains.customers import service as customers
from app.domains.dunning.core.claims import CLAIMS, ClaimKind, ClaimMove, ClaimState, booked_due_on
from app.domains.dunning.core.events import DunningClaimBooked, DunningClaimRaised, DunningClaimWaived
from app.domains.dunning.core.refusals import DunningClaimNotFound, DunningClaimSettled, WaiverBeyondAuthority
from app.domains.dunning.repository import cases as repository
from app.domains.dunning.repository import notices as notice_repository
from app.domains.dunning.tables import DunningClaimRow, DunningLineRow, DunningNoticeRow
from app.domains.exposure import service as exposure
from app.domains.exposure.core.fx import rate_between
from app.domains.policies import service as policies
from app.domains.policies.core.dunning import Dunning
from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.requests import InvoiceRequest
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.identity import ActorKind
from app.kernel.money import Money, render

log = structlog.get_logger("headroom.dunning")


async def raise_claims(
    tx: Transaction, notice: DunningNoticeRow, lines: Sequence[DunningLineRow], rules: Dunning, *, on: date
) -> Sequence[DunningClaimRow]:
    """Claims what a notice that has gone out charges: fee, fixed sums, interest; booked where the policy says so and
    they can be."""
    claims = [_claim(tx, notice, on, **members) for members in _charges(notice, lines)]
    for claim in claims:
        tx.session.add(claim)
    await tx.session.flush()
    for claim in claims:
        told = {"kind": claim.kind, "amount": render(claim.amount, claim.currency), "currency": claim.currency}
        tx.emit(DunningClaimRaised(**_subject(claim), after={"state": claim.state, **told}))
        if rules.claims_are_exposure:
            await _book_if_possible(tx, claim, rules, lines, notice.deadline_on)
    return claims


async def book(tx: Transaction, *, claim_id: UUID, segments: frozenset[str] | None = None) -> DunningClaimRow:
    """Makes a claim a debit note in the account, so that payments can settle it; from then on it counts as exposure.

    Raises `DunningClaimNotFound`, `DunningClaimSettled`, and what posting a debit note raises.
    """
    claim = await _find(tx, claim_id, segments)
    if claim.state != ClaimState.OPEN:
        raise DunningClaimSettled(f"the claim is {claim.state}")
    notice = await notice_repository.notice(tx.session, claim.notice_id)
    assert notice is not None, "a claim is of a notice"
    lines = await notice_repository.lines_of(tx.session, [notice.id])
    await _book(tx, claim, await _rules(tx, claim), lines, notice.deadline_on)
    return claim


async def waive(
    tx: Transaction,
    *,
    claim_id: UUID,
    reason: str,
    authority: Money | None,
    is_administrator: bool,
    segments: frozenset[str] | None = None,
) -> DunningClaimRow:
    """Gives a claim up; of a booked one, what is open of its debit note is credited.

    A person may waive up to their authority. Raises `DunningClaimNotFound`, `DunningClaimSettled`,
    `WaiverBeyondAuthority`.
    """
    claim = await _find(tx, claim_id, segments)
    if not CLAIMS.allows(ClaimState(claim.state), ClaimMove.WAIVE):
        raise DunningClaimSettled(f"the claim is {claim.state}")
    await _check_authority(tx, claim, authority, is_administrator)
    before = {"state": claim.state}
    if claim.state == ClaimState.BOOKED:
        await _credit(tx, claim)
    claim.state = CLAIMS.after(ClaimState(claim.state), ClaimMove.WAIVE).value
    claim.waived_by, claim.waive_reason, claim.changed_at = tx.actor.name, reason, tx.now
    await tx.session.flush()
    tx.emit(DunningClaimWaived(**_subject(claim), before=before, after={"state": claim.state, "reason": reason}))
    return claim


async def list_claims(tx: Transaction, *, customer_id: str, segment: str, page: PageRequest) -> Slice[DunningClaimRow]:
    """A customer's fees, fixed sums and interest. Raises `CustomerNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    return await repository.claims_page(tx.session, page, segment=segment, customer_id=customer_id)


@dataclass(frozen=True, slots=True)
class _Nothing:
    """Of what belongs to no item."""

    item_id: None = None
    due_on: None = None
    invoice_no: None = None


def _charges(notice: DunningNoticeRow, lines: Sequence[DunningLineRow]) -> Iterator[dict[str, Any]]:
    for total in notice.totals:
        fee = Decimal(total["fee"])
        if fee > 0:
            yield {"kind": ClaimKind.FEE, "of": _Nothing(), "currency": total["currency"], "amount": fee}
    for line in lines:
        if line.compensation > 0:
            yield {
                "kind": ClaimKind.COMPENSATION,
                "of": line,
                "currency": line.currency,
                "amount": line.compensation,
            }
        if line.interest > 0:
            yield {
                "kind": ClaimKind.INTEREST,
                "of": line,
                "currency": line.currency,
                "amount": line.interest,
                "accrued": (line.interest_from, line.interest_until),
            }


def _claim(
    tx: Transaction,
    notice: DunningNoticeRow,
    on: date,
    *,
    kind: ClaimKind,
    of: DunningLineRow | _Nothing,
    currency: str,
    amount: Decimal,
    accrued: tuple[date | None, date | None] = (None, None),
) -> DunningClaimRow:
    return DunningClaimRow(
        id=tx.new_id(),
        segment=notice.segment,
        account_id=notice.account_id,
        customer_id=notice.customer_id,
        notice_id=notice.id,
        kind=kind.value,
        state=ClaimState.OPEN.value,
        item_id=of.item_id,
        due_on=of.due_on,
        invoice_no=of.invoice_no,
        currency=currency,
        amount=amount,
        accrued_from=accrued[0],
        accrued_until=accrued[1],
        claimed_on=on,
        created_at=tx.now,
        changed_at=tx.now,
    )


async def _book_if_possible(
    tx: Transaction, claim: DunningClaimRow, rules: Dunning, lines: Sequence[DunningLineRow], deadline_on: date
) -> None:
    """Books a claim; one that can't be, for want of an exchange rate for instance, stays open until somebody books it.

    Its notice has gone out, and what has gone out is written down whatever else fails.
    """
    try:
        await _book(tx, claim, rules, lines, deadline_on)
    except Refusal as refusal:
        log.warning("dunning_claim_not_booked", claim_id=str(claim.id), code=refusal.code, detail=refusal.detail)


async def _book(
    tx: Transaction, claim: DunningClaimRow, rules: Dunning, lines: Sequence[DunningLineRow], deadline_on: date
) -> None:
    oldest = min((line.due_on for line in lines), default=claim.claimed_on)
    request = InvoiceRequest(
        segment=claim.segment,
        invoice_no=f"DUN-{claim.id.hex[-16:].upper()}",
        customer_id=claim.customer_id,
        amount=Money(claim.amount, claim.currency),
        issued_on=claim.claimed_on,
        kind=ItemKind.DEBIT_NOTE,
        due_on=booked_due_on(
            rules.claims_order, claimed_on=claim.claimed_on, oldest_due_on=oldest, deadline_on=deadline_on
        ),
    )
    [outcome] = await receivables.post_invoices(tx, requests=[request])
    if isinstance(outcome, Refusal):
        raise outcome
    before = {"state": claim.state}
    claim.state = CLAIMS.after(ClaimState(claim.state), ClaimMove.BOOK).value
    claim.booked_as, claim.changed_at = request.invoice_no, tx.now
    await tx.session.flush()
    after = {"state": claim.state, "invoice_no": request.invoice_no}
    tx.emit(DunningClaimBooked(**_subject(claim), before=before, after=after))


async def _credit(tx: Transaction, claim: DunningClaimRow) -> None:
    """Credits what is open of the debit note of a claim. Raises `DunningClaimSettled` when nothing is."""
    assert claim.booked_as is not None, "it is booked"
    view = await receivables.invoice(tx, segment=claim.segment, invoice_no=claim.booked_as)
    if view.item.open <= 0:
        raise DunningClaimSettled(f"the debit note {claim.booked_as} is {view.item.status}")
    request = InvoiceRequest(
        segment=claim.segment,
        invoice_no=f"{claim.booked_as}-W",
        customer_id=claim.customer_id,
        amount=Money(view.item.open, claim.currency),
        issued_on=await policies.today(tx, segment=claim.segment),
        kind=ItemKind.CREDIT_NOTE,
        fx_rate=view.item.rate,
        related_invoice_no=claim.booked_as,
    )
    [outcome] = await receivables.post_invoices(tx, requests=[request])
    if isinstance(outcome, Refusal):
        raise outcome


async def _check_authority(
    tx: Transaction, claim: DunningClaimRow, authority: Money | None, is_administrator: bool
) -> None:
    """Raises `WaiverBeyondAuthority`."""
    if tx.actor.kind is not ActorKind.PERSON:
        raise WaiverBeyondAuthority("a claim is waived by a person")
    if is_administrator and authority is None:
        return
    if authority is None:
        raise WaiverBeyondAuthority("the caller has no authority")
    rate = rate_between(await exposure.quotes(tx, on=claim.claimed_on), claim.currency, authority.currency)
    if rate is None:
        raise WaiverBeyondAuthority(f"no exchange rate from {claim.currency} to {authority.currency}")
    worth = Money(claim.amount, claim.currency).convert(rate, authority.currency)
    if worth > authority:
        raise WaiverBeyondAuthority(f"the claim is worth {worth}, the authority is {authority}")


async def _rules(tx: Transaction, claim: DunningClaimRow) -> Dunning:
    customer = await customers.get(tx, customer_id=claim.customer_id)
    found = await policies.effective_policy(tx, segment=claim.segment, customer=customer)
    return found.policy.dunning or Dunning()


async def _find(tx: Transaction, claim_id: UUID, segments: frozenset[str] | None) -> DunningClaimRow:
    claim = await repository.claim(tx.session, claim_id)
    if claim is None or (segments is not None and claim.segment not in segments):
        raise DunningClaimNotFound(f"there is no claim {claim_id}")
    return claim


def _subject(claim: DunningClaimRow) -> dict[str, Any]:
    return {"subject_id": str(claim.id), "segment": claim.segment, "customer_id": claim.customer_id}
