"""How an account stands: now, rolled forward where need be, or as it was known at an earlier instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.domains.exposure.core.account import Account, Group, Profile
from app.domains.exposure.core.fx import Quotes
from app.domains.exposure.core.headroom import (
    GroupStanding,
    available,
    group_standing,
    own_headroom,
    utilisation_percent,
)
from app.domains.exposure.core.holds import Hold, strongest
from app.domains.exposure.core.limits import EffectiveLimit, LimitScope
from app.domains.exposure.repository import decisions, history
from app.domains.exposure.repository import positions as position_rows
from app.domains.exposure.service.positions import account as find_account
from app.domains.exposure.service.positions import basis_of, policy_of, quotes, refresh
from app.domains.policies import service as policies
from app.domains.policies.core.order_checks import OrderChecks
from app.infra.transaction import Transaction
from app.kernel.money import Money
from app.kernel.periods import local_day


@dataclass(frozen=True, slots=True)
class Overview:
    """How an account stands on the day `on`: what it may use, and why not more.

    `headroom` and `available` are null where nothing binds. `known_at` is null for now; of an earlier instant, grade,
    dunning level and version are not known.
    """

    account: Account
    on: date
    limit: EffectiveLimit
    headroom: Money | None
    available: Money | None
    utilisation_percent: Decimal | None
    group: GroupStanding | None
    holds: Sequence[Hold]
    known_at: datetime | None = None


async def overview(tx: Transaction, *, customer_id: str, segment: str) -> Overview:
    """How the account stands now. Raises `AccountNotFound`, `AccountBusy`."""
    found = await find_account(tx, customer_id=customer_id, segment=segment)
    return (await overviews(tx, accounts=[found]))[0]


async def overviews(tx: Transaction, *, accounts: Sequence[Account]) -> Sequence[Overview]:
    """How these accounts stand now, in their order; stale ones are rolled forward first."""
    rules = {account.id: (await policy_of(tx, account=account)).order_checks for account in accounts}
    current, groups = await _rolled_forward(tx, accounts, rules)
    holds = await decisions.holds(tx.session, list(current))
    days = {segment: await _today(tx, segment) for segment in {account.segment for account in accounts}}
    known = {on: await quotes(tx, on=on) if groups else {} for on in set(days.values())}
    return [
        _summed_up(
            account,
            groups[account.group_id] if account.group_id is not None else None,
            holds[account.id],
            on=days[account.segment],
            known=known[days[account.segment]],
            grace_days=rules[account.id].limit_expiry.grace_days,
        )
        for account in current.values()
    ]


async def overview_at(tx: Transaction, *, customer_id: str, segment: str, at: datetime) -> Overview:
    """How the account stood, as it was known at the instant `at`: entries, limits, holds and rates of then.

    Grace days are those of the policy in force now. Raises `AccountNotFound`, also when it was not open yet.
    """
    now = await find_account(tx, customer_id=customer_id, segment=segment)
    on = local_day(at, (await policies.segment(tx, segment=segment)).zone)
    base, temporary = await history.limits_at(tx.session, now.id, scope=LimitScope.OWN, at=at, day=on)
    holds = await history.holds_at(tx.session, now.id, at)
    group = await _group_at(tx, now, at=at, on=on)
    then = replace(
        now,
        exposure=await history.exposure_at(tx.session, now.id, now.currency, at),
        overdue=await history.overdue_at(tx.session, now.id, at, on),
        base_limit=base,
        temporary_limit=temporary,
        hold=strongest(hold.kind for hold in holds),
        group_id=group.id if group else None,
        profile=Profile(),
    )
    known = await history.quotes_at(tx.session, at, on) if group else {}
    grace_days = (await policy_of(tx, account=now)).order_checks.limit_expiry.grace_days
    return replace(_summed_up(then, group, holds, on=on, known=known, grace_days=grace_days), known_at=at)


async def _rolled_forward(
    tx: Transaction, accounts: Sequence[Account], rules: Mapping[UUID, OrderChecks]
) -> tuple[Mapping[UUID, Account], Mapping[UUID, Group]]:
    """The accounts by id, in their order, and their groups, all as of this instant and the policy in force."""
    ids = {account.group_id for account in accounts if account.group_id is not None}
    groups = {group.id: group for group in await position_rows.find_groups(tx.session, ids)} if ids else {}
    past = {group.id for group in groups.values() if group.fresh_until <= tx.now}
    stale = [
        (account.customer_id, account.segment)
        for account in accounts
        if account.group_id in past
        or not account.is_fresh(tx.now, await basis_of(tx, account=account, checks=rules[account.id]))
    ]
    current = {account.id: account for account in accounts}
    if stale:
        positions = await refresh(tx, keys=stale)
        current |= positions.accounts
        groups |= positions.groups
    return current, groups


async def _group_at(tx: Transaction, account: Account, *, at: datetime, on: date) -> Group | None:
    """The group the account belonged to at `at`, with its limit and its members' exposure of then."""
    group_id = await history.group_at(tx.session, account.id, at)
    if group_id is None:
        return None
    carrier = await history.carrier(tx.session, group_id)
    base, temporary = await history.limits_at(tx.session, group_id, scope=LimitScope.GROUP, at=at, day=on)
    return Group(
        id=group_id,
        customer_id=carrier.customer_id,
        segment=account.segment,
        currency=carrier.currency,
        version=0,
        fresh_until=at,
        base_limit=base,
        temporary_limit=temporary,
        totals=await history.totals_at(tx.session, group_id, at),
    )


async def _today(tx: Transaction, segment: str) -> date:
    return local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)


def _summed_up(
    account: Account, group: Group | None, holds: Sequence[Hold], *, on: date, known: Quotes, grace_days: int
) -> Overview:
    limit = account.limit_on(on, grace_days=grace_days)
    shared = group_standing(group, quotes=known, on=on, grace_days=grace_days) if group else None
    return Overview(
        account=account,
        on=on,
        limit=limit,
        headroom=own_headroom(account, limit),
        available=available(account, limit, shared, quotes=known),
        utilisation_percent=utilisation_percent(limit, account.exposure.total),
        group=shared,
        holds=holds,
    )
