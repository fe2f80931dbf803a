"""`headroom serve`: the database if need be, the migrations, the API."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer
import uvicorn
from fastapi import FastAPI

from app.cli.environment import bring_up_to_date, database, load_settings, system_transaction
from app.main import create_app, settle_garbage
from app.settings import Settings
from app.support.auth import service as auth

COMMANDS = typer.Typer()

KEEP_ALIVE_SECONDS: Final = 75
SHUTDOWN_SECONDS: Final = 15


@COMMANDS.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65_535)] = None,
    worker: Annotated[bool | None, typer.Option("--worker/--no-worker", help="Run the periodic jobs here too.")] = None,
) -> None:
    """Serve the API; without HEADROOM_DATABASE_URL on an embedded PostgreSQL that starts and stops with it."""
    settings = load_settings(host=host, port=port, worker_in_server=worker)
    with database(settings) as ready:
        asyncio.run(prepare(ready))
        run_server(ready)


async def prepare(settings: Settings) -> None:
    """Migrates the database; where nobody has a key yet, makes an administrator's and prints it once."""
    await bring_up_to_date(settings)
    if settings.bootstrap_key is not None:
        return
    async with system_transaction(settings) as tx:
        text = await auth.first_key(tx)
    if text is not None:
        typer.echo(f"An administrator's API key, shown this once:\n\n    {text}\n")


def run_server(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM; answers what is under way first."""
    run_app(create_app(settings), settings)


def run_app(app: FastAPI, settings: Settings) -> None:
    """Serves `app`, whoever composed it."""
    settle_garbage()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
