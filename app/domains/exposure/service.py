"""Use cases of the account: lock it, post to it, write it back, keep its standing facts fresh.

    positions = await exposure.lock(tx, keys=[("C-1", "main")])
    positions.post(account.id, entries)            # pure: positions are in memory
    await exposure.save(tx, positions=positions)

A transaction names every account it will touch in one `lock`: accounts are locked in the order of their ids, then
groups, so that two transactions never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domains.exposure import repository
from app.domains.exposure.core import commitments
from app.domains.exposure.core.account import Account, Basis, Overdue
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.events import ReservationExpired
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.exposure.core.ledger import Source
from app.domains.exposure.core.limits import Limit, LimitKind
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import AccountNotFound, FxRateMissing, OrderNotFound
from app.domains.policies import service as policies
from app.infra.transaction import Transaction
from app.kernel.money import render
from app.kernel.periods import local_day, next_midnight


async def account(tx: Transaction, *, customer_id: str, segment: str) -> Account:
    """The account as it stands, without a lock; its standing facts may be of an earlier day."""
    found = await repository.find_accounts(tx.session, [(customer_id, segment)])
    if not found:
        raise AccountNotFound(f"{customer_id} has no account in segment {segment}")
    return found[0]


async def lock(tx: Transaction, *, keys: Collection[tuple[str, str]]) -> Positions:
    """Locks the accounts of `keys` (customer, segment) and their groups until the transaction ends.

    Reservations that have run out are freed first. Every key must have an account.
    """
    accounts = await repository.lock_accounts(tx.session, set(keys))
    missing = set(keys) - {(found.customer_id, found.segment) for found in accounts}
    if missing:
        customer_id, segment = min(missing)
        raise AccountNotFound(f"{customer_id} has no account in segment {segment}")
    groups = {found.group_id for found in accounts if found.group_id is not None}
    positions = Positions(accounts, await repository.lock_groups(tx.session, groups) if groups else ())
    await _roll(tx, positions)
    return positions


async def load_orders(tx: Transaction, *, positions: Positions, keys: Iterable[tuple[str, str]]) -> None:
    """Reads the orders of `keys` (segment, reference) that exist into `positions`, whose accounts are locked."""
    wanted = set(keys) - set(positions.orders)
    if wanted:
        positions.read_orders(await repository.find_orders(tx.session, wanted))


async def order(tx: Transaction, *, segment: str, order_ref: str) -> Commitment:
    """One order, without a lock."""
    found = await repository.find_orders(tx.session, [(segment, order_ref)])
    if not found:
        raise OrderNotFound(f"no order {order_ref} in segment {segment}")
    return found[0]


async def save(tx: Transaction, *, positions: Positions) -> None:
    """Writes what was posted to `positions`, and the standing facts that follow from it."""
    await repository.write_orders(tx.session, positions, tx.now)
    await repository.write_ledger(tx.session, positions, tx.now)
    await _restand(tx, positions, positions.touched_accounts)
    await repository.write_accounts(tx.session, positions, tx.now)


async def refresh(tx: Transaction, *, keys: Collection[tuple[str, str]]) -> Positions:
    """Rolls accounts forward to this instant and to the policy now in force, and writes them."""
    positions = await lock(tx, keys=keys)
    for stale in list(positions.accounts.values()):
        current = await basis(tx, account=stale)
        if not stale.is_fresh(tx.now, current) or stale.id in positions.touched_accounts:
            positions.post(stale.id, ())
            positions.put(replace(positions.accounts[stale.id], basis=current.text))
    await save(tx, positions=positions)
    return positions


async def basis(tx: Transaction, *, account: Account) -> Basis:
    """The basis that the customer's effective policy asks standing facts to be computed with."""
    in_force = await policies.effective_policy(tx, segment=account.segment, customer_id=account.customer_id)
    segment = await policies.segment(tx, segment=account.segment)
    known: Quotes = {}
    if segment.currency != account.currency:
        known = await quotes(tx, on=local_day(tx.now, segment.zone))
    return Basis.of(in_force.policy.order_checks, rate_between(known, segment.currency, account.currency))


async def quotes(tx: Transaction, *, on: date) -> Quotes:
    """The latest exchange rates on or before `on`."""
    return await repository.latest_quotes(tx.session, on)


