"""Limits set outright: a customer's own, and the one that a group shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.events import GroupLimitSet, LimitSet
from app.domains.exposure.core.limits import Limit, LimitKind, LimitScope, SetLimit, check_complete, superseded_by
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import GroupLimitExists, GroupLimitMissing
from app.domains.exposure.repository import accounts as account_rows
from app.domains.exposure.repository import decisions, history
from app.domains.exposure.service.groups import hold_family, move
from app.domains.exposure.service.positions import account as find_account
from app.domains.exposure.service.positions import lock, reload_group_limits, reload_limits, save
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Fault
from app.kernel.money import TooManyDecimals, exact, render
from app.kernel.periods import Window, local_day


async def set_limit(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    scope: LimitScope,
    kind: LimitKind,
    reason: str,
    amount: Decimal | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    temporary: bool = False,
    outright: bool = True,
) -> None:
    """Decides on a limit, `amount` in the account's currency, for the days from `valid_from` (today) to `valid_until`.

    Days are the segment's and inclusive. A base limit ends the base limits it overlaps, a temporary one the temporary
    ones; a temporary limit of kind none withdraws them. A group limit is shared by the customer and its descendants;
    without one that holds now or later the group is dissolved. `outright`: nobody asked for it and nobody approved
    it, so its event stands out; false for a limit that a request was granted.

    Raises `AccountNotFound`, `AccountBusy`, `LimitIncomplete`, `WindowReversed`, `TooManyDecimals`,
    `GroupLimitExists`, `GroupLimitMissing`.
    """
    check_complete(kind, amount, valid_until=valid_until, temporary=temporary)
    start = valid_from or local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)
    limit = Limit(kind, amount, start, Window(start, valid_until).end)
    if scope is LimitScope.GROUP:
        said = await _set_group_limit(tx, customer_id, segment, limit, temporary, reason)
        tx.emit(GroupLimitSet(**said, exceptional=outright))
    else:
        said = await _set_own_limit(tx, customer_id, segment, limit, temporary, reason)
        tx.emit(LimitSet(**said, exceptional=outright))


async def limit_was_set(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    scope: LimitScope,
    kind: LimitKind,
    amount: Decimal | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    temporary: bool = False,
) -> bool:
    """Whether this very decision was made before, for whoever repeats what may have been done.

    With `valid_from`, whatever has superseded it since; without, whether it is what counts today. Raises
    `AccountNotFound`.
    """
    account = await find_account(tx, customer_id=customer_id, segment=segment)
    today = local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)
    wanted = Limit(kind, amount, valid_from or today, valid_until)
    return await decisions.was_decided(
        tx.session, account.id, scope=scope, temporary=temporary, limit=wanted, begun=valid_from is None
    )


async def list_limits(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    page: PageRequest,
    on: date | None = None,
    known_at: datetime | None = None,
) -> Slice[SetLimit]:
    """The decisions about the account's limits, superseded ones included: those that hold on the day `on`, as they were
    known at an instant. Raises `AccountNotFound`."""
    account = await find_account(tx, customer_id=customer_id, segment=segment)
    return await history.list_limits(tx.session, account.id, page, on=on, at=known_at)


async def ending_limits(
    tx: Transaction, *, segment: str, first: date, last: date, after: UUID, batch: int
) -> Sequence[SetLimit]:
    """At most `batch` limits of a segment, behind the id `after`, that end between two days and that none follows."""
    return await history.ending_limits(tx.session, segment=segment, first=first, last=last, after=after, batch=batch)


async def _set_own_limit(
    tx: Transaction, customer_id: str, segment: str, limit: Limit, temporary: bool, reason: str
) -> dict[str, Any]:
    positions = await lock(tx, keys=[(customer_id, segment)])
    account = positions.of(customer_id, segment)
    ended = await _decide(tx, account, LimitScope.OWN, limit, temporary, reason)
    await reload_limits(tx, positions=positions, account_ids=[account.id])
    await save(tx, positions=positions)
    return _said(account, limit, temporary, reason, ended)


async def _set_group_limit(
    tx: Transaction, customer_id: str, segment: str, limit: Limit, temporary: bool, reason: str
) -> dict[str, Any]:
    ancestors = await hold_family(tx, customer_id=customer_id, segment=segment)
    await find_account(tx, customer_id=customer_id, segment=segment)
    descendants = await customers.descendants(tx, customer_id=customer_id)
    groups = await decisions.groups_of(tx.session, [*ancestors, *descendants], segment=segment)
    held = {group.customer_id: group for group in groups}
    if held.keys() - {customer_id}:
        other = min(held.keys() - {customer_id})
        raise GroupLimitExists(f"{other} already carries a group limit in segment {segment}")
    if customer_id not in held and limit.kind is LimitKind.NONE:
        raise GroupLimitMissing(f"{customer_id} carries no group limit in segment {segment}")
    members = await account_rows.of_customers(tx.session, descendants, segment=segment)
    positions = await lock(
        tx, keys=[(m.customer_id, m.segment) for m in members], also_groups=[group.id for group in held.values()]
    )
    carrier = positions.of(customer_id, segment)
    if customer_id not in held:
        await _found(tx, positions, carrier)
    ended = await _decide(tx, carrier, LimitScope.GROUP, limit, temporary, reason)
    await _settle_group(tx, positions, carrier)
    return _said(carrier, limit, temporary, reason, ended)


async def _found(tx: Transaction, positions: Positions, carrier: Account) -> None:
    """Makes the group, without members yet."""
    group = Group(
        id=carrier.id,
        customer_id=carrier.customer_id,
        segment=carrier.segment,
        currency=carrier.currency,
        version=0,
        fresh_until=tx.now,
    )
    await decisions.add_group(tx.session, group)
    positions.add_group(group)


async def _settle_group(tx: Transaction, positions: Positions, carrier: Account) -> None:
    """Lets the members share what was decided, or go where no limit holds now or later."""
    today = local_day(tx.now, (await policies.segment(tx, segment=carrier.segment)).zone)
    dissolved = not await decisions.has_limit_from(tx.session, carrier.id, scope=LimitScope.GROUP, day=today)
    target = dict.fromkeys(positions.accounts, None if dissolved else carrier.id)
    await move(tx, positions=positions, target=target)
    if not dissolved:
        await reload_group_limits(tx, positions=positions, group_ids=[carrier.id])
    await save(tx, positions=positions)
    if dissolved:
        await decisions.remove_group(tx.session, carrier.id)


async def _decide(
    tx: Transaction, account: Account, scope: LimitScope, limit: Limit, temporary: bool, reason: str
) -> list[Limit]:
    """Writes the decision; returns those it ends."""
    if limit.amount is not None:
        _check_decimals(limit.amount, account.currency)
    overlapped = await decisions.limits_in_force(
        tx.session, account.id, scope=scope, temporary=temporary, window=limit.window
    )
    ended = superseded_by(limit, overlapped)
    if ended:
        await decisions.supersede_limits(tx.session, ended, tx.now)
        kept = {key: remainder for key, remainder in ended.items() if remainder is not None}
        await decisions.copy_limits(tx.session, kept, {key: tx.new_id() for key in kept}, tx.now)
    await decisions.add_limit(
        tx.session,
        limit_id=tx.new_id(),
        account_id=account.id,
        scope=scope,
        temporary=temporary,
        limit=limit,
        reason=reason,
        set_by=tx.actor.name,
        now=tx.now,
    )
    return [overlapped[key] for key in sorted(ended, key=lambda key: overlapped[key].valid_from)]


def _check_decimals(amount: Decimal, currency: str) -> None:
    try:
        exact(amount, currency)
    except TooManyDecimals as refusal:
        raise TooManyDecimals(refusal.detail, faults=[Fault("/amount", TooManyDecimals.code, refusal.detail)]) from None


def _said(account: Account, limit: Limit, temporary: bool, reason: str, ended: list[Limit]) -> dict[str, Any]:
    return {
        "subject_id": str(account.id),
        "customer_id": account.customer_id,
        "segment": account.segment,
        "before": {"ended": [_told(old, account.currency) for old in ended]},
        "after": {**_told(limit, account.currency), "temporary": temporary, "reason": reason},
    }


def _told(limit: Limit, currency: str) -> Mapping[str, Any]:
    return {
        "kind": limit.kind.value,
        "amount": None if limit.amount is None else render(limit.amount, currency),
        "currency": currency,
        "valid_from": limit.valid_from.isoformat(),
        "valid_until": limit.valid_until.isoformat() if limit.valid_until else None,
    }
