"""Instalments: each part is due on its own day, and what settles the invoice fills the oldest part first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure import service as exposure
from app.domains.receivables import service as receivables
from app.domains.receivables.core import instalments, items
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Item, ItemKind
from app.domains.receivables.core.matching import oldest_first
from app.domains.receivables.core.refusals import (
    DueContradictory,
    InstalmentsContradictory,
    InvoiceIsACredit,
    InvoiceSettled,
)
from app.infra.transaction import Transaction
from app.kernel.money import rounded
from tests.domains.receivables.world import (
    MONDAY,
    TODAY,
    an_item,
    day,
    invoice,
    lines,
    open_account,
    pay,
    prove,
    settled,
)

PARTS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 90_000)), min_size=1, max_size=6)
RATES = st.integers(1, 20_000_000).map(lambda parts: Decimal(parts) / 1_000_000)


def plan(*parts: tuple[int, str]) -> tuple[Instalment, ...]:
    """Parts of (days from today, amount)."""
    return tuple(Instalment(day(days), Decimal(amount)) for days, amount in parts)


THIRDS = plan((-20, "30.00"), (10, "30.00"), (40, "40.00"))


async def in_thirds(tx: Transaction) -> None:
    await open_account(tx)
    await invoice(tx, "I1", "100.00", issued_on=day(-40), instalments=THIRDS)


async def item(tx: Transaction) -> Item:
    return (await receivables.invoice(tx, segment="main", invoice_no="I1")).item


async def ladder(tx: Transaction) -> dict[date, Decimal]:
    account = await exposure.account(tx, customer_id="C1", segment="main")
    return dict(await exposure.due_ladder(tx, account_id=account.id))


class TestPosting:
    async def test_puts_each_part_on_its_own_day(self, tx: Transaction) -> None:
        await in_thirds(tx)
        assert await ladder(tx) == {day(-20): Decimal(30), day(10): Decimal(30), day(40): Decimal(40)}
        assert (await exposure.account(tx, customer_id="C1", segment="main")).overdue.amount == 30
        assert (await item(tx)).due_on == day(-20)
        await prove(tx)

    @pytest.mark.parametrize(
        ("parts", "more", "refusal"),
        [
            (plan((1, "50.00"), (2, "49.99")), {}, InstalmentsContradictory),
            (plan((2, "50.00"), (2, "50.00")), {}, InstalmentsContradictory),
            (plan((2, "50.00"), (1, "50.00")), {}, InstalmentsContradictory),
            (plan((1, "100.00")), {"due_on": day(9)}, DueContradictory),
            (plan((1, "100.00")), {"net_days": 9}, DueContradictory),
            (plan((1, "100.00")), {"kind": ItemKind.CREDIT_NOTE}, InstalmentsContradictory),
        ],
    )
    async def test_is_refused_when_it_contradicts_itself(
        self, tx: Transaction, parts: tuple[Instalment, ...], more: dict[str, object], refusal: type[Exception]
    ) -> None:
        await open_account(tx)
        with pytest.raises(refusal):
            await invoice(tx, "I1", "100.00", instalments=parts, **more)


class TestPaying:
    async def test_fills_the_oldest_part_first(self, tx: Transaction) -> None:
        await in_thirds(tx)
        await pay(tx, "P1", "45.00")
        assert await ladder(tx) == {day(10): Decimal(15), day(40): Decimal(40)}
        assert (await item(tx)).due_on == day(10)
        await prove(tx)

    async def test_takes_parts_and_other_items_by_due_day(self, tx: Transaction) -> None:
        await in_thirds(tx)
        await invoice(tx, "I2", "20.00", due_on=day(-5), issued_on=day(-10))
        await invoice(tx, "I3", "50.00", due_on=day(20))
        assert set(settled(await pay(tx, "P1", "40.00"))) == {("I1", "30.00"), ("I2", "10.00")}
        assert set(settled(await pay(tx, "P2", "60.00"))) == {("I2", "10.00"), ("I1", "30.00"), ("I3", "20.00")}
        await prove(tx)

    async def test_that_bounces_opens_the_parts_again(self, tx: Transaction) -> None:
        await in_thirds(tx)
        await pay(tx, "P1", "70.00")
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert (await item(tx)).due_on == day(-20)
        assert await ladder(tx) == {day(-20): Decimal(30), day(10): Decimal(30), day(40): Decimal(40)}
        await prove(tx)

    async def test_reads_few_of_many_items(self, tx: Transaction) -> None:
        """The walk stops at the cash, though later parts of what it has read come after items it has not."""
        await open_account(tx)
        for number in range(4):
            parts = plan((number + 1, "10.00"), (number + 30, "90.00"))
            await invoice(tx, f"I{number}", "100.00", instalments=parts)
        assert set(settled(await pay(tx, "P1", "35.00"))) == {
            ("I0", "10.00"),
            ("I1", "10.00"),
            ("I2", "10.00"),
            ("I3", "5.00"),
        }
        await prove(tx)


class TestReplanning:
    async def test_spreads_what_is_open(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", issued_on=day(-60), due_on=day(-30))
        await pay(tx, "P1", "40.00")
        await receivables.plan_instalments(
            tx, segment="main", invoice_no="I1", plan=plan((15, "20.00"), (45, "40.00")), reason="agreed by phone"
        )
        assert await ladder(tx) == {day(15): Decimal(20), day(45): Decimal(40)}
        assert (await exposure.account(tx, customer_id="C1", segment="main")).overdue.amount == 0
        await prove(tx)
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert await ladder(tx) == {day(-30): Decimal(40), day(15): Decimal(20), day(45): Decimal(40)}
        await prove(tx)

    async def test_is_refused_where_nothing_is_open_or_sums_differ(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await invoice(tx, "N1", "10.00", kind=ItemKind.CREDIT_NOTE)
        with pytest.raises(InstalmentsContradictory):
            await self.replan(tx, "I1", "99.00")
        with pytest.raises(InvoiceIsACredit):
            await self.replan(tx, "N1", "10.00")
        await pay(tx, "P1", "100.00", allocate=lines(("I1", "100.00")))
        with pytest.raises(InvoiceSettled):
            await self.replan(tx, "I1", "100.00")

    async def replan(self, tx: Transaction, invoice_no: str, amount: str) -> None:
        await receivables.plan_instalments(
            tx, segment="main", invoice_no=invoice_no, plan=plan((5, amount)), reason="agreed"
        )


class TestCancelling:
    async def test_takes_every_part_back(self, tx: Transaction) -> None:
        await in_thirds(tx)
        await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="wrong customer")
        assert await ladder(tx) == {}
        await prove(tx)


class TestLadder:
    @given(PARTS, st.integers(0, 10**6), st.integers(0, 10**6), RATES)
    def test_adds_up_to_what_the_item_counts(
        self, drawn: list[tuple[int, int]], settled_cents: int, disputed_cents: int, rate: Decimal
    ) -> None:
        days = [sum(gap for gap, _ in drawn[: place + 1]) for place in range(len(drawn))]
        parts = tuple(
            Instalment(day(offset), Decimal(cents) / 100) for offset, (_, cents) in zip(days, drawn, strict=True)
        )
        total = sum((part.amount for part in parts), Decimal(0))
        left = max(total - Decimal(settled_cents) / 100, Decimal(0))
        made = an_item(
            str(total),
            open=left,
            instalments=parts,
            disputed=min(Decimal(disputed_cents) / 100, total),
            rate=rate,
            account_currency="JPY",
            due_on=instalments.due_on(parts, total - left),
        )
        assert sum(made.ladder.values()) == made.value
        assert sum((part.amount for part in made.parts), Decimal(0)) == made.undisputed
        due = sum((amount for due_on, amount in made.ladder.items() if due_on is not None), Decimal(0))
        assert due == rounded(made.undisputed * rate, "JPY")

    @given(PARTS, st.integers(1, 10**6))
    def test_paying_fills_parts_in_order_and_nothing_twice(self, drawn: list[tuple[int, int]], cents: int) -> None:
        days = [sum(gap for gap, _ in drawn[: place + 1]) for place in range(len(drawn))]
        parts = tuple(
            Instalment(day(offset), Decimal(amount) / 100) for offset, (_, amount) in zip(days, drawn, strict=True)
        )
        total = sum((part.amount for part in parts), Decimal(0))
        made = an_item(str(total), instalments=parts, due_on=parts[0].due_on)
        cash = Decimal(cents) / 100
        [settlement] = oldest_first([made], cash)
        assert settlement.settles == min(cash, total)
        after = items.settle(made, settlement.settles, now=MONDAY)
        assert after.parts == instalments.between(parts, min(cash, total), total)
        assert after.due_on >= TODAY or after.due_on == parts[-1].due_on
