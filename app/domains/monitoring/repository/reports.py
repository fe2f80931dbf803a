"""Aging and the cash forecast of many accounts, from the ladders now and from the ledger in the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.monitoring.core.aging import AgingBy, AgingPart

_MEMBERS: Final = """
    with recursive family (customer_id) as (
        select head.customer_id
        union all
        select c.customer_id from family join customers c on c.parent_id = family.customer_id
    )
    select a.id as account_id, a.currency
      from family join accounts a on a.customer_id = family.customer_id and a.segment = :segment
     where cast(:currency as text) is null or a.currency = :currency"""
"""The accounts of `head` and of all below it: walked down from each head of a page, not over all customers."""

_PAGES: Final = {
    AgingBy.CUSTOMER: """
        select a.id as account_id, a.customer_id as key, a.currency from accounts a
         where a.segment = :segment and a.customer_id > :after
           and (cast(:currency as text) is null or a.currency = :currency)
           and (cast(:customer_id as text) is null or a.customer_id = :customer_id)
         order by a.customer_id limit :most""",
    AgingBy.GROUP: f"""
        select member.account_id, head.customer_id as key, member.currency
          from (
               select head.customer_id from customers head
                where head.parent_id is null and head.customer_id > :after
                  and (cast(:customer_id as text) is null or head.customer_id = :customer_id)
                  and exists ({_MEMBERS})
                order by head.customer_id limit :most
          ) head
         cross join lateral ({_MEMBERS}) member""",  # noqa: S608 - a statement of our own
    AgingBy.SEGMENT: """
        select a.id as account_id, a.segment as key, a.currency from accounts a
         where a.segment = :segment and a.segment > :after and cast(:most as int) > 0
           and (cast(:currency as text) is null or a.currency = :currency)
           and (cast(:customer_id as text) is null or a.customer_id = :customer_id)""",
}
"""The accounts of one page, and what they are summed under."""

_AGE: Final = "width_bucket(cast(:on as date) - due_on, cast(:bounds as int[]))"
"""0 for what is not due, then the number of the bucket."""

_NOW: Final = f"""
    select key, currency, age::text as part, amount
      from (
           select page.key, page.currency, {_AGE} as age, sum(amount) as amount
             from page join due_rungs using (account_id) group by page.key, page.currency, age
      ) due
    union all
    select page.key, page.currency, 'receivables', receivables from page join accounts on id = account_id
    union all
    select page.key, page.currency, 'credits', unallocated_credits from page join accounts on id = account_id
    union all
    select page.key, page.currency, 'uncleared', uncleared_amount
      from page join payments using (account_id) where uncleared_amount > 0"""  # noqa: S608 - an expression of our own

_AS_KNOWN: Final = f"""
    select key, currency, part, amount
      from (
           select page.key, page.currency, component, {_AGE} as age, source_type = 'uncleared' as is_draft,
                  sum(amount) as amount
             from page join ledger using (account_id)
            where at < :until and component in ('receivables', 'unallocated_credits')
            group by page.key, page.currency, component, age, is_draft
      ) told
     cross join lateral (values
           (case when component = 'receivables' then age::text end),
           (case when component = 'receivables' then 'receivables' end),
           (case when component = 'receivables' and is_draft then 'uncleared' end),
           (case when component = 'unallocated_credits' then 'credits' end)) as parts(part)
     where part is not null"""  # noqa: S608 - an expression of our own
"""Every line up to an instant, summed, under each part that it moves."""

_PLANNED_ANEW: Final = text("set local plan_cache_mode = force_custom_plan")
"""A page of one customer and a whole segment are one statement: a plan that fits both costs several times as much."""

_FORECAST: Final = text("""
    with recursive family (customer_id) as (
        select cast(:customer_id as text)
        union all
        select c.customer_id from family join customers c on c.parent_id = family.customer_id
    ), asked as materialized (
        select id, currency from accounts
         where segment = :segment and (cast(:currency as text) is null or currency = :currency)
           and (cast(:customer_id as text) is null or customer_id in (select customer_id from family))
    ), lateness as (
        select i.account_id,
               round(sum((a.effective_on - i.due_on) * a.amount * i.rate) / sum(a.amount * i.rate))::int as days
          from asked join open_items i on i.account_id = asked.id join allocations a on a.item_id = i.id
         where i.instalments is null and a.payment_id is not null and a.undone_at is null and a.effective_on > :since
         group by i.account_id
    ), expected as (
        select asked.currency, d.due_on + coalesce(l.days, 0) as day, d.amount, 0 as drafts
          from asked join due_rungs d on d.account_id = asked.id
          left join lateness l on l.account_id = asked.id
         where d.amount > 0
        union all
        select asked.currency, p.clears_on, 0, p.uncleared_amount
          from asked join payments p on p.account_id = asked.id where p.uncleared_amount > 0
    )
    select currency, greatest(-1, least(:weeks, floor((day - cast(:on as date)) / 7.0)))::int as week,
           sum(amount) as amount, sum(drafts) as drafts
      from expected group by 1, 2 order by 1, 2""")
"""Lateness is the mean of a year's payments, weighted by what they paid; week -1 is what was expected before.

Payments of instalments are left out of it: each part has a due day of its own, the item has that of the next one."""


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """What is expected in one week, counted from 0, in one account currency; -1 is before, the last is later."""

    currency: str
    week: int
    amount: Decimal
    drafts: Decimal


def _statement(by: AgingBy, told: str) -> TextClause:
    return text(f"""
        with page as materialized ({_PAGES[by]})
        select key, currency, part, sum(amount) as amount
          from ({told}) parts group by key, currency, part order by key, currency""")  # noqa: S608 - our own parts


_STATEMENTS: Final = {
    (by, is_past): _statement(by, _AS_KNOWN if is_past else _NOW) for by in AgingBy for is_past in (True, False)
}


async def aging_parts(
    session: AsyncSession,
    *,
    by: AgingBy,
    segment: str,
    on: date,
    until: datetime | None,
    bounds: Sequence[int],
    customer_id: str | None,
    currency: str | None,
    after: str,
    most: int,
) -> Sequence[AgingPart]:
    """The parts of at most `most` keys behind `after`, judged on the day `on`: as they stand now, or, with `until`, as
    the ledger had them before that instant. `bounds` are the first days of the buckets."""
    asked: dict[str, Any] = {
        "segment": segment,
        "on": on,
        "bounds": list(bounds),
        "customer_id": customer_id,
        "currency": currency,
        "after": after,
        "most": most,
    }
    if until is not None:
        asked["until"] = until
    await session.execute(_PLANNED_ANEW)
    rows = await session.execute(_STATEMENTS[by, until is not None], asked)
    return [AgingPart(row.key, row.currency, row.part, row.amount) for row in rows]


async def cash_forecast(
    session: AsyncSession,
    *,
    segment: str,
    on: date,
    since: date,
    weeks: int,
    customer_id: str | None,
    currency: str | None,
) -> Sequence[ForecastRow]:
    """What is expected to come in by week, from all accounts or those of a customer and its descendants; customers'
    lateness is read from what was paid after `since`."""
    asked = {"segment": segment, "on": on, "since": since, "weeks": weeks}
    asked |= {"customer_id": customer_id, "currency": currency}
    await session.execute(_PLANNED_ANEW)
    return [ForecastRow(*row) for row in await session.execute(_FORECAST, asked)]
