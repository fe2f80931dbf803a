"""The load generator that comes along, for machines without wrk: raw sockets, one request at a time on each.

python -m tests.bench.generator <host> <port> <connections> <seconds> <path> <key> <prefix> <customers> <run> <items>
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

SEED: Final = 20260302


class Connection(asyncio.Protocol):
    """One keep-alive connection: sends a request, waits for its answer, sends the next, until time is up."""

    def __init__(self, next_request: Callable[[], bytes], until: float) -> None:
        self.latencies: list[float] = []
        self.errors = 0
        self.ended = asyncio.get_running_loop().create_future()
        self._next_request = next_request
        self._until = until
        self._received = bytearray()
        self._whole = 0  # the length of the answer, once its head is there
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Sends the next request once the answer is whole."""
        self._received += data
        if not self._whole:
            head_ends = self._received.find(b"\r\n\r\n")
            if head_ends < 0:
                return
            self._whole = head_ends + 4 + content_length(bytes(self._received[:head_ends]))
        if len(self._received) < self._whole:
            return
        self.latencies.append(time.perf_counter() - self._sent_at)
        self.errors += self._received[9:10] != b"2"
        self._received.clear()
        self._whole = 0
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        """A connection that ends before its time is an error."""
        if not self.ended.done():
            self.errors += 1
            self.ended.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        if self._sent_at >= self._until:
            self.ended.set_result(None)
            self._transport.close()
            return
        self._transport.write(self._next_request())


def content_length(head: bytes) -> int:
    """What the head of an answer says of its body."""
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0])


def requests(host: str, path: str, key: str, prefix: str, customers: int, run: str, items: int) -> Callable[[], bytes]:
    """Makes requests, each with a key and orders of its own."""
    numbers = itertools.count(1)
    draw = random.Random(SEED)
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"

    def check() -> str:
        customer = f"{prefix}{draw.randint(1, customers)}"
        order = f"{run}-{next(numbers)}"
        return f'{{"customer_id":"{customer}","order_ref":"{order}","amount":"100.00","currency":"CNY"}}'

    def next_request() -> bytes:
        body = f'{{"items":[{",".join(check() for _ in range(items))}]}}' if items else check()
        key_line = f"Idempotency-Key: {run}-k{next(numbers)}\r\n"
        return f"{head}{key_line}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    return next_request


async def drive(host: str, port: int, connections: int, seconds: float, next_request: Callable[[], bytes]) -> str:
    """The result of the whole load, as JSON."""
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(next_request, began + seconds), host, port)
        for _ in range(connections)
    ]
    protocols = [protocol for _, protocol in opened]
    await asyncio.gather(*(protocol.ended for protocol in protocols))
    taken = time.perf_counter() - began
    latencies = sorted(latency * 1e6 for protocol in protocols for latency in protocol.latencies)
    return json.dumps(
        {
            "requests": len(latencies),
            "seconds": taken,
            "p50": statistics.median(latencies),
            "p99": latencies[int(len(latencies) * 0.99)],
            "errors": sum(protocol.errors for protocol in protocols),
        }
    )


def main(arguments: list[str]) -> None:
    """Runs one load and prints its result."""
    host, port, connections, seconds, path, key, prefix, customers, run, items = arguments
    source = requests(host, path, key, prefix, int(customers), run, int(items))
    print("RESULT", asyncio.run(drive(host, int(port), int(connections), float(seconds), source)))


if __name__ == "__main__":
    main(sys.argv[1:])
