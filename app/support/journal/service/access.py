"""What the database's role of the application may do: everything but bend the record."""

from __future__ import annotations

from app.infra.transaction import Transaction
from app.kernel.errors import NotFound
from app.support.journal.repository import access as rows


class RoleUnknown(NotFound):
    """The database has no such role."""

    code = "database_role_unknown"
    title = "No such role in the database"


async def grant(tx: Transaction, *, role: str) -> None:
    """Gives `role` what a server and a worker need: all rows of all tables, but of the journal only adding and reading.

    To be repeated after each migration, by the owner of the tables. Raises `RoleUnknown`.
    """
    if not await rows.exists(tx.session, role):
        raise RoleUnknown(f"create it first: create role {role} login")
    await rows.grant(tx.session, role)
