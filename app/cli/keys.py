"""`headroom keys`: API keys without the API, for whoever holds the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from app.cli.environment import database, load_settings, system_transaction
from app.infra.db.paging import MAX_LIMIT, PageRequest
from app.kernel.errors import Refusal
from app.kernel.identity import ActorKind
from app.settings import Settings
from app.support.auth import service as auth
from app.support.auth.core.duties import DutyConflict, conflicts
from app.support.auth.core.scopes import Role, Scope
from app.support.auth.tables import ApiKey

Result = TypeVar("Result")

COMMANDS = typer.Typer()
_keys = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
COMMANDS.add_typer(_keys, name="keys")


@_keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who acts, as the journal will say.")],
    kind: Annotated[ActorKind, typer.Option(help="person or service.")] = ActorKind.SERVICE,
    role: Annotated[Role | None, typer.Option(help="A bundle of scopes.")] = None,
    scope: Annotated[list[Scope] | None, typer.Option(help="A single scope; may be repeated.")] = None,
    segment: Annotated[list[str] | None, typer.Option(help="Confine the key to this segment; may be repeated.")] = None,
) -> None:
    """Make a key and print its text, this once. Scopes that one person should not hold together are said on stderr."""
    if kind is ActorKind.SYSTEM or not (role or scope):
        raise typer.BadParameter("a key is a person's or a service's, and has a role or a scope")

    async def run(settings: Settings) -> tuple[str, Sequence[DutyConflict]]:
        async with system_transaction(settings) as tx:
            key, text = await auth.create_key(
                tx,
                name=name,
                kind=kind,
                role=role,
                scopes=scope or (),
                segments=segment or None,
                bundles=settings.bundles,
            )
            return text, conflicts(key.principal().scopes)

    text, broken = _with_database(run)
    for conflict in broken:
        typer.echo(f"warning: {conflict.duty.code}: {conflict.duty.rule} ({' '.join(conflict.scopes)})", err=True)
    typer.echo(text)


@_keys.command("list")
def list_() -> None:
    """List the newest keys, revoked ones included."""

    async def run(settings: Settings) -> list[ApiKey]:
        async with system_transaction(settings) as tx:
            return list((await auth.list_keys(tx, page=PageRequest(limit=MAX_LIMIT))).rows)

    table = Table("id", "name", "kind", "role", "scopes", "starts with", "state")
    for key in _with_database(run):
        state = "revoked" if key.revoked_at else "live"
        table.add_row(str(key.id), key.name, key.kind, key.role or "", " ".join(key.scopes), key.prefix, state)
    Console().print(table)


@_keys.command()
def revoke(key_id: Annotated[UUID, typer.Argument(help="The id of the key, from `headroom keys list`.")]) -> None:
    """Make a key stop working, within two seconds everywhere."""

    async def run(settings: Settings) -> str:
        async with system_transaction(settings) as tx:
            return (await auth.revoke_key(tx, key_id=key_id)).name

    typer.echo(f"revoked {_with_database(run)}")


def _with_database(run: Callable[[Settings], Coroutine[Any, Any, Result]]) -> Result:
    """What `run` gives; a refusal becomes a message and a failure of the command."""
    try:
        with database(load_settings()) as ready:
            return asyncio.run(run(ready))
    except Refusal as refusal:
        typer.echo(f"{refusal.code}: {refusal.detail}", err=True)
        raise typer.Exit(1) from None
