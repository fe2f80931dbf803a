"""Use cases of promises to pay: made, paid, kept, broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.dunning.core import events
from app.domains.dunning.core.promises import (
    PROMISES,
    Paid,
    PromiseMove,
    PromiseState,
    counted,
    end_of,
    end_of_settled,
    given_back,
)
from app.domains.dunning.core.refusals import PromiseContradictory, PromiseEnded, PromiseInPast, PromiseNotFound, at
from app.domains.dunning.repository import cases as repository
from app.domains.dunning.tables import PromiseRow
from app.domains.exposure import service as exposure
from app.domains.policies import service as policies
from app.domains.receivables import service as receivables
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.events import Event
from app.kernel.money import ZERO, Money, render
from app.kernel.periods import local_day

_ENDED: Final[Mapping[PromiseMove, type[Event]]] = {
    PromiseMove.KEEP: events.PromiseKept,
    PromiseMove.KEEP_PARTLY: events.PromisePartlyKept,
    PromiseMove.BREAK: events.PromiseBroken,
    PromiseMove.REOPEN: events.PromiseReopened,
    PromiseMove.WITHDRAW: events.PromiseWithdrawn,
}


@dataclass(frozen=True, slots=True)
class PromiseRequest:
    """What a customer promises: an amount by a day, for the invoices named or for the oldest."""

    amount: Money
    promised_on: date
    invoices: tuple[str, ...] = ()


async def make(tx: Transaction, *, customer_id: str, segment: str, request: PromiseRequest) -> PromiseRow:
    """Writes a promise down; until its day has passed what it is about is not reminded of.

    Raises `CustomerNotFound`, `AccountNotFound`, `PromiseInPast`, `PromiseContradictory`.
    """
    await customers.get(tx, customer_id=customer_id)
    today = await policies.today(tx, segment=segment)
    if request.promised_on < today:
        raise at(PromiseInPast, "/promised_on", f"today is {today}")
    await exposure.account(tx, customer_id=customer_id, segment=segment)
    await _check_invoices(tx, customer_id, segment, request)
    promise = PromiseRow(
        id=tx.new_id(),
        segment=segment,
        customer_id=customer_id,
        currency=request.amount.currency,
        amount=request.amount.amount,
        received=ZERO,
        promised_on=request.promised_on,
        invoices=list(dict.fromkeys(request.invoices)),
        receipts={},
        state=PromiseState.OPEN.value,
        made_by=tx.actor.name,
        made_at=tx.now,
        changed_at=tx.now,
    )
    tx.session.add(promise)
    await tx.session.flush()
    tx.emit(
        events.PromiseMade(
            **_subject(promise),
            after=_told(promise)
            | {
                "amount": render(promise.amount, promise.currency),
                "currency": promise.currency,
                "promised_on": promise.promised_on.isoformat(),
                "invoices": promise.invoices,
            },
        )
    )
    return promise


async def withdraw(tx: Transaction, *, promise_id: UUID, segments: frozenset[str] | None = None) -> PromiseRow:
    """Takes a promise back that was entered by mistake. Raises `PromiseNotFound`, `PromiseEnded`."""
    promise = await repository.promise(tx.session, promise_id)
    if promise is None or (segments is not None and promise.segment not in segments):
        raise PromiseNotFound(f"there is no promise {promise_id}")
    if promise.state != PromiseState.OPEN:
        raise PromiseEnded(f"the promise is {promise.state}")
    await _move(tx, promise, PromiseMove.WITHDRAW)
    return promise


async def count_payment(tx: Transaction, *, paid: Paid, customer_ids: Sequence[str]) -> None:
    """Counts a payment for the open promises of those whose items it settled; one that has all is kept."""
    promises = await repository.promises_of(tx.session, paid.segment, customer_ids, currency=paid.currency)
    if promises:
        await _count(tx, paid.payment_ref, promises, _taken(paid.amount, paid.allocated, promises))


async def count_allocation(tx: Transaction, *, paid: Paid, customer_ids: Sequence[str]) -> None:
    """Counts what a payment settles only now for the open promises that name it.

    Money counts once: what of it had counted for promises that name nothing is taken back from them, as far as needed.
    """
    found = await repository.promises_of(tx.session, paid.segment, customer_ids, currency=paid.currency)
    naming = [promise for promise in found if promise.invoices]
    if not naming:
        return
    taken = _taken(sum(paid.allocated.values(), ZERO), paid.allocated, naming)
    paid_by = await repository.promises_paid_by(tx.session, paid.segment, customer_ids, paid.payment_ref)
    before = sum((Decimal(promise.receipts[paid.payment_ref]) for promise in paid_by), ZERO)
    unnamed = [p for p in paid_by if not p.invoices and p.state in (PromiseState.OPEN, PromiseState.KEPT)]
    back = given_back(
        before + sum(taken, ZERO) - paid.amount, [Decimal(promise.receipts[paid.payment_ref]) for promise in unnamed]
    )
    for promise, amount in zip(unnamed, back, strict=True):
        await _take_back(tx, promise, amount, paid.payment_ref)
    await _count(tx, paid.payment_ref, naming, taken)


async def take_payment_back(tx: Transaction, *, segment: str, customer_ids: Sequence[str], payment_ref: str) -> None:
    """Takes back what a payment counted for promises: it bounced. A promise that it kept is open again."""
    for promise in await repository.promises_paid_by(tx.session, segment, customer_ids, payment_ref):
        await _take_back(tx, promise, Decimal(promise.receipts[payment_ref]), payment_ref)


async def judge(tx: Transaction, *, limit: int) -> Sequence[PromiseRow]:
    """Ends promises whose day has passed: partly kept or broken, unless what they are about is settled otherwise.

    Returns those that are not kept.
    """
    found: list[PromiseRow] = []
    for promise in await repository.promises_past(tx.session, tx.now.date() + timedelta(days=2), limit=limit):
        zone = (await policies.segment(tx, segment=promise.segment)).zone
        customer = await customers.get(tx, customer_id=promise.customer_id)
        policy = await policies.effective_policy(tx, segment=promise.segment, customer=customer)
        grace = policy.policy.dunning.promise_grace_days if policy.policy.dunning else 0
        today = local_day(tx.now, zone)
        move = end_of(promise.amount, promise.received, promise.promised_on, today, grace_days=grace)
        if move is None:
            continue
        if move is not PromiseMove.KEEP and not await _is_anything_open(tx, promise):
            move = end_of_settled(promise.received)
        promise.ended_on = today
        await _move(tx, promise, move)
        if move in (PromiseMove.KEEP_PARTLY, PromiseMove.BREAK):
            found.append(promise)
    return found


async def list_promises(tx: Transaction, *, customer_id: str, segment: str, page: PageRequest) -> Slice[PromiseRow]:
    """A customer's promises by the instant of their last change. Raises `CustomerNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    return await repository.promises_page(tx.session, page, segment=segment, customer_id=customer_id)


