"""`headroom migrate`: the newest schema."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.environment import bring_up_to_date, database, load_settings, system_transaction
from app.infra.db import migrating
from app.kernel.errors import Refusal
from app.settings import Settings
from app.support.journal import service as journal

COMMANDS = typer.Typer()


@COMMANDS.command()
def migrate(
    grant: Annotated[
        str | None, typer.Option(help="Give this role of the database what servers and workers need, and no more.")
    ] = None,
) -> None:
    """Bring the database to the newest schema; waits while another process does."""

    async def run(settings: Settings) -> None:
        await bring_up_to_date(settings)
        if grant is not None:
            async with system_transaction(settings) as tx:
                await journal.grant(tx, role=grant)

    try:
        with database(load_settings()) as ready:
            asyncio.run(run(ready))
    except Refusal as refusal:
        typer.echo(f"{refusal.code}: {refusal.detail}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"at revision {migrating.head()}" + (f", for the role {grant}" if grant else ""))
