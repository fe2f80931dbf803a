"""`headroom journal`: looking after the journal, and proving that nobody has bent it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.exc import SQLAlchemyError

from app.cli.environment import EXIT_USAGE, database, load_settings, system_transaction
from app.infra.clock import SystemClock
from app.infra.db.embedded import EmbeddedServerError
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM
from app.settings import Settings
from app.support.journal import service as journal
from app.support.journal.core.exchange import (
    ExportMalformed,
    exported_block,
    exported_event,
    read_digests,
    verify_export,
)
from app.support.journal.core.verification import Finding, Published

COMMANDS = typer.Typer()
_journal = typer.Typer(help="Look after the journal.", no_args_is_help=True)
COMMANDS.add_typer(_journal, name="journal")

EXIT_TAMPERED: Final = 1
EXIT_UNABLE: Final = EXIT_USAGE

DigestsOption = Annotated[
    Path | None, typer.Option(help="File of digests that were published outside.", exists=True, dir_okay=False)
]
ExportOption = Annotated[
    Path | None,
    typer.Option(help="Verify this file of `journal export` instead of the database.", exists=True, dir_okay=False),
]


@_journal.command()
def rebase() -> None:
    """After the restore of a dump: go on in the transaction ids of the new server. Nothing else may be running."""

    async def run(settings: Settings) -> int:
        async with system_transaction(settings) as tx:
            return await journal.rebase(tx)

    with database(load_settings()) as ready:
        typer.echo(f"rebased the journal: {asyncio.run(run(ready))} events had no place yet and got one")


@_journal.command()
def verify(digests: DigestsOption = None, export: ExportOption = None) -> None:
    """Find edit, deletion, insertion, reordering and truncation. Exits with 1 on any, 2 if it can't tell."""
    try:
        published = read_digests(_lines(digests)) if digests else []
        if export:
            said, findings = verify_export(partial(_lines, export), published)
        else:
            with database(load_settings()) as ready:
                said, findings = asyncio.run(_verify(ready, published))
    except (ExportMalformed, SQLAlchemyError, OSError, EmbeddedServerError) as error:
        typer.echo(f"can't verify: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(EXIT_UNABLE) from None
    for finding in findings:
        typer.echo(_line(finding))
    compared = f", {len(published)} published digests" if published else ""
    typer.echo(f"verified {said}{compared}: {f'{len(findings)} findings' if findings else 'intact'}")
    if findings:
        raise typer.Exit(EXIT_TAMPERED)


@_journal.command()
def export() -> None:
    """Print the journal, a JSON document a line: each block, and its events behind it."""

    async def run(settings: Settings) -> None:
        async with _transactions(settings) as transactions:
            async for block, places in journal.export(lambda: _begin(transactions)):
                typer.echo(json.dumps(exported_block(block)))
                for place in places:
                    if place.event is not None:
                        typer.echo(exported_event(place.event))

    with database(load_settings()) as ready:
        asyncio.run(run(ready))


async def _verify(settings: Settings, published: list[Published]) -> tuple[str, list[Finding]]:
    findings: list[Finding] = []
    blocks = events = 0
    async with _transactions(settings) as transactions:
        async for stretch in journal.verify_all(lambda: _begin(transactions)):
            blocks, events = blocks + stretch.blocks, events + stretch.events
            findings += stretch.findings
        if published:
            async with _begin(transactions) as tx:
                findings += await journal.compare_published(tx, published=published)
    return f"{blocks:,} blocks, {events:,} events", findings


@asynccontextmanager
async def _transactions(settings: Settings) -> AsyncIterator[Transactions]:
    assert settings.database_url, "use it within `database(…)`"
    engine = make_engine(settings.database_url, pool_size=1, application_name="headroom journal")
    yield Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions={})
    await engine.dispose()


def _begin(transactions: Transactions) -> AbstractAsyncContextManager[Transaction]:
    return transactions.begin(actor=SYSTEM, request_id="journal")


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file


def _line(finding: Finding) -> str:
    place = ", ".join(
        f"{what} {number}" for what, number in (("block", finding.block), ("event", finding.seq)) if number is not None
    )
    return f"{finding.kind}: {place + ': ' if place else ''}{finding.detail}"
