"""Any sequence of postings agrees with a plain model, and leaves totals = ledger = documents after each step."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domains.exposure import service as exposure
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import ItemKind
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.money import DIGITS
from tests.domains.receivables import model
from tests.domains.receivables.world import (
    a_payment,
    an_invoice,
    billing,
    day,
    exposure_of,
    lines,
    open_account,
    order,
    prove,
    prove_groups,
)

CUSTOMERS = ("TOP", "C1", "C2", "X1")
GROUP = frozenset(("TOP", "C1", "C2"))
Step = tuple[str, tuple[Any, ...]]

numbers = st.sampled_from([f"I{n}" for n in range(5)])
notes = st.sampled_from(["N0", "N1"])
refs = st.sampled_from([f"P{n}" for n in range(4)])
customers = st.sampled_from(CUSTOMERS)
currencies = st.sampled_from(["CNY", "CNY", "EUR", "JPY"])


def amounts(currency: str, most: int = 100) -> st.SearchStrategy[Decimal]:
    """Amounts with all the decimals that the currency has."""
    digits = DIGITS[currency]
    return st.integers(1, most * 10**digits).map(lambda units: Decimal(units).scaleb(-digits))


def rates(currency: str) -> st.SearchStrategy[Decimal]:
    """The rate of the day, or a better one."""
    usual = model.RATES[currency]
    return st.just(usual) if currency == "CNY" else st.sampled_from([usual, usual * Decimal("1.03")])


@st.composite
def allocations(draw: st.DrawFn, currency: str) -> tuple[model.Line, ...]:
    """Items named, some with a discount."""
    discount = st.one_of(st.just(Decimal(0)), amounts(currency, 2))
    return tuple(draw(st.lists(st.tuples(numbers, amounts(currency, 60), discount), max_size=3)))


@st.composite
def an_invoice_step(draw: st.DrawFn) -> Step:
    """Posts an invoice, some for orders."""
    currency = draw(currencies)
    ordered = st.sampled_from([None, "O1", "O2", "U1"]) if currency == "CNY" else st.none()
    return "post_invoice", (
        model.Invoice(
            draw(numbers),
            draw(customers),
            credit=False,
            amount=draw(amounts(currency)),
            currency=currency,
            due_on=day(draw(st.integers(-3, 3))),
            rate=draw(rates(currency)),
            order=draw(ordered),
        ),
    )


@st.composite
def a_note_step(draw: st.DrawFn) -> Step:
    """Posts a credit note, some for an invoice."""
    currency = draw(currencies)
    return "post_invoice", (
        model.Invoice(
            draw(notes),
            draw(customers),
            credit=True,
            amount=draw(amounts(currency)),
            currency=currency,
            due_on=day(0),
            rate=draw(rates(currency)),
            related=draw(st.none() | numbers),
        ),
    )


@st.composite
def a_payment_step(draw: st.DrawFn) -> Step:
    """Posts a payment."""
    currency = draw(currencies)
    named = draw(st.just(()) | allocations(currency))
    return "post_payment", (
        model.Payment(
            draw(refs),
            draw(customers),
            draw(amounts(currency, 150)),
            currency,
            draw(rates(currency)),
            named,
            draw(st.booleans()),
        ),
    )


steps = st.lists(
    st.one_of(
        an_invoice_step(),
        an_invoice_step(),
        a_note_step(),
        a_payment_step(),
        a_payment_step(),
        st.tuples(st.just("allocate"), st.tuples(refs, allocations("CNY"), st.booleans())),
        st.tuples(st.just("allocate"), st.tuples(notes, allocations("CNY"), st.just(False))),
        st.tuples(st.just("reverse"), st.tuples(refs)),
        st.tuples(st.just("cancel"), st.tuples(numbers | notes)),
    ),
    min_size=4,
    max_size=16,
)


class Service:
    """The model's words on the real service and database."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def post_invoice(self, asked: model.Invoice) -> None:
        request = an_invoice(
            asked.number,
            str(asked.amount),
            asked.currency,
            customer_id=asked.customer,
            kind=ItemKind.CREDIT_NOTE if asked.credit else ItemKind.INVOICE,
            due_on=asked.due_on,
            fx_rate=asked.rate,
            orders=billing(asked.order, str(asked.amount)) if asked.order else (),
            related_invoice_no=asked.related,
        )
        _raise(await receivables.post_invoices(self._tx, requests=[request]))

    async def post_payment(self, asked: model.Payment) -> None:
        named = lines(*((no, str(a), str(d)) for no, a, d in asked.lines), oldest_first=asked.oldest_first)
        request = a_payment(
            asked.ref,
            str(asked.amount),
            asked.currency,
            customer_id=asked.customer,
            fx_rate=asked.rate,
            allocate=named,
        )
        _raise(await receivables.post_payments(self._tx, requests=[request]))

    async def allocate(self, credit: str, asked: tuple[model.Line, ...], oldest_first: bool) -> None:
        named = lines(*((no, str(a), str(d)) for no, a, d in asked), oldest_first=oldest_first)
        if credit.startswith("P"):
            await receivables.allocate_payment(self._tx, segment="main", payment_ref=credit, instruction=named)
        else:
            await receivables.allocate_credit_note(self._tx, segment="main", invoice_no=credit, instruction=named)

    async def reverse(self, ref: str) -> None:
        await receivables.reverse_payment(self._tx, segment="main", payment_ref=ref, reason="bounced")

    async def cancel(self, number: str) -> None:
        await receivables.cancel_invoice(self._tx, segment="main", invoice_no=number, reason="typo")


