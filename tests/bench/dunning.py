"""A dunning run over overdue customers, against reading the same items and writing one row a customer in SQL.

`python -m tests.bench.dunning URL` is the process that is measured: it proposes one run and says in how many seconds,
and how much memory it took at most.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any, Final

from app.domains.dunning import service as dunning
from app.infra.clock import SystemClock
from app.infra.db.embedded import EmbeddedServer
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.reactions import REACTIONS
from app.support.journal import service as journal
from tests.bench.company import Customers
from tests.bench.measures import Effort, Goal, Result, compare
from tests.bench.statements import execute

ITEMS: Final = 2
OVERDUE_DAYS: Final = 40
ROUNDS: Final = 3
DEBTORS: Final = "D"

_MAKE_OVERDUE: Final = f"""
    update open_items set due_on = due_on - {OVERDUE_DAYS};
    update due_rungs set due_on = due_on - {OVERDUE_DAYS};
    update policy_versions set document = jsonb_set(document, '{{dunning,business_days}}', 'null');
    vacuum (analyze)"""
_FORGET: Final = (
    "truncate dunning_lines, dunning_documents, dunning_claims, dunning_skips, dunning_notices, dunning_runs"
)
_PLAIN: Final = """
    create temporary table reminders as
    select a.id, a.customer_id, a.segment, sum(i.open_amount) as amount, max(current_date - i.due_on) as days,
           jsonb_agg(jsonb_build_object('invoice_no', i.invoice_no, 'due_on', i.due_on)) as items
      from accounts a join open_items i on i.account_id = a.id and i.open_amount > 0 and i.kind <> 'credit_note'
     where i.due_on < current_date group by a.id"""


def debtors(count: int) -> Customers:
    """Customers with a few items each, all of them long overdue once `prepare` was here."""
    return Customers(DEBTORS, count, items=ITEMS)


def measure(server: EmbeddedServer, effort: Effort, *, customers: int) -> Result:
    """Proposes runs, each over all customers; the line says the most memory that one took."""
    asyncio.run(execute(server, *_MAKE_OVERDUE.split(";")))
    peaks: list[float] = []

    def ours() -> float:
        asyncio.run(execute(server, _FORGET))
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.dunning", server.url], capture_output=True, text=True, check=True
        )
        run = json.loads(done.stdout)
        assert run["notices"] == customers, run
        peaks.append(run["megabytes"])
        return customers / float(run["seconds"])

    found = compare(
        Effort(min(effort.rounds, ROUNDS), effort.seconds),
        f"dunning run over {customers:,} overdue customers: read, decide, write notices, lines, events",
        "one SQL statement that sums the same items up",
        unit="customers/s",
        ours=ours,
        theirs=lambda: customers / asyncio.run(execute(server, _PLAIN)),
        goal=Goal(0.002, 0.01, at_least=True),
    )
    return replace(found, name=f"{found.name}; at most {max(peaks):,.0f} MB")


async def propose(url: str) -> dict[str, Any]:
    """Proposes one run, a page a transaction, as the jobs do."""
    engine = make_engine(url, pool_size=2)
    transactions = Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions=REACTIONS)
    began = time.perf_counter()
    async with transactions.begin(actor=SYSTEM, request_id="bench") as tx:
        run_id = (await dunning.runs.propose(tx, segment="main", pages=1)).run.id
    more = True
    while more:
        async with transactions.begin(actor=SYSTEM, request_id="bench") as tx:
            more = await dunning.runs.go_on(tx, run_id=run_id)
    seconds = time.perf_counter() - began
    async with transactions.begin(actor=SYSTEM, request_id="bench") as tx:
        notices = (await dunning.runs.get(tx, run_id=run_id)).run.notices
    await engine.dispose()
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"notices": notices, "seconds": seconds, "megabytes": megabytes}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(propose(sys.argv[1]))))
