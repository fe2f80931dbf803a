"""The other yardstick: pgbench writing the six rows of a check by one prepared statement, 16 clients at once."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path
from typing import Final

import asyncpg

from app.infra.db.embedded import EmbeddedServer
from tests.bench.company import Customers

CLIENTS: Final = 16
_RATE: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_FAILED: Final = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)
_GRACE_SECONDS: Final = 60

_STATEMENT: Final = """
\\set number random(1, {customers})
with account as (
    update accounts set version = version + 1, open_orders = open_orders + 100, changed_at = now()
     where customer_id = '{prefix}' || :number and segment = 'main'
    returning id, customer_id, segment, version, open_orders
), posted as (
    insert into ledger (account_id, seq, at, component, amount, balance, source_type, source_ref)
    select id, version, now(), 'open_orders', 100, open_orders, 'credit_check', gen_random_uuid() from account
), committed as (
    insert into commitments (segment, order_ref, account_id, customer_id, currency, account_currency, rate, state,
           approved, shipped, invoiced, waived, held, open_amount, delivered_amount, held_amount, expires_at,
           created_at, changed_at)
    select segment, 'PGB-' || gen_random_uuid(), id, customer_id, 'CNY', 'CNY', 1, 'open', 100, 0, 0, 0, 0, 100, 0, 0,
           now() + interval '30 days', now(), now() from account
), checked as (
    insert into credit_checks (id, account_id, customer_id, segment, order_ref, checkpoint, amount, currency, outcome,
           codes, policy_version, policy_profile, caller, caller_name, decided_at, facts, answer, review, changed_at)
    select uuidv7(), id, customer_id, segment, 'PGB', 'order', 100, 'CNY', 'approved', '{{}}', 1, 'default', 'pgbench',
           'pgbench', now(), {facts}, {answer}, 'none', now() from account
), kept as (
    insert into idempotency_keys (principal_id, key, fingerprint, status, body, media_type, created_at)
    select 'pgbench', gen_random_uuid(), decode(repeat('ab', 32), 'hex'), 201, convert_to({answer}, 'UTF8'),
           'application/json', now() from account
)
insert into events (at, type, actor, actor_kind, request_id, segment, customer_id, subject_type, subject_id, before,
       after)
select now(), 'credit_check_approved', 'pgbench', 'service', gen_random_uuid(), segment, customer_id, 'credit_check',
       gen_random_uuid(), '{{}}', {after}::jsonb from account;
"""


async def script(server: EmbeddedServer, customers: Customers) -> str:
    """The script for pgbench, with the texts of the last real check in it: both write the same bytes."""
    connection = await asyncpg.connect(server.dsn)
    try:
        check = await connection.fetchrow("select facts, answer from credit_checks order by id desc limit 1")
        after = await connection.fetchval("select after::text from events order by id desc limit 1")
    finally:
        await connection.close()
    assert check is not None, "checks have been decided before"
    texts = {"facts": check["facts"], "answer": check["answer"], "after": after}
    quoted = {name: _QUOTE.format(base64.b64encode(text.encode()).decode()) for name, text in texts.items()}
    variable, _, statement = _STATEMENT.strip().partition("\n")
    return "\n".join(
        (
            variable.format(customers=customers.count),
            " ".join(statement.format(prefix=customers.prefix, **quoted).split()),
        )
    )


_QUOTE: Final = "convert_from(decode('{}', 'base64'), 'UTF8')"
"""In plain JSON, pgbench would take every colon before a letter or digit for a variable. The server decodes it once,
when it plans the prepared statement."""


def run(server: EmbeddedServer, statement: Path, *, seconds: float) -> float:
    """Transactions per second. Raises when any fails."""
    command = [server.program("pgbench"), "-n", "-M", "prepared", f"-c{CLIENTS}", "-j1", f"-T{max(round(seconds), 1)}"]
    done = subprocess.run(
        [*command, "-f", str(statement), server.dsn],
        capture_output=True,
        text=True,
        timeout=seconds + _GRACE_SECONDS,
        check=False,
    )
    rate, failed = _RATE.search(done.stdout), _FAILED.search(done.stdout)
    if done.returncode or rate is None or (failed is not None and int(failed[1])):
        raise RuntimeError(f"pgbench failed:\n{done.stdout}\n{done.stderr}")
    return float(rate[1])
