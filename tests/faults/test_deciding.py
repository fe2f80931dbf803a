"""Decisions of people are told of exactly once, though requests are cut off at random awaits and several decide at
once: orders released and rejected, limits approved step by step, rejected and cancelled."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.support.auth.core.scopes import Scope
from tests.domains.limits.world import PATH, People, approve, ask, people, reject
from tests.domains.orders.world import open_account
from tests.faults.telling import DECISIONS, told_otherwise
from tests.support.api import ApiAs
from tests.support.business import check

QUESTIONS = 8
"""Orders, and limit requests, that wait for people."""
ROUNDS = 40
AT_ONCE = 5


@pytest.fixture
async def staff(api: AsyncClient, api_as: ApiAs) -> People:
    """Who asks and who decides, and a customer."""
    await open_account(api, limit=None)
    return await people(api_as)


class TestDecisions:
    async def test_are_told_of_once_whatever_is_cut_off(self, app: FastAPI, staff: People, api_as: ApiAs) -> None:
        chance = random.Random(20260302)
        desk = await api_as(Scope.ORDERS_CHECK, name="desk")
        orders = [await referred(desk, f"O-{number}") for number in range(QUESTIONS)]
        limits = [await ask(staff.ana, "600000") for _ in range(QUESTIONS)]
        cut = 0
        for _ in range(ROUNDS):
            answers = [asyncio.create_task(decision(chance, staff, orders, limits)) for _ in range(AT_ONCE)]
            await asyncio.sleep(chance.uniform(0, 0.04))
            cut += sum(not answer.done() for answer in answers)
            for answer in answers:
                answer.cancel()
            await asyncio.gather(*answers, return_exceptions=True)
        await decide_the_rest(staff, orders, limits)
        assert await fetch(app, "select id from credit_checks where review = 'open'") == []
        assert await fetch(app, "select id from limit_requests where status = 'pending'") == []
        assert await told_otherwise(lambda statement: fetch(app, statement), DECISIONS) == []
        assert cut >= ROUNDS, "too few were cut off to say anything"

    async def test_that_are_lost_or_told_twice_are_found(self, app: FastAPI, staff: People, api_as: ApiAs) -> None:
        """The test can fail."""
        granted = await ask(staff.ana, "600000")
        await approve(staff.max, granted)
        await approve(staff.dora, granted)
        for kind, said in (("limit_request_approved", "1 changes, 0 times"), ("limit_set", "1 changes, 0 times")):
            async with app.state.engine.begin() as connection:
                await connection.execute(text("set local session_replication_role = replica"))
                await connection.execute(
                    text("update events set type = 'forgotten' where type = :kind"), {"kind": kind}
                )
            found = await told_otherwise(lambda statement: fetch(app, statement), {kind: DECISIONS[kind]})
            assert [said in finding for finding in found] == [True]


async def fetch(app: FastAPI, statement: str) -> list[Any]:
    async with app.state.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def referred(desk: AsyncClient, order_ref: str) -> str:
    answer = (await desk.post("/v1/credit-checks", json=check("C-1", order_ref, "5000"))).json()
    assert answer["outcome"] == "referred"
    return str(answer["id"])


async def decision(chance: random.Random, staff: People, orders: list[str], limits: list[dict[str, Any]]) -> Response:
    """Somebody's decision on something, which may have been decided before or may not be theirs."""
    by = chance.choice((staff.max, staff.mia, staff.dora))
    order, limit = chance.choice(orders), chance.choice(limits)
    match chance.choice(("release", "reject", "approve", "approve", "decline", "cancel")):
        case "approve":
            return await approve(by, limit)
        case "decline":
            return await reject(by, limit)
        case "cancel":
            return await staff.ana.post(f"{PATH}/{limit['id']}/cancel", json={})
        case verb:
            return await by.post(f"/v1/credit-checks/{order}/{verb}", json={"reason": "x"})


async def decide_the_rest(staff: People, orders: list[str], limits: list[dict[str, Any]]) -> None:
    """What is still open is decided in peace; the others refuse, being closed."""
    for order in orders:
        await staff.max.post(f"/v1/credit-checks/{order}/release", json={"reason": "x"})
    for limit in limits:
        for by in (staff.max, staff.mia, staff.dora):
            await approve(by, limit)
