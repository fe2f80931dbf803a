"""The story of the demo company: who is on file, what they order, and the cases a credit department deals with."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any, Final

from app.cli.demo import company, credit
from app.cli.demo.company import Habit, Party
from app.cli.demo.diary import DISCOUNT_PERCENT, LEDGER_CLERK, RHYTHM, SEGMENT, Ask, Diary
from app.domains.customers import service as customers
from app.domains.customers.core.customer import ContactDetails, ContactRole, Particulars, Size
from app.domains.customers.core.terms import PaymentTerms, TermsKind
from app.domains.exposure import service as exposure
from app.domains.exposure.core.holds import MANUAL, HoldKind
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.domains.orders import service as orders
from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import ItemKind
from app.infra.transaction import Transaction

FIRST_DAY: Final = -120
"""The day before the first order, counted from today."""
SEED: Final = 20_260_101
ORDERS_EACH: Final = (1, 4)
ROUND_TO: Final = 100
"""Amounts are multiples of this, so that halves and discounts are exact in every currency."""
EUR_IN: Final = {"CNY": Decimal("7.8120"), "JPY": Decimal("162.45")}


def tell(diary: Diary) -> None:
    """Writes the story into the diary."""
    diary.do(FIRST_DAY, _file_everybody)
    for day in range(FIRST_DAY, 1, 7):
        diary.do(day, _rates(diary, day), by=LEDGER_CLERK)
    random = Random(SEED)  # noqa: S311 - for variety, not for secrets
    for party in company.TRADING:
        _trade(diary, party, random)
    _limits(diary)
    _holds(diary)
    _shared_limit(diary)
    _order_states(diary)
    _credits(diary)
    _showcase(diary)
    credit.tell(diary, FIRST_DAY)


# ---- who is on file


async def _file_everybody(tx: Transaction) -> None:
    for party in company.PARTIES:
        await customers.put(
            tx,
            customer_id=party.customer_id,
            particulars=Particulars(
                name=party.name,
                country=party.country,
                language=party.home.language,
                size=Size.LARGE if (party.limit or 0) >= 100 else Size.MEDIUM,
                parent_id=party.parent_id,
                terms=_terms(party),
            ),
            contacts=[
                ContactDetails(
                    ContactRole.FINANCE, "Accounts payable", email=f"payables@{party.customer_id.lower()}.example"
                )
            ],
        )
        await exposure.open_account(
            tx, customer_id=party.customer_id, segment=SEGMENT, currency=party.home.account_currency
        )
        if party.limit_amount is not None:
            await _grant(tx, party, party.limit_amount)
    await _grant(tx, company.HANSA, company.HANSA_GROUP_LIMIT, scope=LimitScope.GROUP)


def _terms(party: Party) -> PaymentTerms:
    if party is company.PREPAYING:
        return PaymentTerms(TermsKind.PREPAID, net_days=0)
    if party.habit is Habit.EARLY:
        return PaymentTerms(net_days=party.net_days, discount_percent=Decimal(DISCOUNT_PERCENT), discount_days=10)
    return PaymentTerms(net_days=party.net_days)


async def _grant(
    tx: Transaction, party: Party, amount: int, *, scope: LimitScope = LimitScope.OWN, **window: Any
) -> None:
    await exposure.set_limit(
        tx,
        customer_id=party.customer_id,
        segment=SEGMENT,
        scope=scope,
        kind=LimitKind.GRANTED,
        amount=Decimal(amount),
        reason="annual review",
        **window,
    )


def _rates(diary: Diary, day: int) -> Any:
    drift = Decimal(day) / 10_000

    async def enter(tx: Transaction) -> None:
        rates = {currency: (rate * (1 + drift)).quantize(Decimal("0.0001")) for currency, rate in EUR_IN.items()}
        await exposure.enter_rates(tx, on=diary.date(day), base="EUR", rates=rates)

    return enter


# ---- everyday business


def _trade(diary: Diary, party: Party, random: Random) -> None:
    """A handful of orders over the months, each a part of what the customer may owe."""
    scale = (party.limit or 40) * party.home.thousand
    for _ in range(random.randint(*ORDERS_EACH)):
        day = random.randrange(FIRST_DAY + RHYTHM, 1, RHYTHM)
        amount = Decimal(int(scale * random.uniform(0.12, 0.55)) // ROUND_TO * ROUND_TO)
        diary.ask(day, Ask(party, diary.number("SO"), amount))


# ---- limits of every kind


def _limits(diary: Diary) -> None:
    async def unlimited(tx: Transaction) -> None:
        await exposure.set_limit(
            tx,
            customer_id=company.UNLIMITED.customer_id,
            segment=SEGMENT,
            scope=LimitScope.OWN,
            kind=LimitKind.UNLIMITED,
            reason="public body",
        )

    async def expiring(tx: Transaction) -> None:
        amount = company.EXPIRED.limit_amount or 0
        await _grant(tx, company.EXPIRED, amount, valid_until=diary.date(-9))

    async def season(tx: Transaction) -> None:
        amount = 2 * (company.SEASONAL.limit_amount or 0)
        await _grant(tx, company.SEASONAL, amount, valid_until=diary.date(40), temporary=True)

    diary.do(FIRST_DAY + 1, unlimited)
    diary.do(FIRST_DAY + 1, expiring)
    diary.do(-15, season)
    for party, thousands in (
        (company.UNLIMITED, 140),
        (company.NO_CREDIT, 3),
        (company.UNDECIDED, 12),
        (company.EXPIRED, 8),
        (company.SEASONAL, 45),
        (company.PREPAYING, 5),
    ):
        amount = Decimal(thousands * party.home.thousand)
        diary.ask(-3, Ask(party, diary.number("SO"), amount, fulfil=False))


# ---- holds


def _holds(diary: Diary) -> None:
    def hold(party: Party, kind: HoldKind, reason: str) -> Any:
        async def set_hold(tx: Transaction) -> None:
            await exposure.set_hold(
                tx, customer_id=party.customer_id, segment=SEGMENT, source=MANUAL, kind=kind, reason=reason
            )

        return set_hold

    insolvent, reviewed = company.INSOLVENT, company.UNDER_REVIEW
    diary.bill(-70, insolvent, Decimal("18400.00"))
    diary.do(-20, hold(insolvent, HoldKind.FORCED, "insolvency proceedings opened"))
    diary.ask(-4, Ask(insolvent, diary.number("SO"), Decimal("2600.00")))
    diary.do(-6, hold(reviewed, HoldKind.SOFT, "change of ownership announced"))
    diary.ask(-2, Ask(reviewed, diary.number("SO"), Decimal("5200.00"), fulfil=False))


# ---- a group that reaches its limit


def _shared_limit(diary: Diary) -> None:
    """Each member has room of its own for what it orders; the group has not for all of it."""
    for day, party, amount in zip(
        (-4, -3, -1), company.HANSA_MEMBERS, ("38000.00", "24000.00", "300000.00"), strict=True
    ):
        diary.ask(day, Ask(party, diary.number("SO"), Decimal(amount), fulfil=False))


# ---- an order in every state


def _order_states(diary: Diary) -> None:
    party = company.EVERY_STATE

    def order(day: int, amount: str, **more: Any) -> str:
        reference = diary.number("SO")
        diary.ask(day, Ask(party, reference, Decimal(amount), fulfil=False, **more))
        return reference

    def end(day: int, reference: str, ended: Any, reason: str) -> None:
        async def do(tx: Transaction) -> None:
            await ended(tx, segment=SEGMENT, order_ref=reference, reason=reason)

        diary.do(day, do)

    order(-1, "64000.00", ship_in_days=12)
    diary.ship(-3, order(-6, "90000.00"), Decimal("40000.00"))
    diary.ship(-2, order(-5, "52000.00"), Decimal("52000.00"))
    partly = order(-9, "120000.00")
    diary.ship(-7, partly, Decimal("120000.00"))
    diary.bill(-6, party, Decimal("70000.00"), order_ref=partly)
    whole = order(-30, "48000.00")
    diary.ship(-28, whole, Decimal("48000.00"))
    diary.pay(-2, party, Decimal("20000.00"), invoice_no=diary.bill(-27, party, Decimal("48000.00"), order_ref=whole))
    closed = order(-40, "80000.00")
    diary.ship(-38, closed, Decimal("50000.00"))
    diary.pay(-10, party, Decimal("45000.00"), invoice_no=diary.bill(-37, party, Decimal("45000.00"), order_ref=closed))
    end(-30, closed, orders.close, "the rest is no longer made")
    end(-8, order(-12, "33000.00"), orders.cancel, "customer cancelled")
    order(-45, "27000.00", reservation_days=10)
    _return(diary, order(-18, "36000.00"))


def _return(diary: Diary, reference: str) -> None:
    async def ship_and_take_back(tx: Transaction) -> None:
        shipment = {"segment": SEGMENT, "order_ref": reference, "shipment_ref": diary.number("DN")}
        await orders.ship(tx, **shipment, amount=Decimal("36000.00"), already_left=False)
        await orders.reverse(tx, **shipment, reason="damaged in transit", reorder=True)

    diary.do(-14, ship_and_take_back)


# ---- credits


def _credits(diary: Diary) -> None:
    """A credit note for an invoice, one left to be used, a payment without an invoice, and one that bounced."""
    party = company.UNLIMITED
    faulty = diary.bill(-33, party, Decimal("260000.00"))
    diary.bill(-25, party, Decimal("26000.00"), kind=ItemKind.CREDIT_NOTE, credits=faulty)
    diary.bill(-12, party, Decimal("8000.00"), kind=ItemKind.CREDIT_NOTE)
    diary.pay(-2, company.PREPAYING, Decimal("15000.00"))
    seasonal = company.SEASONAL
    diary.bill(-50, seasonal, Decimal(1_800_000))
    bounced = diary.pay(-18, seasonal, Decimal(1_800_000))

    async def bounce(tx: Transaction) -> None:
        await receivables.reverse_payment(tx, segment=SEGMENT, payment_ref=bounced, reason="returned by the bank")

    diary.do(-14, bounce, by=LEDGER_CLERK)


# ---- the check that is shown at the end


def _showcase(diary: Diary) -> None:
    """A customer with something overdue and little headroom: asked for more, it is referred for two reasons."""
    party = company.SHOWCASE
    diary.bill(-75, party, Decimal("96000.00"))
    diary.bill(-20, party, Decimal("214000.00"))
    diary.pay(-30, party, Decimal("36000.00"))
    diary.ask(-17, Ask(party, diary.number("SO"), Decimal("150000.00"), fulfil=False, ship_in_days=90))
