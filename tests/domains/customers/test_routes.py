"""Customers over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.support.auth.core.scopes import Scope
from tests.support.api import ApiAs

FULL: dict[str, Any] = {
    "name": "Red Star Trading",
    "legal_name": "北京红星贸易有限公司",
    "country": "CN",
    "language": "zh-CN",
    "registration": {"scheme": "CN-USCC", "value": "91110000600037341L"},
    "industry": "toys",
    "founded_on": "1898-05-01",
    "size": "medium",
    "profile": "retail",
    "payment_terms": {"kind": "account", "net_days": 60, "due_from": "month_end", "discount_percent": "2.5"},
    "contacts": [{"role": "dunning", "name": "Li Wei", "email": "li@example.com", "phone": "+86 10 1234"}],
}
PLAIN: dict[str, Any] = {"name": "Red Star Trading", "country": "CN"}


def faults(response: Response) -> list[tuple[str, str]]:
    """Where and what an answer says is wrong."""
    assert response.status_code == 422, response.text
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


class TestPut:
    async def test_creates(self, api: AsyncClient) -> None:
        response = await api.put("/v1/customers/C1", json=FULL)
        assert response.status_code == 201, response.text
        body = response.json()
        assert response.headers["ETag"] == '"1"'
        assert {name: body[name] for name in FULL if name not in ("payment_terms", "contacts")} == {
            name: value for name, value in FULL.items() if name not in ("payment_terms", "contacts")
        }
        assert body["payment_terms"] == {**FULL["payment_terms"], "discount_percent": "2.5", "discount_days": 0}
        assert body["contacts"] == [{**FULL["contacts"][0], "address": None, "id": body["contacts"][0]["id"]}]

    async def test_replaces(self, api: AsyncClient) -> None:
        await api.put("/v1/customers/C1", json=FULL)
        response = await api.put("/v1/customers/C1", json=PLAIN)
        assert (response.status_code, response.headers["ETag"]) == (200, '"2"')
        assert response.json()["contacts"] == []

    async def test_gives_usual_terms_where_none_are_given(self, api: AsyncClient) -> None:
        terms = (await api.put("/v1/customers/C1", json=PLAIN)).json()["payment_terms"]
        assert terms == {
            "kind": "account",
            "net_days": 30,
            "due_from": "invoice",
            "discount_percent": "0",
            "discount_days": 0,
        }
        prepaid = (await api.put("/v1/customers/C1", json={**PLAIN, "payment_terms": {"kind": "prepaid"}})).json()
        assert prepaid["payment_terms"]["net_days"] == 0

    async def test_answers_the_same_as_get(self, api: AsyncClient) -> None:
        put = await api.put("/v1/customers/C1", json=FULL)
        got = await api.get("/v1/customers/C1")
        assert (got.status_code, got.json(), got.headers["ETag"]) == (200, put.json(), put.headers["ETag"])

    async def test_takes_its_own_answer_back(self, api: AsyncClient) -> None:
        body = (await api.put("/v1/customers/C1", json=FULL)).json()
        for name in ("customer_id", "version", "created_at", "updated_at"):
            body.pop(name)
        for contact in body["contacts"]:
            contact.pop("id")
        assert (await api.put("/v1/customers/C1", json=body)).headers["ETag"] == '"1"'

    async def test_honours_if_match(self, api: AsyncClient) -> None:
        nobody = await api.put("/v1/customers/C1", json=PLAIN, headers={"If-Match": '"1"'})
        assert (nobody.status_code, nobody.json()["code"]) == (412, "version_stale")
        await api.put("/v1/customers/C1", json=PLAIN)
        stale = await api.put("/v1/customers/C1", json=FULL, headers={"If-Match": '"2"'})
        assert stale.status_code == 412
        fresh = await api.put("/v1/customers/C1", json=FULL, headers={"If-Match": '"1"'})
        assert (fresh.status_code, fresh.headers["ETag"]) == (200, '"2"')

    async def test_takes_references_with_slashes(self, api: AsyncClient) -> None:
        response = await api.put("/v1/customers/ERP%2F2026%2F01", json=PLAIN)
        assert (response.status_code, response.json()["customer_id"]) == (201, "ERP/2026/01")
        assert (await api.get("/v1/customers/ERP%2F2026%2F01")).status_code == 200

    @pytest.mark.parametrize(
        ("change", "pointer", "code"),
        [
            ({"name": ""}, "/name", None),
            ({"name": "a\u0000b"}, None, None),
            ({"country": "XX"}, "/country", "country_unknown"),
            ({"country": "cn"}, "/country", "country_unknown"),
            ({"language": "chinese!"}, "/language", None),
            ({"size": "huge"}, "/size", "enum"),
            ({"founded_on": "0999-01-01"}, "/founded_on", None),
            ({"founded_on": 12345}, "/founded_on", "date_malformed"),
            ({"founded_on": "1999-02-30"}, "/founded_on", None),
            ({"parent_id": "NOBODY"}, "/parent_id", "parent_unknown"),
            ({"parent_id": "C1"}, "/parent_id", "parent_cycle"),
            ({"registration": {"scheme": "LEI", "value": "1"}}, "/registration/value", "registration_invalid"),
            ({"registration": {"scheme": "DUNS", "value": "1"}}, "/registration/scheme", "enum"),
            ({"payment_terms": {"kind": "account", "net_days": -1}}, "/payment_terms/net_days", None),
            ({"payment_terms": {"kind": "account", "net_days": 30.0}}, "/payment_terms/net_days", None),
            ({"payment_terms": {"kind": "account", "discount_percent": 2.5}}, "/payment_terms/discount_percent", None),
            ({"payment_terms": {"kind": "account", "discount_percent": "2.345"}}, None, "percentage_out_of_range"),
            ({"payment_terms": {"kind": "cash", "discount_days": 1}}, None, "terms_contradictory"),
            ({"contacts": [{"role": "boss", "name": "Li"}]}, "/contacts/0/role", "enum"),
            ({"contacts": [{"role": "dunning", "name": "Li", "email": "li"}]}, "/contacts/0/email", None),
            ({"contacts": [{"role": "dunning", "name": "Li"}] * 21}, "/contacts", None),
            ({"unknown": 1}, "/unknown", "unknown_field"),
        ],
    )
    async def test_refuses(
        self, api: AsyncClient, change: dict[str, Any], pointer: str | None, code: str | None
    ) -> None:
        found = faults(await api.put("/v1/customers/C1", json={**PLAIN, **change}))
        assert len(found) == 1
        assert pointer is None or found[0][0] == pointer
        assert code is None or found[0][1] == code

    async def test_needs_the_write_scope(self, api_as: ApiAs) -> None:
        reader = await api_as(Scope.CUSTOMERS_READ)
        response = await reader.put("/v1/customers/C1", json=PLAIN)
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")

    async def test_is_journalled_without_personal_data(self, api: AsyncClient, app: FastAPI) -> None:
        await api.put("/v1/customers/C1", json=FULL)
        async with app.state.engine.connect() as connection:
            rows = (await connection.execute(text("select type, subject_id, after::text as said from events"))).all()
        assert [(row.type, row.subject_id) for row in rows if row.subject_id == "C1"] == [("customer_created", "C1")]
        assert all("Li Wei" not in row.said for row in rows)


class TestGet:
    async def test_of_an_unknown_customer_is_not_found(self, api: AsyncClient) -> None:
        response = await api.get("/v1/customers/NOBODY")
        assert (response.status_code, response.json()["code"]) == (404, "customer_not_found")

    async def test_is_open_to_readers_and_writers(self, api: AsyncClient, api_as: ApiAs) -> None:
        await api.put("/v1/customers/C1", json=PLAIN)
        for scope, status in (
            (Scope.CUSTOMERS_READ, 200),
            (Scope.CUSTOMERS_WRITE, 200),
            (Scope.ORDERS_CHECK, 403),
        ):
            assert (await (await api_as(scope)).get("/v1/customers/C1")).status_code == status


class TestList:
    async def test_shows_the_last_changed_first(self, api: AsyncClient, clock: FrozenClock) -> None:
        for customer_id in ("A", "B", "C"):
            await api.put(f"/v1/customers/{customer_id}", json=PLAIN)
            clock.move(by=timedelta(seconds=1))
        await api.put("/v1/customers/A", json=FULL)
        items = (await api.get("/v1/customers")).json()["items"]
        assert [item["customer_id"] for item in items] == ["A", "C", "B"]

    async def test_exports_what_has_changed_since(self, api: AsyncClient, clock: FrozenClock) -> None:
        for customer_id in ("A", "B", "C"):
            await api.put(f"/v1/customers/{customer_id}", json=PLAIN)
            clock.move(by=timedelta(seconds=1))
        since = (await api.get("/v1/customers/A")).json()["updated_at"]
        params = {"changed_after": since, "order": "asc", "limit": "1"}
        first = (await api.get("/v1/customers", params=params)).json()
        second = (await api.get("/v1/customers", params={**params, "cursor": first["next_cursor"]})).json()
        assert [item["customer_id"] for item in first["items"] + second["items"]] == ["B", "C"]
        assert second["next_cursor"] is None

    async def test_searches(self, api: AsyncClient) -> None:
        await api.put("/v1/customers/A", json=FULL)
        await api.put("/v1/customers/B", json={**PLAIN, "name": "Lantern"})
        by_name = (await api.get("/v1/customers", params={"query": "star"})).json()["items"]
        by_profile = (await api.get("/v1/customers", params={"profile": "default"})).json()["items"]
        assert [item["customer_id"] for item in by_name] == ["A"]
        assert [item["customer_id"] for item in by_profile] == ["B"]

    @pytest.mark.parametrize(
        "params", [{"query": ""}, {"query": "a\u0000"}, {"limit": "0"}, {"limit": "501"}, {"cursor": "garbage"}]
    )
    async def test_refuses(self, api: AsyncClient, params: dict[str, str]) -> None:
        assert (await api.get("/v1/customers", params=params)).status_code == 422
