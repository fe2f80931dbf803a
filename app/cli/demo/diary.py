"""What happens at the demo company, day by day, through the use cases, on a clock that starts in the past.

Whatever depends on a decision (an approved order is shipped, billed and paid; a referred one is reviewed) is entered
into the diary when the decision is known. What would happen after today has not happened yet.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from app.cli.demo.company import Habit, Party
from app.domains.exposure import service as exposure
from app.domains.orders import service as orders
from app.domains.orders.core.decision import Outcome
from app.domains.orders.core.facts import CheckRequest
from app.domains.orders.desk import Desk
from app.domains.orders.records import Question
from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import ItemKind, OrderShare
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.infra.clock import FrozenClock
from app.infra.transaction import Transaction, Transactions
from app.kernel.errors import Refusal
from app.kernel.identity import SYSTEM, Actor, ActorKind
from app.kernel.money import Money
from app.kernel.periods import local_day, start_of
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Role

SEGMENT: Final = "main"
OPENING_HOUR: Final = timedelta(hours=9)
ORDER_ENTRY: Final = Actor("order entry", ActorKind.SERVICE)
LEDGER_CLERK: Final = Actor("accounts receivable", ActorKind.SERVICE)
MANAGER: Final = Principal("demo-credit-manager", "Chen Yu", ActorKind.PERSON, SCOPES_OF_ROLE[Role.CREDIT_MANAGER])
ANALYST: Final = Principal("demo-credit-analyst", "Lin Wei", ActorKind.PERSON, SCOPES_OF_ROLE[Role.CREDIT_ANALYST])

RHYTHM: Final = 3
"""Days between order days, dispatches and payment runs: fewer and fuller batches load faster."""
DISCOUNT_PERCENT: Final = 2
_DAYS_AFTER_DUE: Final = {Habit.PROMPT: -1, Habit.SLOW: 11, Habit.PARTLY: 0, Habit.LATE: 36}

Deed = Callable[[Transaction], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A credit check. An approved order is fulfilled as the party's habit is, unless the diary says otherwise."""

    party: Party
    order_ref: str
    amount: Decimal
    fulfil: bool = True
    ship_in_days: int | None = None
    reservation_days: int | None = None


@dataclass(frozen=True, slots=True)
class _Ship:
    order_ref: str
    amount: Decimal


