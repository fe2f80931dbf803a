"""`headroom journal`: looking after the journal."""

from __future__ import annotations

import asyncio

import typer

from app.cli.environment import database, load_settings, system_transaction
from app.settings import Settings
from app.support.journal import service as journal

COMMANDS = typer.Typer()
_journal = typer.Typer(help="Look after the journal.", no_args_is_help=True)
COMMANDS.add_typer(_journal, name="journal")


@_journal.command()
def rebase() -> None:
    """After the restore of a dump: go on in the transaction ids of the new server. Nothing else may be running."""

    async def run(settings: Settings) -> int:
        async with system_transaction(settings) as tx:
            return await journal.rebase(tx)

    with database(load_settings()) as ready:
        typer.echo(f"rebased the journal: {asyncio.run(run(ready))} events had no place yet and got one")
