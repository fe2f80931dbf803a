"""A flood of credit checks is refused where the bytes arrive, with the answer of the ordinary way; nothing else is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.infra.clock import SystemClock
from app.infra.http.admission import Admission
from app.infra.http.refusing import RefusingProtocol, whole_request
from app.infra.http.serving import configured
from tests.support.patience import PATIENCE_SECONDS, until

PATH = "/v1/credit-checks"
LINE = b"POST /v1/credit-checks HTTP/1.1"
BODY = b'{"amount":"100.00"}'
DATE = (b"date", b"Wed, 25 Nov 2026 22:00:00 GMT")

Answer = tuple[int, dict[str, str], bytes]


def request(*headers: bytes, line: bytes = LINE, body: bytes = BODY) -> bytes:
    """The bytes of a request; its length is declared."""
    return b"\r\n".join([line, b"Host: localhost", b"Content-Length: %d" % len(body), *headers, b"", body])


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, *parts: bytes) -> Answer:
        """What is answered to a request that arrives in these parts."""
        for part in parts:
            self.writer.write(part)
            await asyncio.sleep(0.02)
        return await self.answer()

    async def answer(self) -> Answer:
        """The next answer: status, headers, body."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            return int(head[0].split()[1]), headers, await self._reader.readexactly(int(headers["content-length"]))


class Place:
    """A server whose door for credit checks lets one in at a time, and which answers nobody before it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = asyncio.Event()
        self.reads_bodies = True
        self.admission = Admission(self._application, clock=SystemClock(), checks=frozenset({PATH}), limit_of_checks=1)
        self.state = ServerState()
        self.state.default_headers = [DATE]
        self._config = configured(self._application, host="", port=0)
        self._config.load()
        self._config.loaded_app = self.admission
        self._port = 0
        self._callers: list[Caller] = []

    async def __aenter__(self) -> Place:
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.answers.set()
        for caller in self._callers:
            caller.writer.close()
        self._server.close()
        await until(lambda: not self.state.connections and not self.state.tasks)

    async def caller(self) -> Caller:
        """Somebody with a connection of their own."""
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self._port))
        self._callers.append(caller)
        return caller

    async def fill(self) -> Caller:
        """Somebody who is inside from now on."""
        caller = await self.caller()
        caller.writer.write(request(b"X-Request-Id: first"))
        await until(lambda: self.admission.check_door.inside > 0)
        return caller

    def _protocol(self) -> RefusingProtocol:
        return RefusingProtocol(config=self._config, server_state=self.state, app_state={}, admission=self.admission)

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        if self.reads_bodies:
            while (await receive()).get("more_body"):
                pass
        if (scope["method"], scope["path"]) == ("POST", PATH):
            await self.answers.wait()
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


class TestRefusing:
    async def test_answers_as_the_ordinary_way_does(self) -> None:
        whole = request(b"X-Request-Id: mine")
        async with Place() as place:
            await place.fill()
            early = await (await place.caller()).ask(whole)
            ordinary = await (await place.caller()).ask(whole[:50], whole[50:])
            assert early[:2] == ordinary[:2]
            assert json.loads(early[2]) == json.loads(ordinary[2])
            assert (early[0], json.loads(early[2])["code"]) == (503, "overloaded")
            assert (early[1]["retry-after"], early[1]["x-request-id"]) == ("1", "mine")
            assert place.asked == [PATH]

    async def test_begins_no_task_for_whoever_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with Place() as place:
            await place.fill()
            monkeypatch.setattr(RefusingProtocol, "on_headers_complete", None)
            caller = await place.caller()
            for _ in range(3):
                assert (await caller.ask(request()))[0] == 503

    async def test_lets_in_again_on_the_same_connection(self) -> None:
        async with Place() as place:
            first, caller = await place.fill(), await place.caller()
            assert (await caller.ask(request()))[0] == 503
            place.answers.set()
            assert (await first.answer())[0] == 201
            assert (await caller.ask(request()))[0] == 201
            assert place.asked == [PATH, PATH]

    async def test_counts_those_on_their_way_to_the_door(self) -> None:
        """Many that arrive in one turn of the loop find one place: the others are refused before they are parsed."""
        async with Place() as place:
            callers = [await place.caller() for _ in range(20)]
            for caller in callers:
                caller.writer.write(request())
            asking = [asyncio.create_task(caller.answer()) for caller in callers]
            done: set[asyncio.Task[Answer]] = set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(done) < len(asking) - 1:
                    done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
            place.answers.set()
            answers = await asyncio.gather(*asking)
        assert sorted(status for status, _, _ in answers) == [201, *[503] * 19]
        assert len(place.asked) == 1

    async def test_leaves_a_connection_that_is_to_end_to_the_ordinary_way(self) -> None:
        """A server that drains says so in each answer, and closes the connection after it."""
        async with Place() as place:
            await place.fill()
            place.state.default_headers = [DATE, (b"connection", b"close")]
            caller = await place.caller()
            status, headers, _ = await caller.ask(request())
            assert (status, headers["connection"]) == (503, "close")
            with pytest.raises(asyncio.IncompleteReadError):
                await caller.answer()

    async def test_takes_no_body_for_a_request(self) -> None:
        """What looks like a credit check inside a body, whose request was answered before it was read."""
        async with Place() as place:
            await place.fill()
            place.reads_bodies = False
            caller = await place.caller()
            inner = request()
            outer = request(line=b"POST /v1/customers HTTP/1.1", body=inner)
            assert (await caller.ask(outer.removesuffix(inner)))[0] == 201
            caller.writer.write(inner)
            assert (await caller.ask(request(line=b"GET /v1/customers HTTP/1.1", body=b"")))[0] == 201
            assert place.asked == [PATH, "/v1/customers", "/v1/customers"]

    async def test_answers_in_order_what_is_sent_ahead(self) -> None:
        """A check behind a request that is not answered yet is answered after it."""
        async with Place() as place:
            first = await place.fill()
            first.writer.write(request(b"X-Request-Id: second"))
            await asyncio.sleep(0.05)
            place.answers.set()
            assert [(await first.answer())[0], (await first.answer())[0]] == [201, 201]

    async def test_refuses_nothing_but_credit_checks(self) -> None:
        async with Place() as place:
            await place.fill()
            for line in (b"GET /v1/credit-checks HTTP/1.1", b"POST /v1/credit-checks/1/release HTTP/1.1"):
                assert (await (await place.caller()).ask(request(line=line)))[0] == 201


class Heard:
    """What a parser of HTTP makes of some bytes."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.url = b""

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_message_complete(self) -> None:
        self.ended += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))


