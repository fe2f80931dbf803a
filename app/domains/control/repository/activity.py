"""SQL of the report on activity: what persons did, from the journal and the rows it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_PERIOD: Final = "e.segment = :segment and e.at >= :since and e.at < :until and e.actor_kind = 'person'"

_COUNTS: Final = text(
    f"""
    select e.actor, e.type, count(*) as times
    from events e
    where {_PERIOD} and e.type in (
        'limit_set', 'group_limit_set', 'policy_override_approved', 'collection_task_completed', 'promise_made'
    )
      and (e.type not in ('limit_set', 'group_limit_set') or e.exceptional)
      and (e.type <> 'collection_task_completed' or e.after @> '{{"called": true}}')
    group by e.actor, e.type
    """
)
"""Limits are counted that were set outright, and tasks that a call has ended, not a payment."""

_NOTICES: Final = text(
    """
    select run.actor, count(*) as times
    from events e
    join dunning_notices n on n.id = cast(e.subject_id as uuid)
    join events run on run.type = 'dunning_run_released' and run.subject_id = cast(n.run_id as text)
    where e.type = 'dunning_notice_released' and e.segment = :segment and e.at >= :since and e.at < :until
      and run.actor_kind = 'person'
    group by run.actor
    """
)
"""Of a large run the first notices are released with it and the others by jobs: they are whose the run is."""

_PACE: Final = f"""
    select actor, count(*) as decided, count(distinct date_trunc('hour', at)) as active_hours,
           cast(round(avg(seconds)) as bigint) as mean_seconds,
           cast(round(percentile_cont(0.5) within group (order by seconds)) as bigint) as median_seconds
    from (
        select e.actor, e.at, extract(epoch from e.at - asked.at) as seconds
        from events e left join lateral ({{asked}}) asked on true
        where {_PERIOD} and e.type in ({{types}}) {{among}}
    ) decision
    group by actor
"""
_REFERRED: Final = text(
    _PACE.format(
        asked="select c.decided_at as at from credit_checks c where c.id = cast(e.subject_id as uuid)",
        types="'credit_check_released', 'credit_check_rejected'",
        among="",
    )
)
_LIMITS: Final = text(
    _PACE.format(
        asked="select min(r.at) as at from events r where r.type = 'limit_requested' and r.subject_id = e.subject_id"
        " and r.segment = e.segment and r.customer_id = e.customer_id",
        types="'limit_request_step_approved', 'limit_request_approved', 'limit_request_declined'",
        among="and e.before <> '{}' and not e.after @> '{\"offer_accepted\": true}'",
    )
)
"""What the policy decides at once has nothing before it, and who takes an offer decides nothing: both are in the
requester's name."""

_RELEASES: Final = text(
    f"""
    select actor, fate, count(*) as times
    from (
        select e.actor,
               case when count(i.id) = 0 then 'not_invoiced'
                    when bool_or(i.status = 'written_off' or i.written_off_amount > 0) then 'written_off'
                    when bool_or(i.open_amount > 0 and i.due_on < :today) then 'overdue'
                    when bool_or(i.open_amount > 0) then 'open'
                    else 'paid' end as fate
        from events e
        left join open_items i
             on i.customer_id = e.customer_id and i.segment = e.segment
             and i.kind = 'invoice' and i.status <> 'cancelled'
             and i.orders @> jsonb_build_array(jsonb_build_object('order_ref', e.after ->> 'order_ref'))
        where {_PERIOD} and e.type = 'credit_check_released'
        group by e.id, e.actor
    ) released
    group by actor, fate
    """
)

_PROMISES: Final = text(
    f"""
    select e.actor, count(*) filter (where o.type = 'promise_kept') as kept,
           count(*) filter (where o.type in ('promise_broken', 'promise_partly_kept')) as broken
    from events e
    join lateral (
        select o.type from events o
        where o.type in ('promise_kept', 'promise_broken', 'promise_partly_kept')
          and o.subject_id = e.subject_id and o.customer_id = e.customer_id and o.id > e.id
        order by o.id desc limit 1
    ) o on true
    where {_PERIOD} and e.type = 'promise_made'
    group by e.actor
    """
)
"""What became of the promises that a person took down in the period: the last word counts."""

_ROLES: Final = text(
    "select distinct on (name) name, role from api_keys order by name, revoked_at is not null, created_at desc"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often somebody did something."""

    actor: str
    type: str
    times: int


@dataclass(frozen=True, slots=True)
class Paced:
    """How many decisions somebody took, in how many clock hours, and how long the question had waited."""

    actor: str
    decided: int
    active_hours: int
    mean_seconds: int | None
    median_seconds: int | None


@dataclass(frozen=True, slots=True)
class Period:
    """The segment and the instants of a report."""

    segment: str
    since: datetime
    until: datetime

    @property
    def values(self) -> dict[str, object]:
        """As parameters."""
        return {"segment": self.segment, "since": self.since, "until": self.until}


async def counts(session: AsyncSession, period: Period) -> Sequence[Counted]:
    """The events of each person that are merely counted."""
    return [Counted(**row) for row in (await session.execute(_COUNTS, period.values)).mappings()]


async def notices(session: AsyncSession, period: Period) -> Sequence[tuple[str, int]]:
    """The notices of the runs that each person released: actor, how many."""
    return [(row.actor, row.times) for row in await session.execute(_NOTICES, period.values)]


async def referred_orders(session: AsyncSession, period: Period) -> Sequence[Paced]:
    """Referred orders released and rejected, from the check to the decision."""
    return [Paced(**row) for row in (await session.execute(_REFERRED, period.values)).mappings()]


async def limit_requests(session: AsyncSession, period: Period) -> Sequence[Paced]:
    """Steps of limit requests approved and rejected, from the request to the decision."""
    return [Paced(**row) for row in (await session.execute(_LIMITS, period.values)).mappings()]


async def releases(session: AsyncSession, period: Period, *, today: date) -> Sequence[tuple[str, str, int]]:
    """What became by `today` of the orders that each person released: actor, fate, how many."""
    rows = await session.execute(_RELEASES, {**period.values, "today": today})
    return [(row.actor, row.fate, row.times) for row in rows]


async def promises(session: AsyncSession, period: Period) -> Sequence[tuple[str, int, int]]:
    """Of the promises that each person took down: actor, how many were kept, how many broken."""
    return [(row.actor, row.kept, row.broken) for row in await session.execute(_PROMISES, period.values)]


async def roles(session: AsyncSession) -> dict[str, str | None]:
    """The role of each key's name, of the live key where there is one."""
    return {row.name: row.role for row in await session.execute(_ROLES)}
