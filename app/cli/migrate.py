"""`headroom migrate`: the newest schema."""

from __future__ import annotations

import asyncio

import typer

from app.cli.environment import database, load_settings
from app.infra.db import migrating

COMMANDS = typer.Typer()


@COMMANDS.command()
def migrate() -> None:
    """Bring the database to the newest schema; waits while another process does."""
    with database(load_settings()) as ready:
        assert ready.database_url
        asyncio.run(migrating.upgrade(ready.database_url))
    typer.echo(f"at revision {migrating.head()}")