class TestAnySequence:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=steps)
    async def test_agrees_with_the_model(self, tx: Transaction, steps: list[Step]) -> None:
        example = await tx.session.begin_nested()
        try:
            plain = await company(tx)
            for name, arguments in steps:
                expected = _refused(getattr(plain, name), *arguments)
                actual = await turned_down(tx, getattr(Service(tx), name), *arguments)
                assert actual is expected, f"{name} {arguments}"
                await agree(tx, plain)
        finally:
            await example.rollback()


async def company(tx: Transaction) -> model.Model:
    """A group of three and one beside it; two orders of C1."""
    await open_account(tx, "TOP")
    await open_account(tx, "C1", parent_id="TOP")
    await open_account(tx, "C2", parent_id="TOP")
    await open_account(tx, "X1")
    await exposure.set_limit(
        tx,
        customer_id="TOP",
        segment="main",
        scope=LimitScope.GROUP,
        kind=LimitKind.GRANTED,
        amount=Decimal(1000),
        reason="group",
    )
    await order(tx, "O1", "100.00", shipped="60.00", customer_id="C1")
    await order(tx, "O2", "80.00", customer_id="C1")
    orders = {"O1": ("C1", Decimal(100), Decimal(60)), "O2": ("C1", Decimal(80), Decimal(0))}
    return model.Model(GROUP, orders)


async def agree(tx: Transaction, plain: model.Model) -> None:
    """Asserts that every account is what the model says, and sound in itself."""
    for customer in CUSTOMERS:
        found = await exposure_of(tx, customer)
        assert found.receivables == plain.receivables(customer)
        assert found.unallocated_credits == plain.credits(customer)
        assert found.open_orders + found.delivered == plain.bound(customer)
    await prove(tx)
    await prove_groups(tx)


def _refused(step: Callable[..., None], *arguments: Any) -> bool:
    try:
        step(*arguments)
    except model.Refused:
        return True
    return False


async def turned_down(tx: Transaction, step: Callable[..., Any], *arguments: Any) -> bool:
    """Whether the service refuses the step; what it did until then is undone, as a transaction is."""
    point = await tx.session.begin_nested()
    try:
        await step(*arguments)
    except Refusal:
        await point.rollback()
        return True
    await point.commit()
    return False


def _raise(outcomes: Any) -> None:
    [outcome] = outcomes
    if isinstance(outcome, Refusal):
        raise outcome
