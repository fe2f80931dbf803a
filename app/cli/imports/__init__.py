"""`headroom import`: bring in what another system has exported, through the use cases of the API."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from app.cli.environment import EXIT_USAGE, database, load_settings
from app.cli.imports import running
from app.cli.imports.batches import OthersInTheWay
from app.cli.imports.hands import APPLICATION, PROCESSES_MAX, HandFailed, Work, hands, processes_for
from app.cli.imports.posting import SCOPES
from app.cli.imports.profile import Kind, Profile, ProfileInvalid, Rule, load, ready_profiles
from app.cli.imports.reading import FileUnreadable
from app.cli.imports.report import SHOWN, Report, Tally, reporting
from app.infra.clock import SystemClock, stopwatch
from app.infra.db import migrating
from app.infra.db.embedded import EmbeddedServerError
from app.infra.db.engine import make_engine, make_sessions
from app.kernel.errors import Refusal
from app.kernel.identity import Actor, ActorKind
from app.main import settle_garbage
from app.settings import Settings
from app.support.auth.core.principals import Principal
from app.support.auth.service import Authenticator

COMMANDS = typer.Typer()

EXIT_REFUSED: Final = 1
EXIT_UNABLE: Final = EXIT_USAGE
EXIT_INTERRUPTED: Final = 130


class Unable(Exception):
    """The import can't be made; the message says why."""


@COMMANDS.command(name="import")
def import_(
    kind: Annotated[Kind, typer.Argument(help="What the file is full of.")],
    file: Annotated[Path, typer.Argument(help="A CSV file with the names of its columns in the first line.")],
    profile: Annotated[
        str | None,
        typer.Option(help=f"How the file is to be read: a YAML file, or one of {', '.join(ready_profiles())}."),
    ] = None,
    column: Annotated[list[str] | None, typer.Option(help="field=Column; may be repeated.")] = None,
    constant: Annotated[
        list[str] | None, typer.Option("--set", help="field=value for every line; may be repeated.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="utf-8, gb18030, cp1252, …")] = None,
    delimiter: Annotated[str | None, typer.Option(help="One character, or auto.")] = None,
    dates: Annotated[str | None, typer.Option(help="DD.MM.YYYY, M/D/YYYY, YYYYMMDD, …")] = None,
    decimals: Annotated[str | None, typer.Option(help="1234.56 as the file writes it, such as 1.234,56.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try every line and keep nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the refused lines here, as JSON if it ends in .json, else as CSV.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=PROCESSES_MAX, help="Post invoices by so many; default: one a processor if many."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="HEADROOM_KEY", help="Act as the owner of this API key; better in HEADROOM_KEY."),
    ] = None,
) -> None:
    """Import customers, limits, orders, invoices, payments, exchange rates, statements, reports, covers or reference
    rates of statutory interest.

    They are entered in the order of their days. Repeating a file posts nothing twice; repeating an import that was
    interrupted goes on with it. Exits with 1 when lines were refused, 2 when the file or the database can't be used.
    """
    try:
        form = {"encoding": encoding, "delimiter": delimiter, "dates": dates, "decimals": decimals}
        rules = _columns(column or ()) | _constants(constant or ())
        how = (load(profile) if profile else Profile()).with_rules(kind, rules, **form)
        with database(load_settings()) as ready, reporting(report) as said:
            source = running.Source(file, kind, how)
            asyncio.run(_run(ready, source, said, key=key, dry_run=dry_run, processes=processes))
    except (
        Unable,
        HandFailed,
        ProfileInvalid,
        FileUnreadable,
        Refusal,
        SQLAlchemyError,
        OSError,
        EmbeddedServerError,
    ) as error:
        typer.echo(f"can't import: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(EXIT_UNABLE) from None
    if said.tally.refused:
        raise typer.Exit(EXIT_REFUSED)


async def _run(
    settings: Settings,
    source: running.Source,
    report: Report,
    *,
    key: str | None,
    dry_run: bool,
    processes: int | None,
) -> None:
    assert settings.database_url, "use it within `database(…)`"
    settle_garbage()
    began = stopwatch()
    principal = await _prepare(settings, source.kind, key)
    actor = principal.actor if principal else Actor(getpass.getuser(), ActorKind.SERVICE)
    work = Work(settings.database_url, source.kind, actor, principal, dry_run)
    if source.kind is not Kind.INVOICES:
        processes = 1
    elif processes is None:
        processes = processes_for(source.path.stat().st_size)
    try:
        async with hands(work, processes=processes) as posting:
            with _Bars() as bars:
                unmapped = await running.run(source, posting, report, bars)
    except (asyncio.CancelledError, OthersInTheWay) as error:
        typer.echo(_summary(report.tally, stopwatch() - began, dry_run=dry_run))
        typer.echo(f"not finished: {str(error) or 'interrupted'}. Repeat the import to go on with it.", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if unmapped:
        typer.echo(f"without {', '.join(unmapped)}: the file does not have their columns", err=True)
    for line in report.tally.shown:
        typer.echo(line, err=True)
    if report.tally.refused > SHOWN:
        typer.echo(f"… and {report.tally.refused - SHOWN:,} more; --report FILE writes them all", err=True)
    typer.echo(_summary(report.tally, stopwatch() - began, dry_run=dry_run))


async def _prepare(settings: Settings, kind: Kind, key: str | None) -> Principal | None:
    """Whether the database is ready, and the owner of `key`, who must be allowed what the file asks for."""
    assert settings.database_url, "use it within `database(…)`"
    engine = make_engine(settings.database_url, pool_size=1, application_name=APPLICATION)
    try:
        async with engine.connect() as connection:
            found, needed = await migrating.current(connection), migrating.head()
        if found != needed:
            raise Unable(f"the schema is at {found or 'nothing'}, not at {needed}: run `headroom migrate`")
        if key is None:
            return None
        bootstrap = settings.bootstrap_key.get_secret_value() if settings.bootstrap_key else None
        authenticator = Authenticator(make_sessions(engine), clock=SystemClock(), bootstrap_key=bootstrap)
        principal = await authenticator.principal(f"Bearer {key}")
    finally:
        await engine.dispose()
    principal.require(*SCOPES[kind])
    return principal


class _Bars:
    """Progress for a person who watches; silent elsewhere."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._reading = self._progress.add_task("reading, bytes", total=None)
        self._posting = self._progress.add_task("posting, documents", total=None, visible=False)

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def reading(self, done: int, total: int) -> None:
        """How much of the file is read."""
        self._progress.update(self._reading, completed=done, total=total)

    def posting(self, done: int, total: int) -> None:
        """How much of it is posted."""
        self._progress.update(self._posting, completed=done, total=total, visible=True)


def _columns(pairs: list[str] | tuple[()]) -> dict[str, Rule]:
    return {field: Rule(column=column) for field, column in map(_pair, pairs)}


def _constants(pairs: list[str] | tuple[()]) -> dict[str, Rule]:
    return {field: Rule(constant=value) for field, value in map(_pair, pairs)}


def _pair(text: str) -> tuple[str, str]:
    field, mark, value = text.partition("=")
    if not mark:
        raise typer.BadParameter(f"{text!r} is not field=value")
    return field.strip(), value.strip()


def _summary(tally: Tally, seconds: float, *, dry_run: bool) -> str:
    posted = "would be posted" if dry_run else "posted"
    return (
        f"lines: {tally.lines:,}; {posted}: {tally.posted:,}, unchanged: {tally.unchanged:,}, "
        f"refused: {tally.refused:,}, skipped: {tally.skipped:,}; {seconds:.1f} s"
    )
