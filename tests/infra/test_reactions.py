"""Reactions to events: in the order of the table, one by one or together, and not without end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infra.clock import SystemClock
from app.infra.db.engine import make_sessions
from app.infra.transaction import Reactions, Together, Transaction, Transactions
from app.kernel.events import Event
from app.kernel.identity import SYSTEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang(Event):
    """A bell rang."""

    type: ClassVar[str] = "rang"
    subject_type: ClassVar[str] = "bell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knocked(Event):
    """Somebody knocked."""

    type: ClassVar[str] = "knocked"
    subject_type: ClassVar[str] = "door"


class House:
    """Somebody who notes what is heard, and how."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def each(self, _tx: Transaction, event: Event) -> None:
        self.heard.append(event.subject_id)

    async def all(self, _tx: Transaction, events: Sequence[Event]) -> None:
        self.heard.append([event.subject_id for event in events])

    async def echo(self, tx: Transaction, _event: Event) -> None:
        tx.emit(Rang(subject_id="echo"))


async def emit(engine: AsyncEngine, reactions: Reactions, *events: Event) -> None:
    async def forget(_tx: Transaction, _events: Sequence[Event]) -> None:
        """Journals nothing."""

    sessions = make_sessions(engine)
    transactions = Transactions(sessions, clock=SystemClock(), journal=forget, reactions=reactions)
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        for event in events:
            tx.emit(event)


class TestReactions:
    async def test_are_told_of_one_event_after_the_other(self, shared_engine: AsyncEngine) -> None:
        house = House()
        table: Reactions = {Rang: (house.each,), Knocked: (house.each,)}
        await emit(shared_engine, table, *(Rang(subject_id="1"), Knocked(subject_id="2"), Rang(subject_id="3")))
        assert house.heard == ["1", "2", "3"]

    async def test_are_told_of_all_of_a_type_at_once_if_they_ask_for_it(self, shared_engine: AsyncEngine) -> None:
        house = House()
        table: Reactions = {Rang: (house.each, Together(house.all)), Knocked: (house.each,)}
        await emit(shared_engine, table, *(Rang(subject_id="1"), Knocked(subject_id="2"), Rang(subject_id="3")))
        assert house.heard == ["1", ["1", "3"], "2", "3"]

    async def test_to_what_reactions_emit_are_told_together_too(self, shared_engine: AsyncEngine) -> None:
        house = House()
        table: Reactions = {Knocked: (house.echo,), Rang: (Together(house.all),)}
        await emit(shared_engine, table, *(Rang(subject_id="1"), Knocked(subject_id="2"), Knocked(subject_id="3")))
        assert house.heard == [["1"], ["echo", "echo"]]

    async def test_without_end_are_a_defect(self, shared_engine: AsyncEngine) -> None:
        with pytest.raises(AssertionError, match="reactions deeper than 3"):
            await emit(shared_engine, {Rang: (House().echo,)}, Rang(subject_id="1"))
