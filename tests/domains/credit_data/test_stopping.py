"""What adverse events do to accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.infra.clock import FrozenClock
from tests.domains.credit_data.http import ADVERSE, C1, body, customer, faults, revise_policy

GRAVE = ADVERSE | {"kind": "insolvency", "severity": 5}


async def hold(api: AsyncClient, segment: str = "main") -> tuple[str, list[str]]:
    """The kind of hold that counts, and the sources that have set one."""
    found = body(await api.get(f"{C1}/accounts/{segment}"))["hold"]
    return found["kind"], [each["source"] for each in found["sources"]]


class TestAdverseEvents:
    async def test_that_are_grave_stop_the_account_and_its_orders(self, api: AsyncClient) -> None:
        await customer(api)
        await api.post(f"{C1}/adverse-events", json=GRAVE)
        assert await hold(api) == ("soft", ["adverse_event"])
        asked = {"customer_id": "C1", "order_ref": "O1", "amount": "1.00", "currency": "CNY"}
        reasons = body(await api.post("/v1/credit-checks", json=asked), 201)["reasons"]
        assert "account_on_hold" in [reason["code"] for reason in reasons]

    async def test_that_are_not_grave_stop_nothing(self, api: AsyncClient) -> None:
        await customer(api)
        await api.post(f"{C1}/adverse-events", json=GRAVE | {"severity": 4})
        assert await hold(api) == ("none", [])

    async def test_let_go_when_all_of_them_are_over(self, api: AsyncClient, clock: FrozenClock) -> None:
        await customer(api)
        one, other = [body(await api.post(f"{C1}/adverse-events", json=GRAVE), 201)["id"] for _ in range(2)]
        clock.move(by=timedelta(minutes=1))
        await api.put(f"{C1}/adverse-events/{one}", json=GRAVE | {"resolved_on": "2026-03-02"})
        assert await hold(api) == ("soft", ["adverse_event"])
        await api.put(f"{C1}/adverse-events/{other}", json=GRAVE | {"resolved_on": "2026-03-01"})
        assert await hold(api) == ("none", [])

    async def test_let_go_when_they_are_taken_back(self, api: AsyncClient) -> None:
        await customer(api)
        made = body(await api.post(f"{C1}/adverse-events", json=GRAVE), 201)["id"]
        await api.post(f"{C1}/credit-records/{made}/retract", json={"reason": "another company of that name"})
        assert await hold(api) == ("none", [])

    async def test_leave_the_holds_of_others(self, api: AsyncClient) -> None:
        await customer(api)
        await api.post(f"{C1}/accounts/main/hold", json={"kind": "forced", "reason": "mine"})
        made = body(await api.post(f"{C1}/adverse-events", json=GRAVE), 201)["id"]
        await api.post(f"{C1}/credit-records/{made}/retract", json={"reason": "wrong"})
        assert await hold(api) == ("forced", ["manual"])

    async def test_stop_an_account_that_is_opened_afterwards(self, api: AsyncClient) -> None:
        await customer(api, currency=None)
        await api.post(f"{C1}/adverse-events", json=GRAVE)
        await api.put(f"{C1}/accounts/main", json={"currency": "CNY"})
        assert await hold(api) == ("soft", ["adverse_event"])

    async def test_are_told_of_once_a_change(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api)
        for severity in (5, 5, 3):
            await api.post(f"{C1}/adverse-events", json=GRAVE | {"severity": severity})
        async with app.state.engine.connect() as connection:
            told = await connection.execute(text("select count(*) from events where type = 'hold_set'"))
            assert told.scalar_one() == 1

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            (None, ("none", [])),
            ({"min_severity": 2, "hold": "forced"}, ("forced", ["adverse_event"])),
            ({"min_severity": 4}, ("none", [])),
        ],
    )
    async def test_follow_the_policy_of_each_segment(
        self, api: AsyncClient, rule: dict[str, Any] | None, expected: tuple[Any, ...]
    ) -> None:
        await api.put("/v1/segments/eu", json={"name": "Europe", "currency": "EUR"})
        await customer(api)
        await api.put(f"{C1}/accounts/eu", json={"currency": "EUR"})
        await revise_policy(api, {"credit_data": {"adverse_event_hold": rule}})
        await api.post(f"{C1}/adverse-events", json=ADVERSE)
        assert await hold(api) == expected
        assert await hold(api, "eu") == ("none", [])

    async def test_can_t_be_over_before_their_time(self, api: AsyncClient) -> None:
        await customer(api)
        wrong = GRAVE | {"resolved_on": "2026-04-01"}
        assert faults(await api.post(f"{C1}/adverse-events", json=wrong)) == [("/resolved_on", "day_ahead")]
