"""Gathers what decisions about customers are made from, for many customers with one look at each kind of thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Customer
from app.domains.dunning.adapters import calendar, statutes
from app.domains.dunning.core.facts import CustomerFacts, DunnableItem, PendingPromise, Stop
from app.domains.dunning.core.interest import Statutes
from app.domains.dunning.repository import history
from app.domains.policies import service as policies
from app.domains.policies.core.compiled import EffectivePolicy
from app.domains.policies.core.dunning import Dunning
from app.domains.policies.core.refusals import OverrideUnfit
from app.domains.receivables import service as receivables
from app.infra.transaction import Transaction
from app.kernel.money import ZERO

NO_DUNNING: Final = Dunning()


@dataclass(frozen=True, slots=True)
class Case:
    """One customer with all that is known for a decision; without a `policy` nothing is decided.

    `earlier` is what is still owed of earlier fees and interest, by currency.
    """

    customer: Customer
    facts: CustomerFacts
    policy: EffectivePolicy | None
    earlier: Mapping[str, Decimal]
    highest: int
    """The highest level of an item that is still open, and not disputed as a whole."""
    is_holding: bool
    """Whether an open item has reached a level that holds the account."""

    @property
    def rules(self) -> Dunning:
        """The rules that hold for the customer."""
        return (self.policy.policy.dunning if self.policy else None) or NO_DUNNING


async def law(tx: Transaction) -> Statutes:
    """The rules and rates of the program with those that were entered here."""
    return statutes.packaged().with_rates(await history.added_rates(tx.session))


async def cases(tx: Transaction, *, segment: str, dues: Sequence[receivables.CustomerDues], on: date) -> Sequence[Case]:
    """The cases of customers with these items, on the day `on`, in the order of `dues`."""
    if not dues:
        return ()
    ids = [due.customer_id for due in dues]
    known = await customers.find(tx, customer_ids=ids)
    rules = await _rules(tx, segment, known.values())
    past = await _past(tx, segment, dues, on)
    return [_case(due, known[due.customer_id], rules[due.customer_id], past, on) for due in dues]


async def _rules(tx: Transaction, segment: str, of: Collection[Customer]) -> Mapping[str, EffectivePolicy | None]:
    """What holds for each customer; null for one whose profile or override does not fit the policy."""
    try:
        return {**await policies.effective_policies(tx, segment=segment, of=of)}
    except OverrideUnfit:
        return {customer.customer_id: await _rules_of(tx, segment, customer) for customer in of}


async def _rules_of(tx: Transaction, segment: str, customer: Customer) -> EffectivePolicy | None:
    try:
        return await policies.effective_policy(tx, segment=segment, customer=customer)
    except OverrideUnfit:
        return None


@dataclass(frozen=True, slots=True)
class _Past:
    """What history tells of all the customers."""

    reached: Mapping[history.ItemKey, history.Reached]
    claimed: Mapping[history.ItemKey, history.Claimed]
    claims: Mapping[UUID, Sequence[history.OpenClaim]]
    pending: set[UUID]
    stops: Mapping[str, tuple[Stop, ...]]
    promises: Mapping[str, tuple[PendingPromise, ...]]
    broken: Mapping[str, date]


async def _past(tx: Transaction, segment: str, dues: Sequence[receivables.CustomerDues], on: date) -> _Past:
    accounts = [due.account_id for due in dues]
    ids = [due.customer_id for due in dues]
    claims: dict[UUID, list[history.OpenClaim]] = defaultdict(list)
    for claim in await history.claims(tx.session, accounts):
        claims[claim.account_id].append(claim)
    pending, broken = await history.promises(tx.session, segment, ids)
    return _Past(
        reached=await history.reached(tx.session, {item.id for due in dues for item in due.items}),
        claimed=await history.claimed(tx.session, accounts),
        claims=claims,
        pending=await history.pending_accounts(tx.session, accounts),
        stops=await history.stops(tx.session, segment, ids, on),
        promises=pending,
        broken=broken,
    )


def _case(
    due: receivables.CustomerDues, customer: Customer, known: EffectivePolicy | None, past: _Past, on: date
) -> Case:
    rules = (known.policy.dunning if known else None) or NO_DUNNING
    claims = past.claims.get(due.account_id, ())
    booked = {claim.booked_as for claim in claims if claim.booked_as is not None}
    items = tuple(part for item in due.items if item.invoice_no not in booked for part in _parts(item, past))
    standing = [past.reached[item.key] for item in items if item.undisputed > 0 and item.key in past.reached]
    facts = CustomerFacts(
        account_id=due.account_id,
        customer_id=due.customer_id,
        segment=due.segment,
        currency=due.currency,
        items=items,
        credits=due.credits,
        owes_claims=any(item.invoice_no in booked and item.due_on < on for item in due.items),
        promises=past.promises.get(due.customer_id, ()),
        stops=past.stops.get(due.customer_id, ()),
        has_pending_notice=due.account_id in past.pending,
        promise_broken_on=past.broken.get(due.customer_id),
        is_business_day=calendar.is_business_day(rules.business_days, customer.country, on),
    )
    return Case(
        customer=customer,
        facts=facts,
        policy=known,
        earlier=_earlier(due, claims),
        highest=max((each.level for each in standing), default=0),
        is_holding=any(each.is_holding for each in standing),
    )


def _parts(item: receivables.DueItem, past: _Past) -> list[DunnableItem]:
    """The parts of an item by due day. What is disputed goes with the last part; an item that is disputed as a whole is
    one part, with the day on which it would be due."""
    parts = [(part.due_on, part.amount) for part in item.parts] or [(item.due_on, ZERO)]
    last = len(parts) - 1
    found = []
    for index, (due_on, amount) in enumerate(parts):
        disputed = item.disputed if index == last else ZERO
        reached, claimed = past.reached.get((item.id, due_on)), past.claimed.get((item.id, due_on))
        found.append(
            DunnableItem(
                item_id=item.id,
                invoice_no=item.invoice_no,
                currency=item.currency,
                amount=item.amount,
                open=amount + disputed,
                issued_on=item.issued_on,
                due_on=due_on,
                disputed=disputed,
                level=reached.level if reached else None,
                noticed_on=reached.noticed_on if reached else None,
                interest_until=claimed.until if claimed else None,
                is_compensated=bool(claimed and claimed.is_compensated),
            )
        )
    return found


def _earlier(due: receivables.CustomerDues, claims: Sequence[history.OpenClaim]) -> Mapping[str, Decimal]:
    """What is owed of earlier claims: of those that are booked, what is open of their debit notes."""
    still_open = {item.invoice_no: item.open for item in due.items}
    owed: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for claim in claims:
        owed[claim.currency] += claim.amount if claim.booked_as is None else still_open.get(claim.booked_as, ZERO)
    return {currency: amount for currency, amount in owed.items() if amount}
