"""Opens books: locks the accounts that documents will post to, reads the documents, and writes all back at the end.

The accounts are named in one lock. Where the documents themselves say which accounts those are, they are read once
before it and again under it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.exposure.core.fx import Quotes
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import AccountBusy, AccountNotFound, OrderRefConflict
from app.domains.receivables.core.book import Book, Bookkeeper, Key
from app.domains.receivables.core.items import Item
from app.domains.receivables.core.matching import names
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.refusals import DocumentBusy
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.domains.receivables.repository import behaviour, documents
from app.domains.receivables.service import rules
from app.infra.db.failures import UNIQUE_VIOLATION, sqlstate
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.money import ZERO

Request = TypeVar("Request", bound=InvoiceRequest | PaymentRequest)
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Claim:
    """What one payment or credit note, dated `on`, asks to settle with `cash`: `lines`, the items `named` in its text,
    and what else the instruction says."""

    customer_id: str
    segment: str
    currency: str
    cash: Decimal
    on: date
    instruction: Instruction
    named: Sequence[str] = ()

    @classmethod
    def of_request(cls, request: PaymentRequest) -> Claim:
        """What a payment asks for that is to be posted."""
        return cls(
            request.customer_id,
            request.segment,
            request.amount.currency,
            request.amount.amount,
            request.received_on,
            request.allocate,
            names(request.remittance) if request.allocate.by_reference else (),
        )

    @classmethod
    def of_credit(cls, credit: Item | Payment, instruction: Instruction) -> Claim:
        """What is asked of the rest of a payment or credit note that was posted before."""
        text = credit.remittance if isinstance(credit, Payment) else None
        return cls(
            credit.customer_id,
            credit.segment,
            credit.currency,
            credit.open,
            credit.dated_on,
            instruction,
            names(text) if instruction.by_reference else (),
        )

    @property
    def lines(self) -> tuple[AllocationLine, ...]:
        """The items asked for one by one."""
        return self.instruction.lines

    @property
    def account_key(self) -> tuple[str, str]:
        """The customer and the segment: what names the account."""
        return self.customer_id, self.segment

    @property
    def keys(self) -> list[Key]:
        """The items that are named."""
        return [(self.segment, name) for name in (*(line.invoice_no for line in self.lines), *self.named)]


def bookkeeper(tx: Transaction) -> Bookkeeper:
    """Whoever acts in this transaction."""
    return Bookkeeper(tx.actor.name, tx.now, tx.new_id)


async def open_for_posting(tx: Transaction, requests: Sequence[InvoiceRequest | PaymentRequest]) -> Book:
    """A book for documents to be posted: what was posted before under their numbers, the orders that invoices bill, the
    items that credit notes and payments may settle; the accounts of all of them locked."""
    invoices = [request for request in requests if isinstance(request, InvoiceRequest)]
    payments = [request for request in requests if isinstance(request, PaymentRequest)]
    posted = {request.key for request in invoices}
    credited = {key for request in invoices if (key := request.credits_key)}
    book = await open_for_claims(
        tx,
        [Claim.of_request(payment) for payment in payments],
        also_accounts={request.account_key for request in invoices},
        also_items=posted | credited,
        also_wanted=_credits(invoices),
    )
    orders = {key for request in invoices for key in request.order_keys}
    await exposure.load_orders(tx, positions=book.positions, keys=orders)
    book.read(payments=await documents.find_payments(tx.session, {request.key for request in payments}))
    book.read(payments=await documents.advances(tx.session, orders))
    return book


async def open_for_claims(
    tx: Transaction,
    claims: Sequence[Claim],
    *,
    also_accounts: Collection[tuple[str, str]] = (),
    also_items: Collection[Key] = (),
    also_wanted: Sequence[InvoiceRequest] = (),
) -> Book:
    """A book with the items that `claims` may settle and `also_items`, the accounts of all of them locked.

    `also_wanted` are credit notes that will have settled items before the claims are met.
    """
    keys = {key for claim in claims for key in claim.keys}
    named = {item.key: item for item in await documents.find_items(tx.session, keys)}
    groups = await _groups(tx, claims, named)
    owners = {
        (item.customer_id, item.segment)
        for claim in claims
        for key in claim.keys
        if (item := named.get(key)) and item.customer_id in groups.get(claim.customer_id, (claim.customer_id,))
    }
    wanted = {claim.account_key for claim in claims} | owners | set(also_accounts)
    book = Book(await _locked(tx, wanted), groups=groups)
    again = await documents.find_items(tx.session, keys | set(also_items))
    # What was posted to an account not locked between the two looks is not known yet.
    book.read(
        items=(
            item
            for item in again
            if item.key in named or item.key in also_items or item.account_id in book.positions.accounts
        )
    )
    book.read(items=await documents.oldest_items(tx.session, _wanted(book, claims, also_wanted)))
    book.read(items=await documents.exact_items(tx.session, _exactly(book, claims)))
    await rules.gather(tx, book, {claim.account_key for claim in claims})
    for day in sorted({claim.on for claim in claims if _crosses(book, claim)}):
        book.quotes[day] = await exposure.quotes(tx, on=day)
    return book


async def open_for_item(tx: Transaction, item: Item) -> Book:
    """A book with one item, as it is once its account is locked, and the orders it bills."""
    book = Book(await exposure.lock(tx, keys=[(item.customer_id, item.segment)]))
    orders = [(item.segment, share.order_ref) for share in item.orders]
    await exposure.load_orders(tx, positions=book.positions, keys=orders)
    book.read(items=await documents.find_items(tx.session, [item.key]))
    return book


async def open_for_payment(tx: Transaction, payment: Payment) -> Book:
    """A book with one payment, as it is once its account is locked."""
    book = Book(await exposure.lock(tx, keys=[(payment.customer_id, payment.segment)]))
    book.read(payments=await documents.find_payments(tx.session, [payment.key]))
    return book


async def open_for_reversal(tx: Transaction, payment: Payment) -> Book:
    """A book with one payment, all that it settles, and the accounts of both locked.

    Raises `AccountBusy` when it was just allocated to somebody else's item.
    """
    settled = await documents.allocations_of_credits(tx.session, [payment.id])
    keys = {(payment.customer_id, payment.segment)} | {(found.customer_id, found.segment) for found in settled}
    book = Book(await exposure.lock(tx, keys=keys))
    again = await documents.allocations_of_credits(tx.session, [payment.id])
    if any(found.account_id not in book.positions.accounts for found in again):
        raise AccountBusy(f"{payment.payment_ref} is just being allocated", retry_after=1)
    book.read(
        payments=await documents.find_payments(tx.session, [payment.key]),
        items=await documents.find_items_by_id(tx.session, {found.item_id for found in again}),
        allocations=again,
    )
    return book


async def quotes_of(
    tx: Transaction, book: Book, requests: Iterable[InvoiceRequest | PaymentRequest]
) -> Callable[[InvoiceRequest | PaymentRequest], Quotes]:
    """The exchange rates that each request converts at: one look for each day that needs one."""
    by_day: dict[date, Quotes] = {}
    for request in requests:
        if request.fx_rate is None and request.dated_on not in by_day and _is_foreign(book, request):
            by_day[request.dated_on] = await exposure.quotes(tx, on=request.dated_on)
    return lambda request: by_day.get(request.dated_on, {})


def attempt(requests: Iterable[Request], decide: Callable[[Request], Outcome]) -> list[Outcome | Refusal]:
    """Decides one request after another; one that is refused has changed nothing and stops no other."""
    outcomes: list[Outcome | Refusal] = []
    for request in requests:
        try:
            outcomes.append(decide(request))
        except Refusal as refusal:
            outcomes.append(refusal)
    return outcomes


async def close(tx: Transaction, book: Book) -> None:
    """Writes the book and its positions. Raises `DocumentBusy` or `OrderRefConflict` when another transaction has just
    taken a number of a document or an order."""
    if not await documents.write(tx.session, book):
        raise DocumentBusy("another request is just posting the same number", retry_after=1)
    await behaviour.mark(tx.session, book)
    try:
        await exposure.save(tx, positions=book.positions)
    except DBAPIError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise OrderRefConflict("another customer has just taken one of the order references") from None
        raise


async def _locked(tx: Transaction, keys: Collection[tuple[str, str]]) -> Positions:
    """The positions of those of the accounts that exist, which usually is all of them."""
    try:
        return await exposure.lock(tx, keys=keys)
    except AccountNotFound:
        return await exposure.lock(tx, keys=set(await exposure.known_accounts(tx, keys=keys)))


async def _groups(tx: Transaction, claims: Sequence[Claim], named: Mapping[Key, Item]) -> Mapping[str, Collection[str]]:
    """The group of each customer who names somebody else's item."""
    abroad = {
        claim.customer_id
        for claim in claims
        for key in claim.keys
        if key in named and named[key].customer_id != claim.customer_id
    }
    groups: dict[str, Collection[str]] = {}
    for customer_id in sorted(abroad):
        chain = await customers.ancestors(tx, customer_id=customer_id)
        root = chain[-1] if chain else customer_id
        groups[customer_id] = frozenset(await customers.descendants(tx, customer_id=root))
    return groups


