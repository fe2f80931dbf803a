"""The queue of referred orders by what is at stake: ranked by the database, whatever its size.

What is at stake follows from the account, the last assessment and the exchange rates of this moment, so it can't be
kept on the check. Beside the desk the only place of this slice that reads rows of others: fetching every account that
has an order under review, to show fifty, would cost a hundred times as much. `core.cases.stake_of` says the same of one
order; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.kernel.money import DIGITS, ZERO

UNKNOWN: Final = Decimal("1e30")
"""The stake that no exchange rate tells: above every amount, for what is not known is not safe."""

_CURRENCIES: Final = text("""
    select distinct c.currency as asked, a.currency as kept from credit_checks c join accounts a on a.id = c.account_id
     where c.segment = :segment and c.review = 'open' and c.review_until > :at
""")
_RANKED: Final = text("""
    with rates as (
        select * from json_to_recordset(cast(:rates as json))
                   as r (asked text, kept text, rate numeric, digits int, into_segment numeric)
    ), open_checks as (
        select c.id, c.customer_id, c.amount, c.currency as asked, a.currency as kept,
               a.receivables + a.open_orders + a.delivered - a.unallocated_credits as exposed,
               case when a.cover_until is null or a.cover_until >= :on then coalesce(a.cover_amount, 0) else 0 end
                   as covered
          from credit_checks c join accounts a on a.id = c.account_id
         where c.segment = :segment and c.review = 'open' and c.review_until > :at
           and (cast(:customer_id as text) is null or c.customer_id = :customer_id)
           and (cast(:order_ref as text) is null or c.order_ref = :order_ref)
    ), ranked as (
        select o.id, case when r.rate is null or r.into_segment is null then :unknown
                          else least(round(worst * r.into_segment, :digits), :unknown) end as stake
          from open_checks o
          join rates r on r.asked = o.asked and r.kept = o.kept
          left join lateral (
               select probability from assessments s
                where s.customer_id = o.customer_id and s.segment = :segment
                order by s.assessed_at desc, s.id desc limit 1
          ) assessed on true
         cross join lateral (select round(o.amount * r.rate, r.digits) as worth) w
         cross join lateral (select least(worth, greatest(exposed + worth - covered, 0)) as uncovered) u
         cross join lateral (
               select round(uncovered * :lost_percent / 100 * coalesce(probability, 1), r.digits) as worst
          ) l
    )
    select id, stake from ranked
     where cast(:below as numeric) is null or (stake, id) < (:below, cast(:below_id as uuid))
     order by stake desc, id desc limit :most
""")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Which open checks are ranked: those of a segment at an instant, or of these only a customer's or an order's."""

    segment: str
    at: datetime
    customer_id: str | None = None
    order_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """How an order in the currency `asked` counts on an account kept in `kept`: `rate` is `kept` per unit of `asked`,
    `into_segment` segment currency per unit of `kept`; null where none leads there. `digits` are those of `kept`."""

    asked: str
    kept: str
    rate: Decimal | None
    digits: int
    into_segment: Decimal | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A check and its stake, in the segment's currency."""

    id: UUID
    stake: Decimal


def is_stake(amount: Decimal) -> bool:
    """Whether a check can have been ranked by this amount."""
    return amount.is_finite() and ZERO <= amount <= UNKNOWN and amount == round(amount, max(DIGITS.values()))


async def currencies(session: AsyncSession, backlog: Backlog) -> Sequence[tuple[str, str]]:
    """The pairs of currencies, of order and account, that the segment's open checks meet."""
    found = await session.execute(_CURRENCIES, {"segment": backlog.segment, "at": backlog.at})
    return [(row.asked, row.kept) for row in found]


async def ranked(
    session: AsyncSession,
    backlog: Backlog,
    *,
    rates: Sequence[Rate],
    on: date,
    lost_percent: Decimal,
    digits: int,
    below: Ranked | None,
    most: int,
) -> Sequence[Ranked]:
    """At most `most` open checks, those first that put most at stake, behind the place `below`.

    `lost_percent` is what a default costs of what no cover stands behind, `digits` those of the segment's currency.
    """
    values = {
        "segment": backlog.segment,
        "at": backlog.at,
        "customer_id": backlog.customer_id,
        "order_ref": backlog.order_ref,
        "rates": orjson.dumps(rates, default=str).decode(),
        "on": on,
        "lost_percent": lost_percent,
        "digits": digits,
        "unknown": UNKNOWN,
        "below": below.stake if below else None,
        "below_id": below.id if below else None,
        "most": most,
    }
    return [Ranked(row.id, row.stake) for row in await session.execute(_RANKED, values)]
