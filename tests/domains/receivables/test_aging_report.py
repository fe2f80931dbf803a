"""Aging of many accounts: from the ladders today, from the ledger on any past day, equal to the documents on each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from httpx import AsyncClient

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Particulars
from app.domains.monitoring import service as monitoring
from app.domains.monitoring.core.aging import AgedRow, AgingBy
from app.domains.receivables import service as receivables
from app.domains.receivables.core.aging import BOUNDS, Aging
from app.domains.receivables.core.disputes import DisputeReason
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.write_offs import BadDebtReason
from app.infra.db.paging import CursorMalformed, PageRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from tests.domains.receivables.http import a_payment, an_invoice, post
from tests.domains.receivables.world import MONDAY, NOTHING, OLDEST, TODAY, day, invoice, open_account, pay, prove

CUSTOMERS = ("C1", "C2", "C3")
ALL = PageRequest(500, None, None, descending=False)


def on_day(tx: Transaction, offset: int) -> Transaction:
    return Transaction(tx.session, now=MONDAY + timedelta(days=offset), actor=tx.actor, request_id="test")


async def aged(
    tx: Transaction, by: AgingBy = AgingBy.CUSTOMER, on: date | None = None, page: PageRequest = ALL
) -> dict[tuple[str, str], AgedRow]:
    found = await monitoring.aging_report(tx, segment="main", by=by, page=page, on=on)
    return {(row.key, row.currency): row for row in found.rows}


async def trade(tx: Transaction, random: Random, number: int) -> None:
    """One thing that happens on the day of `tx`, dated on that day."""
    customer, on = random.choice(CUSTOMERS), tx.now.date()
    currency, rate = random.choice([("CNY", None), ("EUR", Decimal("7.8125"))])
    amount = str(Decimal(random.randrange(1, 90_000)) / 100)
    about = {"customer_id": customer, "fx_rate": rate}
    kind = random.randrange(10)
    if kind < 3:
        parts = tuple(Instalment(on + timedelta(days=gap), Decimal(amount)) for gap in (3, 20, 50))
        total, plan = (str(3 * Decimal(amount)), parts) if kind == 0 else (amount, ())
        due = None if plan else on + timedelta(days=random.randrange(0, 40))
        await invoice(tx, f"I{number}", total, currency, issued_on=on, due_on=due, instalments=plan, **about)
    elif kind == 3:
        await invoice(tx, f"N{number}", amount, currency, issued_on=on, kind=ItemKind.CREDIT_NOTE, **about)
    elif kind < 7:
        how = random.choice([OLDEST, OLDEST, NOTHING])
        await pay(tx, f"P{number}", amount, currency, received_on=on, allocate=how, **about)
    else:
        await change(tx, random, number, kind)


async def change(tx: Transaction, random: Random, number: int, kind: int) -> None:
    """Disputes, ends a dispute of, or writes off some earlier item, where that can be."""
    earlier = f"I{random.randrange(number)}" if number else "I0"
    try:
        if kind == 7:
            await receivables.open_dispute(tx, segment="main", invoice_no=earlier, reason=DisputeReason.PRICE)
        elif kind == 8:
            disputed = (await receivables.invoice(tx, segment="main", invoice_no=earlier)).disputes
            if disputed:
                await receivables.reject_dispute(tx, segment="main", invoice_no=earlier, dispute_id=disputed[0].id)
        else:
            await receivables.write_off(
                tx, segment="main", invoice_no=earlier, category=BadDebtReason.OTHER, reason="test"
            )
    except Refusal:
        return


def same(row: AgedRow | None, documents: Aging) -> bool:
    """Whether a row of the report says what the documents say; without a row they must say nothing."""
    if row is None:
        return not documents.total and not documents.unallocated_credits
    return (row.not_due, row.buckets, row.disputed, row.unallocated_credits) == (
        documents.not_due,
        documents.buckets,
        documents.disputed,
        documents.unallocated_credits,
    )


class TestPastDays:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    async def test_are_in_the_ledger_what_they_are_in_the_documents(self, tx: Transaction, seed: int) -> None:
        """Everything is entered on its own day, so both must agree on every day, looked at from the last."""
        random = Random(seed)
        for customer in CUSTOMERS:
            await open_account(tx, customer)
        days = range(0, 100, 4)
        number = 0
        for offset in days:
            for _ in range(random.randrange(3)):
                await trade(on_day(tx, offset), random, number)
                number += 1
        last = on_day(tx, days[-1] + 1)
        for offset in (*days, days[-1] + 1, days[-1] + 30):
            rows = await aged(last, on=day(offset))
            for customer in CUSTOMERS:
                documents = await receivables.aging(last, customer_id=customer, segment="main", on=day(offset))
                assert same(rows.get((customer, "CNY")), documents), (offset, customer)
        await prove(last)

    async def test_keep_saying_what_was_known_then(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", issued_on=day(-60), due_on=day(-30))
        later = on_day(tx, 5)
        await pay(later, "P1", "100.00", received_on=TODAY)
        assert (await aged(later, on=day(0)))["C1", "CNY"].total == 100, "the payment was entered on the fifth day"
        assert await aged(later) == {}


class TestRows:
    async def test_are_summed_by_customer_group_and_segment_each_currency_apart(self, tx: Transaction) -> None:
        await open_account(tx, "HEAD")
        await open_account(tx, "DAUGHTER", parent_id="HEAD")
        await open_account(tx, "YEN", currency="JPY", parent_id="DAUGHTER")
        await open_account(tx, "SOLO")
        await open_account(tx, "IDLE")
        await invoice(tx, "I1", "100.00", customer_id="HEAD", issued_on=day(-90), due_on=day(-40))
        await invoice(tx, "I2", "50.00", customer_id="DAUGHTER", due_on=day(9))
        await invoice(tx, "I3", "7000", "JPY", customer_id="YEN", issued_on=day(-9), due_on=day(-1))
        await invoice(tx, "I4", "1.00", customer_id="SOLO", due_on=day(9))
        await pay(tx, "P1", "2.00", customer_id="SOLO", allocate=NOTHING)
        await pay(tx, "P2", "50.00", customer_id="DAUGHTER", clears_on=day(60))
        assert [key for key, _ in await aged(tx)] == ["DAUGHTER", "HEAD", "SOLO", "YEN"]
        groups = await aged(tx, AgingBy.GROUP)
        assert [*groups] == [("HEAD", "CNY"), ("HEAD", "JPY"), ("SOLO", "CNY")]
        head = groups["HEAD", "CNY"]
        assert (head.total, head.buckets[1].amount, head.uncleared) == (Decimal(100), Decimal(100), Decimal(50))
        segment = await aged(tx, AgingBy.SEGMENT)
        assert {key: row.total for key, row in segment.items()} == {
            ("main", "CNY"): Decimal(101),
            ("main", "JPY"): Decimal(7000),
        }
        assert segment["main", "CNY"].unallocated_credits == 2
        past = await aged(on_day(tx, 1), AgingBy.GROUP, TODAY)
        assert past == groups, "the ledger says the same"

    async def test_of_a_group_need_no_account_of_its_head(self, tx: Transaction) -> None:
        head, middle = (Particulars(name=name, country="CN") for name in ("Head", "Middle"))
        await customers.put(tx, customer_id="HEAD", particulars=head)
        await customers.put(tx, customer_id="MIDDLE", particulars=replace(middle, parent_id="HEAD"))
        await customers.put(tx, customer_id="EMPTY", particulars=head)
        for number in range(3):
            await open_account(tx, f"C{number}", parent_id="MIDDLE")
            await invoice(tx, f"I{number}", "10.00", customer_id=f"C{number}")
        groups = await aged(tx, AgingBy.GROUP, page=PageRequest(1, None, None, descending=False))
        assert {key: row.total for key, row in groups.items()} == {("HEAD", "CNY"): Decimal(30)}

    async def test_come_in_pages(self, tx: Transaction) -> None:
        for number in range(5):
            await open_account(tx, f"C{number}")
            await invoice(tx, f"I{number}", "10.00", customer_id=f"C{number}")
        for by in (AgingBy.CUSTOMER, AgingBy.GROUP):
            seen: list[str] = []
            cursor = None
            while True:
                page = PageRequest(2, cursor, None, descending=False)
                found = await monitoring.aging_report(tx, segment="main", by=by, page=page)
                seen += [row.key for row in found.rows]
                cursor = found.next_cursor
                if cursor is None:
                    break
            assert seen == [f"C{number}" for number in range(5)]

    @pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "e30", "W2ZhbHNlLCAxXQ", "Ww" * 40])
    async def test_refuse_cursors_of_their_own_invention(self, tx: Transaction, cursor: str) -> None:
        with pytest.raises(CursorMalformed):
            await aged(tx, page=PageRequest(2, cursor, None, descending=False))


class TestOverHttp:
    async def test_answers_rows_with_buckets(self, api: AsyncClient, company: None) -> None:
        await post(api, "/v1/invoices", an_invoice("I1", "60", due_on="2026-02-20", issued_on="2026-01-20"))
        await post(api, "/v1/invoices/I1/disputes", {"amount": "15", "reason": "price"})
        await post(api, "/v1/payments", a_payment(amount="5", allocate="none"))
        body = (await api.get("/v1/reports/aging?by=segment")).json()
        assert (body["segment"], body["by"], body["on"], body["next_cursor"]) == (
            "main",
            "segment",
            "2026-03-02",
            None,
        )
        [row] = body["items"]
        assert row == {
            "key": "main",
            "currency": "CNY",
            "not_due": "0.00",
            "buckets": [
                {"from_days": first, "to_days": last, "amount": "45.00" if first == 1 else "0.00"}
                for first, last in BOUNDS
            ],
            "disputed": "15.00",
            "total": "60.00",
            "uncleared": "0.00",
            "unallocated_credits": "5.00",
        }
        assert (await api.get("/v1/reports/aging?segment=nowhere")).status_code == 404
        one = (await api.get("/v1/reports/aging?customer_id=C1&currency=CNY")).json()
        assert [found["key"] for found in one["items"]] == ["C1"]
        assert (await api.get("/v1/reports/aging?currency=EUR")).json()["items"] == []
