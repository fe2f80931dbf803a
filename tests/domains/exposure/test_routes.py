"""Accounts, limits, holds, ledgers and exchange rates over HTTP."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from httpx import AsyncClient

from app.domains.exposure import service as exposure
from app.domains.exposure.core.holds import HoldKind
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Scope
from tests.domains.exposure.world import post
from tests.support.api import ApiAs

ACCOUNT = "/v1/customers/C1/accounts/main"
REASON = {"reason": "cutover"}


@pytest.fixture(autouse=True)
async def account(api: AsyncClient) -> None:
    """C1 with an account in `main`."""
    await put_account(api, "C1")


async def put_account(api: AsyncClient, customer_id: str, parent_id: str | None = None, currency: str = "CNY") -> None:
    body = {"name": "Red Star Trading", "country": "CN", "parent_id": parent_id}
    assert (await api.put(f"/v1/customers/{customer_id}", json=body)).status_code == 201
    opened = await api.put(f"/v1/customers/{customer_id}/accounts/main", json={"currency": currency})
    assert opened.status_code == 201, opened.text


async def owe(transactions: Transactions, customer_id: str, *amounts: int) -> None:
    """Receivables on the account of a customer."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        for amount in amounts:
            await post(tx, customer_id, amount)


async def granted(api: AsyncClient, path: str, amount: str, **said: Any) -> Any:
    answer = await api.post(path, json={"kind": "granted", "amount": amount, **REASON, **said})
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestPutAccount:
    async def test_answers_200_the_second_time(self, api: AsyncClient) -> None:
        again = await api.put(ACCOUNT, json={"currency": "CNY"})
        assert again.status_code == 200

    async def test_names_the_version_as_etag_and_honours_it(self, api: AsyncClient) -> None:
        tag = (await api.get(ACCOUNT)).headers["ETag"]
        changed = await api.put(ACCOUNT, json={"currency": "EUR"}, headers={"If-Match": tag})
        assert changed.status_code == 200
        assert changed.json()["currency"] == "EUR"
        stale = await api.put(ACCOUNT, json={"currency": "USD"}, headers={"If-Match": tag})
        assert stale.status_code == 412

    async def test_refuses_another_currency_once_a_limit_is_set(self, api: AsyncClient) -> None:
        await granted(api, f"{ACCOUNT}/limit", "10")
        refused = await api.put(ACCOUNT, json={"currency": "EUR"})
        assert (refused.status_code, refused.json()["code"]) == (409, "account_currency_fixed")

    @pytest.mark.parametrize("body", [{}, {"currency": "XXX"}, {"currency": "CNY", "limit": "5"}])
    async def test_refuses_bodies_that_are_not_right(self, api: AsyncClient, body: dict[str, str]) -> None:
        assert (await api.put(ACCOUNT, json=body)).status_code == 422

    async def test_refuses_an_unknown_customer(self, api: AsyncClient) -> None:
        refused = await api.put("/v1/customers/C9/accounts/main", json={"currency": "CNY"})
        assert (refused.status_code, refused.json()["code"]) == (404, "customer_not_found")


