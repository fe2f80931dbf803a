"""API keys from making to revoking, and who gets in with them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import Engine, event, text

from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth import service as auth
from app.support.auth.core.scopes import Role, Scope
from tests.infra.http.test_problem import problem
from tests.support.api import BOOTSTRAP_KEY, ApiAs, client_of

WISH = {"name": "SAP", "kind": "service", "role": "integration"}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a caller sees a second later."""
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.0)


async def make(api: AsyncClient, **members: object) -> dict[str, Any]:
    response = await api.post("/v1/api-keys", json={**WISH, **members})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def enters(app: FastAPI, key: str) -> bool:
    async with client_of(app, key) as client:
        return (await client.get("/v1/probe/papers")).status_code == 200


class TestCredentials:
    @pytest.mark.parametrize("header", [None, ""])
    async def test_that_are_missing_are_asked_for(self, app: FastAPI, header: str | None) -> None:
        async with client_of(app, None) as anybody:
            response = await anybody.get("/v1/events", headers={} if header is None else {"Authorization": header})
        problem(response, 401, "credentials_missing")
        assert response.headers["www-authenticate"] == 'Bearer realm="headroom"'

    @pytest.mark.parametrize(
        "header",
        ["Basic YTpi", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + "x" * 9000, BOOTSTRAP_KEY, "Bearer a.b.c"],
    )
    async def test_that_are_wrong_are_refused(self, app: FastAPI, header: str) -> None:
        async with client_of(app, None) as anybody:
            response = await anybody.get("/v1/events", headers={"Authorization": header})
        problem(response, 401, "credentials_invalid")
        assert response.headers["www-authenticate"].startswith('Bearer realm="headroom", error="')

    async def test_come_before_the_body(self, app: FastAPI) -> None:
        async with client_of(app, None) as anybody:
            problem(await anybody.post("/v1/probe/notes", content=b"{"), 401, "credentials_missing")

    async def test_of_another_scope_are_refused(self, api_as: ApiAs) -> None:
        auditor = await api_as(role=Role.AUDITOR)
        response = await auditor.post("/v1/probe/notes", content=b"{")
        problem(response, 403, "scope_missing")
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]

    async def test_confined_to_a_segment_see_no_other(self, api_as: ApiAs) -> None:
        clerk = await api_as(Scope.ORDERS_CHECK, segments=["main"])
        assert (await clerk.get("/v1/probe/segments/main")).json() == "main"
        problem(await clerk.get("/v1/probe/segments/eu"), 404, "segment_not_found")


class TestCreate:
    async def test_shows_the_key_once(self, app: FastAPI, api: AsyncClient) -> None:
        made = await make(api)
        assert made["key"].startswith("hr_live_")
        assert await enters(app, made["key"])
        listed = (await api.get("/v1/api-keys")).json()["items"]
        assert "key" not in listed[0]
        assert listed[0]["prefix"] == made["key"][:12]

    async def test_stores_only_a_hash(self, app: FastAPI, api: AsyncClient) -> None:
        made = await make(api)
        async with app.state.engine.connect() as connection:
            rows = await connection.scalars(text("select api_keys::text || events::text from api_keys, events"))
            assert not any(made["key"] in row for row in rows)

    async def test_keeps_no_answer_under_an_idempotency_key(self, app: FastAPI, api: AsyncClient) -> None:
        for status in (201, 409):
            response = await api.post("/v1/api-keys", json=WISH, headers={"Idempotency-Key": "k"})
            assert response.status_code == status
        async with app.state.engine.connect() as connection:
            assert await connection.scalar(text("select count(*) from idempotency_keys")) == 0

    async def test_brings_the_scopes_of_the_role(self, api: AsyncClient) -> None:
        made = await make(api, scopes=["journal:read"])
        assert {"orders:check", "journal:read"} <= set(made["scopes"])

    async def test_takes_authority_segments_and_an_end(self, api: AsyncClient) -> None:
        made = await make(
            api,
            authority={"amount": "50000", "currency": "CNY"},
            segments=["main"],
            expires_at="2026-06-01T00:00:00+08:00",
        )
        assert made["authority"] == {"amount": "50000.00", "currency": "CNY"}
        assert made["segments"] == ["main"]
        assert made["expires_at"] == "2026-05-31T16:00:00Z"

    @pytest.mark.parametrize(
        ("members", "pointer", "code"),
        [
            ({"kind": "system"}, "/kind", "literal_error"),
            ({"role": None}, "", "scopes_missing"),
            ({"role": "emperor"}, "/role", "enum"),
            ({"authority": {"amount": "1.5", "currency": "JPY"}}, "/authority/amount", "too_many_decimals"),
            ({"authority": {"amount": "1", "currency": "ZZZ"}}, "/authority/currency", "currency_unknown"),
            ({"segments": []}, "/segments", "too_short"),
            ({"name": "a\0b"}, "", "text_unstorable"),
        ],
    )
    async def test_refuses_what_makes_no_sense(
        self, api: AsyncClient, members: dict[str, object], pointer: str, code: str
    ) -> None:
        response = await api.post("/v1/api-keys", json={**WISH, **members})
        assert response.status_code == 422
        fault = response.json()["errors"][0]
        assert fault["code"] == code
        assert fault["pointer"] in (pointer, "/name")

    async def test_refuses_an_end_in_the_past(self, api: AsyncClient) -> None:
        response = await api.post("/v1/api-keys", json={**WISH, "expires_at": "2020-01-01T00:00:00Z"})
        problem(response, 422, "api_key_expiry_past")

    async def test_refuses_the_name_of_a_live_key(self, api: AsyncClient) -> None:
        made = await make(api)
        problem(await api.post("/v1/api-keys", json=WISH), 409, "api_key_name_taken")
        await api.delete(f"/v1/api-keys/{made['id']}")
        await make(api)

    async def test_is_for_administrators(self, api_as: ApiAs) -> None:
        manager = await api_as(role=Role.CREDIT_MANAGER)
        problem(await manager.post("/v1/api-keys", json=WISH), 403, "scope_missing")
        problem(await manager.get("/v1/api-keys"), 403, "scope_missing")


