"""Who shares a group limit: a customer that carries one and all its descendants, one limit a parent chain.

What decides it, the parents and the limits, changes under two locks taken before any account's: the customers'
hierarchy, and in it the family of one ultimate parent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.customers.core.events import CustomerChanged
from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.events import AccountsRegrouped
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import GroupLimitExists
from app.domains.exposure.repository import accounts as account_rows
from app.domains.exposure.repository import decisions
from app.domains.exposure.service.positions import lock, save
from app.infra.transaction import Transaction
from app.kernel.money import ZERO


async def hold_family(tx: Transaction, *, customer_id: str, segment: str) -> Sequence[str]:
    """Keeps parents and group limits around the customer as they are until the transaction ends.

    Returns the customer's ancestors, nearest first. Take it before locking any account.
    """
    await customers.hold_hierarchy(tx)
    chain = await customers.ancestors(tx, customer_id=customer_id)
    await decisions.lock_family(tx.session, root=chain[-1] if chain else customer_id, segment=segment)
    return chain


async def group_above(tx: Transaction, *, ancestors: Sequence[str], segment: str) -> Group | None:
    """The group that a customer with these ancestors belongs to without carrying its limit itself."""
    found = await decisions.groups_of(tx.session, ancestors, segment=segment) if ancestors else ()
    assert len(found) <= 1, "one group limit a parent chain"
    return found[0] if found else None


async def move(tx: Transaction, *, positions: Positions, target: Mapping[UUID, UUID | None]) -> Sequence[Account]:
    """Moves locked accounts into groups (null: out of any), their exposure with them; returns those that moved."""
    moved = [
        found
        for account_id in sorted(target)
        if (found := positions.accounts[account_id]).group_id != target[account_id]
    ]
    for found in moved:
        joined = target[found.id]
        _shift(positions, found.group_id, found, sign=-1)
        _shift(positions, joined, found, sign=1)
        positions.redecide(replace(found, group_id=joined))
    if moved:
        joins = {found.id: target[found.id] for found in moved}
        await decisions.move_members(tx.session, joins, {account_id: tx.new_id() for account_id in joins}, tx.now)
    return moved


async def regroup(tx: Transaction, event: CustomerChanged) -> None:
    """Reaction to a new parent: the customer's accounts and its descendants' leave the old group and join the new.

    Raises `GroupLimitExists` when the joined chains would have two. The hierarchy is held by whoever changed it.
    """
    if not event.parent_changed:
        return
    members = await customers.descendants(tx, customer_id=event.subject_id)
    above = await customers.ancestors(tx, customer_id=event.subject_id)
    affected = await account_rows.of_customers(tx.session, members)
    inside = {(group.segment, group.id) for group in await decisions.groups_of(tx.session, members, segment=None)}
    over = {group.segment: group for group in await decisions.groups_of(tx.session, above, segment=None)}
    clash = sorted({segment for segment, _ in inside} & set(over))
    if clash:
        raise GroupLimitExists(f"both {event.subject_id} and its new parents have a group limit in {clash[0]}")
    outsiders = [account for account in affected if (account.segment, account.group_id) not in inside]
    if outsiders:
        await _join(tx, event.subject_id, outsiders, over)


async def _join(tx: Transaction, customer_id: str, outsiders: Collection[Account], over: Mapping[str, Group]) -> None:
    keys = [(account.customer_id, account.segment) for account in outsiders]
    positions = await lock(tx, keys=keys, also_groups=[group.id for group in over.values()])
    target = {account.id: over[account.segment].id if account.segment in over else None for account in outsiders}
    before = {account.id: positions.accounts[account.id].group_id for account in outsiders}
    moved = await move(tx, positions=positions, target=target)
    await save(tx, positions=positions)
    for segment in sorted({account.segment for account in moved}):
        ids = sorted(account.id for account in moved if account.segment == segment)
        tx.emit(
            AccountsRegrouped(
                subject_id=customer_id,
                customer_id=customer_id,
                segment=segment,
                before={"groups": {str(account_id): _text(before[account_id]) for account_id in ids}},
                after={"groups": {str(account_id): _text(target[account_id]) for account_id in ids}},
            )
        )


def _shift(positions: Positions, group_id: UUID | None, account: Account, *, sign: int) -> None:
    if group_id is None:
        return
    group = positions.groups[group_id]
    exposure = account.exposure.total
    totals: dict[str, Decimal] = dict(group.totals)
    totals[exposure.currency] = totals.get(exposure.currency, ZERO) + sign * exposure.amount
    positions.redecide_group(replace(group, totals={code: amount for code, amount in totals.items() if amount}))


def _text(group_id: UUID | None) -> str | None:
    return None if group_id is None else str(group_id)
