"""`headroom migrate`: the newest schema."""

from __future__ import annotations

import asyncio

import typer

from app.cli.environment import bring_up_to_date, database, load_settings
from app.infra.db import migrating

COMMANDS = typer.Typer()


@COMMANDS.command()
def migrate() -> None:
    """Bring the database to the newest schema; waits while another process does."""
    with database(load_settings()) as ready:
        asyncio.run(bring_up_to_date(ready))
    typer.echo(f"at revision {migrating.head()}")
