"""The compiled policies of each database that this process works on."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from app.domains.policies.core.compiled import PolicyShelf
from app.infra.transaction import Transaction

_SHELVES: Final[WeakKeyDictionary[Any, PolicyShelf]] = WeakKeyDictionary()
"""By the engine: a shelf belongs to one database, all slices share it, and it goes when its engine goes."""


def shelf_of(tx: Transaction) -> PolicyShelf:
    """The shelf of the database that the transaction works on."""
    return _SHELVES.setdefault(tx.session.get_bind(), PolicyShelf())
