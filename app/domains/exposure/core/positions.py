"""Positions: the accounts, groups and orders that one transaction, or one batch of the desk, works on in memory.

Posting is pure arithmetic here; the repository (or the desk's one statement) writes the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.domains.exposure.core import commitments
from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.ledger import Component, Entry, Line, Source
from app.kernel.money import ZERO, Money
from app.kernel.records import changed


class Positions:
    """Accounts and groups by id, orders by key, and what has been posted to them since they were read."""

    def __init__(self, accounts: Iterable[Account], groups: Iterable[Group], orders: Iterable[Commitment] = ()) -> None:
        self.accounts: dict[UUID, Account] = {account.id: account for account in accounts}
        self.groups: dict[UUID, Group] = {group.id: group for group in groups}
        self.orders: dict[tuple[str, str], Commitment] = {}
        self.stored_orders: set[tuple[str, str]] = set()
        self.lines: dict[UUID, list[Line]] = defaultdict(list)
        self.rungs: dict[tuple[UUID, date], Decimal] = defaultdict(lambda: ZERO)
        self.touched_accounts: set[UUID] = set()
        self.touched_groups: set[UUID] = set()
        self.redecided_accounts: set[UUID] = set()
        self.redecided_groups: set[UUID] = set()
        self.touched_orders: set[tuple[str, str]] = set()
        self._ids = {(account.customer_id, account.segment): account.id for account in self.accounts.values()}
        self.read_orders(orders)

    @property
    def has_moved(self) -> bool:
        """Whether anything was posted, or an order changed, since they were read."""
        return bool(self.touched_orders) or any(self.lines.values())

    def of(self, customer_id: str, segment: str) -> Account:
        """The account of a customer in a segment; it must be among these."""
        return self.accounts[self._ids[customer_id, segment]]

    def read_orders(self, orders: Iterable[Commitment]) -> None:
        """Takes in orders as they are stored."""
        for order in orders:
            self.orders[order.key] = order
            self.stored_orders.add(order.key)

    def group_of(self, account: Account) -> Group | None:
        """The group whose limit the account shares."""
        return self.groups[account.group_id] if account.group_id else None

    def post(self, account_id: UUID, entries: Sequence[Entry]) -> Account:
        """Posts `entries` (account currency) to an account and its group.

        The version grows by one for each entry, and by one where there is none: every change shows.
        """
        before = self.accounts[account_id]
        exposure, lines = before.exposure.posted(entries, version=before.version)
        after = changed(before, exposure=exposure, version=before.version + max(len(lines), 1))
        self.put(after)
        self.lines[account_id].extend(lines)
        for entry in entries:
            if entry.component is Component.RECEIVABLES and entry.due_on is not None:
                self.rungs[account_id, entry.due_on] += entry.amount
        self._shift_group(before, after)
        return after

    def change_order(self, after: Commitment, source: Source, *, counts_until: date | None = None) -> Account:
        """Replaces an order by its changed self and posts what that moves.

        Open orders that ship after `counts_until` are kept apart as beyond the horizon; null: all count.
        """
        before = self.orders.get(after.key)
        account = self.post(after.account_id, commitments.entries(before, after, source))
        held = after.held_amount - (before.held_amount if before else ZERO)
        beyond = _beyond(after, counts_until) - _beyond(before, counts_until)
        if held or beyond:
            account = changed(
                account, held_orders=account.held_orders + held, beyond_horizon=account.beyond_horizon + beyond
            )
            self.put(account)
        self.orders[after.key] = after
        self.touched_orders.add(after.key)
        return account

    def add_group(self, group: Group) -> None:
        """Takes in a group as it is stored."""
        self.groups[group.id] = group

    def put(self, account: Account) -> None:
        """Replaces an account by its changed self."""
        self.accounts[account.id] = account
        self.touched_accounts.add(account.id)

    def redecide(self, account: Account) -> None:
        """Replaces an account whose limits, hold, group or risk profile were decided anew; the version grows."""
        self.put(changed(account, version=account.version + 1))
        self.redecided_accounts.add(account.id)

    def redecide_group(self, group: Group) -> None:
        """Replaces a group whose limits or members were decided anew; the version grows."""
        self.groups[group.id] = changed(group, version=group.version + 1)
        self.touched_groups.add(group.id)
        self.redecided_groups.add(group.id)

    def _shift_group(self, before: Account, after: Account) -> None:
        if before.group_id is None:
            return
        delta = after.exposure.amount - before.exposure.amount
        if delta:
            self.groups[before.group_id] = self.groups[before.group_id].shifted(Money(delta, after.currency))
            self.touched_groups.add(before.group_id)


def _beyond(order: Commitment | None, counts_until: date | None) -> Decimal:
    if order is None or counts_until is None or order.ship_on is None or order.ship_on <= counts_until:
        return ZERO
    return order.open_amount
