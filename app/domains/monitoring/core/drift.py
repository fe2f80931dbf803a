"""Drift: two records of the same fact that disagree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DriftKind(StrEnum):
    """Which proof an account fails."""

    LEDGER_SUM = "ledger_sum"
    """A total of the account is not the sum of its ledger entries."""
    LEDGER_BALANCE = "ledger_balance"
    """A ledger entry's balance is not the sum of the entries up to it."""
    LEDGER_SEQ = "ledger_seq"
    """The ledger has an entry numbered beyond the account's version."""
    RECEIVABLES = "receivables"
    """The account's receivables are not the sum of its open items and of its drafts that have not cleared."""
    UNALLOCATED_CREDITS = "unallocated_credits"
    """The account's credits are not what is left of its payments and credit notes."""
    OPEN_ORDERS = "open_orders"
    """The account's open orders are not the sum of what its orders have open, by A, S, I and rate."""
    DELIVERED = "delivered"
    """The account's delivered goods are not the sum of what its orders have delivered, by S, I, waived and rate."""
    HELD_ORDERS = "held_orders"
    """The account's held orders are not the sum of what its referred orders ask for."""
    ORDER_AMOUNTS = "order_amounts"
    """An order's amounts in account currency do not follow from its amounts in its own currency and its rate."""
    ITEM_AMOUNTS = "item_amounts"
    """What is open of an item is not its amount less what was allocated to it or of it, given up or refunded."""
    WRITTEN_OFF = "written_off"
    """What is written off of an item is not its write-offs less their recoveries."""
    DISPUTED = "disputed"
    """What is disputed of an item is not the sum of its open disputes."""
    INSTALMENTS = "instalments"
    """An item's instalments don't sum to its amount, or its due day is not the one of its oldest open part."""
    PAYMENT_AMOUNTS = "payment_amounts"
    """What is open of a payment is not its amount less what was allocated or refunded of it, or what is exposed of a
    draft is not its amount until it clears."""
    DUE_RUNGS = "due_rungs"
    """The ladder of due days is not what is open and undisputed of the items, by due day."""
    GROUP_MEMBERSHIP = "group_membership"
    """The account does not share the limit of the nearest ancestor that carries one."""
    GROUP_TOTALS = "group_totals"
    """A group's total in a currency is not the sum of its members' exposures."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One proof that one account fails: `expected` follows from the other records, `found` is what is stored.

    `subject` names the record within the account: a component, an order, an item, a day, a currency. Of several
    failures of one kind in one account this is the first.
    """

    kind: DriftKind
    customer_id: str
    segment: str
    subject: str
    expected: str
    found: str
