"""Migrations on large tables: none keeps the service waiting, and none takes away what the release before it needs.

pytest tests/infra/test_migration_locks.py -m soak      with a million rows in each table (some minutes)
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event

from app.infra.background import meanwhile
from app.infra.clock import stopwatch
from app.infra.db import migrating
from tests.support.cluster import Cluster, libpq

BASE: Final = "orders"
"""The revision at which the tables are filled; the migrations behind it are tried."""
ROWS: Final = 2_000
ROWS_SOAKED: Final = 1_000_000
BLOCKED_SECONDS_MAX: Final = 1.0
LOOK_SECONDS: Final = 0.005

CUSTOMERS: Final = """
    insert into customers (customer_id, name, country, terms_kind, net_days, due_from, discount_percent, discount_days,
                           version, created_at, updated_at)
    select 'C' || n, 'Customer ' || n, 'CN', 'account', 30, 'invoice', 0, 0, 1, now(), now()
      from generate_series(1, $1::int) n"""
ACCOUNTS: Final = """
    insert into accounts (id, customer_id, segment, currency, version, receivables, fresh_until, basis, opened_at,
                          changed_at)
    select uuidv7(), 'C' || n, 'main', 'CNY', 1, 100, now(), '', now(), now() from generate_series(1, $1::int) n"""
LEDGER: Final = """
    insert into ledger (account_id, seq, at, component, amount, balance, due_on, source_type, source_ref)
    select id, 1, now(), 'receivables', 100, 100, current_date, 'invoice', customer_id from accounts"""
RUNGS: Final = "insert into due_rungs (account_id, due_on, amount) select id, current_date, 100 from accounts"
ORDERS: Final = """
    insert into commitments (segment, order_ref, account_id, customer_id, currency, account_currency, rate, state,
                             approved, shipped, invoiced, waived, held, open_amount, delivered_amount, held_amount,
                             created_at, changed_at)
    select 'main', customer_id, id, customer_id, 'CNY', 'CNY', 1, 'invoiced', 100, 100, 100, 0, 0, 0, 0, 0, now(),
           now()
      from accounts"""
CHECKS: Final = """
    insert into credit_checks (id, account_id, customer_id, segment, order_ref, checkpoint, amount, currency, outcome,
                               codes, policy_version, policy_profile, caller, caller_name, decided_at, facts, answer,
                               review, changed_at)
    select uuidv7(), id, customer_id, 'main', customer_id, 'order', 100, 'CNY', 'approved', '{}', 1, 'default', 'k',
           'k', now(), '{}', '{}', 'none', now()
      from accounts"""
SHIPMENTS: Final = """
    insert into shipments (segment, shipment_ref, order_ref, customer_id, amount, currency, already_left, shipped_at,
                           shipped_by, changed_at)
    select 'main', customer_id, customer_id, customer_id, 100, 'CNY', false, now(), 'k', now() from accounts"""
ITEMS: Final = """
    insert into open_items (id, segment, invoice_no, customer_id, account_id, kind, currency, account_currency, rate,
                            amount, open_amount, account_open_amount, status, issued_on, due_on, orders, fingerprint,
                            entered_by, entered_at, changed_at)
    select uuidv7(), 'main', customer_id, customer_id, id, 'invoice', 'CNY', 'CNY', 1, 200, 100, 100, 'partly_paid',
           current_date, current_date, '[]', '', 'k', now(), now()
      from accounts"""
PAYMENTS: Final = """
    insert into payments (id, segment, payment_ref, customer_id, account_id, currency, account_currency, rate, amount,
                          open_amount, account_open_amount, status, received_on, fingerprint, entered_by, entered_at,
                          changed_at)
    select uuidv7(), 'main', customer_id, customer_id, id, 'CNY', 'CNY', 1, 100, 0, 0, 'posted', current_date, '', 'k',
           now(), now()
      from accounts"""
ALLOCATIONS: Final = """
    insert into allocations (id, item_id, payment_id, amount, cash_amount, discount, effective_on, made_by, made_at)
    select uuidv7(), i.id, p.id, 100, 100, 0, current_date, 'k', now()
      from open_items i join payments p on p.customer_id = i.customer_id"""
EVENTS: Final = """
    insert into events (at, type, actor, actor_kind, request_id, segment, customer_id, subject_type, subject_id,
                        before, after)
    select now(), 'invoice_posted', 'k', 'service', '', 'main', customer_id, 'invoice', customer_id, '{}', '{}'
      from accounts"""
SEALS: Final = "insert into event_seals (seq, event_id, sealed_at, leaf) select id, id, now(), '' from events"
KEYS: Final = """
    insert into idempotency_keys (principal_id, key, fingerprint, status, body, media_type, created_at)
    select 'k', customer_id, '', 201, '{}', 'application/json', now() from accounts"""
FILLED: Final = (
    *(CUSTOMERS, ACCOUNTS, LEDGER, RUNGS, ORDERS, CHECKS, SHIPMENTS),
    *(ITEMS, PAYMENTS, ALLOCATIONS, EVENTS, SEALS, KEYS),
)

BLOCKING: Final = """
    select c.relname from pg_locks l
      join pg_class c on c.oid = l.relation
      join pg_stat_activity a on a.pid = l.pid
     where a.application_name = 'headroom migrate' and l.granted and c.relkind = 'r' and c.reltuples > 0
       and l.database = (select oid from pg_database where datname = current_database())
       and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"""
"""The tables that hold something and that nobody can write to, for the sake of the migration that runs."""
TAKES_AWAY: Final = re.compile(
    r"\b(drop\s+(table|column)|rename\s+(to|column)|alter\s+column\s+\S+\s+(type|set\s+not\s+null))", re.IGNORECASE
)


_MOVED: Final = re.compile(r"update alembic_version set version_num='(\w+)'", re.IGNORECASE)


@dataclass(slots=True)
class Watch:
    """How long each table was blocked at a stretch, at most: seconds by the revision before and the table."""

    blocked: dict[tuple[str, str], float] = field(default_factory=dict)

    async def look(self, connection: asyncpg.Connection) -> None:
        """Looks again and again, until cancelled."""
        since: dict[str, float] = {}
        while True:
            names = {row["relname"] for row in await connection.fetch(BLOCKING)}
            now, before = stopwatch(), await connection.fetchval("select version_num from alembic_version")
            since = {name: since.get(name, now) for name in names}
            for name, began in since.items():
                key = (before, name)
                self.blocked[key] = max(self.blocked.get(key, 0.0), now - began)
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def filled(cluster: Cluster, rows: int) -> AsyncIterator[str]:
    """A database as it was at `BASE`, with so many rows in each table."""
    url = await cluster.create(template="template1")
    try:
        await migrating.upgrade(url, to=BASE)
        connection = await asyncpg.connect(libpq(url))
        await connection.execute("set synchronous_commit = off")
        for statement in FILLED:
            await connection.execute(statement, *([rows] if "$1" in statement else []), timeout=600)
        await connection.execute("vacuum analyze", timeout=600)
        await connection.close()
        yield url
    finally:
        await cluster.drop(url)


@contextmanager
def statements_of_migrations() -> Iterator[list[str]]:
    """What is executed inside the block."""
    said: list[str] = []

    def note(*arguments: Any) -> None:
        said.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def blocked_while_migrating(url: str) -> dict[tuple[str, str], float]:
    """Migrates to the head; seconds for which each table was blocked at a stretch."""
    watch = Watch()
    connection = await asyncpg.connect(libpq(url))
    async with meanwhile(watch.look(connection), name="watch"):
        await asyncio.sleep(LOOK_SECONDS)
        await migrating.upgrade(url)
    await connection.close()
    return watch.blocked


def too_long(blocked: Mapping[tuple[str, str], float]) -> Sequence[str]:
    """Which tables were blocked for too long, and by which migration."""
    steps = {script.down_revision: script.revision for script in _scripts().walk_revisions()}
    return [
        f"{table} for {seconds:.1f} s by {steps[before]}"
        for (before, table), seconds in sorted(blocked.items())
        if seconds > BLOCKED_SECONDS_MAX
    ]


def taking_away(said: Sequence[str]) -> Sequence[str]:
    """The statements that take away what the release before needs, each with its migration."""
    found: list[str] = []
    since: list[str] = []
    for statement in said:
        if moved := _MOVED.search(statement):
            found += [f"{moved[1]}: {one}" for one in since]
            since = []
        elif TAKES_AWAY.search(statement):
            since.append(statement)
    return found


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrating.MIGRATIONS))
    return ScriptDirectory.from_config(config)


class TestEachMigration:
    async def test_lets_others_write_within_a_second_and_takes_nothing_away(self, cluster: Cluster) -> None:
        async with filled(cluster, ROWS) as url:
            with statements_of_migrations() as said:
                blocked = await blocked_while_migrating(url)
        assert any(_MOVED.search(statement) for statement in said), "migrations ran"
        assert taking_away(said) == []
        assert too_long(blocked) == []

    @pytest.mark.soak
    @pytest.mark.timeout(3600)
    async def test_lets_others_write_within_a_second_also_with_a_million_rows(self, cluster: Cluster) -> None:
        async with filled(cluster, ROWS_SOAKED) as url:
            blocked = await blocked_while_migrating(url)
        print({f"{table} behind {before}": round(seconds, 2) for (before, table), seconds in sorted(blocked.items())})
        assert too_long(blocked) == []


class TestTheRule:
    @pytest.mark.parametrize(
        "statement",
        [
            "drop table accounts",
            "ALTER TABLE accounts DROP COLUMN basis",
            "alter table accounts rename to konten",
            "alter table accounts alter column basis type integer",
            "ALTER TABLE accounts ALTER COLUMN basis SET NOT NULL",
        ],
    )
    def test_sees_what_takes_away(self, statement: str) -> None:
        moved = "UPDATE alembic_version SET version_num='later' WHERE alembic_version.version_num = 'head'"
        assert taking_away([statement, moved]) == [f"later: {statement}"]

    def test_says_which_migration_blocked_what(self) -> None:
        assert too_long({(BASE, "events"): 1.5, (BASE, "accounts"): 0.5}) == ["events for 1.5 s by exceptional"]


class TestTheWatch:
    async def test_sees_what_blocks(self, cluster: Cluster) -> None:
        async with filled(cluster, ROWS) as url:
            watch = Watch()
            one, other = await asyncpg.connect(libpq(url)), await asyncpg.connect(libpq(url))
            await one.execute("set application_name = 'headroom migrate'")
            async with meanwhile(watch.look(other), name="watch"), one.transaction():
                await one.execute("lock table accounts in share mode")
                await asyncio.sleep(0.3)
            await one.close()
            await other.close()
        assert watch.blocked[BASE, "accounts"] > 0.1
