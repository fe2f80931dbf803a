"""The company that the bench measures on: customers with limits, some with open items, made in the database itself.

Whatever is made here is what the use cases would have made: totals, ledger, ladders and documents agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import asyncpg

from app.cli.environment import bring_up_to_date, system_transaction
from app.domains.customers import service as customers
from app.domains.customers.core.customer import Particulars
from app.domains.exposure import service as exposure
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.settings import Settings
from tests.support.cluster import libpq

LIMIT: Final = Decimal(900_000_000_000)
"""So high that every check of the bench is approved: approvals write the most."""
FIRST: Final = "PROBE"


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers `<prefix>1` to `<prefix><count>`, each with as many open `items` of 100.00, due day after day.

    The oldest item is `late` days overdue.
    """

    prefix: str
    count: int
    items: int = 0
    late: int = 0

    def customer_id(self, number: int) -> str:
        """The customer with this number, counted from 1."""
        return f"{self.prefix}{number}"


async def found(settings: Settings, crowds: list[Customers]) -> None:
    """Migrates the database and settles `crowds` in it."""
    assert settings.database_url, "the bench has a database"
    await bring_up_to_date(settings)
    async with system_transaction(settings) as tx:
        await customers.put(tx, customer_id=FIRST, particulars=Particulars(name="Probe", country="CN"), contacts=())
        await exposure.open_account(tx, customer_id=FIRST, segment="main", currency="CNY")
        await exposure.set_limit(
            tx,
            customer_id=FIRST,
            segment="main",
            scope=LimitScope.OWN,
            kind=LimitKind.GRANTED,
            amount=LIMIT,
            reason="bench",
        )
    async with system_transaction(settings) as tx:
        await exposure.refresh(tx, keys=[(FIRST, "main")])
    await add(settings, crowds)


async def add(settings: Settings, crowds: list[Customers]) -> None:
    """Settles more customers, like the first one, and brings those who are late up to date."""
    assert settings.database_url, "the bench has a database"
    connection = await asyncpg.connect(libpq(settings.database_url))
    try:
        for crowd in crowds:
            async with connection.transaction():
                await connection.execute(_CUSTOMERS, crowd.prefix, crowd.count, FIRST)
                await connection.execute(_ACCOUNTS, crowd.prefix, crowd.count, crowd.items, FIRST)
                await connection.execute(_LIMITS, crowd.prefix, crowd.count, FIRST)
                if crowd.items:
                    await _add_items(connection, crowd)
        await connection.execute("vacuum (analyze)")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    for crowd in crowds:
        if crowd.late:
            async with system_transaction(settings) as tx:
                keys = [(crowd.customer_id(number), "main") for number in range(1, crowd.count + 1)]
                await exposure.refresh(tx, keys=keys)


async def _add_items(connection: asyncpg.Connection, crowd: Customers) -> None:
    for statement in (_ITEMS, _RUNGS, _LEDGER):
        await connection.execute(statement, crowd.prefix, crowd.count, crowd.items, 1 - crowd.late)


_CUSTOMERS: Final = """
    insert into customers (customer_id, name, country, terms_kind, net_days, due_from, discount_percent, discount_days,
                           version, created_at, updated_at)
    select $1 || n, 'Customer ' || n, f.country, f.terms_kind, f.net_days, f.due_from, f.discount_percent,
           f.discount_days, 1, f.created_at, f.updated_at
      from generate_series(1, $2::int) n, customers f where f.customer_id = $3"""

_ACCOUNTS: Final = """
    insert into accounts (id, customer_id, segment, currency, version, receivables, base_kind, base_amount, base_from,
                          fresh_until, basis, opened_at, changed_at)
    select uuidv7(), $1 || n, f.segment, f.currency, f.version + $3::int, 100 * $3::int, f.base_kind, f.base_amount,
           f.base_from, f.fresh_until, f.basis, f.opened_at, f.changed_at
      from generate_series(1, $2::int) n, accounts f where f.customer_id = $4"""

_LIMITS: Final = """
    insert into limits (id, account_id, scope, temporary, kind, amount, valid_from, reason, set_by, set_at)
    select uuidv7(), a.id, l.scope, l.temporary, l.kind, l.amount, l.valid_from, l.reason, l.set_by, l.set_at
      from generate_series(1, $2::int) n
      join accounts a on a.customer_id = $1 || n and a.segment = 'main'
     cross join (select * from limits join accounts f on f.id = limits.account_id and f.customer_id = $3) l"""

_ITEMS: Final = """
    insert into open_items (id, segment, invoice_no, customer_id, account_id, kind, currency, account_currency, rate,
                            amount, open_amount, account_open_amount, status, issued_on, due_on, orders, fingerprint,
                            entered_by, entered_at, changed_at)
    select uuidv7(), 'main', a.customer_id || '/' || i, a.customer_id, a.id, 'invoice', 'CNY', 'CNY', 1,
           100, 100, 100, 'open', current_date - 30, current_date + $4::int + i % 60, '[]', '', 'bench', now(), now()
      from generate_series(1, $2::int) n
      join accounts a on a.customer_id = $1 || n and a.segment = 'main'
     cross join generate_series(1, $3::int) i"""

_RUNGS: Final = """
    insert into due_rungs (account_id, due_on, amount)
    select a.id, current_date + $4::int + i % 60, 100 * count(*)
      from generate_series(1, $2::int) n
      join accounts a on a.customer_id = $1 || n and a.segment = 'main'
     cross join generate_series(1, $3::int) i
     group by 1, 2"""

# Of the day before yesterday, so that yesterday has something to report.
_LEDGER: Final = """
    insert into ledger (account_id, seq, at, component, amount, balance, due_on, source_type, source_ref)
    select a.id, a.version - $3::int + i, now() - interval '2 days', 'receivables', 100, 100 * i,
           current_date + $4::int + i % 60, 'invoice', a.customer_id || '/' || i
      from generate_series(1, $2::int) n
      join accounts a on a.customer_id = $1 || n and a.segment = 'main'
     cross join generate_series(1, $3::int) i"""


async def drift(database_url: str) -> int:
    """How many accounts differ from their ledger or from their documents: 0, or what was measured was wrong."""
    connection = await asyncpg.connect(libpq(database_url))
    try:
        return int(await connection.fetchval(_DRIFT))
    finally:
        await connection.close()


_DRIFT: Final = """
    with ledgers as (
        select account_id,
               sum(amount) filter (where component = 'receivables') as receivables,
               sum(amount) filter (where component = 'open_orders') as open_orders,
               max(seq) as seq
          from ledger group by account_id
    ), orders as (select account_id, sum(open_amount) as open_orders from commitments group by account_id
    ), items as (select account_id, sum(account_open_amount) as receivables from open_items group by account_id)
    select count(*)
      from accounts a
      left join ledgers l on l.account_id = a.id
      left join orders o on o.account_id = a.id
      left join items i on i.account_id = a.id
     where a.receivables <> coalesce(l.receivables, 0) or a.receivables <> coalesce(i.receivables, 0)
        or a.open_orders <> coalesce(l.open_orders, 0) or a.open_orders <> coalesce(o.open_orders, 0)
        or l.seq > a.version"""
