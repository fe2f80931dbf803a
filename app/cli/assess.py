"""`headroom assess`: assess a whole portfolio, with progress; cut off, the worker or the next call goes on with it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Final
from uuid import UUID

import typer
from sqlalchemy.exc import SQLAlchemyError

from app.cli.environment import EXIT_USAGE, database, load_settings, transactions_of
from app.domains.assessments import jobs
from app.domains.assessments import service as assessments
from app.domains.assessments.core.runs import Run
from app.infra.db.embedded import EmbeddedServerError
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.identity import SYSTEM
from app.settings import Settings

COMMANDS = typer.Typer()
EXIT_FAILED: Final = 1


@COMMANDS.command()
def assess(
    everybody: Annotated[bool, typer.Option("--all", help="Every customer with an account; says that it is meant.")],
    stale: Annotated[
        bool, typer.Option(help="Only who was never assessed, is due, or was under another policy.")
    ] = False,
    segment: Annotated[str | None, typer.Option(help="Only in this segment.")] = None,
    resume: Annotated[UUID | None, typer.Option(help="Go on with this run instead of beginning one.")] = None,
) -> None:
    """Assess a portfolio. Exits with 1 if some could not be assessed, which `GET /v1/assessments/batch/{id}` names."""
    if not everybody:
        raise typer.BadParameter("say --all: it assesses every customer", param_hint="--all")
    try:
        with database(load_settings()) as ready:
            done = asyncio.run(_run(ready, stale=stale, segment=segment, resume=resume))
    except (Refusal, SQLAlchemyError, OSError, EmbeddedServerError) as error:
        typer.echo(f"can't assess: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    typer.echo(f"assessed {done.assessed:,}, skipped {done.skipped:,}, failed {done.failed:,}")
    if done.failed:
        raise typer.Exit(EXIT_FAILED)


async def _run(settings: Settings, *, stale: bool, segment: str | None, resume: UUID | None) -> Run:
    async with transactions_of(settings) as transactions:

        def begin() -> AbstractAsyncContextManager[Transaction]:
            return transactions.begin(actor=SYSTEM, request_id="assess")

        run_id = resume
        if run_id is None:
            async with begin() as tx:
                run_id = (await assessments.start_run(tx, segment=segment, stale_only=stale, working=True)).id
            typer.echo(f"run {run_id}")
        done = await jobs.work(begin, run_id, progress=_show)
        assert done is not None, "without an end of its time it comes to the end of the run"
        return done


def _show(run: Run) -> None:
    typer.echo(f"{run.looked_at:,} of {run.total:,}", err=True)