async def _check_invoices(tx: Transaction, customer_id: str, segment: str, request: PromiseRequest) -> None:
    if not request.invoices:
        return
    [dues] = await receivables.dunnable_of(tx, segment=segment, customer_ids=[customer_id])
    known = {item.invoice_no: item for item in dues.items}
    for index, number in enumerate(request.invoices):
        item = known.get(number)
        if item is None:
            message = f"{number} is no open invoice of {customer_id}"
            raise at(PromiseContradictory, f"/invoices/{index}", message)
        if item.currency != request.amount.currency:
            raise at(PromiseContradictory, "/currency", f"{number} is in {item.currency}")


async def _is_anything_open(tx: Transaction, promise: PromiseRow) -> bool:
    """Whether anything is left to be paid of what a promise is about."""
    [dues] = await receivables.dunnable_of(tx, segment=promise.segment, customer_ids=[promise.customer_id])
    return any(
        item.currency == promise.currency and (not promise.invoices or item.invoice_no in promise.invoices)
        for item in dues.items
    )


def _taken(amount: Decimal, allocated: Mapping[str, Decimal], promises: Sequence[PromiseRow]) -> Sequence[Decimal]:
    return counted(amount, allocated, missing=[(p.amount - p.received, p.invoices) for p in promises])


async def _count(tx: Transaction, payment_ref: str, promises: Sequence[PromiseRow], taken: Sequence[Decimal]) -> None:
    for promise, amount in zip(promises, taken, strict=True):
        if amount > 0:
            before = Decimal(promise.receipts.get(payment_ref, 0))
            promise.receipts = {**promise.receipts, payment_ref: str(before + amount)}
            await _receive(tx, promise, amount, payment_ref)
            if promise.received >= promise.amount:
                await _move(tx, promise, PromiseMove.KEEP)


async def _take_back(tx: Transaction, promise: PromiseRow, amount: Decimal, payment_ref: str) -> None:
    if amount <= 0:
        return
    left = Decimal(promise.receipts[payment_ref]) - amount
    receipts = {ref: text for ref, text in promise.receipts.items() if ref != payment_ref}
    promise.receipts = receipts | ({payment_ref: str(left)} if left else {})
    await _receive(tx, promise, -amount, payment_ref)
    if promise.state == PromiseState.KEPT:
        await _move(tx, promise, PromiseMove.REOPEN)


async def _receive(tx: Transaction, promise: PromiseRow, amount: Decimal, payment_ref: str) -> None:
    before = {"received": render(promise.received, promise.currency)}
    promise.received += amount
    promise.changed_at = tx.now
    await tx.session.flush()
    after = {"received": render(promise.received, promise.currency), "payment_ref": payment_ref}
    tx.emit(events.PromisePaid(**_subject(promise), before=before, after=after))


async def _move(tx: Transaction, promise: PromiseRow, move: PromiseMove) -> None:
    before = {"state": promise.state}
    promise.state = PROMISES.after(PromiseState(promise.state), move).value
    promise.changed_at = tx.now
    if move is PromiseMove.REOPEN:
        promise.ended_on = None
    elif promise.ended_on is None:
        promise.ended_on = await policies.today(tx, segment=promise.segment)
    await tx.session.flush()
    tx.emit(_ENDED[move](**_subject(promise), before=before, after=_told(promise)))


def _told(promise: PromiseRow) -> dict[str, Any]:
    return {"state": promise.state, "received": render(promise.received, promise.currency)}


def _subject(promise: PromiseRow) -> dict[str, Any]:
    return {"subject_id": str(promise.id), "segment": promise.segment, "customer_id": promise.customer_id}
