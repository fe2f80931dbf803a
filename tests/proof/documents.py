"""What the plain model knows: documents in dictionaries, every total summed anew, no ledger, nothing incremental."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

ZERO = Decimal(0)
DIGITS = {"CNY": 2, "EUR": 2, "JPY": 0}
RESERVATION_DAYS = 30
GRACE_DAYS = 3
RESOLVED = ("shipped", "invoiced", "closed", "cancelled", "expired")


class Refused(Exception):
    """The model refuses, with the code that the API refuses with."""

    @property
    def code(self) -> str:
        """What the API calls it."""
        return str(self.args[0])


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half up, to the digits of the currency."""
    return amount.quantize(Decimal(1).scaleb(-DIGITS[currency]), ROUND_HALF_UP)


@dataclass(frozen=True)
class Release:
    """What a person has released for an order."""

    amount: Decimal
    codes: frozenset[str]
    until: datetime


@dataclass(frozen=True)
class Replaced:
    """A part of another order that an order replaces."""

    order_ref: str
    amount: Decimal


@dataclass
class Order:
    """One order: A, S and I in its currency, and what became of it."""

    customer: str
    currency: str
    rate: Decimal
    state: str = "held"
    approved: Decimal = ZERO
    shipped: Decimal = ZERO
    invoiced: Decimal = ZERO
    waived: Decimal = ZERO
    held: Decimal = ZERO
    expires_at: datetime | None = None
    review: str | None = None
    release: Release | None = None

    @property
    def gone(self) -> Decimal:
        """What can be reserved no more: max(S, I)."""
        return max(self.shipped, self.invoiced)

    @property
    def open(self) -> Decimal:
        """max(A − max(S, I), 0)."""
        return max(self.approved - self.gone, ZERO)

    @property
    def delivered(self) -> Decimal:
        """max(S − I, 0), less what was waived when the order was closed."""
        return max(self.shipped - self.invoiced - self.waived, ZERO)

    @property
    def binds(self) -> bool:
        """Whether any of it counts."""
        return self.open > 0 or self.delivered > 0

    def settle(self, empty: str | None = None) -> None:
        """The state that follows from the amounts; `empty` where they say nothing."""
        self.waived = min(self.waived, max(self.shipped - self.invoiced, ZERO))
        empty = empty or self.state
        if not (self.approved or self.shipped or self.invoiced):
            self.state = empty
        elif not self.binds:
            self.state = "invoiced" if self.invoiced else empty
        elif self.invoiced:
            self.state = "partly_invoiced"
        elif self.shipped:
            self.state = "shipped" if self.shipped >= self.approved else "partly_shipped"
        else:
            self.state = "open"

    def free(self, empty: str) -> None:
        """A becomes max(S, I)."""
        self.approved, self.expires_at = self.gone, None
        self.settle(empty)


@dataclass(frozen=True)
class Ask:
    """What an order-entry system asks."""

    order_ref: str
    customer: str
    amount: Decimal
    currency: str
    checkpoint: str = "order"
    reserve: bool = True
    days: int | None = None
    ship_on: date | None = None
    replaces: tuple[Replaced, ...] = ()


@dataclass(frozen=True)
class Shipment:
    """Goods that left."""

    order_ref: str
    amount: Decimal


@dataclass(frozen=True)
class Share:
    """The part of an invoice that bills one order."""

    order_ref: str
    amount: Decimal
    complete: bool


@dataclass(frozen=True)
class Item:
    """An invoice, or a credit note."""

    number: str
    customer: str
    credit: bool
    amount: Decimal
    currency: str
    due_on: date
    rate: Decimal
    shares: tuple[Share, ...] = ()
    related: str | None = None
    plan: tuple[tuple[date, Decimal], ...] = ()
    """Its instalments; without any it is due at once on its due day."""
    discount: tuple[Decimal, date] | None = None
    """What paying it until a day earns, in percent."""
    dated_on: date = date.min
    """Of a credit note: the day it was issued."""

    @property
    def parts(self) -> tuple[tuple[date, Decimal], ...]:
        """What falls due on which day."""
        return self.plan or ((self.due_on, self.amount),)


