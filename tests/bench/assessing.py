"""A run over a portfolio, against reading the same facts and writing one row a customer in SQL.

`python -m tests.bench.assessing URL` is the process that is measured: it assesses everybody once and says in how many
seconds, and how much memory it took at most.
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

from app.domains.assessments import jobs
from app.domains.assessments import service as assessments
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

ITEMS: Final = 5
LATE_DAYS: Final = ITEMS + 1
"""By more days than the items lie apart, so that no rung meets another on its way."""
ROUNDS: Final = 3
PORTFOLIO: Final = "P"

_RECORD: Final = f"""
    insert into credit_records (id, record_id, customer_id, kind, ref, segment, version, valid_on, source, independence,
                                content, entered_by, known_at)
    select uuidv7(), uuidv7(), customer_id, '{{kind}}', {{ref}}, {{segment}}, 1, {{valid_on}}, '{{source}}',
           '{{independence}}', {{content}}, 'bench', now()
      from customers{{rows}} where customer_id like '{PORTFOLIO}%'"""
_STATEMENTS: Final = _RECORD.format(
    kind="financial_statement",
    ref="(current_date - 100 - 365 * n)::text",
    segment="null",
    valid_on="current_date - 100 - 365 * n",
    source="accounts",
    independence="audited",
    rows=", generate_series(0, 2) n",
    content="""jsonb_build_object(
        'period_end', current_date - 100 - 365 * n, 'currency', 'CNY', 'months', 12, 'audited', true,
        'figures', jsonb_build_object(
            'revenue', '2000000', 'ebit', '130000', 'interest_expense', '12000', 'net_income', '90000',
            'depreciation', '40000', 'total_assets', '1500000', 'current_assets', '800000', 'receivables', '300000',
            'inventory', '250000', 'current_liabilities', '500000', 'total_liabilities',
            (600000 + 300000 * random())::int::text, 'retained_earnings', '300000'))""",
)
_REPORTS: Final = _RECORD.format(
    kind="credit_report",
    ref="'agency/1'",
    segment="null",
    valid_on="current_date - 30",
    source="agency",
    independence="agency",
    rows="",
    content="""jsonb_build_object(
        'agency', 'agency', 'report_ref', '1', 'reported_on', current_date - 30, 'score', '61',
        'scale', jsonb_build_object('min', '0', 'max', '100', 'higher_is_better', true))""",
)
_COVERS: Final = _RECORD.format(
    kind="cover",
    ref="'policy'",
    segment="'main'",
    valid_on="current_date - 60",
    source="insurer",
    independence="agency",
    rows="",
    content="""jsonb_build_object(
        'provider', 'insurer', 'kind', 'insurance', 'status', 'approved', 'amount', jsonb_build_object(
            'amount', '50000', 'currency', 'CNY'), 'insured_percent', '90', 'valid_from', current_date - 60)""",
)
_MAKE_LATE: Final = (
    f"update open_items set due_on = due_on - {LATE_DAYS}",
    f"update due_rungs set due_on = due_on - {LATE_DAYS}",
)
_FORGET: Final = (
    "truncate assessments, assessment_runs, account_reviews",
    "update accounts set grade = null, assessed_on = null",
    "vacuum (analyze)",
)
_PLAIN: Final = """
    create temporary table scores as
    select a.id, a.customer_id, a.segment, r.file, i.open, i.days_late, i.items
      from accounts a
      join lateral (select jsonb_agg(jsonb_build_object('kind', kind, 'content', content)) as file
                      from credit_records where customer_id = a.customer_id and superseded_at is null) r on true
      join lateral (select sum(open_amount) as open, max(current_date - due_on) as days_late,
                           jsonb_agg(jsonb_build_object('due_on', due_on, 'amount', amount)) as items
                      from open_items where customer_id = a.customer_id and segment = a.segment) i on true"""


def portfolio(count: int) -> Customers:
    """Customers with open items; `measure` makes some late, and files statements, reports and covers."""
    return Customers(PORTFOLIO, count, items=ITEMS)


def measure(server: EmbeddedServer, effort: Effort, *, customers: int) -> Result:
    """Makes runs, each over all customers; the line says the most memory that one took."""
    asyncio.run(execute(server, _STATEMENTS, _REPORTS, _COVERS, *_MAKE_LATE, "vacuum (analyze)"))
    peaks: list[float] = []

    def ours() -> float:
        asyncio.run(execute(server, *_FORGET))
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.assessing", server.url], capture_output=True, text=True, check=True
        )
        run = json.loads(done.stdout)
        assert run["assessed"] > customers, run
        assert not run["failed"], run
        peaks.append(run["megabytes"])
        return customers / float(run["seconds"])

    found = compare(
        Effort(min(effort.rounds, ROUNDS), effort.seconds),
        f"assessment of {customers:,} customers: read, score, write assessment, grade, review, events",
        "one SQL statement that reads the same facts",
        unit="customers/s",
        ours=ours,
        theirs=lambda: customers / asyncio.run(execute(server, _PLAIN)),
        goal=Goal(0.005, 0.01, at_least=True),
    )
    return replace(found, name=f"{found.name}; at most {max(peaks):,.0f} MB")


async def assess(url: str) -> dict[str, Any]:
    """Assesses the portfolio, as the job and the command do."""
    engine = make_engine(url, pool_size=2)
    transactions = Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions=REACTIONS)

    def begin() -> Any:
        return transactions.begin(actor=SYSTEM, request_id="bench")

    began = time.perf_counter()
    async with begin() as tx:
        run = await assessments.start_run(tx, working=True)
    done = await jobs.work(begin, run.id)
    seconds = time.perf_counter() - began
    await engine.dispose()
    assert done is not None
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"assessed": done.assessed, "failed": done.failed, "seconds": seconds, "megabytes": megabytes}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(assess(sys.argv[1]))))
