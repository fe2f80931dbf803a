"""Who posts the batches of an import: this process, or for a large file several more.

Deciding a document costs Python more than it costs PostgreSQL, so one process can't keep the database busy. A process
of ours is given batches over a pipe and answers with what became of each entry. When the import ends, whatever ends it,
the pipe closes: the process completes the batch it has in hand, and ends too.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.environment import load_settings
from app.cli.imports.batches import OthersInTheWay, Poster
from app.cli.imports.dealing import SHARES, Hand
from app.cli.imports.outcomes import Result
from app.cli.imports.profile import Kind
from app.cli.imports.sorting import Entry
from app.infra.clock import SystemClock
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transactions
from app.kernel.identity import Actor
from app.main import settle_garbage
from app.reactions import REACTIONS
from app.support.auth.core.principals import Principal
from app.support.journal import service as journal

APPLICATION: Final = "headroom import"
LARGE_BYTES: Final = 4 * 1024 * 1024
"""From this size on a file is worth the start of further processes, some seconds each."""
PROCESSES_MAX: Final = SHARES
TAKING_TURNS: Final = 2
"""How many batches one process has under way: while the database works for one it prepares the other."""
END_SECONDS_MAX: Final = 60.0


class HandFailed(Exception):
    """A process of the import could not go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be known to post for an import; with a `principal`, only its segments may be posted to."""

    database_url: str
    kind: Kind
    actor: Actor
    principal: Principal | None
    dry_run: bool


def processes_for(size: int) -> int:
    """How many processes post the invoices of a file of so many bytes: one for each processor if it is large."""
    return 1 if size < LARGE_BYTES else min(os.cpu_count() or 1, PROCESSES_MAX)


@asynccontextmanager
async def hands(work: Work, *, processes: int) -> AsyncIterator[Sequence[Hand]]:
    """Those who post: this process with one, else so many further ones."""
    if processes == 1:
        engine = make_engine(work.database_url, pool_size=TAKING_TURNS, application_name=APPLICATION)
        try:
            yield [_poster(engine, work)] * TAKING_TURNS
        finally:
            await engine.dispose()
        return
    others = [_OtherProcess(work) for _ in range(processes)]
    try:
        yield others
    finally:
        await asyncio.gather(*(other.close() for other in others))


class _OtherProcess:
    """A hand in a process of its own."""

    def __init__(self, work: Work) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process: BaseProcess = spawning.Process(target=_post_for_another, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import")

    async def post(self, batch: Sequence[Entry]) -> Sequence[Result]:
        """What became of each entry of a batch. Raises `OthersInTheWay`, `HandFailed`."""
        answer = await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, batch)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Ends the process, after the batch that it has in hand."""
        await asyncio.to_thread(self._thread.shutdown)
        self._pipe.close()
        await asyncio.to_thread(self._process.join, END_SECONDS_MAX)

    def _ask(self, batch: Sequence[Entry]) -> Sequence[Result] | Exception:
        try:
            self._pipe.send(batch)
            found: Sequence[Result] | Exception = self._pipe.recv()
        except (EOFError, OSError):
            return HandFailed("a process of the import has ended")
        return found


def _post_for_another(pipe: Connection, work: Work) -> None:
    """What such a process does from its start to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks is interrupted, and closes the pipe
    load_settings()
    settle_garbage()
    engine = make_engine(work.database_url, pool_size=1, application_name=APPLICATION)
    poster = _poster(engine, work)
    with asyncio.Runner() as runner:
        while True:
            try:
                batch = pipe.recv()
            except EOFError:
                break
            answer = runner.run(_answer(poster, batch))
            try:
                pipe.send(answer)
            except OSError:
                break
        runner.run(engine.dispose())


async def _answer(poster: Poster, batch: Sequence[Entry]) -> Sequence[Result] | Exception:
    try:
        return await poster.post(batch)
    except OthersInTheWay as error:
        return error
    except (SQLAlchemyError, OSError) as error:
        return HandFailed(str(error).splitlines()[0])


def _poster(engine: AsyncEngine, work: Work) -> Poster:
    transactions = Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions=REACTIONS)
    return Poster(transactions, kind=work.kind, actor=work.actor, principal=work.principal, dry_run=work.dry_run)
