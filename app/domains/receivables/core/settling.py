"""Settles: plans what a payment or credit note pays, then carries it out in the book, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TypeVar

from app.domains.exposure.core.ledger import Source
from app.domains.receivables.core import items, matching
from app.domains.receivables.core.allocations import (
    Allocation,
    CreditKind,
    fx_difference,
    in_one_currency,
    listed,
    payable,
)
from app.domains.receivables.core.book import Book, Bookkeeper
from app.domains.receivables.core.items import Item
from app.domains.receivables.core.matching import NO_RULES, Settlement, nothing_earned
from app.domains.receivables.core.payments import Payment, Purpose
from app.domains.receivables.core.refunds import Refund, RefundKind
from app.domains.receivables.core.requests import Instruction, InvoiceRequest
from app.domains.receivables.core.write_offs import WriteOff, WriteOffKind
from app.kernel.money import ZERO

Document = TypeVar("Document", Item, Payment)


def credited(book: Book, item: Item, request: InvoiceRequest) -> Sequence[Settlement]:
    """What a credit note settles at once: the item it names, as far as that is open."""
    if request.credits_key is None:
        return ()
    pointer = "/related_invoice_no"
    named = payable(book.items.get(request.credits_key), request.credits_key[1], (item.customer_id,), pointer=pointer)
    amount = min(in_one_currency(named, item.currency, pointer=pointer).open, item.open)
    return (Settlement(named, amount),) if amount else ()


def planned(book: Book, credit: Item | Payment, instruction: Instruction) -> Sequence[Settlement]:
    """What `instruction` makes of what is left of `credit`: lines first, then rule after rule.

    Discounts and small differences are those that the account's rules let a payment close by itself.
    """
    rules = book.rules_of(credit.account_id) if isinstance(credit, Payment) else NO_RULES
    earned = partial(rules.earned, on=credit.dated_on) if rules.discount_grace_days is not None else nothing_earned
    settlements = listed(
        instruction.lines,
        lambda invoice_no: book.items.get((credit.segment, invoice_no)),
        cash=credit.open,
        currency=credit.currency,
        group=book.group_of(credit.customer_id),
        earned=earned,
        rate_into=partial(book.rate_into, credit),
    )
    settlements = (*settlements, *_ruled(book, credit, instruction, settlements, earned))
    left = credit.open - sum((settlement.uses for settlement in settlements), ZERO)
    return matching.closing(settlements, left=left, rules=rules)


def settled(
    book: Book, credit: Document, settlements: Sequence[Settlement], *, source: Source, by: Bookkeeper
) -> Document:
    """The credit after `settlements`; the items are settled in the book, the credit itself is not yet put there."""
    for settlement in settlements:
        before = _recovered(book, credit, settlement, by)
        after = items.settle(before, settlement.settles, now=by.now)
        spent = replace(credit, open=credit.open - settlement.uses, changed_at=by.now)
        difference = fx_difference(
            settlement,
            used=credit.value - spent.value,
            relieved=before.value - after.value,
            account_currency=credit.account_currency,
        )
        book.put_item(after, source)
        book.record(_allocation(spent, settlement, difference, by))
        credit = spent
    return credit


def kept(book: Book, payment: Payment, settlements: Sequence[Settlement], *, by: Bookkeeper) -> Payment:
    """The payment after a rest that is too small to pay back was kept; only once something was settled."""
    rules = book.rules_of(payment.account_id)
    small = rules.is_small(
        payment.open, of=payment.amount, rate=payment.rate, account_currency=payment.account_currency
    )
    if not settlements or not small or payment.purpose is not Purpose.SETTLEMENT:
        return payment
    book.record_refund(
        Refund(
            id=by.new_id(),
            segment=payment.segment,
            refund_ref=None,
            kind=RefundKind.SMALL_DIFFERENCE,
            credit=CreditKind.PAYMENT,
            credit_id=payment.id,
            credit_ref=payment.payment_ref,
            customer_id=payment.customer_id,
            amount=payment.open,
            currency=payment.currency,
            refunded_on=payment.received_on,
            reason="too small to pay back",
            made_by=by.name,
            made_at=by.now,
        )
    )
    return replace(payment, open=ZERO, changed_at=by.now)


def advances(book: Book, item: Item, *, by: Bookkeeper) -> None:
    """Settles an invoice just posted by the payments that its orders were paid with in advance, the oldest first."""
    for share in item.orders:
        wanted = share.amount
        for payment in book.advances(item, share.order_ref):
            open_now = book.items[item.key].open
            amount = min(wanted, payment.open, open_now)
            if amount > 0:
                settlement = Settlement(book.items[item.key], amount)
                source = Source("payment", payment.payment_ref)
                after = settled(book, payment, (settlement,), source=source, by=by)
                book.put_payment(after, source)
                book.advanced.append((payment, after))
                wanted -= amount


def _ruled(
    book: Book,
    credit: Item | Payment,
    instruction: Instruction,
    before: Sequence[Settlement],
    earned: matching.Earned,
) -> Sequence[Settlement]:
    """What the rules of `instruction` settle after `before`, with the cash that leaves."""
    found: list[Settlement] = []

    def left() -> Decimal:
        return credit.open - sum((settlement.uses for settlement in (*before, *found)), ZERO)

    if instruction.by_reference and isinstance(credit, Payment) and left():
        already = matching.taken((*before, *found))
        named = book.named_open(credit)
        found += matching.discounted(named, left(), earned=earned, already=already) or matching.oldest_first(
            named, left(), already=already
        )
    if instruction.exact and left():
        oldest = book.oldest_open(credit.account_id, credit.currency)
        found += matching.exact(oldest, left(), earned=earned, already=matching.taken((*before, *found)))
    if instruction.oldest_first and left():
        found += _oldest(book, credit, left(), earned, [*before, *found])
    return found


def _oldest(
    book: Book, credit: Item | Payment, cash: Decimal, earned: matching.Earned, before: Sequence[Settlement]
) -> Sequence[Settlement]:
    already = matching.taken(before)
    if earned is not nothing_earned:
        oldest = book.oldest_open(credit.account_id, credit.currency)
        found = matching.discounted(oldest, cash, earned=earned, already=already)
        if found:
            return found
    return matching.oldest_first(book.oldest_open(credit.account_id, credit.currency), cash, already=already)


def _recovered(book: Book, credit: Item | Payment, settlement: Settlement, by: Bookkeeper) -> Item:
    """The item before it is settled: what was written off of it and is paid after all is open again."""
    item = book.items[settlement.item.key]
    excess = settlement.settles - item.open
    if excess <= 0:
        return item
    book.record_write_off(
        WriteOff(
            id=by.new_id(),
            item_id=item.id,
            kind=WriteOffKind.RECOVERY,
            amount=excess,
            category=None,
            reason=f"paid by {_named(credit)[1]}",
            effective_on=max(credit.dated_on, item.dated_on),
            made_by=by.name,
            made_at=by.now,
        )
    )
    book.put_item(items.recover(item, excess, now=by.now), Source("recovery", item.invoice_no))
    return book.items[item.key]


def _named(credit: Item | Payment) -> tuple[CreditKind, str]:
    if isinstance(credit, Payment):
        return CreditKind.PAYMENT, credit.payment_ref
    return CreditKind.CREDIT_NOTE, credit.invoice_no


def _allocation(
    credit: Item | Payment, settlement: Settlement, difference: Decimal | None, by: Bookkeeper
) -> Allocation:
    item = settlement.item
    kind, ref = _named(credit)
    return Allocation(
        id=by.new_id(),
        credit=kind,
        credit_id=credit.id,
        credit_ref=ref,
        item_id=item.id,
        invoice_no=item.invoice_no,
        customer_id=item.customer_id,
        account_id=item.account_id,
        segment=item.segment,
        amount=settlement.amount,
        discount=settlement.discount,
        difference=settlement.difference,
        cash=settlement.uses,
        currency=item.currency,
        fx_difference=difference,
        effective_on=max(credit.dated_on, item.dated_on),
        made_by=by.name,
        made_at=by.now,
    )
