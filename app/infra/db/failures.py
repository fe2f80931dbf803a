"""Foreseen errors of the database: it is busy, away or too slow, and the same request may pass in a moment."""

from __future__ import annotations

from typing import Final

from asyncpg.exceptions import InvalidCachedStatementError, OutdatedSchemaCacheError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel.errors import Busy

LOCK_NOT_AVAILABLE: Final = "55P03"
UNIQUE_VIOLATION: Final = "23505"

_CONTENTION: Final = frozenset({LOCK_NOT_AVAILABLE, "40001", "40P01"})
_CANCELLED: Final = "57014"
_AWAY_CLASSES: Final = ("08", "53", "57P")


class DatabaseBusy(Busy):
    """Others hold the rows this request needs."""

    code = "database_busy"
    title = "The database is busy"


class DatabaseSlow(Busy):
    """A statement ran longer than it may."""

    code = "database_slow"
    title = "The database did not answer in time"


class DatabaseUnavailable(Busy):
    """The database cannot be reached, or is starting or stopping."""

    code = "database_unavailable"
    title = "The database is not available"


class ConnectionsExhausted(Busy):
    """All connections of this process are in use."""

    code = "connections_exhausted"
    title = "All database connections are in use"


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a database error, as asyncpg or SQLAlchemy raise it."""
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None)
    return str(state) if state else None


def is_outdated(error: BaseException) -> bool:
    """Whether a table has got another form since a statement was prepared: a later release is just migrating.

    The driver has then forgotten what it knew of the statement, and the same again in a new transaction passes.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    causes = (original, getattr(original, "__cause__", None))
    return any(isinstance(cause, InvalidCachedStatementError | OutdatedSchemaCacheError) for cause in causes)


def refusal_of(error: BaseException) -> Busy | None:
    """The refusal that a foreseen database error is; None if the error is a defect."""
    if isinstance(error, PoolTimeout):
        return ConnectionsExhausted(retry_after=1)
    state = sqlstate(error)
    if state in _CONTENTION:
        return DatabaseBusy(retry_after=1)
    if state == _CANCELLED:
        return DatabaseSlow(retry_after=1)
    if state and state.startswith(_AWAY_CLASSES):
        return DatabaseUnavailable(retry_after=2)
    if state is None and isinstance(error, InterfaceError | OperationalError | OSError):
        return DatabaseUnavailable(retry_after=2)
    return None