DOUBTFUL = (
    request(b"Transfer-Encoding: chunked"),
    request(b"transfer-encoding : chunked"),
    request(b"Expect: 100-continue"),
    request(b"Connection: close"),
    request(b"Connection: keep-alive, close"),
    request(b"Connection: Upgrade", b"Upgrade: websocket"),
    request(b"Content-Length: 3"),
    request(b"Content-Length: %d" % len(BODY)),
    request(b"X: a", b" folded"),
    request(b"X: a\nTransfer-Encoding: chunked"),
    request(b"X: \x00"),
    request(b": nameless"),
    request(b"no colon"),
    request(line=b"POST /v1/credit-checks?a=b HTTP/1.1"),
    request(line=b"POST /v1/credit-checks HTTP/1.0"),
    request() + b"P",
    request() + request(),
    request()[:-1],
    LINE + b"\r\nHost: localhost\r\n\r\n",
    LINE + b"\r\nContent-Length: +2\r\n\r\n{}",
    LINE + b"\r\nContent-Length: 2 2\r\n\r\n{}",
    LINE + b"\r\n\r\n",
)


class TestWholeRequest:
    @pytest.mark.parametrize("data", DOUBTFUL)
    def test_leaves_what_is_in_doubt(self, data: bytes) -> None:
        assert whole_request(data) is None

    @pytest.mark.parametrize(
        "headers",
        [
            (),
            (b"connection: keep-alive",),
            (b"Authorization: Bearer abc", b"Content-Type: application/json", b"User-Agent: a b (c)", b"Empty:"),
        ],
    )
    def test_knows_what_clients_send(self, headers: tuple[bytes, ...]) -> None:
        assert whole_request(request(*headers)) == {"type": "http", "method": "POST", "path": PATH, "headers": []}

    def test_finds_the_id_of_the_caller(self) -> None:
        found = whole_request(request(b"x-REQUEST-id:\tmine"))
        assert found is not None
        assert found["headers"] == [(b"x-request-id", b"mine")]

    @given(
        st.lists(
            st.tuples(
                st.integers(0, len(request()) + 80),
                st.binary(max_size=3)
                | st.sampled_from(
                    (
                        b"\r\n",
                        b"\n",
                        b"Content-Length: 0\r\n",
                        b"Transfer-Encoding: chunked\r\n",
                        b"\r\n\r\n",
                        b" ",
                        b":",
                    )
                ),
                st.integers(0, 3),
            ),
            max_size=4,
        )
    )
    @example([])
    @example([(109, b" ", 3)])  # a space behind the id of the caller
    def test_agrees_with_the_parser(self, edits: Sequence[tuple[int, bytes, int]]) -> None:
        """Whatever is done to a request: what is taken for a whole one is one, and ends where it is taken to end."""
        data = request(b"Connection: keep-alive", b"X-Request-Id: mine", b"Accept: */*")
        for place, put, cut in edits:
            data = data[:place] + put + data[place + cut :]
        found = whole_request(data)
        if found is None:
            return
        heard = Heard()
        parser: Any = httptools.HttpRequestParser(heard)
        parser.feed_data(data)
        assert (heard.begun, heard.ended) == (1, 1)
        assert heard.url.decode() == found["path"]
        assert parser.should_keep_alive()
        assert found["headers"] == [(name, value) for name, value in heard.headers if name == b"x-request-id"]
