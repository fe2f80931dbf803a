"""Segregation of duties: which scopes nobody holds together, and who does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.main import create_app
from app.settings import Settings
from app.support.auth import service as auth
from app.support.auth.core.duties import DUTIES, conflicts
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Role, Scope
from tests.infra.http.test_problem import problem
from tests.support.api import ApiAs, client_of
from tests.support_slices.auth.test_api_keys import make


def codes(*scopes: Scope) -> set[str]:
    return {found.duty.code for found in conflicts(scopes)}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a caller sees a second later."""
    monkeypatch.setattr(auth, "CACHE_SECONDS", 0.0)


class TestDuties:
    @pytest.mark.parametrize("role", Role)
    def test_are_broken_by_no_role(self, role: Role) -> None:
        assert conflicts(SCOPES_OF_ROLE[role]) == ()

    @pytest.mark.parametrize(
        ("scopes", "code"),
        [
            ((Scope.POLICIES_WRITE, Scope.POLICIES_APPROVE), "policy_editor_approves"),
            ((Scope.LIMITS_REQUEST, Scope.LIMITS_APPROVE), "limit_requester_approves"),
            ((Scope.LIMITS_REQUEST, Scope.LIMITS_SET), "limit_requester_approves"),
            ((Scope.ORDERS_CHECK, Scope.ORDERS_RELEASE), "order_requester_releases"),
            ((Scope.RECEIVABLES_WRITE, Scope.RECEIVABLES_WRITE_OFF), "payment_poster_writes_off"),
            ((Scope.CUSTOMERS_WRITE, Scope.LIMITS_APPROVE), "customer_maintainer_approves"),
            ((Scope.KEYS_WRITE, Scope.POLICIES_WRITE), "key_administrator_acts"),
            ((Scope.KEYS_WRITE, Scope.ORDERS_CHECK), "key_administrator_acts"),
            ((Scope.AUDITS_WRITE, Scope.LIMITS_APPROVE), "auditor_decides"),
        ],
    )
    def test_are_broken_by_both_ends_of_a_procedure(self, scopes: tuple[Scope, ...], code: str) -> None:
        assert codes(*scopes) == {code}
        assert all(not codes(scope) for scope in scopes)

    def test_are_all_broken_by_admin(self) -> None:
        assert codes(Scope.ADMIN) == {duty.code for duty in DUTIES}

    def test_name_the_scopes_that_break_them(self) -> None:
        [found] = conflicts({Scope.REPORTS_READ, Scope.POLICIES_WRITE, Scope.POLICIES_APPROVE})
        assert found.scopes == (Scope.POLICIES_APPROVE, Scope.POLICIES_WRITE)


class TestNewKeys:
    async def test_say_which_duties_they_break(self, api: AsyncClient) -> None:
        both = await make(api, name="all hands", role="credit_manager", scopes=["limits:request"])
        assert both["conflicts"] == [
            {
                "code": "limit_requester_approves",
                "rule": "who requests a limit neither approves nor sets one",
                "scopes": ["limits:approve", "limits:request", "limits:set"],
            }
        ]
        rotated = (await api.post(f"/v1/api-keys/{both['id']}/rotate", json={})).json()
        assert rotated["conflicts"] == both["conflicts"]
        assert (await make(api, name="clerk", role="order_desk"))["conflicts"] == []

    async def test_have_the_scopes_that_the_settings_give_their_role(self, app: FastAPI, api: AsyncClient) -> None:
        app.state.bundles = {**SCOPES_OF_ROLE, Role.COLLECTOR: frozenset({Scope.DUNNING_WRITE})}
        assert (await make(api, name="cora", role="collector"))["scopes"] == ["dunning:write"]