async def rate(tx: Transaction, *, currency: str, into: str, on: date) -> Decimal:
    """Units of `into` per unit of `currency` on the day `on`; refused when no rate leads there."""
    found = rate_between(await quotes(tx, on=on) if currency != into else {}, currency, into)
    if found is None:
        raise FxRateMissing(f"no rate leads from {currency} to {into} on or before {on}")
    return found


async def _roll(tx: Transaction, positions: Positions) -> None:
    """Brings positions whose day is over, or whose reservations have run out, to this instant."""
    stale = {found.id for found in positions.accounts.values() if found.fresh_until <= tx.now}
    if stale:
        await reload_limits(tx, positions=positions, account_ids=stale)
        for due in await repository.expired_orders(tx.session, stale, tx.now):
            _expire(tx, positions, due)
    past = {group.id for group in positions.groups.values() if group.fresh_until <= tx.now}
    if past:
        await reload_group_limits(tx, positions=positions, group_ids=past)


def _expire(tx: Transaction, positions: Positions, due: Commitment) -> None:
    positions.read_orders([due])
    after = commitments.expire(due)
    positions.change_order(after, Source("expiry", due.order_ref))
    tx.emit(
        ReservationExpired(
            subject_id=due.order_ref,
            segment=due.segment,
            customer_id=due.customer_id,
            before={"state": due.state, "open": render(due.open, due.currency)},
            after={"state": after.state, "open": render(after.open, after.currency), "currency": after.currency},
        )
    )


async def reload_limits(tx: Transaction, *, positions: Positions, account_ids: Collection[UUID]) -> None:
    """Reads which limits count today for these accounts."""
    today = {a: await _today(tx, positions.accounts[a].segment) for a in account_ids}
    for account_id, rows in (await repository.limits_in_force(tx.session, today, scope="own")).items():
        base, temporary = _in_force(rows)
        found = positions.accounts[account_id]
        positions.redecide(replace(found, base_limit=base, temporary_limit=temporary))


async def reload_group_limits(tx: Transaction, *, positions: Positions, group_ids: Collection[UUID]) -> None:
    """Reads which shared limits count today for these groups."""
    today = {g: await _today(tx, positions.groups[g].segment) for g in group_ids}
    for group_id, rows in (await repository.limits_in_force(tx.session, today, scope="group")).items():
        group = positions.groups[group_id]
        base, temporary = _in_force(rows)
        zone = (await policies.segment(tx, segment=group.segment)).zone
        midnight = next_midnight(tx.now, zone)
        positions.redecide_group(
            replace(group, base_limit=base, temporary_limit=temporary, fresh_until=midnight)
        )


async def _restand(tx: Transaction, positions: Positions, account_ids: Collection[UUID]) -> None:
    """Computes the standing facts of changed accounts anew, from the ladders as just written."""
    if not account_ids:
        return
    asked = [await _asked(tx, positions.accounts[account_id]) for account_id in sorted(account_ids)]
    for account_id, facts in (await repository.standing(tx.session, asked)).items():
        found = positions.accounts[account_id]
        zone = (await policies.segment(tx, segment=found.segment)).zone
        midnight = next_midnight(tx.now, zone)
        overdue = Overdue(
            facts["overdue_amount"],
            facts["oldest_due_on"],
            facts["breaching_due_on"],
            facts["overdue_breaching"],
            facts["overdue_aged"],
        )
        positions.put(
            replace(
                found,
                overdue=overdue,
                beyond_horizon=facts["beyond_horizon"],
                fresh_until=min(midnight, facts["next_expiry"] or midnight),
            )
        )


async def _asked(tx: Transaction, found: Account) -> Mapping[str, Any]:
    known, today = Basis.parse(found.basis), await _today(tx, found.segment)
    return {
        "id": found.id,
        "today": today,
        "min_amount": known.min_amount,
        "breaching_before": today - timedelta(days=known.max_days_overdue),
        "aged_before": today - timedelta(days=known.older_than_days),
        "counts_until": known.counts_until(today),
    }


async def _today(tx: Transaction, segment: str) -> date:
    return local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)


def _in_force(rows: Iterable[Mapping[str, Any]]) -> tuple[Limit | None, Limit | None]:
    found: dict[bool, Limit] = {
        row["temporary"]: Limit(LimitKind(row["kind"]), row["amount"], row["valid_from"], row["valid_until"])
        for row in rows
    }
    return found.get(False), found.get(True)
