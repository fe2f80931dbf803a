"""The wire between a server and its database: it can be slow, swallow everything, or break in the middle of a word.

A proxy on 127.0.0.1. What goes over it is cut in one of two ways, on the first connection on which a server says a
word: `arm` goes on passing what the server sends and keeps back what the database answers, for good; `expect` passes
so many bytes of the question that begins with that word, or of its answer, and then breaks the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

CHUNK: Final = 1 << 16


@dataclass(slots=True)
class Exchange:
    """A question that begins with a word, and its answer: how many bytes of each have passed.

    `ask_most` and `answer_most` bytes of them may pass; null: all. The connection breaks behind the last.
    """

    word: bytes
    ask_most: int | None = None
    answer_most: int | None = None
    asked: int = 0
    answered: int = 0

    def ask(self, data: bytes) -> bytes:
        """As much of a question as may pass."""
        passed = data if self.ask_most is None else data[: self.ask_most - self.asked]
        self.asked += len(passed)
        return passed

    def answer(self, data: bytes) -> bytes:
        """As much of an answer as may pass."""
        passed = data if self.answer_most is None else data[: self.answer_most - self.answered]
        self.answered += len(passed)
        return passed

    @property
    def broken(self) -> bool:
        """Whether nothing more may pass."""
        return self.asked == self.ask_most or self.answered == self.answer_most


class Wire:
    """A proxy before the database whose port `port_of_database` tells, at each connection anew.

    Everything that passes takes `delay_seconds` longer, in each direction; while it `swallows` nothing does, and nobody
    is told: what was sent meanwhile arrives afterwards, as it does where packets are sent again.
    """

    def __init__(self, port_of_database: Callable[[], int]) -> None:
        self._port_of_database = port_of_database
        self._word: bytes | None = None
        self._wanted: Exchange | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.delay_seconds = 0.0
        self.swallows = False
        self.cut = asyncio.Event()
        self.port = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        """The proxy, listening."""
        listening = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.swallows = False
            listening.close()
            for end in self._ends:
                end.close()
            await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)

    def arm(self, word: bytes) -> None:
        """Keeps back the answers on the first connection on which a server says `word`."""
        self.cut.clear()
        self._word = word

    def expect(self, word: bytes, *, ask_most: int | None = None, answer_most: int | None = None) -> Exchange:
        """The next exchange that begins with `word`, counted while it passes, and broken where it is to; then `cut`."""
        self.cut.clear()
        self._wanted = Exchange(word, ask_most, answer_most)
        return self._wanted

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        asks: asyncio.StreamWriter | None = None
        try:
            answers, asks = await asyncio.open_connection("127.0.0.1", self._port_of_database())
            connection = _Connection(self, writer, asks)
            await asyncio.gather(connection.pass_questions(reader), connection.pass_answers(answers))
        except OSError:
            pass  # one of the two is dead: that is what the wire is there for
        finally:
            self._ends.discard(writer)
            for end in filter(None, (writer, asks)):
                end.close()

    def heard(self, data: bytes) -> bool:
        """Whether `data` has the word from which on answers are kept back."""
        if self._word is None or self._word not in data:
            return False
        self._word = None
        return True

    def begun(self, data: bytes) -> Exchange | None:
        """The exchange that is waited for, if it begins with `data`."""
        found = self._wanted
        if found is None or found.word not in data:
            return None
        self._wanted = None
        return found

    async def hold_up(self) -> None:
        """Returns when what is on its way may arrive."""
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        while self.swallows:  # noqa: ASYNC110 - as a network does, it keeps what it has
            await asyncio.sleep(0.02)


class _Connection:
    """One connection over the wire."""

    def __init__(self, wire: Wire, back: asyncio.StreamWriter, onward: asyncio.StreamWriter) -> None:
        self._wire = wire
        self._back = back
        self._onward = onward
        self._mute = False
        self._exchange: Exchange | None = None

    async def pass_questions(self, questions: asyncio.StreamReader) -> None:
        """What the server sends. An exchange ends with the next question."""
        while data := await questions.read(CHUNK):
            await self._wire.hold_up()
            if self._exchange is None or self._exchange.answered:
                self._exchange = self._wire.begun(data)
            heard = self._wire.heard(data)
            self._mute = self._mute or heard
            await self._pass(self._exchange.ask(data) if self._exchange else data, self._onward)
            if heard:
                self._wire.cut.set()
        await self._wire.hold_up()
        self._onward.close()

    async def pass_answers(self, answers: asyncio.StreamReader) -> None:
        """What the database answers."""
        while data := await answers.read(CHUNK):
            await self._wire.hold_up()
            if not self._mute:
                await self._pass(self._exchange.answer(data) if self._exchange else data, self._back)
        await self._wire.hold_up()
        self._back.close()

    async def _pass(self, data: bytes, end: asyncio.StreamWriter) -> None:
        """Passes the data on; behind the last byte that may pass the connection breaks, at both ends."""
        if data:
            end.write(data)
        if self._exchange is not None and self._exchange.broken:
            self._wire.cut.set()
            self._onward.close()
            self._back.close()
        elif data:
            await end.drain()
