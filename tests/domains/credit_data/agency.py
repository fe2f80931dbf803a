"""A small agency: a real HTTP server on a port of its own that answers by a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

REPORT: Final[dict[str, Any]] = {
    "report_ref": "CR-77",
    "reported_on": "2026-02-27",
    "score": "63",
    "scale": {"min": "1", "max": "100", "higher_is_better": True},
    "rating": "B",
    "probability_of_default": "0.021",
    "recommended_limit": {"amount": "25000", "currency": "EUR"},
    "directors": ["nobody reads this"],
}


def answering(status: int, body: bytes = b"", **headers: str) -> Answer:
    """A whole answer at once."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


def reporting(**changes: Any) -> Answer:
    """A report."""
    return answering(200, json.dumps(REPORT | changes).encode())


async def silence(writer: asyncio.StreamWriter) -> None:
    """Nothing, for longer than anybody waits."""
    await asyncio.sleep(30)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """A byte now and then: each in time, all of them too late."""
    writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """The connection, in the middle of an answer."""
    writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n{")


class Agency:
    """What was asked, and what is answered next; the last answer is repeated."""

    def __init__(self) -> None:
        self.url = ""
        self.script: list[Answer] = [reporting()]
        self.asked: list[str] = []
        """The head of each request."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def opened() -> AsyncIterator[Agency]:
    """An agency that can be reached at its `url`."""
    agency = Agency()
    server = await asyncio.start_server(agency.serve, "127.0.0.1", 0)
    agency.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2"
    try:
        yield agency
    finally:
        server.close()
