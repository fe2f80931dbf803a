"""One transaction a request: the only place that commits.

routes → service.verb(tx, …) ── gather → decide → apply → tx.emit(event) → journal, reactions → commit → answer
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.infra.clock import Clock, new_id
from app.kernel.events import Event, Signal
from app.kernel.identity import Actor

MAX_REACTION_DEPTH = 3
"""A reaction's own events are reacted to, and theirs: deeper than this is a loop."""

Reaction = Callable[["Transaction", Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Together:
    """A reaction to all events of its type that are settled at once, for whom one look at many is much cheaper. Its
    turn comes with the first of them."""

    react: Callable[[Transaction, Sequence[Any]], Awaitable[None]]


Reactions = Mapping[type[Event] | type[Signal], Sequence[Reaction | Together]]
JournalWriter = Callable[["Transaction", Sequence[Event]], Awaitable[None]]


class Transaction:
    """What a use case works in: the session, the instant, who acts, and what it says has happened."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        now: datetime,
        actor: Actor,
        request_id: str,
        comes_again: bool = False,
        reactions: Reactions | None = None,
    ) -> None:
        """`comes_again`: whoever began it begins anew when told that others are in the way for a moment. `reactions`:
        who acts on its signals; nobody without."""
        self.session = session
        self.now = now
        self.actor = actor
        self.request_id = request_id
        self.comes_again = comes_again
        self._reactions = reactions or {}
        self._outbox: deque[Event] = deque()

    def emit(self, event: Event) -> None:
        """Says that something has happened: journalled, and reacted to, before the commit."""
        self._outbox.append(event)

    async def tell(self, signal: Signal) -> None:
        """Lets those who react to `signal` act at once, before the caller goes on."""
        for reaction in self._reactions.get(type(signal), ()):
            assert not isinstance(reaction, Together), "a signal is told by itself"
            await reaction(self, signal)

    def new_id(self) -> UUID:
        """A fresh UUIDv7 of this transaction's instant."""
        return new_id(self.now)

    @property
    def events(self) -> Sequence[Event]:
        """The events emitted so far that are not yet in the journal."""
        return tuple(self._outbox)

    def take_events(self) -> Sequence[Event]:
        """The events emitted since the last call, in order."""
        taken = tuple(self._outbox)
        self._outbox.clear()
        return taken


class Transactions:
    """Begins transactions, and ends them: events into the journal, then reactions in table order, then the commit."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Clock,
        journal: JournalWriter,
        reactions: Reactions,
    ) -> None:
        self._sessions = sessions
        self._journal = journal
        self._reactions = reactions
        self.clock = clock

    @asynccontextmanager
    async def begin(self, *, actor: Actor, request_id: str, comes_again: bool = False) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self._sessions() as session:
            tx = Transaction(
                session,
                now=self.clock.now(),
                actor=actor,
                request_id=request_id,
                comes_again=comes_again,
                reactions=self._reactions,
            )
            try:
                yield tx
                await self._settle(tx)
                await session.commit()
            except BaseException:
                await session.rollback()
                raise

    async def _settle(self, tx: Transaction) -> None:
        for _ in range(MAX_REACTION_DEPTH + 1):
            events = tx.take_events()
            if not events:
                return
            await self._journal(tx, events)
            await self._react(tx, events)
        if beyond := tx.take_events():
            raise AssertionError(f"reactions deeper than {MAX_REACTION_DEPTH}: {[event.type for event in beyond]}")

    async def _react(self, tx: Transaction, events: Sequence[Event]) -> None:
        told: set[type[Event]] = set()
        for event in events:
            for reaction in self._reactions.get(type(event), ()):
                if not isinstance(reaction, Together):
                    await reaction(tx, event)
                elif type(event) not in told:
                    await reaction.react(tx, [each for each in events if type(each) is type(event)])
            told.add(type(event))
