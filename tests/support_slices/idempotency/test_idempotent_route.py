"""A POST with an `Idempotency-Key` happens once, whoever repeats it and however many at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.support.auth.core.scopes import Scope
from app.support.idempotency import service as idempotency
from app.support.idempotency.core import fingerprint
from app.support.idempotency.jobs import delete_expired_keys
from tests.infra.http.test_problem import problem
from tests.support.api import ApiAs


async def note(api: AsyncClient, key: str = "k-1", **members: object) -> Response:
    return await api.post("/v1/probe/notes", json={"text": "hello", **members}, headers={"Idempotency-Key": key})


async def count(app: FastAPI, table: str) -> int:
    async with app.state.engine.connect() as connection:
        return int(await connection.scalar(text(f"select count(*) from {table}")))


class TestRefusal:
    async def test_leaves_nothing_behind(self, app: FastAPI, api: AsyncClient) -> None:
        problem(await note(api, text="full"), 409, "probe_full")
        assert await count(app, "events") == await count(app, "idempotency_keys") == 0

    async def test_that_must_be_remembered_is_journalled_by_itself(self, app: FastAPI, api: AsyncClient) -> None:
        answer = await note(api, text="remembered")
        problem(answer, 409, "probe_full")
        assert await count(app, "idempotency_keys") == 0
        async with app.state.engine.connect() as connection:
            (event,) = await connection.execute(text("select subject_id, actor, request_id, after from events"))
        assert tuple(event) == ("7", "bootstrap", answer.json()["request_id"], {"refused": "probe_full"})


class TestRepetition:
    async def test_gets_the_first_answer_byte_for_byte(self, app: FastAPI, api: AsyncClient) -> None:
        first, second = await note(api), await note(api)
        assert (second.status_code, second.content) == (201, first.content)
        assert second.headers["content-type"] == first.headers["content-type"]
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        assert await count(app, "events") == 1

    async def test_may_be_written_differently(self, api: AsyncClient) -> None:
        first = await api.post(
            "/v1/probe/notes",
            content=b'{"text": "hello", "count": 1}',
            headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
        )
        second = await api.post(
            "/v1/probe/notes",
            content=b'{ "count":1,\n"text":"h\\u0065llo" }',
            headers={"Idempotency-Key": "k", "Content-Type": "application/json; charset=utf-8"},
        )
        assert second.content == first.content

    async def test_of_another_request_is_refused(self, app: FastAPI, api: AsyncClient) -> None:
        await note(api)
        problem(await note(api, text="other"), 422, "idempotency_key_reused")
        headers = {"Idempotency-Key": "k-1"}
        response = await api.post("/v1/probe/papers/A/copies/B", headers=headers)
        problem(response, 422, "idempotency_key_reused")
        assert await count(app, "events") == 1

    async def test_of_another_caller_is_another_request(self, app: FastAPI, api: AsyncClient, api_as: ApiAs) -> None:
        await note(api)
        other = await note(await api_as(Scope.ORDERS_CHECK))
        assert "idempotent-replayed" not in other.headers
        assert await count(app, "idempotency_keys") == 2

    async def test_needs_the_scope_still(self, app: FastAPI, api_as: ApiAs) -> None:
        caller = await api_as(Scope.ORDERS_CHECK)
        await note(caller)
        async with app.state.engine.begin() as connection:
            await connection.execute(text("update api_keys set scopes = array['journal:read']"))
        app.state.authenticator._cache.clear()
        problem(await note(caller), 403, "scope_missing")

    async def test_by_a_hundred_at_once_happens_once(self, app: FastAPI, api: AsyncClient) -> None:
        answers = await asyncio.gather(*(note(api, text="slow") for _ in range(100)))
        done = [answer for answer in answers if answer.status_code == 201]
        refused = [answer for answer in answers if answer.status_code != 201]
        assert len({answer.content for answer in done}) == 1
        assert len(done) >= 2
        for answer in refused:  # those that could not wait for a connection or for the first
            assert answer.status_code in (409, 503)
            assert int(answer.headers["retry-after"]) >= 1
        assert await count(app, "events") == 1

    async def test_while_the_first_is_under_way_is_told_to_wait(self, app: FastAPI, api: AsyncClient) -> None:
        async with app.state.engine.connect() as first:
            await first.execute(
                text("insert into idempotency_keys values ('bootstrap', 'k-1', '', null, null, null, now())")
            )
            response = await note(api)
        problem(response, 409, "idempotency_in_progress")
        assert response.headers["retry-after"] == "1"
        assert (await note(api)).status_code == 201


class TestKept:
    @pytest.mark.parametrize("text_", ["full", "impossible", "later", "crash"])
    async def test_is_no_refusal(self, app: FastAPI, api: AsyncClient, text_: str) -> None:
        first, second = await note(api, text=text_), await note(api, text=text_)
        assert first.status_code == second.status_code >= 400
        assert "idempotent-replayed" not in second.headers
        assert await count(app, "idempotency_keys") == 0
        assert await count(app, "events") == 0

    async def test_is_no_invalid_request(self, app: FastAPI, api: AsyncClient) -> None:
        assert (await note(api, text=7)).status_code == 422
        assert (await note(api)).status_code == 201

    async def test_is_nothing_without_a_key(self, app: FastAPI, api: AsyncClient) -> None:
        for _ in range(2):
            assert (await api.post("/v1/probe/notes", json={"text": "hello"})).status_code == 201
        assert await count(app, "idempotency_keys") == 0
        assert await count(app, "events") == 2

    async def test_is_what_is_committed_with_the_work(self, app: FastAPI, api: AsyncClient) -> None:
        """The answer and the event are of one transaction: there is never one without the other."""
        await note(api)
        async with app.state.engine.connect() as connection:
            same = "select count(*) from events e join idempotency_keys k on e.xid::text = k.xmin::text"
            assert await connection.scalar(text(same)) == 1

    async def test_is_forgotten_after_seven_days(
        self, app: FastAPI, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        run = Run(transactions, "test")
        await note(api, "old")
        clock.move(by=idempotency.RETENTION)
        await note(api, "young")
        await delete_expired_keys(run)
        assert await count(app, "idempotency_keys") == 2
        clock.move(by=timedelta(seconds=1))
        await delete_expired_keys(run)
        assert await count(app, "idempotency_keys") == 1
        assert "idempotent-replayed" in (await note(api, "young")).headers

    async def test_is_forgotten_in_batches(
        self,
        app: FastAPI,
        api: AsyncClient,
        clock: FrozenClock,
        transactions: Transactions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(idempotency, "DELETE_BATCH", 2)
        for number in range(5):
            await note(api, f"k-{number}")
        clock.move(by=timedelta(days=8))
        await delete_expired_keys(Run(transactions, "test"))
        assert await count(app, "idempotency_keys") == 0


class TestKey:
    @pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ü"])
    async def test_is_refused_where_it_is_malformed(self, api: AsyncClient, key: str) -> None:
        response = await api.post(
            "/v1/probe/notes", json={"text": "hello"}, headers={b"Idempotency-Key": key.encode("latin-1")}
        )
        document = problem(response, 422, "idempotency_key_malformed")
        assert document["errors"][0]["pointer"] == "/header/Idempotency-Key"

    @pytest.mark.parametrize("key", ["x" * 255, "a b", "~!@#", "8e03978e-40d5-43e8-bc93-6894a57f9324"])
    async def test_is_printable_ascii(self, api: AsyncClient, key: str) -> None:
        assert (await note(api, key)).status_code == 201


class TestFingerprint:
    def test_differs_by_method_target_and_body(self) -> None:
        asked: list[tuple[str, bytes, object]] = [
            ("POST", b"/a", {}),
            ("PUT", b"/a", {}),
            ("POST", b"/a?b", {}),
            ("POST", b"/a", None),
            ("POST", b"/a", []),
        ]
        assert len({fingerprint(*request) for request in asked}) == len(asked)

    def test_does_not_differ_by_order(self) -> None:
        assert fingerprint("POST", b"/", {"a": 1, "b": 2}) == fingerprint("POST", b"/", {"b": 2, "a": 1})

    def test_tells_an_integer_from_a_string(self) -> None:
        assert fingerprint("POST", b"/", {"amount": 5}) != fingerprint("POST", b"/", {"amount": "5"})
