"""The core of posting, without a database: whatever is posted in whatever currencies, everything adds up to the last
minor unit. `-m soak` posts a million times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest

from app.domains.exposure.core.account import Account
from app.domains.exposure.core.fx import Quote, Quotes
from app.domains.exposure.core.ledger import Component, Exposure
from app.domains.exposure.core.positions import Positions
from app.domains.receivables.core import changes, posting
from app.domains.receivables.core.book import Book, Bookkeeper
from app.domains.receivables.core.changes import RefundRequest
from app.domains.receivables.core.disputes import Dispute, DisputeMove, DisputeReason
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Discount, Item, ItemKind
from app.domains.receivables.core.matching import NO_RULES, SettlementRules
from app.domains.receivables.core.payments import Purpose
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.domains.receivables.core.write_offs import BadDebtReason
from app.kernel.errors import Refusal
from app.kernel.money import DIGITS, ZERO, Money, exact
from tests.domains.receivables.world import MONDAY, TODAY, day

CURRENCIES: Final = sorted(DIGITS)
CUSTOMERS: Final = ("C1", "C2")
"""Two of one group, who may pay for each other."""
STEPS: Final = 60


class Ledger:
    """Two accounts, each in a currency of its own, and what happens to them: three currencies in all."""

    def __init__(self, random: Random, *currencies: str) -> None:
        self.random = random
        self.currencies = currencies
        self.quotes = _quotes(random, currencies)
        accounts = [
            Account(UUID(int=n), customer, "main", 0, Exposure(currency), MONDAY, "")
            for n, (customer, currency) in enumerate(zip(CUSTOMERS, currencies, strict=False), start=1)
        ]
        self.book = Book(Positions(accounts, ()), groups=dict.fromkeys(CUSTOMERS, CUSTOMERS))
        self.book.quotes[TODAY] = self.quotes
        for account in accounts:
            small = 40 * Decimal(1).scaleb(-DIGITS[account.currency])
            rules = SettlementRules(discount_grace_days=1, small_amount=small, small_percent=Decimal(30))
            self.book.rules[account.id] = random.choice([NO_RULES, rules, rules])
        self.disputes: list[Dispute] = []
        self._ids = iter(range(10, 10**9))
        self.by = Bookkeeper("ann", MONDAY, lambda: UUID(int=next(self._ids)))
        self.post_item(currencies[0], self.amount(currencies[0]))

    @property
    def postings(self) -> int:
        """The lines posted to both accounts."""
        return sum(len(lines) for lines in self.book.positions.lines.values())

    def step(self) -> None:
        """One thing that happens, or is refused and changes nothing."""
        before = self.postings
        try:
            self.random.choice(_STEPS)(self)
        except Refusal:
            assert self.postings == before, "what is refused has changed nothing"

    def amount(self, currency: str) -> Decimal:
        return self.random.randrange(1, 90_000) * Decimal(1).scaleb(-DIGITS[currency])

    def invoice(self) -> None:
        currency = self.random.choice(self.currencies)
        amount = self.amount(currency)
        parts = (amount - exact_half(amount, currency), exact_half(amount, currency))
        shape = self.random.randrange(4)
        plan = tuple(Instalment(day(9 * n), part) for n, part in enumerate(parts)) if shape == 0 and all(parts) else ()
        percent = Decimal(self.random.randrange(1, 40)) / 10
        self.post_item(
            currency,
            amount,
            due_on=None if plan else day(self.random.randrange(60)),
            kind=ItemKind.CREDIT_NOTE if shape == 1 else ItemKind.INVOICE,
            instalments=plan,
            discount=Discount(percent, day(self.random.randrange(-2, 5))) if shape == 2 else None,
            related_invoice_no=self.some_item().invoice_no if shape == 1 and self.random.randrange(2) else None,
        )

    def post_item(self, currency: str, amount: Decimal, **more: Any) -> None:
        about: dict[str, Any] = {
            "segment": "main",
            "invoice_no": f"I{next(self._ids)}",
            "customer_id": self.random.choice(CUSTOMERS),
        }
        request = InvoiceRequest(**about, amount=Money(amount, currency), issued_on=TODAY, **{"due_on": TODAY, **more})
        posting.post_invoice(self.book, request, terms={}, quotes=self.quotes, by=self.by)

    def pay(self) -> None:
        named, currency = self.some_item(), self.random.choice(self.currencies)
        amount = self.amount(currency)
        if named.open and self.random.randrange(2):
            earned = self.book.rules_of(named.account_id).earned(named, TODAY)
            amount, currency = named.open - self.random.choice([ZERO, earned]), named.currency
        request = PaymentRequest(
            segment="main",
            payment_ref=f"P{next(self._ids)}",
            customer_id=self.random.choice(CUSTOMERS),
            amount=Money(amount, currency),
            received_on=TODAY,
            allocate=self.instruction(amount),
            clears_on=self.random.choice([None, None, day(30)]),
            purpose=self.random.choice([Purpose.SETTLEMENT] * 4 + [Purpose.DEPOSIT]),
            remittance=f"{named.invoice_no} thanks",
        )
        posting.post_payment(self.book, request, quotes=self.quotes, today=TODAY, by=self.by)

    def instruction(self, amount: Decimal) -> Instruction:
        named = [self.some_item() for _ in range(self.random.randrange(3))]
        amounts = (amount or Decimal(1), self.amount("CNY"))
        lines = tuple(AllocationLine(item.invoice_no, self.random.choice(amounts)) for item in named)
        oldest, reference, exactly = (bool(self.random.randrange(3)) for _ in range(3))
        return Instruction(lines, oldest_first=oldest, by_reference=reference, exact=exactly)

    def allocate(self) -> None:
        payment = self.random.choice(list(self.book.payments.values()) or [None])
        if payment is not None:
            posting.allocate_payment(self.book, payment, self.instruction(payment.open), by=self.by)

    def bounce(self) -> None:
        payment = self.random.choice(list(self.book.payments.values()) or [None])
        if payment is not None:
            posting.reverse_payment(self.book, payment, reason="no funds", by=self.by)

    def refund(self) -> None:
        payment = self.random.choice(list(self.book.payments.values()) or [None])
        if payment is not None:
            request = RefundRequest(f"R{next(self._ids)}", None, TODAY, "asked for")
            changes.refund_payment(self.book, payment, request, by=self.by)

    def dispute(self) -> None:
        item = self.some_item()
        amount = self.random.choice([None, self.amount(item.currency)])
        self.disputes.append(
            changes.open_dispute(
                self.book, item, amount=amount, reason=DisputeReason.PRICE, note=None, today=TODAY, by=self.by
            )
        )

    def resolve(self) -> None:
        if not self.disputes:
            return
        dispute = self.disputes.pop(self.random.randrange(len(self.disputes)))
        item = self.book.items["main", dispute.invoice_no]
        if item.cancellation is not None:
            return
        changes.end_dispute(self.book, item, dispute, DisputeMove.REJECT, resolution=None, today=TODAY, by=self.by)

    def write_off(self) -> None:
        amount = self.random.choice([None, self.amount("CNY")])
        item, reason = self.some_item(), BadDebtReason.INSOLVENCY
        changes.write_off(self.book, item, amount=amount, category=reason, reason="gone", today=TODAY, by=self.by)

    def recover(self) -> None:
        changes.recover(self.book, self.some_item(), amount=None, reason="dividend", today=TODAY, by=self.by)

    def cancel(self) -> None:
        posting.cancel_invoice(self.book, self.some_item(), reason="typo", by=self.by)

    def some_item(self) -> Item:
        return self.random.choice(list(self.book.items.values()))

    # ---- what must hold ------------------------------------------------------------------------------------

    def check(self) -> None:
        """Ledger = account = documents, allocations within both sides, every amount whole minor units."""
        self.check_accounts()
        for item in self.book.items.values():
            relieved = [a for a in self.book.allocations.values() if a.item_id == item.id and a.undone_at is None]
            settled = sum((a.settles for a in relieved), ZERO)
            if item.cancellation is None and not item.is_credit:
                assert item.amount == item.open + settled + item.written_off
            for amount in (item.open, item.written_off, *(a.settles for a in relieved)):
                assert amount >= 0
                assert exact(amount, item.currency).amount == amount
        for payment in self.book.payments.values():
            self.check_used(payment.id, payment.amount, ZERO if payment.reversal else payment.open, payment.currency)
        for item in self.book.items.values():
            if item.is_credit and item.cancellation is None:
                self.check_used(item.id, item.amount, item.open, item.currency)

    def check_used(self, credit_id: UUID, amount: Decimal, left: Decimal, currency: str) -> None:
        live = self.book.live_allocations(credit_id)
        used = sum((allocation.cash for allocation in live), ZERO)
        gone = sum((refund.amount for refund in self.book.refunds if refund.credit_id == credit_id), ZERO)
        assert used <= amount
        assert all(exact(allocation.cash, currency).amount == allocation.cash for allocation in live)
        reversed_now = any(p.id == credit_id and p.reversal for p in self.book.payments.values())
        assert used == 0 if reversed_now else used + gone + left == amount

    def check_accounts(self) -> None:
        for account in self.book.positions.accounts.values():
            posted: dict[Component, Decimal] = defaultdict(Decimal)
            for line in self.book.positions.lines[account.id]:
                posted[line.entry.component] += line.entry.amount
            items = [item for item in self.book.items.values() if item.account_id == account.id]
            payments = [payment for payment in self.book.payments.values() if payment.account_id == account.id]
            owed = sum((item.value for item in items if not item.is_credit), ZERO)
            exposed = owed + sum((payment.uncleared for payment in payments), ZERO)
            notes = sum((item.value for item in items if item.is_credit), ZERO)
            credits = notes + sum((payment.value for payment in payments), ZERO)
            assert account.exposure.receivables == posted[Component.RECEIVABLES] == exposed
            assert account.exposure.unallocated_credits == posted[Component.UNALLOCATED_CREDITS] == credits
            assert exact(exposed, account.currency).amount == exposed
            self.check_ladder(account.id, items)

    def check_ladder(self, account_id: UUID, items: list[Item]) -> None:
        due: dict[date, Decimal] = defaultdict(Decimal)
        for item in items:
            for due_on, amount in item.ladder.items() if not item.is_credit else ():
                if due_on is not None:
                    due[due_on] += amount
        rungs = {on: amount for (owner, on), amount in self.book.positions.rungs.items() if owner == account_id}
        assert {on: amount for on, amount in rungs.items() if amount} == {on: a for on, a in due.items() if a}


def exact_half(amount: Decimal, currency: str) -> Decimal:
    """About a half of an amount, in whole minor units."""
    step = Decimal(1).scaleb(-DIGITS[currency])
    return (amount / 2 // step) * step


def _quotes(random: Random, currencies: tuple[str, ...]) -> Quotes:
    """Rates between the first currency and the others, from very small to very large."""
    first, *others = currencies
    return {
        (first, other): Quote(Decimal(random.randrange(1, 10**8)).scaleb(random.randrange(-8, -4)), TODAY)
        for other in others
        if other != first
    }


_STEPS: Final[list[Callable[[Ledger], None]]] = [
    *[Ledger.invoice] * 5,
    *[Ledger.pay] * 6,
    Ledger.allocate,
    Ledger.bounce,
    Ledger.refund,
    Ledger.dispute,
    Ledger.resolve,
    Ledger.write_off,
    Ledger.recover,
    Ledger.cancel,
]


def post(random: Random, *currencies: str) -> int:
    """Two accounts through some steps, checked at the end; how many postings that were."""
    ledger = Ledger(random, *currencies)
    for _ in range(STEPS):
        ledger.step()
    ledger.check()
    return ledger.postings


class TestPostings:
    @pytest.mark.parametrize("currency", CURRENCIES)
    def test_add_up_in_every_currency(self, currency: str) -> None:
        random = Random(currency)
        assert post(random, currency, random.choice(CURRENCIES), random.choice(CURRENCIES)) > STEPS // 4

    def test_add_up_after_every_step(self) -> None:
        random = Random(2012)
        for currencies in (("CNY", "EUR", "JPY"), ("KWD", "JPY", "CLF"), ("JPY", "CNY", "JPY")):
            ledger = Ledger(random, *currencies)
            for _ in range(3 * STEPS):
                ledger.step()
                ledger.check()

    @pytest.mark.soak
    @pytest.mark.timeout(0)
    def test_add_up_over_a_million(self) -> None:
        random = Random(20121)
        postings = 0
        while postings < 1_000_000:
            postings += post(random, *random.choices(CURRENCIES, k=3))
