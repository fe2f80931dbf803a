"""Deputies decide in somebody's place, and two people at once decide once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import ActorKind
from app.kernel.money import Money
from app.support.auth.core.scopes import Role, Scope
from tests.domains.limits.world import People, approve, ask, inbox, people, types
from tests.domains.orders.world import events, open_account, refused
from tests.support.api import ApiAs, client_of

pytestmark = pytest.mark.usefixtures("customer")


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api, limit=None)


@pytest.fixture
async def staff(api_as: ApiAs) -> People:
    return await people(api_as)


class TestDeputies:
    async def test_decide_in_their_own_name_with_the_authority_of_whom_they_stand_in_for(
        self, staff: People, api_as: ApiAs, transactions: Transactions
    ) -> None:
        dan = await api_as(Scope.LIMITS_APPROVE, name="dan")
        asked = await ask(staff.ana, "50000")
        refused(await approve(dan, asked), 403, "authority_exceeded")
        appointed = (await appoint(staff.max, "Dan")).raise_for_status().json()
        assert (appointed["principal"], appointed["authority"], appointed["roles"]) == (
            "max",
            "1000000.00",
            ["credit_manager"],
        )
        assert await inbox(dan) == [asked["id"]]
        decided = (await approve(dan, asked)).raise_for_status().json()
        assert (decided["steps"][0]["by"], decided["steps"][0]["deputy_for"]) == ("dan", "max")
        assert ("limit_request_approved", "dan") in await types(transactions, asked["id"])

    async def test_are_bound_like_whom_they_stand_in_for(self, staff: People, api_as: ApiAs) -> None:
        dan = await api_as(Scope.LIMITS_APPROVE, name="dan")
        await appoint(staff.dora, "dan")
        asked = await ask(staff.ana, "600000", on_behalf_of="dora")
        refused(await approve(dan, asked), 403, "authority_exceeded")
        other = await ask(staff.ana, "600000")
        await approve(staff.dora, other)
        refused(await approve(dan, other), 403, "authority_exceeded")

    async def test_act_only_in_their_days(self, staff: People, api_as: ApiAs, clock: FrozenClock) -> None:
        dan = await api_as(Scope.LIMITS_APPROVE, name="dan")
        await appoint(staff.max, "dan", valid_from="2026-03-03", valid_until="2026-03-04")
        asked = await ask(staff.ana, "50000")
        refused(await approve(dan, asked), 403, "authority_exceeded")
        clock.move(by=timedelta(days=3))
        refused(await approve(dan, asked), 403, "authority_exceeded")
        clock.move(by=timedelta(days=-1))
        assert (await approve(dan, asked)).status_code == 200

    async def test_can_be_dismissed_by_either(self, staff: People, api_as: ApiAs) -> None:
        dan = await api_as(Scope.LIMITS_APPROVE, name="dan")
        appointed = (await appoint(staff.max, "dan")).json()
        path = f"/v1/deputies/{appointed['id']}/end"
        refused(await staff.mia.post(path), 403, "deputy_not_yours")
        assert (await dan.post(path)).json()["ended_by"] == "dan"
        refused(await staff.max.post(path), 409, "deputy_ended")
        refused(await approve(dan, await ask(staff.ana, "50000")), 403, "authority_exceeded")

    async def test_stand_in_for_nobody_whose_key_is_revoked(
        self, api: AsyncClient, staff: People, api_as: ApiAs, transactions: Transactions
    ) -> None:
        dan = await api_as(Scope.LIMITS_APPROVE, name="dan")
        appointed = (await appoint(staff.max, "dan")).json()
        other = (await appoint(staff.mia, "eve")).json()
        await revoke(api, "max")
        refused(await approve(dan, await ask(staff.ana, "50000")), 403, "authority_exceeded")
        [told] = await events(transactions, "deputy_dismissed")
        assert (told["subject_id"], told["actor"]) == (appointed["id"], "bootstrap")
        assert told["after"]["because"] == "key_revoked"
        ends = {each["id"]: each["ended_by"] for each in (await api.get("/v1/deputies")).json()["items"]}
        assert ends == {appointed["id"]: "bootstrap", other["id"]: None}

    async def test_are_none_any_more_when_their_own_key_is_revoked(
        self, api: AsyncClient, staff: People, api_as: ApiAs
    ) -> None:
        """Whoever gets a key of that name later inherits nothing."""
        await api_as(Scope.LIMITS_APPROVE, name="dan")
        await appoint(staff.max, "dan")
        await revoke(api, "dan")
        namesake = await api_as(Scope.LIMITS_APPROVE, name="dan")
        refused(await approve(namesake, await ask(staff.ana, "50000")), 403, "authority_exceeded")

    async def test_stand_in_for_nobody_whose_key_has_expired(
        self, api: AsyncClient, app: FastAPI, staff: People, api_as: ApiAs, clock: FrozenClock
    ) -> None:
        wish = {"name": "tom", "kind": "person", "role": "credit_manager", "expires_at": "2026-03-04T00:00:00Z"}
        million = {"amount": "1000000", "currency": "CNY"}
        key = (await api.post("/v1/api-keys", json={**wish, "authority": million})).json()["key"]
        dan = await api_as(Scope.LIMITS_APPROVE, name="dan")
        async with client_of(app, key) as tom:
            (await appoint(tom, "dan")).raise_for_status()
        first, second = await ask(staff.ana, "50000"), await ask(staff.ana, "60000")
        assert (await approve(dan, first)).status_code == 200
        clock.move(by=timedelta(days=3))
        refused(await approve(dan, second), 403, "authority_exceeded")

    async def test_are_others_for_a_time_and_appointed_by_persons(self, staff: People, api_as: ApiAs) -> None:
        refused(await appoint(staff.max, " MAX "), 422, "deputy_impossible")
        refused(await appoint(staff.max, "dan", valid_until="2026-03-01"), 422, "deputy_impossible")
        refused(await appoint(staff.max, "dan", valid_until="2026-05-01"), 422, "deputy_impossible")
        robot = await api_as(Scope.LIMITS_APPROVE, kind=ActorKind.SERVICE)
        refused(await appoint(robot, "dan"), 403, "person_required")


async def revoke(api: AsyncClient, name: str) -> None:
    """Ends the key of this name."""
    keys = (await api.get("/v1/api-keys")).json()["items"]
    [key_id] = [key["id"] for key in keys if key["name"] == name and key["revoked_at"] is None]
    (await api.delete(f"/v1/api-keys/{key_id}")).raise_for_status()


async def appoint(by: AsyncClient, deputy: str, **more: Any) -> Response:
    body = {"deputy": deputy, "valid_until": "2026-03-10", "reason": "on leave", **more}
    return await by.post("/v1/deputies", json=body)


class TestAtOnce:
    async def test_two_approvers_of_one_step_decide_once(
        self, api: AsyncClient, staff: People, transactions: Transactions
    ) -> None:
        asked = await ask(staff.ana, "50000")
        answers = await asyncio.gather(*(approve(by, asked) for by in (staff.max, staff.mia, staff.dora)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert len(await events(transactions, "limit_set")) == 1

    async def test_one_approver_at_two_steps_decides_one(self, staff: People, api_as: ApiAs) -> None:
        both = await api_as(role=Role.FINANCE_DIRECTOR, name="both", authority=Money(Decimal(10**9), "CNY"))
        asked = await ask(staff.ana, "600000")
        answers = await asyncio.gather(*(approve(both, asked) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
