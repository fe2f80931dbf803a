"""`headroom verify`: proves that account totals = ledger = sum of documents."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from typing import Annotated, Final

import typer
from sqlalchemy.exc import SQLAlchemyError

from app.cli.environment import EXIT_USAGE, database, load_settings
from app.domains.monitoring import service as monitoring
from app.domains.monitoring.core.drift import Drift
from app.infra.clock import SystemClock
from app.infra.db import migrating
from app.infra.db.embedded import EmbeddedServerError
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM
from app.settings import Settings
from app.support.journal import service as journal

COMMANDS = typer.Typer()

EXIT_DRIFT: Final = 1
EXIT_UNABLE: Final = EXIT_USAGE


class Unable(Exception):
    """The proof can't be made; the message says why."""


@COMMANDS.command()
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line; the last is the summary.")] = False,
) -> None:
    """Prove every account: totals = ledger = sum of documents. Exits with 1 on drift, 2 if it can't tell.

    Repairs nothing, and keeps nobody from working: each batch of accounts is read as it was at one instant.
    """
    try:
        settings = load_settings()
        _check_there(settings)
        with database(settings) as ready:
            tally = asyncio.run(_prove(ready, as_json=as_json))
    except (Unable, SQLAlchemyError, OSError, EmbeddedServerError) as error:
        typer.echo(f"can't verify: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(EXIT_UNABLE) from None
    if tally.failing:
        raise typer.Exit(EXIT_DRIFT)


def _check_there(settings: Settings) -> None:
    """Refuses to make an empty embedded database only to find nothing in it."""
    if settings.database_url is None and not settings.data_dir.is_dir():
        raise Unable(f"there is no database in {settings.data_dir}, and HEADROOM_DATABASE_URL is not set")


async def _prove(settings: Settings, *, as_json: bool) -> monitoring.Tally:
    assert settings.database_url, "use it within `database(…)`"
    engine = make_engine(settings.database_url, pool_size=1, application_name="headroom verify")
    transactions = Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions={})

    def begin() -> AbstractAsyncContextManager[Transaction]:
        return transactions.begin(actor=SYSTEM, request_id="verify")

    tally = monitoring.Tally()
    try:
        async with engine.connect() as connection:
            found, needed = await migrating.current(connection), migrating.head()
        if found != needed:
            raise Unable(f"the schema is at {found or 'nothing'}, not at {needed}: run `headroom migrate`")
        async for proof in monitoring.prove_all(begin):
            tally.add(proof)
            for drift in proof.drifts:
                typer.echo(json.dumps(asdict(drift), ensure_ascii=False) if as_json else _line(drift))
    finally:
        await engine.dispose()
    typer.echo(_summary(tally, as_json=as_json))
    return tally


def _line(drift: Drift) -> str:
    place = f"{drift.customer_id} in {drift.segment}"
    return f"{place}: {drift.kind} ({drift.subject}): expected {drift.expected}, found {drift.found}"


def _summary(tally: monitoring.Tally, *, as_json: bool) -> str:
    failing = {kind.value: count for kind, count in tally.failing.items()}
    if as_json:
        return json.dumps({"accounts": tally.accounts, "groups": tally.groups, "failing": failing})
    proved = f"proved accounts: {tally.accounts:,}, groups: {tally.groups:,}; "
    if not failing:
        return proved + "totals = ledger = documents"
    return proved + ", ".join(f"{count} fail {kind}" for kind, count in failing.items())
