"""`headroom policy`: policies as YAML files, so that they can be kept, compared and reviewed in a repository.

A file is checked the same way as a request. Importing one makes a draft; a person approves and activates it over the
API, for no command line can be a second person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
import yaml
from sqlalchemy.exc import SQLAlchemyError

from app.cli.environment import EXIT_USAGE, database, load_settings, transactions_of
from app.domains.policies import service as policies
from app.domains.policies.core.difference import differences
from app.domains.policies.core.document import faults
from app.domains.policies.core.segments import MAIN
from app.domains.policies.service import VersionView
from app.infra.db.embedded import EmbeddedServerError
from app.infra.transaction import Transaction
from app.kernel.errors import Fault, Refusal
from app.kernel.identity import SYSTEM, Actor, ActorKind
from app.settings import Settings

COMMANDS = typer.Typer()
_policy = typer.Typer(help="Keep policies as YAML files.", no_args_is_help=True)
COMMANDS.add_typer(_policy, name="policy")

EXIT_INVALID: Final = 1
MAX_FILE_BYTES: Final = 1024 * 1024

Result = TypeVar("Result")
FileArgument = Annotated[Path, typer.Argument(help="A policy document in YAML.", exists=True, dir_okay=False)]
SegmentOption = Annotated[str, typer.Option(help="The segment whose policy it is.")]
VersionOption = Annotated[int | None, typer.Option(help="A version; by default the active one.", min=1)]


class FileUnreadable(Exception):
    """The file holds no policy document; the message says why."""


@_policy.command()
def check(file: FileArgument) -> None:
    """Say everything that is wrong with a file. Needs no database. Exits with 1 if anything is."""
    found = faults(_read(file))
    for fault in found:
        typer.echo(_line(fault))
    if found:
        raise typer.Exit(EXIT_INVALID)
    typer.echo(f"{file}: a valid policy")


@_policy.command()
def show(segment: SegmentOption = MAIN, version: VersionOption = None) -> None:
    """Print a version and how it stands."""
    view = _with_database(lambda tx: policies.version(tx, segment=segment, number=version))
    found = view.version
    typer.echo(f"# {found.segment}, version {found.version}: {view.standing.value}")
    for label, value in (
        ("note", found.note),
        ("edited by", ", ".join(found.edited_by)),
        ("since", found.effective_at),
    ):
        if value:
            typer.echo(f"# {label}: {value}")
    typer.echo(_written(view), nl=False)


@_policy.command()
def diff(file: FileArgument, segment: SegmentOption = MAIN, version: VersionOption = None) -> None:
    """Say in words what a file says differently from a version."""
    document = _read(file)
    view = _with_database(lambda tx: policies.version(tx, segment=segment, number=version))
    found = differences(view.version.document, document)
    for each in found:
        typer.echo(each.words)
    if not found:
        typer.echo(f"{file} says the same as version {view.version.version} of {segment}")


@_policy.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)],
    segment: SegmentOption = MAIN,
    version: VersionOption = None,
) -> None:
    """Write a version to a file."""
    view = _with_database(lambda tx: policies.version(tx, segment=segment, number=version))
    file.write_text(_written(view), encoding="utf-8")
    typer.echo(f"wrote version {view.version.version} of {segment} to {file}")


@_policy.command(name="import")
def import_(
    file: FileArgument,
    by: Annotated[str, typer.Option(help="Who answers for it: a person's name, who then can't approve it.")],
    segment: SegmentOption = MAIN,
    note: Annotated[str | None, typer.Option(help="What it is for.")] = None,
) -> None:
    """Make a draft of a file. A person other than `--by` approves it over the API."""
    document = _read(file)
    view = _with_database(
        lambda tx: policies.draft(tx, segment=segment, document=document, note=note),
        actor=Actor(by, ActorKind.PERSON),
    )
    typer.echo(f"version {view.version.version} of {segment} is a draft")


def _read(file: Path) -> dict[str, Any]:
    """The document in the file; ends the command where there is none."""
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise FileUnreadable(f"it is larger than {MAX_FILE_BYTES:,} bytes")
        return _document(yaml.safe_load(file.read_text(encoding="utf-8-sig")))
    except (FileUnreadable, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None


def _document(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FileUnreadable("a policy is a mapping of sections")
    _check_names(value, "")
    return value


def _check_names(value: Any, at: str) -> None:
    """YAML reads an unquoted NO as false and 1 as a number: names of a policy are texts."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise FileUnreadable(f"{at or '/'}: the name {name!r} is no text; put it between quotes")
            _check_names(inner, f"{at}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_names(inner, f"{at}/{index}")


def _written(view: VersionView) -> str:
    text: str = yaml.safe_dump(view.version.document, sort_keys=False, allow_unicode=True, width=120)
    return text


def _line(fault: Fault) -> str:
    return f"{fault.pointer or '/'}: {fault.message} ({fault.code})"


def _with_database(use: Callable[[Transaction], Awaitable[Result]], *, actor: Actor = SYSTEM) -> Result:
    """What `use` returns, in a transaction; what it refuses ends the command."""

    async def run(settings: Settings) -> Result:
        async with (
            transactions_of(settings) as transactions,
            transactions.begin(actor=actor, request_id="policy") as tx,
        ):
            return await use(tx)

    try:
        with database(load_settings()) as ready:
            return asyncio.run(run(ready))
    except Refusal as refusal:
        for fault in refusal.faults:
            typer.echo(_line(fault), err=True)
        typer.echo(refusal.detail, err=True)
        raise typer.Exit(EXIT_INVALID) from None
    except (SQLAlchemyError, OSError, EmbeddedServerError) as error:
        typer.echo(f"no database: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
