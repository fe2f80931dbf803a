"""Any sequence of postings agrees with a plain model, and leaves totals = ledger = documents after each step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, event, given, settings
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
    sums,
)

CUSTOMERS = ("TOP", "C1", "C2", "X1")
GROUP = frozenset(("TOP", "C1", "C2"))
STEPS = 14
Step = tuple[str, tuple[Any, ...]]

customers = st.sampled_from(["C1", "C1", "C1", "C2", "TOP", "X1"])
currencies = st.sampled_from(["CNY", "CNY", "CNY", "CNY", "EUR", "EUR", "JPY"])


def amounts(currency: str, most: int = 100) -> st.SearchStrategy[Decimal]:
    """Amounts with all the decimals that the currency has."""
    digits = DIGITS[currency]
    return st.integers(1, most * 10**digits).map(lambda units: Decimal(units).scaleb(-digits))


def rates(currency: str) -> st.SearchStrategy[Decimal]:
    """The rate of the day, or a better one."""
    usual = model.RATES[currency]
    return st.just(usual) if currency == "CNY" else st.sampled_from([usual, usual * Decimal("1.03")])


@st.composite
def an_invoice_step(draw: st.DrawFn, plain: model.Model) -> Step:
    """Posts an invoice, some for orders; now and then under a number that is taken."""
    currency = draw(currencies)
    ordered = st.sampled_from([None, "O1", "O2", "U1"]) if currency == "CNY" else st.none()
    return "post_invoice", (
        model.Invoice(
            f"I{draw(st.just(len(plain.invoices)) | st.integers(0, 20))}",
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
def a_note_step(draw: st.DrawFn, plain: model.Model) -> Step:
    """Posts a credit note, some for an invoice of the customer's."""
    related = draw(st.none() | st.sampled_from(sorted(plain.invoices)) if plain.invoices else st.none())
    named = plain.invoices.get(related or "")
    currency = named.currency if named else draw(currencies)
    return "post_invoice", (
        model.Invoice(
            f"N{len(plain.invoices)}",
            named.customer if named else draw(customers),
            credit=True,
            amount=draw(amounts(currency)),
            currency=currency,
            due_on=day(0),
            rate=draw(rates(currency)),
            related=related,
        ),
    )


@st.composite
def some_lines(draw: st.DrawFn, plain: model.Model, payer: str, currency: str) -> tuple[model.Line, ...]:
    """Names items, mostly those that the payer may settle and for what is open of them; every other with a discount."""
    anything = draw(st.sampled_from([False] * 7 + [True]))
    reach = GROUP if payer in GROUP else {payer}
    within = [i for i in plain.invoices.values() if i.customer in reach and i.currency == currency and not i.credit]
    items = list(plain.invoices) if anything else [item.number for item in within if plain.open(item.number)]
    named = []
    for number in draw(st.lists(st.sampled_from(items), min_size=1, max_size=3, unique=True)) if items else ():
        discount = draw(st.just(model.ZERO) | amounts(currency, 2))
        usual = plain.open(number) - discount
        amount = usual if usual > 0 and draw(st.integers(0, 3)) else draw(amounts(currency, 30))
        named.append((number, amount, discount))
    return tuple(named)


@st.composite
def a_payment_step(draw: st.DrawFn, plain: model.Model) -> Step:
    """Posts a payment, mostly for as much as the items it names; now and then under a reference that is taken."""
    customer, currency = draw(customers), draw(currencies)
    named = draw(st.just(()) | some_lines(plain, customer, currency))
    enough = sum((amount for _, amount, _ in named), model.ZERO)
    return "post_payment", (
        model.Payment(
            f"P{draw(st.just(len(plain.payments)) | st.integers(0, 20))}",
            customer,
            draw(amounts(currency, 150).map(lambda more: more + enough) | amounts(currency, 100)),
            currency,
            draw(rates(currency)),
            named,
            draw(st.booleans()),
        ),
    )


@st.composite
def an_allocation_step(draw: st.DrawFn, plain: model.Model) -> Step:
    """Allocates what is left of a payment or credit note."""
    notes = [item.number for item in plain.invoices.values() if item.credit]
    credits = sorted([*plain.payments, *notes])
    credit = draw(st.sampled_from([name for name in credits if plain.open(name)] or credits))
    held: model.Payment | model.Invoice = plain.payments.get(credit) or plain.invoices[credit]
    named = draw(some_lines(plain, held.customer, held.currency))
    return "allocate", (credit, named, draw(st.booleans()) if credit in plain.payments else False)


@st.composite
def a_step(draw: st.DrawFn, plain: model.Model) -> Step:
    """What may come next: mostly something that is possible."""
    choices = [an_invoice_step(plain), an_invoice_step(plain), a_note_step(plain), a_payment_step(plain)]
    if plain.payments:
        choices += [a_payment_step(plain), an_allocation_step(plain), an_allocation_step(plain)]
        choices.append(st.tuples(st.just("reverse"), st.tuples(st.sampled_from(sorted(plain.payments)))))
    if plain.invoices:
        choices.append(st.tuples(st.just("cancel"), st.tuples(st.sampled_from(sorted(plain.invoices)))))
    return draw(st.one_of(choices))


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
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    async def test_agrees_with_the_model(self, tx: Transaction, data: st.DataObject) -> None:
        example = await tx.session.begin_nested()
        try:
            async for plain in played(tx, data):
                await agree(tx, plain)
        finally:
            await example.rollback()


async def played(tx: Transaction, data: st.DataObject) -> AsyncIterator[model.Model]:
    """A sequence of steps on the model and on the service; both refuse the same ones."""
    plain = await company(tx)
    for _ in range(STEPS):
        name, arguments = data.draw(a_step(plain))
        expected = _refused(getattr(plain, name), *arguments)
        actual = await _turned_down(tx, getattr(Service(tx), name), *arguments)
        assert actual is expected, f"{name} {arguments}"
        event(f"{name} {'refused' if actual else 'done'}")
        yield plain


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
    """Asserts that every account and document is what the model says, and sound in itself."""
    for customer in CUSTOMERS:
        found = await exposure_of(tx, customer)
        assert found.receivables == plain.receivables(customer)
        assert found.unallocated_credits == plain.credits(customer)
        assert found.open_orders + found.delivered == plain.bound(customer)
    documents = "select invoice_no, open_amount from open_items union all select payment_ref, open_amount from payments"
    assert await sums(tx, documents) == {name: plain.open(name) for name in (*plain.invoices, *plain.payments)}
    await prove(tx)
    await prove_groups(tx)


def _refused(step: Callable[..., None], *arguments: Any) -> bool:
    try:
        step(*arguments)
    except model.Refused:
        return True
    return False


async def _turned_down(tx: Transaction, step: Callable[..., Any], *arguments: Any) -> bool:
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
