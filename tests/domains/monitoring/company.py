"""A small company with a row of every kind that is proved: orders, items, payments, credits, a group, currencies."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from httpx import AsyncClient

from app.domains.exposure import service as exposure
from app.domains.exposure.core import commitments
from app.domains.exposure.core.ledger import Source
from app.domains.receivables import service as receivables
from app.domains.receivables.core.changes import RefundRequest
from app.domains.receivables.core.disputes import DisputeReason
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import ItemKind, OrderShare
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.domains.receivables.core.write_offs import BadDebtReason
from app.infra.transaction import Transaction, Transactions
from app.kernel.errors import Refusal
from app.kernel.identity import SYSTEM
from app.kernel.money import Money
from tests.support.api import MONDAY
from tests.support.business import check, open_account

TODAY: Final = MONDAY.date()


async def found(transactions: Transactions, api: AsyncClient) -> None:
    """SOLO in yen with an order in euros; BOSS and its CHILD under one limit; all with something in every component."""
    await open_account(transactions, "SOLO", currency="JPY", limit="1000000")
    await open_account(transactions, "BOSS", limit=None, group_limit="50000.00")
    await open_account(transactions, "CHILD", limit="20000.00", parent_id="BOSS")
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await exposure.enter_rates(tx, on=TODAY, base="EUR", rates={"JPY": Decimal("163.37"), "CNY": Decimal("7.81")})
    await _trade(transactions, api, "SOLO", "EUR")
    await _trade(transactions, api, "CHILD", "CNY")


async def _trade(transactions: Transactions, api: AsyncClient, customer_id: str, currency: str) -> None:
    for order_ref, amount in (("A", "1000.01"), ("B", "500.33"), ("C", "90000.00")):
        body = check(customer_id, f"{customer_id}-{order_ref}", amount, currency=currency)
        assert (await api.post("/v1/credit-checks", json=body)).status_code == 201
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await ship(tx, customer_id, f"{customer_id}-A", Decimal("700.77"))
        share = OrderShare(f"{customer_id}-A", Decimal("333.33"))
        await _invoice(tx, customer_id, f"{customer_id}-1", Money(Decimal("333.33"), currency), orders=(share,))
        await _invoice(tx, customer_id, f"{customer_id}-2", Money(Decimal("100.00"), currency))
        note = Money(Decimal("20.00"), currency)
        await _invoice(tx, customer_id, f"{customer_id}-3", note, kind=ItemKind.CREDIT_NOTE)
        await _pay(tx, customer_id, f"{customer_id}-P1", Money(Decimal("111.11"), currency), oldest_first=True)
        await _pay(tx, customer_id, f"{customer_id}-P2", Money(Decimal("7.07"), currency), oldest_first=False)
        await _go_on(tx, customer_id, currency)


async def _go_on(tx: Transaction, customer_id: str, currency: str) -> None:
    """What becomes of documents: instalments, a dispute, a write-off in part recovered, refunds, a draft."""
    parts = tuple(Instalment(TODAY + timedelta(days=days), Decimal("30.33")) for days in (10, 20, 30))
    await _invoice(tx, customer_id, f"{customer_id}-4", Money(Decimal("90.99"), currency), instalments=parts)
    await _invoice(tx, customer_id, f"{customer_id}-5", Money(Decimal("55.55"), currency), net_days=90)
    draft = Money(Decimal("40.00"), currency)
    clears = TODAY + timedelta(days=60)
    await _pay(tx, customer_id, f"{customer_id}-P3", draft, oldest_first=False, clears_on=clears)
    allocated = Instruction(lines=(AllocationLine(f"{customer_id}-4", draft.amount),))
    await receivables.allocate_payment(tx, segment="main", payment_ref=f"{customer_id}-P3", instruction=allocated)
    await receivables.open_dispute(
        tx, segment="main", invoice_no=f"{customer_id}-2", amount=Decimal("33.33"), reason=DisputeReason.PRICE
    )
    number = f"{customer_id}-5"
    await receivables.write_off(
        tx, segment="main", invoice_no=number, category=BadDebtReason.INSOLVENCY, reason="bankrupt"
    )
    await receivables.recover(tx, segment="main", invoice_no=number, amount=Decimal("5.05"), reason="dividend")
    refund = RefundRequest(f"{customer_id}-R1", Decimal("2.02"), TODAY, "paid twice")
    await receivables.refund_payment(tx, segment="main", payment_ref=f"{customer_id}-P2", request=refund)
    paid_out = RefundRequest(f"{customer_id}-R2", Decimal("3.03"), TODAY, "asked for")
    await receivables.refund_credit_note(tx, segment="main", invoice_no=f"{customer_id}-3", request=paid_out)


async def ship(tx: Transaction, customer_id: str, order_ref: str, amount: Decimal) -> None:
    positions = await exposure.lock(tx, keys=[(customer_id, "main")])
    await exposure.load_orders(tx, positions=positions, keys=[("main", order_ref)])
    shipped = commitments.ship(positions.orders["main", order_ref], amount=amount)
    positions.change_order(shipped, Source("shipment", order_ref))
    await exposure.save(tx, positions=positions)


async def _invoice(tx: Transaction, customer_id: str, invoice_no: str, amount: Money, **more: Any) -> None:
    request = InvoiceRequest(
        segment="main", invoice_no=invoice_no, customer_id=customer_id, amount=amount, issued_on=TODAY, **more
    )
    [outcome] = await receivables.post_invoices(tx, requests=[request])
    assert not isinstance(outcome, Refusal), outcome


async def _pay(
    tx: Transaction, customer_id: str, payment_ref: str, amount: Money, *, oldest_first: bool, **more: Any
) -> None:
    request = PaymentRequest(
        segment="main",
        payment_ref=payment_ref,
        customer_id=customer_id,
        amount=amount,
        received_on=TODAY,
        allocate=Instruction(oldest_first=oldest_first),
        **more,
    )
    [outcome] = await receivables.post_payments(tx, requests=[request])
    assert not isinstance(outcome, Refusal), outcome