@dataclass(frozen=True)
class Line:
    """An item to be settled by cash, by a discount and by a small difference.

    `settles` is what the cash is taken for in another currency.
    """

    number: str
    amount: Decimal
    discount: Decimal = ZERO
    settles: Decimal | None = None
    difference: Decimal = ZERO

    @property
    def paid(self) -> Decimal:
        """What of the item the cash is taken for."""
        return self.amount if self.settles is None else self.settles

    @property
    def relieves(self) -> Decimal:
        """What the item is relieved of."""
        return self.paid + self.discount + self.difference


@dataclass(frozen=True)
class How:
    """How cash is allocated: to the items named, then by a rule, which may look into the payer's text."""

    lines: tuple[Line, ...] = ()
    rule: str = "none"
    text: str | None = None


@dataclass(frozen=True)
class Payment:
    """A payment; in advance for `order_ref`, by a draft that clears on `clears_on`."""

    ref: str
    customer: str
    amount: Decimal
    currency: str
    rate: Decimal
    order_ref: str | None = None
    clears_on: date | None = None
    dated_on: date = date.min
    """The day it was received."""
    purpose: str = "settlement"
    text: str | None = None
    """What the payer wrote."""


@dataclass(frozen=True)
class Dispute:
    """A part of an item that the customer does not want to pay."""

    number: str
    amount: Decimal


@dataclass(frozen=True)
class Account:
    """A customer in the segment: the limit is in the account's currency."""

    currency: str
    limit: Decimal
    hold: str = "none"


@dataclass(frozen=True)
class Judged:
    """What a check comes to; `codes` are the objections that no release excuses."""

    outcome: str
    codes: frozenset[str]
    after: Decimal
    asked: Order


