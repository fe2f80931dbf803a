"""The desk's two statements: one reads everything a batch needs, one locks and writes everything it decided.

It names the tables of other slices, because two round trips a batch is what makes the desk fast; `repository/queue.py`
is the only other place that does.
Each slice's rows travel as one JSON parameter. The connection is in autocommit: a statement is a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domains.exposure import statements
from app.infra.clock import new_id

DESK_SETTINGS: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_bitmapscan": "off",
}
"""Plans made while tables are small must still be right when they are large: only keyed look-ups, for ever."""

_READ: Final = """
    select q.n, a.account, g.grouped, c.ordered, k.fingerprint, k.status, k.body,
           cu.profile, cu.terms_kind, cu.net_days, cu.due_from, cu.discount_percent, cu.discount_days,
           s.segment_currency, s.zone, p.version as policy_version, o.override_id, o.override_until
      from json_to_recordset($1::json) as q(
               n int, lead boolean, customer_id text, segment text, order_ref text, caller text, key text)
      left join lateral (
           select accounts as account, accounts.group_id from accounts
            where q.lead and accounts.customer_id = q.customer_id and accounts.segment = q.segment offset 0
      ) a on true
      left join lateral (select groups as grouped from groups where groups.id = a.group_id offset 0) g on true
      left join lateral (
           select commitments as ordered from commitments
            where commitments.segment = q.segment and commitments.order_ref = q.order_ref offset 0
      ) c on true
      left join lateral (
           select fingerprint, status, body from idempotency_keys i
            where i.principal_id = q.caller and i.key = q.key offset 0
      ) k on true
      left join lateral (
           select profile, terms_kind, net_days, due_from, discount_percent, discount_days from customers
            where q.lead and customers.customer_id = q.customer_id offset 0
      ) cu on true
      left join lateral (
           select currency as segment_currency, coalesce(time_zone, default_time_zone) as zone from segments
            where q.lead and segments.segment = q.segment offset 0
      ) s on true
      left join lateral (
           select version from policy_versions v
            where q.lead and v.segment = q.segment and v.effective_at <= $2::timestamptz
            order by v.effective_at desc, v.version desc limit 1
      ) p on true
      left join lateral (
           select id as override_id, valid_until as override_until from policy_overrides v
            where q.lead and v.customer_id = q.customer_id and v.segment = q.segment and v.status = 'approved'
           offset 0
      ) o on true
     order by q.n"""

_READ_ORDERS: Final = """
    select c.ordered from json_to_recordset($1::json) as q(segment text, order_ref text)
     cross join lateral (
           select commitments as ordered from commitments
            where commitments.segment = q.segment and commitments.order_ref = q.order_ref offset 0
     ) c"""

_READ_QUOTES: Final = statements.LATEST_QUOTES.format(on="$1::date")

_HELD: Final = "(select all_held from held)"


def _write(statement: str, parameter: int, *, keyed: str = "") -> str:
    """A fragment that writes the rows of a parameter if all was held.

    `keyed` names the rows to update by a parameter of their keys. Without it a plan made while the table was empty
    could read all of the table first and look for each row in the parameter: right, and slower with every check.
    """
    return statement.format(rows=f"${parameter}::json", guard=f"{keyed} and {_HELD}" if keyed else _HELD)


_ORDER_KEYS: Final = "c.segment = any($10::text[]) and c.order_ref = any($11::text[])"
_CHECK_COLUMNS: Final = """id, account_id, customer_id, segment, order_ref, checkpoint, amount, currency, outcome,
                   codes, policy_version, policy_profile, policy_override_id, caller, caller_name, on_behalf_of,
                   decided_at, review, review_until, changed_at"""

_WRITE_ALL: Final = f"""
    with wanted_accounts as (
        select id, version from unnest($1::uuid[], $2::bigint[]) as w(id, version)
    ), wanted_groups as (
        select id, version from unnest($3::uuid[], $4::bigint[]) as w(id, version)
    ), held_accounts as materialized (
        select a.id, a.version, w.version as version_read from wanted_accounts w join accounts a on a.id = w.id
         where a.id = any($1::uuid[]) for no key update of a skip locked
    ), held_groups as materialized (
        select g.id, g.version, w.version as version_read from wanted_groups w join groups g on g.id = w.id
         where g.id = any($3::uuid[]) for no key update of g skip locked
    ), held as materialized (
        select (select count(*) filter (where version = version_read) from held_accounts)
                   = (select count(*) from wanted_accounts)
           and (select count(*) filter (where version = version_read) from held_groups)
                   = (select count(*) from wanted_groups) as all_held
    ), w_accounts as ({_write(statements.UPDATE_ACCOUNTS, 5, keyed="a.id = any($1::uuid[])")}
    ), w_groups as ({_write(statements.UPDATE_GROUPS, 6, keyed="g.id = any($3::uuid[])")}
    ), w_ledger as ({_write(statements.INSERT_LEDGER, 7)}
    ), w_new_orders as ({_write(statements.INSERT_COMMITMENTS, 8)}
    ), w_orders as ({_write(statements.UPDATE_COMMITMENTS, 9, keyed=_ORDER_KEYS)}
    ), w_superseded as (
        update credit_checks
           set review = case review when 'open' then 'superseded' else review end, changed_at = $17::timestamptz
         where id = any($12::uuid[]) and {_HELD}
    ), w_checks as (
        insert into credit_checks ({_CHECK_COLUMNS}, facts, answer)
        select {_CHECK_COLUMNS}, facts, answer
          from rows from (
               json_to_recordset($13::json) as (
                   id uuid, account_id uuid, customer_id text, segment text, order_ref text, checkpoint text,
                   amount numeric, currency text, outcome text, codes text[], policy_version bigint,
                   policy_profile text, policy_override_id uuid, caller text, caller_name text, on_behalf_of text,
                   decided_at timestamptz, review text, review_until timestamptz, changed_at timestamptz),
               unnest($14::text[]), unnest($15::text[])
          ) as t ({_CHECK_COLUMNS}, facts, answer)
         where {_HELD}
    ), w_keys as (
        insert into idempotency_keys (principal_id, key, fingerprint, status, body, media_type, created_at)
        select r.principal_id, r.key, decode(r.fingerprint, 'hex'), 201,
               convert_to(($15::text[])[r.n], 'UTF8'), 'application/json', $17::timestamptz
          from json_to_recordset($16::json) as r(n int, principal_id text, key text, fingerprint text)
         where {_HELD}
    ), w_events as (
        insert into events (at, type, actor, actor_kind, request_id, segment, customer_id, subject_type, subject_id,
                            before, after)
        select at, type, actor, actor_kind, request_id, segment, customer_id, subject_type, subject_id, before, after
          from json_populate_recordset(null::events, $18::json)
         where {_HELD}
    )"""

_WAKE: Final = f"""
    , freed as (
        select a.customer_id, a.segment, a.id, a.group_id from unnest($19::uuid[]) as w(id)
         cross join lateral (
               select customer_id, segment, id, group_id from accounts where accounts.id = w.id offset 0
         ) a
    ), sharing as (
        select customer_id, segment, id from freed
         union
        select m.customer_id, m.segment, m.id from freed
         cross join lateral (
               select customer_id, segment, id from accounts where accounts.group_id = freed.group_id offset 0
         ) m
    ), w_waiting as (
        insert into waiting_accounts (customer_id, segment, token, since)
        select s.customer_id, s.segment, $21::uuid, $17::timestamptz from sharing s
          left join lateral (
               select count(*) > 0 as waits from credit_checks c
                where c.customer_id = s.customer_id and c.segment = s.segment and c.review = 'open'
          ) c on true
         where {_HELD} and (c.waits or s.id = any($20::uuid[]))
         order by s.customer_id, s.segment
        on conflict (customer_id, segment) do update set token = excluded.token
    )"""
"""Has the waiting orders of accounts that got more room ($19), and of who shares their limit, judged anew. What the
batch itself refers ($20) is not in the table yet. Only for batches that free something: few do. The open reviews of an
account are counted, for whoever asks only for the first is given a plan that reads everybody's until one fits; and
nothing is said of `review_until`, so that the index of a segment's open reviews can't be used: while none is open, it
looks as good as the account's own."""

