"""The book: the documents that one transaction works on in memory, with the positions they post to.

Changing it is pure arithmetic; the repository writes what was touched. A batch works its items one after another on the
same book: each sees what those before it did, and one that is refused has changed nothing.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.domains.exposure.core.account import Account
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.exposure.core.ledger import Entry, Source
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import AccountNotFound
from app.domains.receivables.core import items, payments
from app.domains.receivables.core.allocations import Allocation
from app.domains.receivables.core.items import Cancellation, Item
from app.domains.receivables.core.matching import NO_RULES, SettlementRules, names
from app.domains.receivables.core.payments import Payment, Purpose
from app.domains.receivables.core.refunds import Refund
from app.domains.receivables.core.write_offs import WriteOff

Key = tuple[str, str]
"""The segment and the number or reference of a document."""


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Who enters something and when, and where ids come from."""

    name: str
    now: datetime
    new_id: Callable[[], UUID]

    def cancellation(self, reason: str) -> Cancellation:
        """That they take something back, and why."""
        return Cancellation(self.now, self.name, reason)


class Book:
    """Items, payments and allocations as read and as changed since; everything posted goes to `positions`."""

    def __init__(self, positions: Positions, *, groups: Mapping[str, Collection[str]] | None = None) -> None:
        """`groups` are the customers whose items a customer may pay; without an entry, its own only."""
        self.positions = positions
        self.items: dict[Key, Item] = {}
        self.payments: dict[Key, Payment] = {}
        self.allocations: dict[UUID, Allocation] = {}
        self.stored_items: set[Key] = set()
        self.stored_payments: set[Key] = set()
        self.touched_items: set[Key] = set()
        self.touched_payments: set[Key] = set()
        self.made: list[UUID] = []
        self.undone: list[UUID] = []
        self.refunds: list[Refund] = []
        self.write_offs: list[WriteOff] = []
        self.advanced: list[tuple[Payment, Payment]] = []
        """Payments made in advance, before and after an invoice of their order used them."""
        self.rules: dict[UUID, SettlementRules] = {}
        """What may close by itself, by account; without an entry nothing."""
        self.quotes: dict[date, Quotes] = {}
        """Exchange rates by day, for what settles an item in another currency."""
        self._groups = groups or {}
        self._accounts = {(found.customer_id, found.segment): found.id for found in positions.accounts.values()}
        self._by_credit: dict[UUID, list[UUID]] = defaultdict(list)
        self._queues: dict[tuple[UUID, str], deque[Key]] = {}
        self._advances: dict[Key, dict[Key, None]] = defaultdict(dict)

    def read(
        self,
        *,
        items: Iterable[Item] = (),
        payments: Iterable[Payment] = (),
        allocations: Iterable[Allocation] = (),
    ) -> None:
        """Takes in documents as they are stored."""
        for item in items:
            self.items[item.key] = item
            self.stored_items.add(item.key)
        for payment in payments:
            self._keep_payment(payment)
            self.stored_payments.add(payment.key)
        for allocation in allocations:
            self._keep(allocation)
        self._queues.clear()

    def account(self, key: tuple[str, str]) -> Account:
        """The account of a customer in a segment. Raises `AccountNotFound`."""
        account_id = self._accounts.get(key)
        if account_id is None:
            raise AccountNotFound(f"{key[0]} has no account in segment {key[1]}")
        return self.positions.accounts[account_id]

    def has_account(self, key: tuple[str, str]) -> bool:
        """Whether the account of a customer in a segment is among those the book posts to."""
        return key in self._accounts

    def group_of(self, customer_id: str) -> Collection[str]:
        """The customers whose items this one may pay."""
        return self._groups.get(customer_id, (customer_id,))

    def rules_of(self, account_id: UUID) -> SettlementRules:
        """What the account's policy lets close by itself."""
        return self.rules.get(account_id, NO_RULES)

    def rate_into(self, credit: Item | Payment, currency: str) -> Decimal | None:
        """Units of `currency` per unit of a payment or credit note: at the rate it was entered at into its account's
        currency, and from there at that of its day. Null when none leads there."""
        onward = rate_between(self.quotes.get(credit.dated_on, {}), credit.account_currency, currency)
        return None if onward is None else credit.rate * onward

    def named_open(self, payment: Payment) -> list[Item]:
        """The open items in its currency that the payment's text names, by due day, then number."""
        group = self.group_of(payment.customer_id)
        named = (self.items.get((payment.segment, name)) for name in names(payment.remittance))
        found = [
            item
            for item in named
            if item is not None
            and item.customer_id in group
            and item.open
            and not item.is_credit
            and item.currency == payment.currency
            and self.has_account((item.customer_id, item.segment))
        ]
        return sorted(found, key=lambda item: (item.due_on, item.invoice_no))

    def advances(self, item: Item, order_ref: str) -> list[Payment]:
        """The payments made in advance for an order of the item, of which something is left, the oldest first."""
        keys = self._advances.get((item.segment, order_ref), ())
        found = [self.payments[key] for key in keys]
        fitting = [p for p in found if p.open and (p.account_id, p.currency) == (item.account_id, item.currency)]
        return sorted(fitting, key=lambda payment: (payment.received_on, payment.payment_ref))

    def oldest_open(self, account_id: UUID, currency: str) -> Iterator[Item]:
        """The account's open items in a currency by due day, then number: as far as they were read."""
        queue = self._queue(account_id, currency)
        while queue and not self.items[queue[0]].open:
            queue.popleft()
        return (self.items[key] for key in tuple(queue) if self.items[key].open)

    def live_allocations(self, credit_id: UUID) -> Sequence[Allocation]:
        """What a payment or credit note settles now, as far as it was read, in the order it was allocated."""
        found = (self.allocations[allocation_id] for allocation_id in self._by_credit[credit_id])
        return [allocation for allocation in found if allocation.undone_at is None]

    def put_item(self, after: Item, source: Source) -> None:
        """Replaces an item by its changed self and posts what that moves."""
        before = self.items.get(after.key)
        if before is None or before.due_on != after.due_on:
            self._queues.pop((after.account_id, after.currency), None)
        self._post(after.account_id, items.entries(before, after, source))
        self.items[after.key] = after
        self.touched_items.add(after.key)

    def put_payment(self, after: Payment, source: Source) -> None:
        """Replaces a payment by its changed self and posts what that moves."""
        self._post(after.account_id, payments.entries(self.payments.get(after.key), after, source))
        self._keep_payment(after)
        self.touched_payments.add(after.key)

    def record(self, allocation: Allocation) -> None:
        """Adds an allocation just made."""
        self._keep(allocation)
        self.made.append(allocation.id)

    def record_refund(self, refund: Refund) -> None:
        """Adds a refund just made."""
        self.refunds.append(refund)

    def record_write_off(self, write_off: WriteOff) -> None:
        """Adds a write-off or recovery just made."""
        self.write_offs.append(write_off)

    def undo(self, allocation: Allocation, *, now: datetime) -> None:
        """Marks an allocation as undone."""
        self.allocations[allocation.id] = replace(allocation, undone_at=now)
        self.undone.append(allocation.id)

    def _keep_payment(self, payment: Payment) -> None:
        self.payments[payment.key] = payment
        if payment.purpose is Purpose.ADVANCE and payment.order_ref is not None:
            self._advances[payment.segment, payment.order_ref][payment.key] = None

    def _keep(self, allocation: Allocation) -> None:
        self.allocations[allocation.id] = allocation
        self._by_credit[allocation.credit_id].append(allocation.id)

    def _post(self, account_id: UUID, entries: Sequence[Entry]) -> None:
        if entries:
            self.positions.post(account_id, entries)

    def _queue(self, account_id: UUID, currency: str) -> deque[Key]:
        queue = self._queues.get((account_id, currency))
        if queue is None:
            found = [
                item
                for item in self.items.values()
                if item.account_id == account_id and item.currency == currency and item.open and not item.is_credit
            ]
            found.sort(key=lambda item: (item.due_on, item.invoice_no))
            queue = self._queues[account_id, currency] = deque(item.key for item in found)
        return queue