class TestGetAccount:
    async def test_gives_the_whole_account(self, api: AsyncClient, transactions: Transactions) -> None:
        await granted(api, f"{ACCOUNT}/limit", "1000")
        await owe(transactions, "C1", 250)
        body = (await api.get(ACCOUNT)).json()
        version = body.pop("version")
        assert version > 0
        assert body == {
            "customer_id": "C1",
            "segment": "main",
            "currency": "CNY",
            "limit": {
                "kind": "granted",
                "amount": "1000.00",
                "valid_from": "2026-03-02",
                "valid_until": None,
                "temporary": None,
                "effective_amount": "1000.00",
            },
            "exposure": {
                "receivables": "250.00",
                "open_orders": "0.00",
                "delivered": "0.00",
                "unallocated_credits": "0.00",
                "total": "250.00",
            },
            "headroom": "750.00",
            "available": "750.00",
            "utilisation_percent": "25.00",
            "group": None,
            "overdue": {"amount": "0.00", "oldest_due_on": None, "days": 0},
            "dunning_level": 0,
            "grade": None,
            "hold": {"kind": "none", "sources": []},
            "as_of": None,
        }

    async def test_is_never_of_yesterday(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await owe(transactions, "C1", 250)
        await api.get(ACCOUNT)
        clock.move(by=timedelta(days=2))
        body = (await api.get(ACCOUNT)).json()
        assert body["overdue"] == {"amount": "250.00", "oldest_due_on": "2026-03-02", "days": 2}

    async def test_tells_what_was_known_then(self, api: AsyncClient, clock: FrozenClock) -> None:
        await granted(api, f"{ACCOUNT}/limit", "100")
        then = clock.now().isoformat()
        clock.move(by=timedelta(hours=1))
        await granted(api, f"{ACCOUNT}/limit", "200")
        body = (await api.get(ACCOUNT, params={"as_of": then})).json()
        assert body["limit"]["effective_amount"] == "100.00"
        assert body["version"] is None

    async def test_refuses_a_segment_the_key_may_not_see(self, api_as: ApiAs) -> None:
        confined = await api_as(Scope.CUSTOMERS_READ, segments=["other"])
        assert (await confined.get(ACCOUNT)).status_code == 404
        assert (await confined.get("/v1/accounts")).json()["items"] == []
        assert (await confined.get("/v1/customers/C1/accounts")).json()["items"] == []

    async def test_needs_a_scope(self, api_as: ApiAs) -> None:
        assert (await (await api_as(Scope.JOURNAL_READ)).get(ACCOUNT)).status_code == 403


class TestListAccounts:
    async def test_lists_all_and_a_customers(self, api: AsyncClient, clock: FrozenClock) -> None:
        clock.move(by=timedelta(seconds=1))
        await put_account(api, "C2")
        everyone = (await api.get("/v1/accounts", params={"order": "asc", "segment": "main"})).json()
        assert [item["customer_id"] for item in everyone["items"]] == ["C1", "C2"]
        assert everyone["items"][0] == (await api.get(ACCOUNT)).json()
        own = (await api.get("/v1/customers/C2/accounts")).json()
        assert [item["customer_id"] for item in own["items"]] == ["C2"]

    async def test_refuses_an_unknown_customer(self, api: AsyncClient) -> None:
        assert (await api.get("/v1/customers/C9/accounts")).status_code == 404


class TestSetLimit:
    async def test_shows_base_and_temporary_limit(self, api: AsyncClient) -> None:
        await granted(api, f"{ACCOUNT}/limit", "100")
        body = await granted(
            api, f"{ACCOUNT}/limit", "300", temporary=True, valid_from="2026-03-01", valid_until="2026-03-05"
        )
        assert body["limit"]["amount"] == "100.00"
        assert body["limit"]["temporary"] == {
            "kind": "granted",
            "amount": "300.00",
            "valid_from": "2026-03-01",
            "valid_until": "2026-03-05",
        }
        assert body["limit"]["effective_amount"] == "300.00"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"kind": "granted", **REASON}, "limit_incomplete"),
            ({"kind": "none", "amount": "1", **REASON}, "limit_incomplete"),
            ({"kind": "granted", "amount": "1.001", **REASON}, "too_many_decimals"),
            ({"kind": "granted", "amount": "1", "valid_until": "2026-03-01", **REASON}, "window_reversed"),
            ({"kind": "granted", "amount": "-1", **REASON}, "request_invalid"),
            ({"kind": "granted", "amount": 1.5, **REASON}, "request_invalid"),
            ({"kind": "granted", "amount": "1"}, "request_invalid"),
        ],
    )
    async def test_refuses_what_is_not_right(self, api: AsyncClient, body: dict[str, Any], code: str) -> None:
        refused = await api.post(f"{ACCOUNT}/limit", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, code)

    async def test_needs_its_scope(self, api_as: ApiAs) -> None:
        caller = await api_as(Scope.CUSTOMERS_WRITE, Scope.HOLDS_WRITE)
        refused = await caller.post(f"{ACCOUNT}/limit", json={"kind": "none", **REASON})
        assert refused.status_code == 403


