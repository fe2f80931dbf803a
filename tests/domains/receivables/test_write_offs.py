"""Bad debt: what is given up is owed no more and stops the account; what comes back after all is claimed again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domains.exposure import service as exposure
from app.domains.exposure.core.holds import HoldKind
from app.domains.receivables import service as receivables
from app.domains.receivables.core.change_events import InvoiceWrittenOff, WriteOffRecovered
from app.domains.receivables.core.items import ItemKind, ItemStatus
from app.domains.receivables.core.refusals import (
    AllocationExceedsItem,
    InvoiceIsACredit,
    InvoiceSettled,
    RecoveryExceedsWriteOff,
    WriteOffExceedsItem,
)
from app.domains.receivables.core.write_offs import BadDebtReason, WriteOffKind
from app.domains.receivables.service.invoices import InvoiceView
from app.infra.transaction import Transaction
from tests.domains.receivables.world import day, invoice, lines, open_account, pay, prove, totals


async def bad_invoice(tx: Transaction) -> None:
    await open_account(tx)
    await invoice(tx, "I1", "100.00", issued_on=day(-60), due_on=day(-30))


async def write_off(tx: Transaction, amount: str | None = None, invoice_no: str = "I1") -> InvoiceView:
    return await receivables.write_off(
        tx,
        segment="main",
        invoice_no=invoice_no,
        amount=None if amount is None else Decimal(amount),
        category=BadDebtReason.INSOLVENCY,
        reason="bankrupt",
    )


async def hold(tx: Transaction) -> HoldKind:
    return (await exposure.account(tx, customer_id="C1", segment="main")).hold


class TestWritingOff:
    async def test_ends_the_claim_and_stops_the_account(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        view = await write_off(tx)
        assert (view.item.status, view.item.open, view.item.written_off) == (
            ItemStatus.WRITTEN_OFF,
            Decimal(0),
            Decimal(100),
        )
        assert await totals(tx) == ("0.00", "0.00")
        assert await hold(tx) is HoldKind.FORCED
        holds = (await exposure.overview(tx, customer_id="C1", segment="main")).holds
        assert [(found.source, found.kind) for found in holds] == [("write_off", HoldKind.FORCED)]
        await prove(tx)

    async def test_of_a_part_leaves_the_rest_due(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        await pay(tx, "P1", "20.00")
        view = await write_off(tx, "30.00")
        assert (view.item.status, view.item.open) == (ItemStatus.PARTLY_PAID, Decimal(50))
        assert (await exposure.account(tx, customer_id="C1", segment="main")).overdue.amount == 50
        [made] = view.write_offs
        assert (made.kind, made.amount, made.category) == (
            WriteOffKind.WRITE_OFF,
            Decimal(30),
            BadDebtReason.INSOLVENCY,
        )
        await prove(tx)

    async def test_is_told_as_an_exception(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        tx.take_events()
        await write_off(tx)
        told = [event for event in tx.take_events() if isinstance(event, InvoiceWrittenOff)]
        assert [(event.subject_id, event.exceptional, event.after["category"]) for event in told] == [
            ("I1", True, "insolvency")
        ]

    async def test_is_refused_where_nothing_is_owed(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        await invoice(tx, "N1", "10.00", kind=ItemKind.CREDIT_NOTE)
        with pytest.raises(WriteOffExceedsItem):
            await write_off(tx, "100.01")
        with pytest.raises(InvoiceIsACredit):
            await write_off(tx, invoice_no="N1")
        await write_off(tx)
        with pytest.raises(InvoiceSettled):
            await write_off(tx)


class TestRecovery:
    async def test_claims_it_again_and_lifts_the_hold_at_the_end(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        await write_off(tx)
        await receivables.recover(tx, segment="main", invoice_no="I1", amount=Decimal(40), reason="dividend")
        assert await totals(tx) == ("40.00", "0.00")
        assert await hold(tx) is HoldKind.FORCED, "60 are still written off"
        tx.take_events()
        view = await receivables.recover(tx, segment="main", invoice_no="I1", reason="saved")
        assert (view.item.open, view.item.written_off) == (Decimal(100), Decimal(0))
        assert await hold(tx) is HoldKind.NONE
        assert sum(isinstance(event, WriteOffRecovered) for event in tx.take_events()) == 1
        await prove(tx)

    async def test_is_refused_beyond_the_write_off(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        with pytest.raises(RecoveryExceedsWriteOff):
            await receivables.recover(tx, segment="main", invoice_no="I1", reason="nothing is written off")
        await write_off(tx, "10.00")
        with pytest.raises(RecoveryExceedsWriteOff):
            await receivables.recover(tx, segment="main", invoice_no="I1", amount=Decimal("10.01"), reason="too much")

    async def test_comes_with_a_payment_that_names_the_invoice(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        await write_off(tx)
        await pay(tx, "P1", "100.00", allocate=lines(("I1", "100.00")))
        view = await receivables.invoice(tx, segment="main", invoice_no="I1")
        assert (view.item.status, view.item.written_off) == (ItemStatus.PAID, Decimal(0))
        assert [made.kind for made in view.write_offs] == [WriteOffKind.WRITE_OFF, WriteOffKind.RECOVERY]
        assert await totals(tx) == ("0.00", "0.00")
        assert await hold(tx) is HoldKind.NONE
        await prove(tx)

    async def test_by_payment_takes_only_what_is_needed(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        await write_off(tx, "60.00")
        await pay(tx, "P1", "55.00", allocate=lines(("I1", "55.00")))
        view = await receivables.invoice(tx, segment="main", invoice_no="I1")
        assert (view.item.open, view.item.written_off) == (Decimal(0), Decimal(45))
        with pytest.raises(AllocationExceedsItem):
            await pay(tx, "P2", "50.00", allocate=lines(("I1", "45.01")))
        await prove(tx)

    async def test_is_never_paid_by_rule(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        await write_off(tx)
        assert (await pay(tx, "P1", "30.00")).allocations == []
        assert await totals(tx) == ("0.00", "30.00")

    async def test_that_bounces_leaves_the_claim_open(self, tx: Transaction) -> None:
        await bad_invoice(tx)
        await write_off(tx)
        await pay(tx, "P1", "100.00", allocate=lines(("I1", "100.00")))
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        view = await receivables.invoice(tx, segment="main", invoice_no="I1")
        assert (view.item.open, view.item.written_off) == (Decimal(100), Decimal(0))
        await prove(tx)
