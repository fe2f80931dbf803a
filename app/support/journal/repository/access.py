"""SQL of grants."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_APPEND_ONLY: Final = "events, event_seals, journal_blocks"

_GRANTS: Final = (
    "grant usage on schema {schema} to {role}",
    "grant select, insert, update, delete on all tables in schema {schema} to {role}",
    "grant usage, select on all sequences in schema {schema} to {role}",
    "revoke all on alembic_version from {role}",
    "grant select on alembic_version to {role}",
    f"revoke all on {_APPEND_ONLY} from {{role}}",
    f"grant select, insert on {_APPEND_ONLY} to {{role}}",
    "grant execute on function journal_delete_older(timestamptz, bigint) to {role}",
)


async def exists(session: AsyncSession, role: str) -> bool:
    """Whether the server has such a role."""
    found = await session.scalar(text("select exists (select from pg_roles where rolname = :role)"), {"role": role})
    return bool(found)


async def grant(session: AsyncSession, role: str) -> None:
    """Gives an existing role its rights on the tables of the current schema."""
    quoted = text("select quote_ident(:role), quote_ident(current_schema())")
    name, schema = (await session.execute(quoted, {"role": role})).one()
    for statement in _GRANTS:
        await session.execute(text(statement.format(role=name, schema=schema).replace(":", "\\:")))