class TestConflicts:
    async def test_list_the_bootstrap_key_while_it_is_set(self, api: AsyncClient) -> None:
        [listed] = (await api.get("/v1/control/conflicts")).json()["items"]
        assert (listed["principal_id"], listed["scopes"], listed["created_by"]) == ("bootstrap", ["admin"], None)
        assert {found["code"] for found in listed["conflicts"]} == {duty.code for duty in DUTIES}

    async def test_are_none_without_it(self, app: FastAPI, api: AsyncClient, settings: Settings) -> None:
        auditor = await make(api, name="auditor", kind="person", role="auditor")
        without = create_app(settings.model_copy(update={"bootstrap_key": None}))
        async with without.router.lifespan_context(without), client_of(without, auditor["key"]) as client:
            assert (await client.get("/v1/control/conflicts")).json()["items"] == []

    async def test_list_keys_that_hold_both_ends(self, api: AsyncClient) -> None:
        await make(api, name="clerk", role="order_desk")
        both = await make(api, name="all hands", role="credit_manager", scopes=["limits:request", "orders:check"])
        everything = await make(api, name="root", role=None, scopes=["admin"])
        listed = await conflicted(api)
        assert set(listed) == {"bootstrap", "all hands", "root"}
        assert listed["all hands"]["principal_id"] == f"key:{both['id']}"
        assert [found["code"] for found in listed["all hands"]["conflicts"]] == [
            "limit_requester_approves",
            "order_requester_releases",
        ]
        assert listed["root"]["created_by"] == "bootstrap"
        await api.delete(f"/v1/api-keys/{everything['id']}")
        assert set(await conflicted(api)) == {"bootstrap", "all hands"}

    async def test_leave_out_keys_that_have_expired(self, api: AsyncClient, clock: FrozenClock) -> None:
        await make(api, name="for a day", role=None, scopes=["admin"], expires_at="2026-03-03T00:00:00Z")
        assert "for a day" in await conflicted(api)
        clock.move(by=timedelta(days=2))
        assert "for a day" not in await conflicted(api)

    async def test_page(self, api: AsyncClient) -> None:
        for number in range(3):
            await make(api, name=f"root {number}", role=None, scopes=["admin"])
        first = (await api.get("/v1/control/conflicts", params={"limit": 2})).json()
        second = (await api.get("/v1/control/conflicts", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        names = [item["name"] for item in (*first["items"], *second["items"])]
        assert (names[0], len(first["items"]), second["next_cursor"]) == ("bootstrap", 3, None)
        assert sorted(names[1:]) == ["root 0", "root 1", "root 2"]

    async def test_are_for_the_control_only(self, api_as: ApiAs) -> None:
        for role in (Role.AUDITOR, Role.ADMINISTRATOR, Role.FINANCE_DIRECTOR):
            assert (await (await api_as(role=role)).get("/v1/control/conflicts")).status_code == 200
        problem(await (await api_as(role=Role.ORDER_DESK)).get("/v1/control/conflicts"), 403, "scope_missing")


class TestMaking:
    async def test_a_key_that_breaks_a_duty_stands_out(self, app: FastAPI, api: AsyncClient) -> None:
        await make(api, name="clerk", role="order_desk")
        await make(api, name="root", role=None, scopes=["admin"])
        async with app.state.engine.connect() as connection:
            told = await connection.execute(text("select after ->> 'name', exceptional from events order by id"))
            assert [tuple(row) for row in told] == [("clerk", False), ("root", True)]


class TestKeyAdministrators:
    async def test_give_out_keys_and_do_nothing_else(self, api_as: ApiAs) -> None:
        administrator = await api_as(role=Role.ADMINISTRATOR)
        made = await make(administrator, name="desk", role="order_desk")
        assert (await administrator.get("/v1/api-keys")).status_code == 200
        assert (await administrator.post(f"/v1/api-keys/{made['id']}/rotate")).status_code == 200
        assert (await administrator.delete(f"/v1/api-keys/{made['id']}")).status_code == 200
        problem(await administrator.get("/v1/customers"), 403, "scope_missing")

    async def test_do_not_get_hold_of_everything(self, api: AsyncClient, api_as: ApiAs) -> None:
        administrator = await api_as(role=Role.ADMINISTRATOR)
        wish = {"name": "mine", "kind": "person", "scopes": ["admin"]}
        problem(await administrator.post("/v1/api-keys", json=wish), 403, "api_key_beyond_caller")
        root = await make(api, name="root", role=None, scopes=["admin"])
        answer = await administrator.post(f"/v1/api-keys/{root['id']}/rotate")
        problem(answer, 403, "api_key_beyond_caller")
        assert (await administrator.delete(f"/v1/api-keys/{root['id']}")).status_code == 200


async def conflicted(api: AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await api.get("/v1/control/conflicts")
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json()["items"]}
