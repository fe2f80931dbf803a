"""More than a server can do: requests that come at a fixed rate, whether or not those before them were answered.

    python -m tests.bench.overload <host> <port> <per second> <seconds> <key> <prefix> <customers> <run>

Whoever gets no answer from a server that is too busy does not wait for it before others ask: so each request has a
connection, and the rate stays what it is. Refused requests do not come again here.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from tests.bench.generator import content_length, requests

TICK_SECONDS: Final = 0.01
ANSWER_SECONDS_MAX: Final = 30.0
BUSY: Final = 503


class Line(asyncio.Protocol):
    """One keep-alive connection: tells what became of the request on it, and is free again."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._received = bytearray()
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Knows where to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes) -> None:
        """Sends a request, none being under way."""
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Hears an answer, at once or in parts."""
        self._received += data
        head, mark, body = bytes(self._received).partition(b"\r\n\r\n")
        if mark and len(body) >= content_length(head):
            self._received.clear()
            self._crowd.answered(self, head, time.perf_counter() - self._sent_at)


class Crowd:
    """All who ask: so many a second."""

    def __init__(self, host: str, port: int, next_request: Callable[[], bytes]) -> None:
        self._place = (host, port)
        self._next_request = next_request
        self._free: deque[Line] = deque()
        self._under_way = 0
        self._seconds: dict[int, list[float]] = {201: [], BUSY: []}
        self._statuses: Counter[int] = Counter()
        self._when: list[float] = []
        self._untold = 0

    async def ask(self, per_second: float, seconds: float) -> dict[str, float]:
        """Asks for that long; what became of it."""
        began = time.perf_counter()
        sent = 0
        while (passed := time.perf_counter() - began) < seconds:
            due = int(passed * per_second)
            for _ in range(due - sent):
                await self._send()
            sent = due
            await asyncio.sleep(TICK_SECONDS)
        done_in_time = sum(at < began + seconds for at in self._when)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while self._under_way:  # noqa: ASYNC110 - there is nothing to wait for but time
                await asyncio.sleep(TICK_SECONDS)
        served, refused = self._seconds[201], self._seconds[BUSY]
        return {
            "offered": sent / seconds,
            "served": done_in_time / seconds,
            "served_p99": _percentile(served, 99),
            "refused": len(refused),
            "refused_p50": _percentile(refused, 50),
            "refused_p99": _percentile(refused, 99),
            "others": sum(n for status, n in self._statuses.items() if status not in (201, BUSY)),
            "without_retry_after": self._untold,
        }

    def answered(self, line: Line, head: bytes, seconds: float) -> None:
        """One request was answered."""
        status = int(head[9:12])
        self._statuses[status] += 1
        self._seconds.setdefault(status, []).append(seconds)
        if status == 201:
            self._when.append(time.perf_counter())
        self._untold += status == BUSY and b"\r\nretry-after: " not in head.lower()
        self._under_way -= 1
        self._free.append(line)

    async def _send(self) -> None:
        if self._free:
            line = self._free.popleft()
        else:
            _, line = await asyncio.get_running_loop().create_connection(lambda: Line(self), *self._place)
        self._under_way += 1
        line.send(self._next_request())


def _percentile(seconds: list[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100)[percent - 1] if len(seconds) > 1 else 0.0


def main(arguments: list[str]) -> None:
    """Runs one load and prints its result."""
    host, port, per_second, seconds, key, prefix, customers, run = arguments
    source = requests(host, "/v1/credit-checks", key, prefix, int(customers), run, 0)
    print("RESULT", json.dumps(asyncio.run(Crowd(host, int(port), source).ask(float(per_second), float(seconds)))))


if __name__ == "__main__":
    main(sys.argv[1:])
