"""`headroom worker`: the periodic jobs, in a process of their own."""

from __future__ import annotations

import asyncio

import typer

from app.cli.environment import database, load_settings
from app.worker import run_worker

COMMANDS = typer.Typer()


@COMMANDS.command()
def worker() -> None:
    """Run the periodic jobs; of many workers and servers one at a time runs them."""
    with database(load_settings()) as ready:
        asyncio.run(run_worker(ready))
