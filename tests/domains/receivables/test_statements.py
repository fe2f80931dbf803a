"""The statement of account: movements that lead from one balance to another."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.refusals import StatementTooLong
from app.domains.receivables.core.statements import Statement
from app.infra.transaction import Transaction
from app.kernel.money import render
from app.kernel.periods import WindowReversed
from tests.domains.receivables import test_pipeline as pipeline
from tests.domains.receivables.world import TODAY, day, exposure_of, invoice, lines, open_account, pay


async def statement(tx: Transaction, since: int, until: int, customer_id: str = "C1") -> Statement:
    """Between so many days from that Monday."""
    return await receivables.statement(tx, customer_id=customer_id, segment="main", since=day(since), until=day(until))


def rows(found: Statement) -> list[tuple[str, str, str]]:
    """What moved, by how much, and the balance after it."""
    moved = zip(found.movements, found.balances, strict=True)
    return [
        (f"{m.type} {m.ref}" + (f" {m.invoice_no}" if m.invoice_no else ""), render(m.effect, "CNY"), render(b, "CNY"))
        for m, b in moved
    ]


class TestStatement:
    async def test_lists_documents_by_day(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I0", "70.00", issued_on=day(-40))
        await invoice(tx, "I1", "100.00", issued_on=day(-9))
        await pay(tx, "P1", "120.00", received_on=day(-5))
        await invoice(tx, "N1", "10.00", issued_on=day(-2), kind=ItemKind.CREDIT_NOTE)
        await invoice(tx, "I2", "1.00", issued_on=day(0))
        found = await statement(tx, -10, -1)
        assert found.opening == 70
        assert rows(found) == [
            ("invoice I1", "100.00", "170.00"),
            ("payment P1", "-120.00", "50.00"),
            ("credit_note N1", "-10.00", "40.00"),
        ]
        assert found.closing == 40

    async def test_shows_discounts_and_exchange_differences(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await pay(tx, "P1", "98.00", allocate=lines(("I1", "98.00", "2.00")))
        await invoice(tx, "E1", "10.00", "EUR", fx_rate=Decimal("7.80"))
        await pay(tx, "P2", "10.00", "EUR", fx_rate=Decimal("7.90"))
        found = await statement(tx, 0, 0)
        assert sorted(row[:2] for row in rows(found) if row[0].startswith("settlement")) == [
            ("settlement P1 I1", "-2.00"),
            ("settlement P2 E1", "1.00"),
        ]
        assert found.closing == 0

    async def test_shows_what_members_of_a_group_settle_for_each_other(self, tx: Transaction) -> None:
        await open_account(tx, "C1")
        await open_account(tx, "C2", parent_id="C1")
        await invoice(tx, "I2", "60.00", customer_id="C2")
        await pay(tx, "P1", "60.00", allocate=lines(("I2", "60.00")))
        assert sorted(rows(await statement(tx, 0, 0, "C1")))[1][:2] == ("settlement P1 I2", "60.00")
        assert sorted(rows(await statement(tx, 0, 0, "C2")))[1][:2] == ("settlement P1 I2", "-60.00")

    async def test_begins_with_the_month_unless_told(self, tx: Transaction) -> None:
        await open_account(tx)
        found = await receivables.statement(tx, customer_id="C1", segment="main")
        assert (found.window.start, found.window.end) == (TODAY.replace(day=1), TODAY)
        assert found.closing == 0

    async def test_refuses_days_in_reverse_and_too_many_movements(self, tx: Transaction) -> None:
        await open_account(tx)
        with pytest.raises(WindowReversed):
            await statement(tx, 1, 0)
        await invoice(tx, "I1", "1.00")
        assert len((await receivables.statement(tx, customer_id="C1", segment="main", most=1)).movements) == 1
        await invoice(tx, "I2", "1.00")
        with pytest.raises(StatementTooLong):
            await receivables.statement(tx, customer_id="C1", segment="main", most=1)

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    async def test_ends_where_the_account_stands(self, tx: Transaction, data: st.DataObject) -> None:
        example = await tx.session.begin_nested()
        try:
            async for _ in pipeline.played(tx, data):
                pass
            for customer in pipeline.CUSTOMERS:
                found = await exposure_of(tx, customer)
                stands = found.receivables - found.unallocated_credits
                assert (await statement(tx, -10, 10, customer)).closing == stands
                assert (await statement(tx, 1, 10, customer)).opening == stands
        finally:
            await example.rollback()
