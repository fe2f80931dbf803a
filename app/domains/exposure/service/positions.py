"""Lock accounts, post to them, write them back, keep their standing facts fresh.

A transaction names every account it will touch in one `lock`: accounts are locked in the order of their ids, then
groups, so that two transactions never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.exposure.core import commitments
from app.domains.exposure.core.account import Account, Basis, Overdue
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.events import ReservationExpired
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.exposure.core.ledger import Source
from app.domains.exposure.core.limits import Limit, LimitKind
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import AccountNotFound, FxRateMissing, OrderNotFound
from app.domains.exposure.core.signals import AccountsRolled
from app.domains.exposure.records import Record
from app.domains.exposure.repository import positions as repository
from app.domains.exposure.service.lines import Lines
from app.domains.policies import service as policies
from app.domains.policies.core.document import Policy
from app.domains.policies.core.order_checks import OrderChecks
from app.domains.policies.core.segments import Segment
from app.infra.metrics import EXPIRED_RESERVATIONS
from app.infra.transaction import Transaction
from app.kernel.money import render
from app.kernel.periods import local_day, next_midnight

_LINES: Final = Lines()


async def account(tx: Transaction, *, customer_id: str, segment: str) -> Account:
    """The account as it stands, without a lock; its standing facts may be of an earlier day."""
    found = await repository.find_accounts(tx.session, [(customer_id, segment)])
    if not found:
        raise AccountNotFound(f"{customer_id} has no account in segment {segment}")
    return found[0]


async def known_accounts(tx: Transaction, *, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Account]:
    """Those of the accounts of `keys` (customer, segment) that exist, without a lock."""
    found = await repository.find_accounts(tx.session, set(keys)) if keys else ()
    return {(account.customer_id, account.segment): account for account in found}


async def lock(tx: Transaction, *, keys: Collection[tuple[str, str]], also_groups: Collection[UUID] = ()) -> Positions:
    """Locks the accounts of `keys` (customer, segment), their groups and `also_groups` until the transaction ends.

    What has run out by itself, such as reservations, is freed and written first. Raises `AccountNotFound` and, when
    another transaction holds one of them for too long, or too many wait for it already, `AccountBusy`.
    """
    with _LINES.joined(tx, keys):
        accounts = await repository.lock_accounts(tx.session, set(keys))
    missing = set(keys) - {(found.customer_id, found.segment) for found in accounts}
    if missing:
        customer_id, segment = min(missing)
        raise AccountNotFound(f"{customer_id} has no account in segment {segment}")
    groups = {found.group_id for found in accounts if found.group_id is not None} | set(also_groups)
    with _LINES.joined(tx, groups):
        positions = Positions(accounts, await repository.lock_groups(tx.session, groups) if groups else ())
    return await _rolled(tx, positions)


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
    """Rolls accounts forward to this instant and to the policy now in force, and writes them.

    What the policy asks for is looked up before anything is locked: others wait for as short as can be.
    """
    found = await repository.find_accounts(tx.session, keys)
    bases = {known.id: await basis(tx, account=known) for known in found}
    positions = await lock(tx, keys=keys)
    for stale in list(positions.accounts.values()):
        current = bases[stale.id]
        if not stale.is_fresh(tx.now, current) or stale.id in positions.touched_accounts:
            positions.post(stale.id, ())
            positions.put(replace(positions.accounts[stale.id], basis=current.text))
    await save(tx, positions=positions)
    return positions


async def keep_fresh(tx: Transaction, *, customer_id: str, segment: str) -> None:
    """Refreshes the account if it, or its group, is not of this instant; one that is up to date is not even locked."""
    known = await account(tx, customer_id=customer_id, segment=segment)
    groups = await repository.find_groups(tx.session, [known.group_id]) if known.group_id else ()
    current = all(group.fresh_until > tx.now for group in groups)
    if not current or not known.is_fresh(tx.now, await basis(tx, account=known)):
        await refresh(tx, keys=[(customer_id, segment)])


async def basis(tx: Transaction, *, account: Account) -> Basis:
    """The basis that the customer's effective policy asks standing facts to be computed with."""
    return await basis_of(tx, account=account, checks=(await policy_of(tx, account=account)).order_checks)


async def basis_of(tx: Transaction, *, account: Account, checks: OrderChecks) -> Basis:
    """The basis that `checks`, the rules in force for the account, ask for."""
    segment = await policies.segment(tx, segment=account.segment)
    known: Quotes = {}
    if segment.currency != account.currency:
        known = await quotes(tx, on=local_day(tx.now, segment.zone))
    return Basis.of(checks, rate_between(known, segment.currency, account.currency))


async def policy_of(tx: Transaction, *, account: Account) -> Policy:
    """The policy in force for the account's customer."""
    customer = await customers.get(tx, customer_id=account.customer_id)
    found = await policies.effective_policy(tx, segment=account.segment, customer=customer)
    return found.policy


async def quotes(tx: Transaction, *, on: date) -> Quotes:
    """The latest exchange rates on or before `on`."""
    return await repository.latest_quotes(tx.session, on)


