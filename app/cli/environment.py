"""What every command needs: the settings, and a database that is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import typer
from pydantic import ValidationError

from app.domains.policies import service as policies
from app.infra.clock import SystemClock, new_id
from app.infra.db import embedded, migrating
from app.infra.db.engine import make_engine, make_sessions
from app.infra.logging import configure_logging
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM
from app.reactions import REACTIONS
from app.settings import PREFIX, Settings
from app.support.journal import service as journal

EXIT_USAGE = 2


def load_settings(**given: Any) -> Settings:
    """The settings from the environment, with what was `given` on the command line; logging is set up by them."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for fault in error.errors():
            name = PREFIX + str(fault["loc"][0]).upper() if fault["loc"] else "settings"
            typer.echo(f"{name}: {fault['msg'].removeprefix('Value error, ')}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    configure_logging(settings.log_format, settings.log_level)
    return settings


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """`settings` with a database: the server they name, or an embedded one that stops when its last user leaves."""
    if settings.database_url:
        yield settings
        return
    with embedded.running(settings.data_dir) as server:
        yield settings.model_copy(update={"database_url": server.url})


async def bring_up_to_date(settings: Settings) -> None:
    """The newest schema, and the deployment's time zone for every segment that has none of its own."""
    assert settings.database_url, "use it within `database(…)`"
    await migrating.upgrade(settings.database_url)
    async with system_transaction(settings) as tx:
        await policies.set_default_time_zone(tx, time_zone=settings.time_zone)


@asynccontextmanager
async def transactions_of(settings: Settings) -> AsyncIterator[Transactions]:
    """What a command begins its transactions with."""
    assert settings.database_url, "use it within `database(…)`"
    engine = make_engine(settings.database_url, pool_size=1, application_name="headroom command")
    try:
        yield Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions=REACTIONS)
    finally:
        await engine.dispose()


@asynccontextmanager
async def system_transaction(settings: Settings) -> AsyncIterator[Transaction]:
    """A transaction of the system's own, for commands."""
    async with transactions_of(settings) as transactions:
        request_id = f"command:{new_id(transactions.clock.now())}"
        async with transactions.begin(actor=SYSTEM, request_id=request_id) as tx:
            yield tx
