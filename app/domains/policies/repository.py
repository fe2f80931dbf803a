"""SQL of segments, policy versions and overrides: find, lock, list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.policies.core.overrides import OverrideStatus
from app.domains.policies.tables import PolicyOverrideRow, PolicyVersionRow, SegmentRow
from app.infra.db.paging import PageRequest, Slice, fetch


async def segment(session: AsyncSession, name: str) -> SegmentRow | None:
    """The segment as it is now."""
    row: SegmentRow | None = await session.scalar(_segment(name))
    return row


async def lock_segment(session: AsyncSession, name: str) -> SegmentRow | None:
    """The segment, locked until the transaction ends: whatever happens to its policy happens one after the other."""
    row: SegmentRow | None = await session.scalar(_segment(name).with_for_update(key_share=True))
    return row


async def segments(session: AsyncSession) -> Sequence[SegmentRow]:
    """All segments, by name."""
    return (await session.scalars(select(SegmentRow).order_by(SegmentRow.segment))).all()


async def lock_segments(session: AsyncSession) -> Sequence[SegmentRow]:
    """All segments, locked in the order of their names."""
    return (
        await session.scalars(select(SegmentRow).order_by(SegmentRow.segment).with_for_update(key_share=True))
    ).all()


async def add_segment(
    session: AsyncSession, *, name: str, title: str, currency: str, time_zone: str | None, default: str, at: datetime
) -> bool:
    """Adds the segment; False, and nothing is added, if it is there already."""
    added = await session.execute(
        insert(SegmentRow)
        .values(
            segment=name,
            name=title,
            currency=currency,
            time_zone=time_zone,
            default_time_zone=default,
            version=1,
            created_at=at,
        )
        .on_conflict_do_nothing()
        .returning(SegmentRow.segment)
    )
    return added.scalar() is not None


async def version(session: AsyncSession, segment: str, number: int) -> PolicyVersionRow | None:
    """One version of the segment's policy as it is now."""
    row: PolicyVersionRow | None = await session.scalar(
        select(PolicyVersionRow)
        .where(PolicyVersionRow.segment == segment, PolicyVersionRow.version == number)
        .execution_options(populate_existing=True)
    )
    return row


async def versions(session: AsyncSession, segment: str, page: PageRequest) -> Slice[PolicyVersionRow]:
    """A page of the segment's versions, by number."""
    statement = select(PolicyVersionRow).where(PolicyVersionRow.segment == segment)
    return await fetch(session, statement, page, keys=[PolicyVersionRow.version])


async def active_number(session: AsyncSession, segment: str, now: datetime) -> int | None:
    """The number of the version that is active at `now`."""
    number: int | None = await session.scalar(_active(segment, now).with_only_columns(PolicyVersionRow.version))
    return number


async def active(session: AsyncSession, segment: str, now: datetime) -> PolicyVersionRow | None:
    """The version that is active at `now`."""
    row: PolicyVersionRow | None = await session.scalar(_active(segment, now).execution_options(populate_existing=True))
    return row


async def last_number(session: AsyncSession, segment: str) -> int:
    """The highest number given to a version so far, 0 if there is none."""
    statement = select(func.max(PolicyVersionRow.version)).where(PolicyVersionRow.segment == segment)
    return int(await session.scalar(statement) or 0)


async def approved_once(session: AsyncSession, segment: str) -> bool:
    """Whether a second person has ever approved a version of the segment's policy."""
    statement = select(PolicyVersionRow.version).where(
        PolicyVersionRow.segment == segment, PolicyVersionRow.approved_by.is_not(None)
    )
    return await session.scalar(statement.limit(1)) is not None


async def instant_taken(session: AsyncSession, segment: str, number: int, at: datetime) -> bool:
    """Whether another version of the segment becomes active at exactly `at`."""
    statement = select(PolicyVersionRow.version).where(
        PolicyVersionRow.segment == segment,
        PolicyVersionRow.effective_at == at,
        PolicyVersionRow.version != number,
    )
    return await session.scalar(statement) is not None


async def override(
    session: AsyncSession, segment: str, customer_id: str, status: OverrideStatus
) -> PolicyOverrideRow | None:
    """The customer's override of that status: pending or approved, of which there is at most one."""
    row: PolicyOverrideRow | None = await session.scalar(
        select(PolicyOverrideRow)
        .where(
            PolicyOverrideRow.customer_id == customer_id,
            PolicyOverrideRow.segment == segment,
            PolicyOverrideRow.status == status,
        )
        .execution_options(populate_existing=True)
    )
    return row


async def override_in_force(
    session: AsyncSession, segment: str, customer_id: str, on: date
) -> PolicyOverrideRow | None:
    """The customer's approved override, unless it has ended before `on`."""
    row = await override(session, segment, customer_id, OverrideStatus.APPROVED)
    return row if row is not None and row.valid_until >= on else None


async def overrides_in_force(
    session: AsyncSession, segment: str, on: date, *, customer_ids: Collection[str] | None = None
) -> Sequence[PolicyOverrideRow]:
    """Every approved override of the segment, or of these customers in it, that has not ended before `on`."""
    statement = select(PolicyOverrideRow).where(
        PolicyOverrideRow.segment == segment,
        PolicyOverrideRow.status == OverrideStatus.APPROVED,
        PolicyOverrideRow.valid_until >= on,
    )
    if customer_ids is not None:
        statement = statement.where(PolicyOverrideRow.customer_id.in_(customer_ids))
    return (await session.scalars(statement)).all()


async def overrides_past(session: AsyncSession, segment: str, on: date, *, most: int) -> Sequence[PolicyOverrideRow]:
    """At most `most` approved overrides of the segment that have ended before `on`, locked."""
    return (
        await session.scalars(
            select(PolicyOverrideRow)
            .where(
                PolicyOverrideRow.segment == segment,
                PolicyOverrideRow.status == OverrideStatus.APPROVED,
                PolicyOverrideRow.valid_until < on,
            )
            .order_by(PolicyOverrideRow.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
    ).all()


def _segment(name: str) -> Select[SegmentRow]:
    return select(SegmentRow).where(SegmentRow.segment == name).execution_options(populate_existing=True)


def _active(segment: str, now: datetime) -> Select[PolicyVersionRow]:
    return (
        select(PolicyVersionRow)
        .where(PolicyVersionRow.segment == segment, PolicyVersionRow.effective_at <= now)
        .order_by(PolicyVersionRow.effective_at.desc())
        .limit(1)
    )
