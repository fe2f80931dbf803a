"""The desk's two statements stay keyed look-ups, however the tables grow under plans made while they were empty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domains.orders.core.facts import CheckRequest
from app.domains.orders.desk import Desk
from app.domains.orders.records import Question
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from tests.support.business import open_account

CUSTOMERS = [f"C{number}" for number in range(20)]
CHECKS = 1_000
AT_ONCE = 100
GROWN_BY = 50_000
ROWS_OF_A_BLOCK = 10
MORE_BLOCKS_AT_MOST = 3
"""An index over 50,000 rows is a level or two deeper than one over 1,000; a scan would touch hundreds of times more."""

OWN_KEYS = {
    "credit_checks": "'id', gen_random_uuid(), 'order_ref', 'G' || n",
    "commitments": "'order_ref', 'G' || n, 'customer_id', 'G' || n",
    "ledger": "'seq', 1000000 + n",
    "idempotency_keys": "'key', 'G' || n",
    "events": "'id', 1000000 + n",
}
"""The tables that grow with every check, and what tells one of their rows from another."""


@pytest_asyncio.fixture(loop_scope="session")
async def desk(app: FastAPI, transactions: Transactions, engine: AsyncEngine) -> AsyncIterator[Desk]:
    """A desk that has decided nothing yet: its plans will be made on tables that PostgreSQL knows to be empty."""
    for customer_id in CUSTOMERS:
        await open_account(transactions, customer_id, limit="900000000.00")
    await gather_statistics(engine, "vacuum (analyze)")
    found: Desk = app.state.desk
    yield found


async def gather_statistics(engine: AsyncEngine, statement: str) -> None:
    """What autovacuum does at moments of its own choice."""
    async with engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text(statement))


UNDER_REVIEW = (
    "'id', gen_random_uuid(), 'order_ref', 'R' || n, 'customer_id', 'R' || n, 'outcome', 'referred', 'review', 'open',"
    " 'review_until', '2100-01-01'"
)


async def decide(desk: Desk, *, prefix: str, amount: int = 10) -> None:
    """Decides a thousand checks, each of an order of its own, a hundred at once."""
    asked = [
        Question(
            request=CheckRequest(CUSTOMERS[n % len(CUSTOMERS)], "main", f"{prefix}{n}", Decimal(amount), "CNY"),
            caller="test",
            actor=SYSTEM,
            request_id="test",
            key=f"{prefix}{n} {amount}",
            fingerprint=n.to_bytes(32, "big"),
        )
        for n in range(CHECKS)
    ]
    for first in range(0, CHECKS, AT_ONCE):
        await asyncio.gather(*(desk.decide(question) for question in asked[first : first + AT_ONCE]))


async def grow(engine: AsyncEngine, **other: str) -> None:
    """Copies one row of each table, all for one account: the worst that a large customer can be."""
    async with engine.begin() as connection:
        for table, own in (OWN_KEYS | other).items():
            await connection.execute(
                text(
                    f"insert into {table} overriding system value select copy.*"
                    f" from (select t as one from {table} t limit 1) pattern, generate_series(1, {GROWN_BY}) n,"
                    f" lateral jsonb_populate_record(pattern.one, jsonb_build_object({own})) copy"
                )
            )
        await connection.execute(text("select pg_stat_force_next_flush()"))


async def effort(desk: Desk, engine: AsyncEngine) -> int:
    """The blocks touched until now; the desk's connection is told to report its own at once."""
    await desk._sql._all("select pg_stat_force_next_flush()")
    async with engine.connect() as connection:
        return int(await connection.scalar(text(BLOCKS), {"tables": list(OWN_KEYS)}) or 0)


BLOCKS = """
    select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)
      from pg_statio_user_tables where relname = any(:tables)"""


class TestPlans:
    async def test_touch_hardly_more_blocks_when_the_tables_have_grown(self, desk: Desk, engine: AsyncEngine) -> None:
        began = await effort(desk, engine)
        await decide(desk, prefix="EARLY")
        early = await effort(desk, engine) - began
        await grow(engine)
        grown = await effort(desk, engine)
        await decide(desk, prefix="LATE")
        late = await effort(desk, engine) - grown
        assert early > CHECKS
        assert late < MORE_BLOCKS_AT_MOST * early

    @pytest.mark.parametrize("known", ["nothing", "that checks exist", "that checks exist and none waits"])
    async def test_touch_hardly_more_where_orders_are_lowered_and_many_wait(
        self, desk: Desk, engine: AsyncEngine, known: str
    ) -> None:
        """Batches that free something look for waiting orders: of their own accounts only.

        Whatever PostgreSQL knows of the table when it makes the plan: it counts and samples rows when it likes.
        """
        await decide(desk, prefix="LOWER", amount=30)
        if known != "nothing":
            await gather_statistics(engine, "vacuum (analyze)" if known.endswith("waits") else "analyze")
        began = await effort(desk, engine)
        await decide(desk, prefix="LOWER", amount=20)
        early = await effort(desk, engine) - began
        await grow(engine, credit_checks=UNDER_REVIEW)
        grown = await effort(desk, engine)
        await decide(desk, prefix="LOWER", amount=10)
        assert await effort(desk, engine) - grown < MORE_BLOCKS_AT_MOST * early

    async def test_would_be_found_out_if_they_scanned(self, desk: Desk, engine: AsyncEngine) -> None:
        await decide(desk, prefix="ONE")
        await grow(engine)
        began = await effort(desk, engine)
        await desk._sql._all("select count(*) from credit_checks where facts like 'x%'")
        assert await effort(desk, engine) - began > GROWN_BY / ROWS_OF_A_BLOCK


pytestmark = pytest.mark.slow
