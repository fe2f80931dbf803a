"""`headroom serve`: the database if need be, the migrations, the API."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer
from fastapi import FastAPI

from app.cli import demo as demo_company
from app.cli.environment import EXIT_USAGE, bring_up_to_date, database, load_settings, system_transaction
from app.infra.http import serving
from app.main import create_app, settle_garbage
from app.settings import Settings
from app.support.auth import service as auth

COMMANDS = typer.Typer()

DEMO_KEY: Final = "demo-key"
"""The file that keeps the first key of a demo, so that its next start can print a line to copy."""


@COMMANDS.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65_535)] = None,
    worker: Annotated[bool | None, typer.Option("--worker/--no-worker", help="Run the periodic jobs here too.")] = None,
    migrate: Annotated[
        bool, typer.Option(help="Bring the database to the newest schema first; else wait, not ready, until it is.")
    ] = True,
    demo: Annotated[
        bool, typer.Option("--demo", help="Load a demo company first, unless there are customers.")
    ] = False,
) -> None:
    """Serve the API; without HEADROOM_DATABASE_URL on an embedded PostgreSQL that starts and stops with it."""
    settings = load_settings(host=host, port=port, worker_in_server=worker)
    with database(settings) as ready:
        if demo:
            _make_anew_if_unfinished(ready, ours=settings.database_url is None)
        first_key = asyncio.run(prepare(ready)) if migrate else None
        if demo:
            show_demo(ready, first_key)
        run_server(ready)


def _make_anew_if_unfinished(settings: Settings, *, ours: bool) -> None:
    try:
        asyncio.run(demo_company.make_anew_if_unfinished(settings, ours=ours))
    except demo_company.DemoUnfinished as error:
        typer.echo(f"can't show the demo company: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None


async def prepare(settings: Settings) -> str | None:
    """Migrates the database; where nobody has a key yet, makes an administrator's, prints it once and returns it."""
    await bring_up_to_date(settings)
    if settings.bootstrap_key is not None:
        return None
    async with system_transaction(settings) as tx:
        text = await auth.first_key(tx)
    if text is not None:
        typer.echo(f"An administrator's API key, shown this once:\n\n    {text}\n")
    return text


def show_demo(settings: Settings, first_key: str | None) -> None:
    """Loads the demo company if there are no customers yet, and prints one credit check with its answer."""
    new, answer = asyncio.run(demo_company.introduce(settings))
    if not answer:
        typer.echo("The database has customers of its own: the demo company was not loaded.\n")
        return
    if new:
        typer.echo("Loaded the demo company: four months of business with some sixty customers.\n")
    line = demo_company.curl(settings, _key_to_show(settings, first_key))
    typer.echo(f"May this order leave on credit?\n\n{line}\n\n{demo_company.pretty(answer)}\n")
    typer.echo(f"Serving http://{settings.host}:{settings.port}, with its documentation at /docs. Ctrl-C stops it.\n")


def _key_to_show(settings: Settings, first_key: str | None) -> str:
    """The key for a line to copy: the first one, kept beside the demo's data, or a variable that the caller has to set.

    A key that the operator has set is never printed.
    """
    if settings.bootstrap_key is not None:
        return "$HEADROOM_BOOTSTRAP_KEY"
    kept = settings.data_dir / DEMO_KEY
    if first_key is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(first_key, encoding="utf-8")
    return kept.read_text(encoding="utf-8") if kept.is_file() else "$HEADROOM_KEY"


def run_server(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM; answers what is under way first."""
    run_app(create_app(settings), settings)


def run_app(app: FastAPI, settings: Settings) -> None:
    """Serves `app`, whoever composed it."""

    def leave_the_balancer() -> None:
        app.state.readiness.drain()

    settle_garbage()
    serving.run(
        app,
        host=settings.host,
        port=settings.port,
        drain_seconds=settings.drain_seconds,
        on_drain=leave_the_balancer,
        admission=app.state.admission,
    )