class Diary:
    """Entries by day, counted from today (0) back; played in order of the days, and in a day in a fixed order."""

    def __init__(
        self, desk: Desk, transactions: Transactions, clock: FrozenClock, zone: ZoneInfo, *, seed: int
    ) -> None:
        self._desk = desk
        self._transactions = transactions
        self._clock = clock
        self._zone = zone
        self._now = clock.now()
        self._today = local_day(self._now, zone)
        self._random = Random(seed)  # noqa: S311 - for variety, not for secrets
        self._numbers: defaultdict[str, int] = defaultdict(lambda: 1000)
        self._deeds: defaultdict[int, list[tuple[Actor, Deed]]] = defaultdict(list)
        self._asks: defaultdict[int, list[Ask]] = defaultdict(list)
        self._shipments: defaultdict[int, list[_Ship]] = defaultdict(list)
        self._invoices: defaultdict[int, list[InvoiceRequest]] = defaultdict(list)
        self._payments: defaultdict[int, list[PaymentRequest]] = defaultdict(list)

    # ---- writing

    def date(self, day: int) -> date:
        """The date of a day."""
        return self._today + timedelta(days=day)

    def number(self, kind: str) -> str:
        """The next number of a kind of document."""
        self._numbers[kind] += 1
        return f"{kind}-{self._numbers[kind]}"

    def do(self, day: int, deed: Deed, *, by: Actor = MANAGER.actor) -> None:
        """Something done in a transaction of its own, in the morning."""
        self._deeds[day].append((by, deed))

    def ask(self, day: int, ask: Ask) -> None:
        """A credit check."""
        self._asks[day].append(ask)

    def ship(self, day: int, order_ref: str, amount: Decimal) -> None:
        """Goods that leave."""
        self._shipments[day].append(_Ship(order_ref, amount))

    def bill(
        self,
        day: int,
        party: Party,
        amount: Decimal,
        *,
        order_ref: str | None = None,
        kind: ItemKind = ItemKind.INVOICE,
        credits: str | None = None,
    ) -> str:
        """An invoice or a credit note; returns its number."""
        number = self.number("CN" if kind is ItemKind.CREDIT_NOTE else "INV")
        self._invoices[day].append(
            InvoiceRequest(
                segment=SEGMENT,
                invoice_no=number,
                customer_id=party.customer_id,
                amount=Money(amount, party.home.order_currency),
                issued_on=self.date(day),
                kind=kind,
                orders=(OrderShare(order_ref, amount),) if order_ref else (),
                related_invoice_no=credits,
            )
        )
        return number

    def pay(
        self, day: int, party: Party, amount: Decimal, *, invoice_no: str | None = None, discount: Decimal = Decimal(0)
    ) -> str:
        """A payment, of one invoice or of the oldest; returns its reference."""
        reference = self.number("PAY")
        lines = (AllocationLine(invoice_no, amount, discount),) if invoice_no else ()
        self._payments[day].append(
            PaymentRequest(
                segment=SEGMENT,
                payment_ref=reference,
                customer_id=party.customer_id,
                amount=Money(amount, party.home.order_currency),
                received_on=self.date(day),
                allocate=Instruction(lines, oldest_first=not lines),
            )
        )
        return reference

    # ---- playing

    async def play(self, first: int) -> None:
        """Plays the days from `first` to today."""
        for day in range(first, 1):
            morning = start_of(self.date(day), self._zone) + OPENING_HOUR
            self._clock.move(to=morning if day < 0 else self._now)
            for actor, deed in self._deeds.pop(day, ()):
                async with self._begin(actor) as tx:
                    await deed(tx)
            await self._check(day, self._asks.pop(day, []))
            await self._send(self._shipments.pop(day, []))
            await self._post(self._invoices.pop(day, []), receivables.post_invoices)
            await self._post(self._payments.pop(day, []), receivables.post_payments)

    def _begin(self, actor: Actor) -> AbstractAsyncContextManager[Transaction]:
        return self._transactions.begin(actor=actor, request_id="demo")

    async def _check(self, day: int, asks: Sequence[Ask]) -> None:
        if not asks:
            return
        async with self._begin(SYSTEM) as tx:  # all accounts at once; the desk would bring each to this day alone
            await exposure.refresh(tx, keys={(ask.party.customer_id, SEGMENT) for ask in asks})
        answers = await asyncio.gather(*(self._desk.decide(self._question(day, ask)) for ask in asks))
        for ask, answered in zip(asks, answers, strict=True):
            assert answered.decision is not None, "nobody has asked this before"
            if answered.decision.outcome is Outcome.APPROVED and ask.fulfil:
                self._fulfil(day, ask)
            elif answered.decision.outcome is Outcome.REFERRED and ask.fulfil:
                self._review(day, ask, UUID(orjson.loads(answered.body)["id"]))

    def _question(self, day: int, ask: Ask) -> Question:
        request = CheckRequest(
            customer_id=ask.party.customer_id,
            segment=SEGMENT,
            order_ref=ask.order_ref,
            amount=ask.amount,
            currency=ask.party.home.order_currency,
            requested_ship_on=None if ask.ship_in_days is None else self.date(day + ask.ship_in_days),
            reservation_days=ask.reservation_days,
        )
        return Question(request=request, caller=ORDER_ENTRY.name, actor=ORDER_ENTRY, request_id="demo")

    async def _send(self, shipments: Sequence[_Ship]) -> None:
        if not shipments:
            return
        async with self._begin(ORDER_ENTRY) as tx:
            for goods in shipments:
                await orders.ship(
                    tx,
                    segment=SEGMENT,
                    order_ref=goods.order_ref,
                    shipment_ref=self.number("DN"),
                    amount=goods.amount,
                    already_left=False,
                )

    async def _post(self, requests: Sequence[object], post: Callable[..., Awaitable[Sequence[object]]]) -> None:
        if not requests:
            return
        async with self._begin(LEDGER_CLERK) as tx:
            for outcome in await post(tx, requests=requests):
                if isinstance(outcome, Refusal):
                    raise outcome

    # ---- what follows from a decision

    def _fulfil(self, day: int, ask: Ask) -> None:
        """An approved order leaves within the week, is billed the next day and paid as the customer pays."""
        leaves = _in_rhythm(day + self._random.choice((1, RHYTHM + 1)))
        self.ship(leaves, ask.order_ref, ask.amount)
        invoice_no = self.bill(leaves + 1, ask.party, ask.amount, order_ref=ask.order_ref)
        self._settle(leaves + 1, ask, invoice_no)

    def _settle(self, billed: int, ask: Ask, invoice_no: str) -> None:
        party, due = ask.party, billed + ask.party.net_days
        if party.habit is Habit.EARLY:
            discount = ask.amount * DISCOUNT_PERCENT / 100
            self.pay(_in_rhythm(billed + 6), party, ask.amount - discount, invoice_no=invoice_no, discount=discount)
        elif party.habit is Habit.PARTLY:
            self.pay(_in_rhythm(due), party, ask.amount / 2, invoice_no=invoice_no)
            self.pay(_in_rhythm(due + 30), party, ask.amount / 2, invoice_no=invoice_no)
        elif party.habit is not Habit.NEVER:
            self.pay(_in_rhythm(due + _DAYS_AFTER_DUE[party.habit]), party, ask.amount, invoice_no=invoice_no)

    def _review(self, day: int, ask: Ask, check_id: UUID) -> None:
        """The credit manager decides the next morning: for the customer, against, or not yet."""
        choice = self._random.choice(("release", "reject", "wait"))

        async def release(tx: Transaction) -> None:
            reason = "long-standing customer, payment announced"
            await orders.release(tx, check_id=check_id, caller=MANAGER, reason=reason)
            self._fulfil(day + 1, ask)

        async def reject(tx: Transaction) -> None:
            await orders.reject(tx, check_id=check_id, caller=MANAGER, reason="to be paid in advance")

        if choice != "wait":
            self.do(day + 1, release if choice == "release" else reject)


def _in_rhythm(day: int) -> int:
    """The day, or the next on which dispatches and payments are made."""
    return day + -day % RHYTHM