_LOCKED: Final = """
    select 'account' as kind, id, version = version_read as unchanged from held_accounts
    union all
    select 'group', id, version = version_read from held_groups"""

_WRITE: Final = _WRITE_ALL + _LOCKED
_WRITE_AND_WAKE: Final = _WRITE_ALL + _WAKE + _LOCKED


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of the read: `lead` marks the first of its account in the batch, which reads the account for all."""

    n: int
    lead: bool
    customer_id: str
    segment: str
    order_ref: str
    caller: str
    key: str | None


Lock = tuple[str, UUID]
"""A row that a batch locks: `account` or `group`, and its id. A group has the id of the account that carries it."""


@dataclass(slots=True)
class Writes:
    """Everything one batch writes. `accounts_read` and `groups_read` are the versions it was decided on.

    `freed` are the accounts that have more room afterwards, `referring` those with an order that it refers.
    """

    now: datetime
    accounts_read: dict[UUID, int] = field(default_factory=dict)
    groups_read: dict[UUID, int] = field(default_factory=dict)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    new_orders: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    superseded: list[UUID] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    freed: list[UUID] = field(default_factory=list)
    referring: list[UUID] = field(default_factory=list)

    @property
    def locks(self) -> set[Lock]:
        """The rows that must be had for anything to be written."""
        return {("account", a) for a in self.accounts_read} | {("group", g) for g in self.groups_read}


@dataclass(frozen=True, slots=True)
class Held:
    """What stood in the way of a write: rows that others hold, and rows that others have changed since the read."""

    busy: set[Lock]
    changed: set[Lock]

    @property
    def written(self) -> bool:
        """Whether nothing stood in the way: it is committed."""
        return not self.busy and not self.changed


class DeskSql:
    """The two statements over one engine in autocommit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._driver: Any = None

    async def read(self, wanted: Sequence[Wanted], now: datetime) -> Sequence[Any]:
        """One row for each of `wanted`, in their order, from one snapshot."""
        return await self._all(_READ, _json(wanted), now)

    async def read_orders(self, keys: Sequence[tuple[str, str]]) -> Sequence[Any]:
        """The orders of `keys` (segment, reference) that exist."""
        asked = [{"segment": segment, "order_ref": order_ref} for segment, order_ref in keys]
        return [row["ordered"] for row in await self._all(_READ_ORDERS, _json(asked))]

    async def read_quotes(self, on: Any) -> Sequence[Any]:
        """The latest exchange rate of every pair on or before a day."""
        return await self._all(_READ_QUOTES, on)

    async def write(self, writes: Writes) -> Held:
        """Writes all or nothing: everything only if all rows could be locked at the versions they were read at."""
        waking = (writes.freed, writes.referring, new_id(writes.now)) if writes.freed else ()
        held = await self._all(
            _WRITE_AND_WAKE if waking else _WRITE,
            list(writes.accounts_read.keys()),
            list(writes.accounts_read.values()),
            list(writes.groups_read.keys()),
            list(writes.groups_read.values()),
            _json(writes.accounts),
            _json(writes.groups),
            _json(writes.ledger),
            _json(writes.new_orders),
            _json(writes.orders),
            [order["segment"] for order in writes.orders],
            [order["order_ref"] for order in writes.orders],
            writes.superseded,
            _json(writes.checks),
            writes.facts,
            writes.answers,
            _json(writes.keys),
            writes.now,
            _json(writes.events),
            *waking,
        )
        locked = {(row["kind"], row["id"]) for row in held}
        return Held(
            busy=writes.locks - locked,
            changed={(row["kind"], row["id"]) for row in held if not row["unchanged"]},
        )

    async def close(self) -> None:
        """Gives the connection back; the next statement takes one anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._driver.is_closed():
                await connection.invalidate()
            await connection.close()

    async def _all(self, statement: str, *parameters: Any) -> Sequence[Any]:
        """Runs a statement on the driver's own connection, which the desk keeps.

        SQLAlchemy opens it with all that the engine says, but stays out of each statement: its adapters would cost
        one client's check as much as deciding it.
        """
        if self._connection is None or self._driver.is_closed():
            await self.close()
            connection = await self._engine.connect()
            self._driver = (await connection.get_raw_connection()).driver_connection
            self._connection = connection
        rows: Sequence[Any] = await self._driver.fetch(statement, *parameters)
        return rows


def _json(rows: Sequence[Any]) -> str:
    return orjson.dumps(rows, default=str).decode()