@dataclass
class Company:
    """The documents of the company, and what they come to."""

    now: datetime
    accounts: dict[str, Account]
    head: str
    members: frozenset[str]
    group_limit: Decimal
    quotes: dict[str, Decimal]
    """CNY per unit of each other currency."""
    past_quotes: dict[date, dict[str, Decimal]] = field(default_factory=dict)
    """What the quotes were at the end of each day on which one changed."""
    orders: dict[str, Order] = field(default_factory=dict)
    reviews: dict[str, tuple[Ask, frozenset[str], datetime]] = field(default_factory=dict)
    """Open reviews by check: what was asked, the codes it was referred for, and when it lapses."""
    shipments: dict[str, Shipment] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    settled: list[tuple[str, Line]] = field(default_factory=list)
    """The payment or credit note, and what it settles."""
    disputes: dict[str, Dispute] = field(default_factory=dict)
    """The open ones."""
    written_off: dict[str, Decimal] = field(default_factory=dict)
    """By item, net of what was recovered."""
    refunds: list[tuple[str, Decimal]] = field(default_factory=list)
    """The payment or credit note, and what was paid back of it."""
    kept: dict[str, Decimal] = field(default_factory=dict)
    """By payment: the rest that was too small to pay back."""
    drafts: set[str] = field(default_factory=set)
    """The payments that have not cleared."""
    gone: set[str] = field(default_factory=set)
    """Shipments reversed, items cancelled, payments reversed."""

    # ---- what everything comes to --------------------------------------------------------------------------

    def components(self, customer: str) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Receivables, open orders, delivered and unallocated credits, in account currency."""
        currency = self.accounts[customer].currency
        open_orders = delivered = ZERO
        for order in self._orders_of(customer):
            part = rounded(order.delivered * order.rate, currency)
            delivered += part
            open_orders += rounded((order.open + order.delivered) * order.rate, currency) - part
        owed = self._owed(customer, credit=False) + self._uncleared(customer)
        return owed, open_orders, delivered, self._owed(customer, credit=True)

    def total(self, customer: str) -> Decimal:
        """The exposure, in account currency."""
        receivables, open_orders, delivered, credits = self.components(customer)
        return receivables + open_orders + delivered - credits

    def group_total(self) -> Decimal:
        """The exposure of the group, kept by currency and converted now, in CNY."""
        totals: dict[str, Decimal] = {}
        for member in self.members:
            currency = self.accounts[member].currency
            totals[currency] = totals.get(currency, ZERO) + self.total(member)
        return sum((rounded(amount * self.rate(code, "CNY"), "CNY") for code, amount in totals.items()), ZERO)

    def left(self, name: str) -> Decimal:
        """What is open of an item or payment, in its currency."""
        if name in self.gone:
            return ZERO
        document: Item | Payment = self.payments[name] if name in self.payments else self.items[name]
        spent = sum((line.amount for credit, line in self.settled if credit == name), ZERO)
        relieved = sum((line.relieves for _, line in self.settled if line.number == name), ZERO)
        refunded = sum((amount for credit, amount in self.refunds if credit == name), ZERO)
        ended = self.written_off.get(name, ZERO) + self.kept.get(name, ZERO)
        return document.amount - spent - relieved - refunded - ended

    def undisputed(self, number: str) -> Decimal:
        """What is open of an item and not disputed."""
        disputed = sum((dispute.amount for dispute in self.disputes.values() if dispute.number == number), ZERO)
        return self.left(number) - min(disputed, self.left(number))

    def hold(self, customer: str) -> str:
        """What stops the account: what a person has set, or bad debt."""
        bad = any(left and self.items[number].customer == customer for number, left in self.written_off.items())
        return "forced" if bad else self.accounts[customer].hold

    @property
    def payable(self) -> list[str]:
        """The invoices of which something is open."""
        return [number for number, item in self.items.items() if not item.credit and self.left(number)]

    @property
    def unspent(self) -> list[str]:
        """The payments of which something is left."""
        return [ref for ref in self.payments if self.left(ref)]

    @property
    def bad(self) -> list[str]:
        """The items of which something is written off."""
        return [number for number, amount in self.written_off.items() if amount]

    @property
    def received(self) -> list[str]:
        """The payments that have not bounced."""
        return [ref for ref in self.payments if ref not in self.gone]

    @property
    def sent(self) -> list[str]:
        """The shipments that have not come back."""
        return [ref for ref in self.shipments if ref not in self.gone]

    def quote(self, currency: str, rate: Decimal, today: date) -> None:
        """Takes down the rate of a currency."""
        self.quotes[currency] = rate
        self.past_quotes[today] = dict(self.quotes)

    def rate(self, currency: str, into: str, *, on: date | None = None) -> Decimal:
        """Units of `into` per unit of `currency`, half up to twelve decimals: now, or on an earlier day."""
        if currency == into:
            return Decimal(1)
        quotes = self.quotes if on is None else self.past_quotes[max(day for day in self.past_quotes if day <= on)]
        in_cny = {"CNY": Decimal(1), **quotes}
        exact = Fraction(in_cny[currency]) / Fraction(in_cny[into])
        return Decimal(int(exact * 10**12 + Fraction(1, 2))).scaleb(-12)

    def differs(self, earlier: Company, customer: str) -> bool:
        """Whether anything of the customer's account shows otherwise than in `earlier`."""
        orders, were = ({r: o for r, o in m.orders.items() if o.customer == customer} for m in (self, earlier))
        shown = (self.components(customer), self.hold(customer))
        return orders != were or shown != (earlier.components(customer), earlier.hold(customer))

    def _orders_of(self, customer: str) -> Iterator[Order]:
        return (order for order in self.orders.values() if order.customer == customer)

    def _uncleared(self, customer: str) -> Decimal:
        drafts = (self.payments[ref] for ref in self.drafts - self.gone)
        currency = self.accounts[customer].currency
        return sum((rounded(d.amount * d.rate, currency) for d in drafts if d.customer == customer), ZERO)

    def _owed(self, customer: str, *, credit: bool) -> Decimal:
        currency = self.accounts[customer].currency
        items: Iterable[Item | Payment] = (item for item in self.items.values() if item.credit is credit)
        documents = [*items, *(self.payments.values() if credit else ())]
        return sum(
            (rounded(self.left(name_of(d)) * d.rate, currency) for d in documents if d.customer == customer), ZERO
        )


def name_of(document: Item | Payment) -> str:
    return document.number if isinstance(document, Item) else document.ref
