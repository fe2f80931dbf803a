"""The wire between a server and its database, which can be cut at the worst moment: after the commit, before the word.

A proxy on 127.0.0.1. Armed with a word, it lets everything pass until a server sends that word; from then on it passes
on what the server sends and keeps back what the database answers on that connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

CHUNK = 1 << 16


class Wire:
    """A proxy before the database whose port `port_of_database` tells, at each connection anew."""

    def __init__(self, port_of_database: Callable[[], int]) -> None:
        self._port_of_database = port_of_database
        self._word: bytes | None = None
        self._ends: set[asyncio.StreamWriter] = set()
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
            listening.close()
            for end in self._ends:
                end.close()
            await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)

    def arm(self, word: bytes) -> None:
        """Keeps back the answers on the first connection on which a server says `word`."""
        self.cut.clear()
        self._word = word

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        asks: asyncio.StreamWriter | None = None
        try:
            answers, asks = await asyncio.open_connection("127.0.0.1", self._port_of_database())
            mute = asyncio.Event()
            await asyncio.gather(self._pass_questions(reader, asks, mute), _pass_answers(answers, writer, mute))
        except OSError:
            pass  # one of the two is dead: that is what the wire is there for
        finally:
            writer.close()
            if asks is not None:
                asks.close()

    async def _pass_questions(
        self, reader: asyncio.StreamReader, asks: asyncio.StreamWriter, mute: asyncio.Event
    ) -> None:
        while data := await reader.read(CHUNK):
            if self._word is not None and self._word in data:
                self._word = None
                mute.set()
            asks.write(data)
            await asks.drain()
            if mute.is_set():
                self.cut.set()
        asks.close()


async def _pass_answers(answers: asyncio.StreamReader, writer: asyncio.StreamWriter, mute: asyncio.Event) -> None:
    while data := await answers.read(CHUNK):
        if not mute.is_set():
            writer.write(data)
            await writer.drain()
    writer.close()
