"""State machines as data: the moves of a thing are one table that can be read, drawn and tested."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

State = TypeVar("State", bound=StrEnum)
Move = TypeVar("Move", bound=StrEnum)


class IllegalMove(AssertionError):
    """A move that the table does not have: the caller should have refused it by name before."""


class Lifecycle(Generic[State, Move]):
    """The legal moves of one kind of thing: `{state: {move: next state}}`, one row for every state."""

    def __init__(self, moves: Mapping[State, Mapping[Move, State]]) -> None:
        self._moves = moves
        states = type(next(iter(moves)))
        missing = set(states) - set(moves)
        if missing:
            raise ValueError(f"states without a row: {sorted(missing)}")

    def allows(self, state: State, move: Move) -> bool:
        """Whether `move` is legal in `state`."""
        return move in self._moves[state]

    def after(self, state: State, move: Move) -> State:
        """The state that `move` leads to from `state`."""
        try:
            return self._moves[state][move]
        except KeyError:
            raise IllegalMove(f"{move} is not a move of {state}") from None

    def final(self, state: State) -> bool:
        """Whether nothing leads out of `state`."""
        return not self._moves[state]
