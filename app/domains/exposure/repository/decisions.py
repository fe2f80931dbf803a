"""What people decide about accounts: limits, groups and holds. Limits and holds are kept for ever, never edited."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.exposure.core.account import Group
from app.domains.exposure.core.holds import Hold, HoldKind
from app.domains.exposure.core.limits import Limit, LimitKind, LimitScope
from app.domains.exposure.records import Values, group_from
from app.domains.exposure.tables import GroupRow, HoldRow, LimitRow, MembershipRow
from app.kernel.periods import Window

_FAMILY_LOCK: Final = 0x6865_6164
"""The first half of the advisory locks that guard who shares a group limit."""


async def lock_family(session: AsyncSession, *, root: str, segment: str) -> None:
    """Waits until nobody else opens accounts or sets group limits under the ultimate parent `root` in the segment."""
    key = func.hashtext(f"{segment}/{root}")
    await session.execute(select(func.pg_advisory_xact_lock(_FAMILY_LOCK, key)))


async def limits_in_force(
    session: AsyncSession, account_id: UUID, *, scope: LimitScope, temporary: bool, window: Window
) -> Mapping[UUID, Limit]:
    """The limits by id that hold on any day of `window`."""
    rows = await session.scalars(
        select(LimitRow).where(
            LimitRow.account_id == account_id,
            LimitRow.scope == scope.value,
            LimitRow.temporary.is_(temporary),
            LimitRow.superseded_at.is_(None),
            LimitRow.days.overlaps(Range(window.start, window.end, bounds="[]")),
        )
    )
    return {row.id: limit_of(row) for row in rows}


async def has_limit_from(session: AsyncSession, account_id: UUID, *, scope: LimitScope, day: date) -> bool:
    """Whether a limit counts on `day` or will later. The base limit begun last counts, expired or not."""
    in_force = (LimitRow.account_id == account_id, LimitRow.scope == scope.value, LimitRow.superseded_at.is_(None))
    latest = (
        select(LimitRow.kind)
        .where(*in_force, LimitRow.temporary.is_(False), LimitRow.valid_from <= day)
        .order_by(LimitRow.valid_from.desc())
        .limit(1)
    )
    if await session.scalar(latest) not in (None, LimitKind.NONE):
        return True
    later = select(LimitRow.id).where(
        *in_force,
        LimitRow.kind != LimitKind.NONE.value,
        or_(LimitRow.valid_from > day, LimitRow.temporary & (LimitRow.valid_until >= day)),
    )
    return await session.scalar(later.limit(1)) is not None


async def was_decided(
    session: AsyncSession, account_id: UUID, *, scope: LimitScope, temporary: bool, limit: Limit, begun: bool
) -> bool:
    """Whether a decision equals `limit`, superseded or not; if `begun`, whether one that holds on its first day does,
    whenever it began."""
    same = select(LimitRow.id).where(
        LimitRow.account_id == account_id,
        LimitRow.scope == scope.value,
        LimitRow.temporary.is_(temporary),
        LimitRow.kind == limit.kind.value,
        LimitRow.amount.is_not_distinct_from(limit.amount),
        LimitRow.valid_until.is_not_distinct_from(limit.valid_until),
    )
    if begun:
        same = same.where(LimitRow.superseded_at.is_(None), LimitRow.days.contains(limit.valid_from))
    else:
        same = same.where(LimitRow.valid_from == limit.valid_from)
    return await session.scalar(same.limit(1)) is not None


async def supersede_limits(session: AsyncSession, ids: Collection[UUID], now: datetime) -> None:
    """Ends decisions: from now on they are known to hold no more."""
    await session.execute(update(LimitRow).where(LimitRow.id.in_(ids)).values(superseded_at=now))


async def copy_limits(
    session: AsyncSession, kept: Mapping[UUID, Limit], ids: Mapping[UUID, UUID], now: datetime
) -> None:
    """Copies what remains of superseded decisions, with their reasons and whoever made them."""
    rows = {row.id: row for row in await session.scalars(select(LimitRow).where(LimitRow.id.in_(kept)))}
    values = [
        {
            "id": ids[old],
            "account_id": rows[old].account_id,
            "scope": rows[old].scope,
            "temporary": rows[old].temporary,
            **_limit_values(limit),
            "reason": rows[old].reason,
            "set_by": rows[old].set_by,
            "set_at": now,
        }
        for old, limit in kept.items()
    ]
    if values:
        await session.execute(insert(LimitRow), values)


async def add_limit(
    session: AsyncSession,
    *,
    limit_id: UUID,
    account_id: UUID,
    scope: LimitScope,
    temporary: bool,
    limit: Limit,
    reason: str,
    set_by: str,
    now: datetime,
) -> None:
    """Adds a decision."""
    await session.execute(
        insert(LimitRow).values(
            id=limit_id,
            account_id=account_id,
            scope=scope.value,
            temporary=temporary,
            **_limit_values(limit),
            reason=reason,
            set_by=set_by,
            set_at=now,
        )
    )


async def groups_of(session: AsyncSession, customer_ids: Collection[str], *, segment: str | None) -> Sequence[Group]:
    """The groups whose limit one of these customers carries, in one segment or all, without locks."""
    statement = select(*GroupRow.__table__.c).where(GroupRow.customer_id.in_(customer_ids)).order_by(GroupRow.id)
    if segment is not None:
        statement = statement.where(GroupRow.segment == segment)
    return [group_from(row) for row in (await session.execute(statement)).mappings()]


async def add_group(session: AsyncSession, group: Group) -> None:
    """Adds a group without limit and members."""
    await session.execute(
        insert(GroupRow).values(
            id=group.id, customer_id=group.customer_id, segment=group.segment, currency=group.currency
        )
    )


async def remove_group(session: AsyncSession, group_id: UUID) -> None:
    """Removes a group that has no members any more. What its limits were stays in `limits`."""
    await session.execute(delete(GroupRow).where(GroupRow.id == group_id))


async def move_members(
    session: AsyncSession, moved: Mapping[UUID, UUID | None], ids: Mapping[UUID, UUID], now: datetime
) -> None:
    """Records which group each account belongs to from now on (null: none); `ids` name the new memberships."""
    left = update(MembershipRow).where(MembershipRow.account_id.in_(moved), MembershipRow.left_at.is_(None))
    await session.execute(left.values(left_at=now))
    joined = [
        {"id": ids[account_id], "account_id": account_id, "group_id": group_id, "joined_at": now}
        for account_id, group_id in moved.items()
        if group_id is not None
    ]
    if joined:
        await session.execute(insert(MembershipRow), joined)


async def holds(session: AsyncSession, account_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Hold]]:
    """The holds that are set now, by account, in the order they were set."""
    rows = await session.scalars(
        select(HoldRow)
        .where(HoldRow.account_id.in_(account_ids), HoldRow.lifted_at.is_(None))
        .order_by(HoldRow.set_at, HoldRow.source)
    )
    found: dict[UUID, list[Hold]] = {account_id: [] for account_id in account_ids}
    for row in rows:
        found[row.account_id].append(hold_of(row))
    return found


async def add_hold(session: AsyncSession, *, hold_id: UUID, account_id: UUID, hold: Hold) -> None:
    """Adds a hold; its source must have none on the account."""
    await session.execute(
        insert(HoldRow).values(
            id=hold_id,
            account_id=account_id,
            source=hold.source,
            kind=hold.kind.value,
            reason=hold.reason,
            set_by=hold.set_by,
            set_at=hold.set_at,
        )
    )


async def lift_hold(
    session: AsyncSession, *, account_id: UUID, source: str, reason: str, lifted_by: str, now: datetime
) -> None:
    """Lifts the hold of a source, which stays on record."""
    await session.execute(
        update(HoldRow)
        .where(HoldRow.account_id == account_id, HoldRow.source == source, HoldRow.lifted_at.is_(None))
        .values(lifted_by=lifted_by, lifted_at=now, lift_reason=reason)
    )


def limit_of(row: LimitRow) -> Limit:
    """The decision in a row."""
    return Limit(LimitKind(row.kind), row.amount, row.valid_from, row.valid_until)


def hold_of(row: HoldRow) -> Hold:
    """The hold in a row."""
    return Hold(row.source, HoldKind(row.kind), row.reason, row.set_by, row.set_at)


def _limit_values(limit: Limit) -> Values:
    return {
        "kind": limit.kind.value,
        "amount": limit.amount,
        "valid_from": limit.valid_from,
        "valid_until": limit.valid_until,
    }