class TestSetGroupLimit:
    async def test_is_shown_by_every_member(self, api: AsyncClient, transactions: Transactions) -> None:
        await put_account(api, "C2", parent_id="C1")
        await granted(api, f"{ACCOUNT}/group-limit", "500")
        await owe(transactions, "C1", 120)
        body = (await api.get("/v1/customers/C2/accounts/main")).json()
        assert body["group"] == {
            "customer_id": "C1",
            "currency": "CNY",
            "limit": "500.00",
            "exposure": "120.00",
            "headroom": "380.00",
            "fx_rate_missing": False,
        }
        assert body["available"] == "380.00"

    async def test_refuses_a_second_in_the_chain(self, api: AsyncClient) -> None:
        await put_account(api, "C2", parent_id="C1")
        await granted(api, f"{ACCOUNT}/group-limit", "500")
        body = {"kind": "granted", "amount": "5", **REASON}
        refused = await api.post("/v1/customers/C2/accounts/main/group-limit", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "group_limit_exists")

    async def test_moves_with_a_new_parent_in_the_same_transaction(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await put_account(api, "C2")
        await owe(transactions, "C2", 120)
        await granted(api, f"{ACCOUNT}/group-limit", "500")
        moved = {"name": "Red Star Trading", "country": "CN", "parent_id": "C1"}
        assert (await api.put("/v1/customers/C2", json=moved)).status_code == 200
        assert (await api.get(ACCOUNT)).json()["group"]["headroom"] == "380.00"
        await granted(api, "/v1/customers/C2/accounts/main/limit", "1")
        assert (await api.put("/v1/customers/C2", json={**moved, "parent_id": None})).status_code == 200
        assert (await api.get(ACCOUNT)).json()["group"]["headroom"] == "500.00"

    async def test_keeps_two_groups_from_being_joined(self, api: AsyncClient) -> None:
        await put_account(api, "C2")
        for customer_id in ("C1", "C2"):
            await granted(api, f"/v1/customers/{customer_id}/accounts/main/group-limit", "500")
        moved = {"name": "Red Star Trading", "country": "CN", "parent_id": "C1"}
        refused = await api.put("/v1/customers/C2", json=moved)
        assert (refused.status_code, refused.json()["code"]) == (409, "group_limit_exists")
        assert (await api.get("/v1/customers/C2")).json()["parent_id"] is None


class TestHold:
    async def test_stops_and_lets_go(self, api: AsyncClient) -> None:
        held = (await api.post(f"{ACCOUNT}/hold", json={"kind": "forced", "reason": "fraud"})).json()
        assert held["hold"]["kind"] == "forced"
        (source,) = held["hold"]["sources"]
        assert (source["source"], source["kind"], source["reason"]) == ("manual", "forced", "fraud")
        free = (await api.post(f"{ACCOUNT}/unhold", json={"reason": "cleared"})).json()
        assert free["hold"] == {"kind": "none", "sources": []}

    async def test_lifts_only_what_was_set_by_hand(self, api: AsyncClient, transactions: Transactions) -> None:
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await exposure.set_hold(
                tx, customer_id="C1", segment="main", source="dunning", kind=HoldKind.SOFT, reason="level 3"
            )
        refused = await api.post(f"{ACCOUNT}/unhold", json={"reason": "cleared"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_on_hold")

    @pytest.mark.parametrize("kind", ["none", "hard", None])
    async def test_refuses_kinds_that_stop_nothing(self, api: AsyncClient, kind: str | None) -> None:
        refused = await api.post(f"{ACCOUNT}/hold", json={"kind": kind, "reason": "because"})
        assert refused.status_code == 422

    async def test_needs_its_scope(self, api_as: ApiAs) -> None:
        caller = await api_as(Scope.LIMITS_SET)
        assert (await caller.post(f"{ACCOUNT}/hold", json={"kind": "soft", **REASON})).status_code == 403


class TestLedger:
    async def test_lists_entries_with_their_sources(self, api: AsyncClient, transactions: Transactions) -> None:
        await owe(transactions, "C1", 250, -50)
        body = (await api.get(f"{ACCOUNT}/ledger")).json()
        assert [(entry["amount"], entry["balance"]) for entry in body["items"]] == [
            ("-50.00", "200.00"),
            ("250.00", "250.00"),
        ]
        assert body["items"][0]["source"] == {"type": "invoice", "ref": "INV-1"}
        assert body["items"][0]["component"] == "receivables"
        oldest = (await api.get(f"{ACCOUNT}/ledger", params={"order": "asc", "limit": 1})).json()
        assert oldest["items"][0]["amount"] == "250.00"
        assert oldest["next_cursor"]


class TestFxRates:
    async def test_are_entered_and_listed(self, api: AsyncClient) -> None:
        body = {"base": "EUR", "rates": {"CNY": "7.81", "JPY": 160}}
        entered = await api.put("/v1/fx-rates/2026-03-02", json=body)
        assert entered.status_code == 201
        assert entered.json()["rates"] == {"CNY": "7.81", "JPY": "160"}
        again = await api.put("/v1/fx-rates/2026-03-02", json=body)
        assert again.status_code == 200
        assert (await api.get("/v1/fx-rates")).json()["items"] == [again.json()]

    async def test_show_in_full_what_was_entered(self, api: AsyncClient) -> None:
        rate = "0.000000000123"
        body = {"base": "EUR", "rates": {"CNY": rate}}
        assert (await api.put("/v1/fx-rates/2026-03-02", json=body)).json()["rates"]["CNY"] == rate
        assert (await api.get("/v1/fx-rates")).json()["items"][0]["rates"]["CNY"] == rate

    @pytest.mark.parametrize(
        "body",
        [
            {"base": "EUR", "rates": {}},
            {"base": "EUR", "rates": {"CNY": "0"}},
            {"base": "EUR", "rates": {"CNY": 7.81}},
            {"base": "EUR", "rates": {"EUR": "1"}},
            {"base": "EUR", "rates": {"XXX": "1"}},
            {"base": "XXX", "rates": {"CNY": "1"}},
        ],
    )
    async def test_refuse_what_is_not_right(self, api: AsyncClient, body: dict[str, Any]) -> None:
        assert (await api.put("/v1/fx-rates/2026-03-02", json=body)).status_code == 422

    async def test_need_their_scope(self, api_as: ApiAs) -> None:
        caller = await api_as(Scope.CUSTOMERS_WRITE)
        body = {"base": "EUR", "rates": {"CNY": "7.81"}}
        assert (await caller.put("/v1/fx-rates/2026-03-02", json=body)).status_code == 403
        assert (await caller.get("/v1/fx-rates")).status_code == 200

    async def test_count_in_a_group_of_several_currencies(self, api: AsyncClient, transactions: Transactions) -> None:
        await put_account(api, "E", parent_id="C1", currency="EUR")
        await granted(api, f"{ACCOUNT}/group-limit", "1000")
        await owe(transactions, "E", 10)
        blind = (await api.get(ACCOUNT)).json()
        assert (blind["group"]["fx_rate_missing"], blind["group"]["headroom"], blind["available"]) == (
            True,
            None,
            "0.00",
        )
        await api.put("/v1/fx-rates/2026-03-01", json={"base": "EUR", "rates": {"CNY": "7.5"}})
        assert Decimal((await api.get(ACCOUNT)).json()["available"]) == 925