async def rate(tx: Transaction, *, currency: str, into: str, on: date) -> Decimal:
    """Units of `into` per unit of `currency` on the day `on`; refused when no rate leads there."""
    found = rate_between(await quotes(tx, on=on) if currency != into else {}, currency, into)
    if found is None:
        raise FxRateMissing(f"no rate leads from {currency} to {into} on or before {on}")
    return found


async def _rolled(tx: Transaction, positions: Positions) -> Positions:
    """The positions brought to this instant: those whose day is over, or of which something has run out.

    That has happened whatever the caller goes on to do, so it is written here: a caller that changes nothing writes
    nothing, and one that locks twice would see it twice.
    """
    stale = {found.id: found.segment for found in positions.accounts.values() if found.fresh_until <= tx.now}
    if stale:
        await reload_limits(tx, positions=positions, account_ids=stale.keys())
        for due in await repository.expired_orders(tx.session, stale.keys(), tx.now):
            _expire(tx, positions, due)
        await tx.tell(AccountsRolled(positions, await _today_of(tx, stale)))
    past = {group.id for group in positions.groups.values() if group.fresh_until <= tx.now}
    if past:
        await reload_group_limits(tx, positions=positions, group_ids=past)
    if not positions.has_moved:
        return positions
    await save(tx, positions=positions)
    return Positions(positions.accounts.values(), positions.groups.values())


def _expire(tx: Transaction, positions: Positions, due: Commitment) -> None:
    positions.read_orders([due])
    after = commitments.expire(due)
    positions.change_order(after, Source("expiry", due.order_ref))
    EXPIRED_RESERVATIONS.inc()
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
    found = {account_id: positions.accounts[account_id] for account_id in account_ids}
    today = await _today_of(tx, {account_id: account.segment for account_id, account in found.items()})
    for account_id, rows in (await repository.limits_in_force(tx.session, today, scope="own")).items():
        base, temporary = _in_force(rows)
        positions.redecide(replace(found[account_id], base_limit=base, temporary_limit=temporary))


async def reload_group_limits(tx: Transaction, *, positions: Positions, group_ids: Collection[UUID]) -> None:
    """Reads which shared limits count today for these groups."""
    found = {group_id: positions.groups[group_id] for group_id in group_ids}
    today = await _today_of(tx, {group_id: group.segment for group_id, group in found.items()})
    segments = await _segments(tx, {group.segment for group in found.values()})
    for group_id, rows in (await repository.limits_in_force(tx.session, today, scope="group")).items():
        base, temporary = _in_force(rows)
        midnight = next_midnight(tx.now, segments[found[group_id].segment].zone)
        positions.redecide_group(
            replace(found[group_id], base_limit=base, temporary_limit=temporary, fresh_until=midnight)
        )


async def _restand(tx: Transaction, positions: Positions, account_ids: Collection[UUID]) -> None:
    """Computes the standing facts of changed accounts anew, from the ladders as just written."""
    if not account_ids:
        return
    found = {account_id: positions.accounts[account_id] for account_id in sorted(account_ids)}
    segments = await _segments(tx, {account.segment for account in found.values()})
    asked = [_asked(account, tx.now, segments[account.segment]) for account in found.values()]
    for account_id, facts in (await repository.standing(tx.session, asked)).items():
        midnight = next_midnight(tx.now, segments[found[account_id].segment].zone)
        overdue = Overdue(
            facts["overdue_amount"],
            facts["oldest_due_on"],
            facts["breaching_due_on"],
            facts["overdue_breaching"],
            facts["overdue_aged"],
        )
        positions.put(
            replace(
                found[account_id],
                overdue=overdue,
                beyond_horizon=facts["beyond_horizon"],
                fresh_until=min(midnight, facts["next_expiry"] or midnight),
            )
        )


def _asked(account: Account, now: datetime, segment: Segment) -> Mapping[str, Any]:
    known, today = Basis.parse(account.basis), local_day(now, segment.zone)
    return {
        "id": account.id,
        "today": today,
        "min_amount": known.min_amount,
        "breaching_before": today - timedelta(days=known.max_days_overdue),
        "aged_before": today - timedelta(days=known.older_than_days),
        "counts_until": known.counts_until(today),
    }


async def _today_of(tx: Transaction, segment_of: Mapping[UUID, str]) -> Mapping[UUID, date]:
    segments = await _segments(tx, set(segment_of.values()))
    return {key: local_day(tx.now, segments[segment].zone) for key, segment in segment_of.items()}


async def _segments(tx: Transaction, names: Collection[str]) -> Mapping[str, Segment]:
    return {name: await policies.segment(tx, segment=name) for name in sorted(names)}


def _in_force(rows: Iterable[Record]) -> tuple[Limit | None, Limit | None]:
    found: dict[bool, Limit] = {
        row["temporary"]: Limit(LimitKind(row["kind"]), row["amount"], row["valid_from"], row["valid_until"])
        for row in rows
    }
    return found.get(False), found.get(True)
