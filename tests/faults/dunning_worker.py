"""A worker of dunning that is there to be killed: `python -m tests.faults.dunning_worker URL`.

For each line on its input (an instant) it forks a process that does the jobs of dunning over and over at that instant,
says its number, and says `gone` when it has been killed. A line that begins with `finish` makes one that ends itself.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime

from app.domains.dunning import jobs
from app.domains.dunning.adapters.carriers import Outbox
from app.domains.dunning.adapters.stationery import Stationery
from app.infra.clock import FrozenClock
from app.infra.db.engine import make_engine, make_sessions
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.reactions import REACTIONS
from app.support.journal import service as journal

ROUNDS_TO_FINISH = 3


def main() -> None:
    """Forks a worker for each line."""
    print("ready", flush=True)
    for line in sys.stdin:
        *finish, at = line.split()
        worker = os.fork()
        if worker == 0:
            asyncio.run(work(sys.argv[1], datetime.fromisoformat(at), ROUNDS_TO_FINISH if finish else 10**9))
            os._exit(0)
        print(worker, flush=True)
        os.waitpid(worker, 0)
        print("gone", flush=True)


async def work(url: str, at: datetime, rounds: int) -> None:
    """The jobs of dunning, so many times round."""
    engine = make_engine(url, pool_size=5)
    sessions = make_sessions(engine)
    transactions = Transactions(sessions, clock=FrozenClock(at), journal=journal.write, reactions=REACTIONS)
    run, outbox = Run(transactions, request_id="worker"), Outbox.of(Stationery())
    for _ in range(rounds):
        await jobs.begin_scheduled_runs(run)
        await jobs.go_on_with_runs(run)
        for job in jobs.delivery(outbox):
            await job.run(run)
        await jobs.go_on_with_runs(run)
    await engine.dispose()


if __name__ == "__main__":
    main()
