"""Short lines before accounts that others hold.

Whoever waits for a row lock keeps a database connection. Without a bound, a crowd that waits for one account would use
up the connections of the process, and customers who have nothing to do with it would wait as well. So of those who come
again when told to, only a few stand in line for an account or a group; the others give their connections back and are
called, first come first served, when a place is free. Jobs and commands are few, and wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager
from typing import Final

from app.domains.exposure.core.refusals import AccountBusy
from app.infra.transaction import Transaction

LONGEST: Final = 2
"""Who waits for one account in one process: one to go on at once, and one to follow while others come back."""


class Lines:
    """Who in this process waits for which account or group."""

    def __init__(self) -> None:
        self._waiting: Counter[Hashable] = Counter()
        self._outside: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @contextmanager
    def joined(self, tx: Transaction, keys: Collection[Hashable]) -> Iterator[None]:
        """In line for all of `keys` while the block runs.

        Raises `AccountBusy`, with the turn to come again, if one of the lines is long enough and `tx` comes again.
        """
        long_enough = next((key for key in keys if self._waiting[key] >= LONGEST), None)
        if tx.comes_again and long_enough is not None:
            raise self._told_to_come_again(long_enough)
        places = Counter(iter(keys))
        self._waiting += places
        try:
            yield
        finally:
            self._waiting -= places  # forgets the lines in which nobody is left
            for key in places:
                self._call_next(key)

    def _told_to_come_again(self, key: Hashable) -> AccountBusy:
        busy = AccountBusy("others wait for the account already; try again in a moment", retry_after=1)
        busy.turn = turn = asyncio.get_running_loop().create_future()
        self._outside.setdefault(key, deque()).append(turn)
        return busy

    def _call_next(self, key: Hashable) -> None:
        outside = self._outside.get(key, deque())
        while outside:
            turn = outside.popleft()
            if not turn.done():  # or it has tired of waiting
                turn.set_result(None)
                break
        if not outside:
            self._outside.pop(key, None)
