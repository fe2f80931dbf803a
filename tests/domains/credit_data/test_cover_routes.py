"""Covers over HTTP, and what the order check makes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.credit_data import jobs
from app.infra.clock import FrozenClock
from app.infra.jobs import run_once
from app.support.auth.core.scopes import Scope
from tests.domains.credit_data.http import C1, COVER, body, customer, faults, revise_policy
from tests.support.api import ApiAs

POLICY = f"{C1}/covers/POL-1"


async def noted(app: FastAPI) -> tuple[str | None, str | None]:
    """What the account says: amount covered and until when."""
    async with app.state.engine.connect() as connection:
        row = (await connection.execute(text("select cover_amount, cover_until from accounts"))).one()
    return (None if row[0] is None else f"{row[0]:.2f}", None if row[1] is None else row[1].isoformat())


async def turn(app: FastAPI) -> None:
    [job] = jobs.JOBS
    assert await run_once(job, app.state.transactions)


async def verdict(api: AsyncClient, order_ref: str, amount: str) -> str:
    """What the rule `cover` says of an order."""
    asked = {"customer_id": "C1", "order_ref": order_ref, "amount": amount, "currency": "CNY", "reserve": False}
    rules = body(await api.post("/v1/credit-checks", json=asked), 201)["rules"]
    return str(next(rule["verdict"] for rule in rules if rule["code"] == "cover_insufficient"))


class TestCovers:
    async def test_go_in_and_come_out(self, api: AsyncClient) -> None:
        await customer(api)
        said = body(await api.put(POLICY, json=COVER), 201)
        assert {name: said[name] for name in COVER} == COVER
        assert (said["covered_amount"], said["valid_until"], said["source"]) == ("900.00", None, "Atradius")
        assert body(await api.get(POLICY)) == said
        assert body(await api.get(f"{C1}/covers"))["items"] == [said]
        assert body(await api.get(f"{C1}/credit-file"))["covers"] == [said]

    async def test_change_by_a_new_version(self, api: AsyncClient, clock: FrozenClock) -> None:
        await customer(api)
        first = body(await api.put(POLICY, json=COVER), 201)
        before = clock.now().isoformat()
        clock.move(by=timedelta(hours=1))
        reduced = COVER | {"status": "reduced", "provider_code": "DC09", "amount": "400.00"}
        stale = await api.put(POLICY, json=reduced, headers={"If-Match": '"3"'})
        assert stale.status_code == 412
        assert body(await api.put(POLICY, json=reduced, headers={"If-Match": '"1"'}))["version"] == 2
        assert body(await api.get(POLICY, params={"as_of": before})) == first

    @pytest.mark.parametrize(
        ("changed", "fault"),
        [
            ({"status": "withdrawal_announced"}, ("/valid_until", "withdrawal_undated")),
            ({"status": "referred"}, ("/status", "enum")),
            ({"insured_percent": "101"}, ("/insured_percent", "percentage_out_of_range")),
            ({"amount": "-1"}, ("/amount", "amount_negative")),
            ({"amount": "1.001"}, ("/amount", "too_many_decimals")),
            ({"currency": "EUR"}, ("/currency", "fx_rate_missing")),
        ],
    )
    async def test_that_make_no_sense_are_refused(
        self, api: AsyncClient, changed: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        await customer(api)
        assert faults(await api.put(POLICY, json=COVER | changed)) == [fault]

    async def test_of_other_segments_are_others(self, api: AsyncClient, api_as: ApiAs) -> None:
        await api.put("/v1/segments/eu", json={"name": "Europe", "currency": "EUR"})
        await customer(api)
        await api.put(POLICY, json=COVER)
        await api.put(POLICY, json=COVER | {"segment": "eu", "amount": "5.00"})
        assert body(await api.get(POLICY, params={"segment": "eu"}))["amount"] == "5.00"
        assert len(body(await api.get(f"{C1}/covers", params={"segment": "eu"}))["items"]) == 1
        confined = await api_as(Scope.CREDIT_DATA_WRITE, segments=["eu"])
        assert body(await confined.put(POLICY, json=COVER), 404)["code"] == "segment_not_found"
        assert (await confined.get(POLICY)).status_code == 404
        record = body(await api.get(POLICY))["id"]
        assert (await confined.get(f"{C1}/credit-records/{record}/versions")).status_code == 404
        retract = await confined.post(f"{C1}/credit-records/{record}/retract", json={"reason": "x"})
        assert retract.status_code == 404

    async def test_in_no_segment_are_refused(self, api: AsyncClient) -> None:
        await customer(api)
        assert body(await api.put(POLICY, json=COVER | {"segment": "moon"}), 404)["code"] == "segment_not_found"


class TestAccount:
    async def test_is_covered_by_the_insured_share(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api)
        assert await noted(app) == (None, None)
        await api.put(POLICY, json=COVER | {"valid_until": "2026-06-30"})
        assert await noted(app) == ("900.00", "2026-06-30")
        deposit = COVER | {"kind": "deposit", "amount": "50.00", "insured_percent": "100"}
        await api.put(f"{C1}/covers/D-1", json=deposit)
        assert await noted(app) == ("950.00", "2026-06-30")

    @pytest.mark.parametrize("status", ["pending", "not_approved", "cancelled"])
    async def test_is_not_covered_by_what_never_covers(self, api: AsyncClient, app: FastAPI, status: str) -> None:
        await customer(api)
        await api.put(POLICY, json=COVER)
        await api.put(POLICY, json=COVER | {"status": status})
        assert await noted(app) == (None, None)

    async def test_is_covered_at_todays_rate(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api)
        await api.put("/v1/fx-rates/2026-03-01", json={"base": "EUR", "rates": {"CNY": "7.81"}})
        await api.put(POLICY, json=COVER | {"currency": "EUR"})
        assert await noted(app) == ("7029.00", None)

    async def test_opened_after_its_cover_is_covered(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api, currency=None)
        await api.put(POLICY, json=COVER)
        await api.put(f"{C1}/accounts/main", json={"currency": "CNY"})
        assert await noted(app) == ("900.00", None)

    async def test_in_another_currency_than_before_is_covered_in_that(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api)
        await api.put("/v1/fx-rates/2026-03-01", json={"base": "EUR", "rates": {"CNY": "10"}})
        await api.put(POLICY, json=COVER)
        await api.put(f"{C1}/accounts/main", json={"currency": "EUR"})
        assert await noted(app) == ("90.00", None)

    async def test_is_not_covered_by_what_was_taken_back(self, api: AsyncClient, app: FastAPI) -> None:
        await customer(api)
        made = body(await api.put(POLICY, json=COVER), 201)
        await api.post(f"{C1}/credit-records/{made['id']}/retract", json={"reason": "another customer's"})
        assert await noted(app) == (None, None)

    async def test_beyond_all_amounts_is_refused(self, api: AsyncClient) -> None:
        await customer(api)
        await api.put("/v1/fx-rates/2026-03-01", json={"base": "KWD", "rates": {"CNY": "999999999999"}})
        wrong = COVER | {"amount": "999999999999999", "currency": "KWD"}
        assert faults(await api.put(POLICY, json=wrong)) == [("/amount", "amount_out_of_range")]


class TestTurns:
    async def test_end_a_cover_with_its_last_day(self, api: AsyncClient, app: FastAPI, clock: FrozenClock) -> None:
        await customer(api)
        await api.put(POLICY, json=COVER | {"status": "withdrawal_announced", "valid_until": "2026-03-03"})
        await api.put(f"{C1}/covers/POL-2", json=COVER | {"amount": "100.00"})
        clock.move(by=timedelta(days=1))
        await turn(app)
        assert await noted(app) == ("990.00", "2026-03-03")
        clock.move(by=timedelta(days=1))
        await turn(app)
        assert await noted(app) == ("90.00", None)

    async def test_begin_a_cover_on_its_first_day(self, api: AsyncClient, app: FastAPI, clock: FrozenClock) -> None:
        await customer(api)
        await api.put(POLICY, json=COVER | {"valid_from": "2026-03-04", "valid_until": "2026-03-05"})
        assert await noted(app) == (None, "2026-03-03")
        for day, expected in enumerate([(None, "2026-03-03"), ("900.00", "2026-03-05"), ("900.00", "2026-03-05")]):
            clock.move(by=timedelta(days=1))
            await turn(app)
            assert await noted(app) == expected, day
        clock.move(by=timedelta(days=1))
        await turn(app)
        assert await noted(app) == (None, None)

    async def test_are_told_once(self, api: AsyncClient, app: FastAPI, clock: FrozenClock) -> None:
        await customer(api)
        await api.put(POLICY, json=COVER | {"valid_until": "2026-03-03"})
        clock.move(by=timedelta(days=9))
        await turn(app)
        await turn(app)
        async with app.state.engine.connect() as connection:
            told = await connection.execute(text("select after from events where type = 'cover_turned'"))
            assert [row.after for row in told] == [{"covered": {}, "until": None}]

    async def test_come_with_the_day_of_the_segment(self, api: AsyncClient, app: FastAPI, clock: FrozenClock) -> None:
        await api.put(
            "/v1/segments/hawaii", json={"name": "Hawaii", "currency": "CNY", "time_zone": "Pacific/Honolulu"}
        )
        await customer(api, currency=None)
        await api.put(f"{C1}/accounts/hawaii", json={"currency": "CNY"})
        await api.put(POLICY, json=COVER | {"segment": "hawaii", "valid_until": "2026-03-02"})
        clock.move(by=timedelta(hours=16))  # 3 March in Greenwich, still 2 March there
        await turn(app)
        assert await noted(app) == ("900.00", "2026-03-02")
        clock.move(by=timedelta(hours=10))
        await turn(app)
        assert await noted(app) == (None, None)


class TestOrders:
    @pytest.fixture(autouse=True)
    async def policy(self, api: AsyncClient) -> None:
        """Four fifths of the exposure must be covered."""
        await revise_policy(api, {"order_checks": {"cover": {"effect": "refer", "min_covered_percent": "80"}}})
        await customer(api)

    async def test_are_judged_by_what_covers_today(self, api: AsyncClient, clock: FrozenClock) -> None:
        assert await verdict(api, "O-1", "1000.00") == "refer"
        await api.put(POLICY, json=COVER | {"status": "pending"})
        assert await verdict(api, "O-1", "1000.00") == "refer"
        await api.put(POLICY, json=COVER | {"status": "withdrawal_announced", "valid_until": "2026-03-03"})
        assert await verdict(api, "O-1", "1000.00") == "pass"
        assert await verdict(api, "O-2", "1200.00") == "refer"
        clock.move(by=timedelta(days=1))
        assert await verdict(api, "O-3", "1000.00") == "pass"
        clock.move(by=timedelta(days=1))  # no job has run: what has ended does not cover
        assert await verdict(api, "O-4", "1000.00") == "refer"