def _credits(invoices: Sequence[InvoiceRequest]) -> Sequence[InvoiceRequest]:
    """The credit notes that settle an item at once."""
    return [request for request in invoices if request.credits_key is not None]


def _wanted(
    book: Book, claims: Sequence[Claim], credit_notes: Sequence[InvoiceRequest]
) -> Mapping[tuple[UUID, str], Decimal]:
    """How much may be settled of each account's items: what takes the oldest, and what takes others among them."""
    wanted: dict[tuple[UUID, str], Decimal] = defaultdict(lambda: ZERO)
    for claim in claims:
        if claim.instruction.oldest_first and book.has_account(claim.account_key):
            wanted[book.account(claim.account_key).id, claim.currency] += claim.cash
    taken = [(claim.segment, line.invoice_no, _most(book, claim, line)) for claim in claims for line in claim.lines]
    taken += [(claim.segment, name, claim.cash) for claim in claims for name in claim.named]
    taken += [(*note.credits_key, note.amount.amount) for note in credit_notes if note.credits_key]
    for segment, invoice_no, amount in taken:
        item = book.items.get((segment, invoice_no))
        if item is not None and (item.account_id, item.currency) in wanted:
            wanted[item.account_id, item.currency] += amount
    for account_id, currency, cash in _exactly(book, claims):
        if (account_id, currency) in wanted:
            wanted[account_id, currency] += cash
    return wanted


def _most(book: Book, claim: Claim, line: AllocationLine) -> Decimal:
    """At most what a line relieves its item of; what is yet to be converted may pay all of it."""
    item = book.items.get((claim.segment, line.invoice_no))
    if item is None or line.settles is not None or item.currency == claim.currency:
        return line.relieves
    return item.open + item.written_off


def _exactly(book: Book, claims: Sequence[Claim]) -> Sequence[tuple[UUID, str, Decimal]]:
    """The account, currency and cash of each claim that may settle one item exactly."""
    return [
        (book.account(claim.account_key).id, claim.currency, claim.cash)
        for claim in claims
        if claim.instruction.exact and book.has_account(claim.account_key)
    ]


def _crosses(book: Book, claim: Claim) -> bool:
    """Whether a line may have to be converted: it does not say what it settles of an item in another currency, or of
    one that an earlier request of the batch may bring."""
    items = (book.items.get((claim.segment, line.invoice_no)) for line in claim.lines if line.settles is None)
    return any(item is None or item.currency != claim.currency for item in items)


def _is_foreign(book: Book, request: InvoiceRequest | PaymentRequest) -> bool:
    key = request.account_key
    return book.has_account(key) and book.account(key).currency != request.amount.currency