class TestExpiry:
    async def test_ends_a_key_by_itself(self, app: FastAPI, api: AsyncClient, clock: FrozenClock) -> None:
        made = await make(api, expires_at="2026-03-02T10:00:00Z")
        assert await enters(app, made["key"])
        clock.move(by=timedelta(hours=1))
        assert not await enters(app, made["key"])


class TestRotate:
    async def test_lets_both_in_for_the_overlap(self, app: FastAPI, api: AsyncClient, clock: FrozenClock) -> None:
        made = await make(api)
        response = await api.post(f"/v1/api-keys/{made['id']}/rotate", json={"overlap_seconds": 60})
        fresh = response.json()
        assert fresh["id"] == made["id"]
        assert await enters(app, made["key"])
        assert await enters(app, fresh["key"])
        clock.move(by=timedelta(seconds=60))
        assert not await enters(app, made["key"])
        assert await enters(app, fresh["key"])

    async def test_overlaps_a_day_where_nothing_is_said(self, api: AsyncClient) -> None:
        made = await make(api)
        response = await api.post(f"/v1/api-keys/{made['id']}/rotate")
        assert response.json()["previous_key_until"] == "2026-03-03T09:00:00Z"


class TestRevoke:
    async def test_ends_a_key_and_the_one_before_it(self, app: FastAPI, api: AsyncClient) -> None:
        made = await make(api)
        fresh = (await api.post(f"/v1/api-keys/{made['id']}/rotate")).json()
        revoked = await api.delete(f"/v1/api-keys/{made['id']}")
        assert revoked.json()["revoked_at"] == "2026-03-02T09:00:00Z"
        assert not await enters(app, made["key"])
        assert not await enters(app, fresh["key"])

    async def test_happens_once(self, api: AsyncClient) -> None:
        path = f"/v1/api-keys/{(await make(api))['id']}"
        await api.delete(path)
        problem(await api.delete(path), 409, "api_key_revoked")
        problem(await api.post(f"{path}/rotate"), 409, "api_key_revoked")

    async def test_needs_a_key_that_is_there(self, api: AsyncClient) -> None:
        problem(await api.delete("/v1/api-keys/00000000-0000-7000-8000-000000000000"), 404, "api_key_not_found")
        assert (await api.delete("/v1/api-keys/x")).status_code == 422

    async def test_is_in_the_journal_with_who_did_it(self, app: FastAPI, api: AsyncClient) -> None:
        made = await make(api)
        await api.post(f"/v1/api-keys/{made['id']}/rotate")
        await api.delete(f"/v1/api-keys/{made['id']}")
        async with app.state.engine.connect() as connection:
            rows = (await connection.execute(text("select type, actor, subject_id from events order by id"))).all()
        types = ["api_key_created", "api_key_rotated", "api_key_revoked"]
        assert [tuple(row) for row in rows] == [(type_, "bootstrap", made["id"]) for type_ in types]


class TestAuthenticator:
    async def test_asks_the_database_once_a_second(
        self, app: FastAPI, api: AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(auth, "CACHE_SECONDS", 60.0)
        made = await make(api)
        statements: list[str] = []

        def listen(*args: Any) -> None:
            statements.append(args[2])

        event.listen(Engine, "before_cursor_execute", listen)
        try:
            async with client_of(app, made["key"]) as client:
                await asyncio.gather(*(client.get("/v1/probe/papers") for _ in range(20)))
                await client.get("/v1/probe/papers")
        finally:
            event.remove(Engine, "before_cursor_execute", listen)
        assert sum("api_keys" in statement for statement in statements) == 1

    async def test_remembers_a_bounded_number_of_unknown_keys(
        self, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(auth, "CACHE_SECONDS", 60.0)
        monkeypatch.setattr(auth, "CACHE_ENTRIES", 5)
        authenticator: auth.Authenticator = app.state.authenticator
        for number in range(20):
            assert not await enters(app, f"guess {number}".replace(" ", "-"))
        assert len(authenticator._cache) == 5

    async def test_of_a_failed_look_up_remembers_nothing(self, app: FastAPI, api: AsyncClient) -> None:
        made = await make(api)
        engine = app.state.engine
        async with engine.connect() as holder:
            await holder.execute(text("lock table api_keys"))
            async with client_of(app, made["key"]) as client:
                problem(await client.get("/v1/probe/papers"), 503, "database_busy")
        assert await enters(app, made["key"])


class TestFirstKey:
    async def test_is_made_on_an_empty_table_only(self, app: FastAPI, transactions: Transactions) -> None:
        async def first() -> str | None:
            async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                return await auth.first_key(tx)

        keys = [key for key in await asyncio.gather(first(), first(), first()) if key]
        assert len(keys) == 1
        assert await enters(app, keys[0])
