"""Cover that is reduced, announced to be withdrawn or runs out asks for a lower limit by itself, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from app.domains.credit_data.jobs import turn_covers
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from tests.domains.limits.world import PATH, Json, People, approve, inbox, people, reject, types
from tests.domains.orders.world import account, open_account
from tests.support.api import ApiAs

ENDS = "2026-03-31"


@pytest.fixture
async def staff(api_as: ApiAs) -> People:
    return await people(api_as)


@pytest.fixture
async def covered(api: AsyncClient) -> None:
    """A limit of 1,000, of which an insurer covers 540 and a guarantor 100."""
    await open_account(api)
    await cover(api, "600", "approved")
    await cover(api, "100", "approved", "G-1", kind="guarantee", insured_percent="100")


@pytest.fixture
async def silent(api: AsyncClient, covered: None) -> None:
    """The policy does not say that lost cover asks for anything."""
    document = (await api.get("/v1/policies/main")).json()["document"]
    document["approvals"]["lower_on_cover_change"] = False
    drafted = (await api.post("/v1/policies/main/versions", json={"document": document, "note": "x"})).json()
    path = f"/v1/policies/main/versions/{drafted['version']}/activate"
    (await api.post(path, json={})).raise_for_status()


async def cover(api: AsyncClient, amount: str, status: str, ref: str = "POL-1", **more: Any) -> None:
    body = {"provider": "Atlas", "kind": "insurance", "status": status, "amount": amount, "currency": "CNY"}
    body |= {"insured_percent": "90", "valid_from": "2026-03-02", **more}
    (await api.put(f"/v1/customers/C-1/covers/{ref}", json=body)).raise_for_status()


async def asked(api: AsyncClient, status: str = "pending") -> list[Json]:
    found: list[Json] = (await api.get(PATH, params={"status": status})).raise_for_status().json()["items"]
    return found


async def amounts(api: AsyncClient, status: str = "pending") -> list[str]:
    return [item["amount"] for item in await asked(api, status)]


async def pass_days(clock: FrozenClock, transactions: Transactions, days: int) -> None:
    """The job looks every day."""
    for _ in range(days):
        clock.move(by=timedelta(days=1))
        await turn_covers(Run(transactions, "test"))


@pytest.mark.usefixtures("covered")
class TestCoverThatIsReduced:
    async def test_asks_for_a_limit_that_is_lower_by_as_much(self, api: AsyncClient, staff: People) -> None:
        await cover(api, "200", "reduced")
        (item,) = await asked(api)
        assert (item["kind"], item["amount"], item["requested_by"]) == ("lower", "640.00", "system")
        assert item["cause"] == "cover reduced or ended"
        assert await inbox(staff.max) == [item["id"]]
        assert (await approve(staff.max, item)).json()["status"] == "approved"
        assert (await account(api))["limit"]["effective_amount"] == "640.00"

    async def test_again_replaces_what_waits_by_one_request_for_all(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await cover(api, "200", "reduced")
        (first,) = await asked(api)
        await cover(api, "100", "reduced")
        assert (await amounts(api), await amounts(api, "cancelled")) == (["550.00"], ["640.00"])
        assert await types(transactions, first["id"]) == [
            ("limit_requested", "bootstrap"),
            ("limit_request_cancelled", "bootstrap"),
        ]

    async def test_asks_anew_only_for_what_is_lost_after_a_decision(self, api: AsyncClient, staff: People) -> None:
        await cover(api, "200", "reduced")
        (await reject(staff.max, (await asked(api))[0])).raise_for_status()
        await cover(api, "200", "reduced", provider_code="DC09")
        assert await asked(api) == []
        await cover(api, "100", "reduced")
        assert await amounts(api) == ["910.00"]

    async def test_asks_nothing_where_it_grows_or_nothing_is_left_to_lower(self, api: AsyncClient) -> None:
        await cover(api, "900", "approved")
        none = {"kind": "none", "reason": "test"}
        (await api.post("/v1/customers/C-1/accounts/main/limit", json=none)).raise_for_status()
        await cover(api, "100", "reduced")
        assert await asked(api) == []


@pytest.mark.usefixtures("covered")
class TestCoverThatIsToBeWithdrawn:
    async def test_asks_at_once_by_what_this_cover_pays(self, api: AsyncClient) -> None:
        await cover(api, "600", "withdrawal_announced", valid_until=ENDS)
        (item,) = await asked(api)
        assert (item["amount"], item["cause"]) == ("460.00", "withdrawal of cover POL-1 announced")

    async def test_asks_once_however_often_it_is_announced(
        self, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        for status in ("withdrawal_announced", "approved", "withdrawal_announced"):
            await cover(api, "600", status, valid_until=ENDS)
        await pass_days(clock, transactions, 25)
        assert await amounts(api) == ["460.00"]

    async def test_asks_for_two_announced_together(self, api: AsyncClient) -> None:
        await cover(api, "600", "withdrawal_announced", valid_until=ENDS)
        guarantee = {"kind": "guarantee", "insured_percent": "100"}
        await cover(api, "100", "withdrawal_announced", "G-1", valid_until=ENDS, **guarantee)
        assert await amounts(api) == ["360.00"]

    @pytest.mark.parametrize("decide", [approve, reject])
    async def test_does_not_ask_again_on_its_day(
        self, api: AsyncClient, staff: People, clock: FrozenClock, transactions: Transactions, decide: Any
    ) -> None:
        await cover(api, "600", "withdrawal_announced", valid_until=ENDS)
        (await decide(staff.max, (await asked(api))[0])).raise_for_status()
        clock.move(by=timedelta(days=28))
        await pass_days(clock, transactions, 4)
        assert await asked(api) == []


@pytest.mark.usefixtures("covered")
class TestCoverThatRunsOut:
    async def test_asks_on_its_day_and_not_one_a_day(
        self, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await cover(api, "600", "approved", valid_until="2026-03-05")
        await pass_days(clock, transactions, 3)
        assert await asked(api) == []
        await pass_days(clock, transactions, 4)
        (item,) = await asked(api)
        assert (item["amount"], item["cause"]) == ("460.00", "cover reduced or ended")
        assert await amounts(api, "cancelled") == []

    async def test_asks_for_what_was_not_announced_of_two_that_end_together(
        self, api: AsyncClient, staff: People, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await cover(api, "600", "withdrawal_announced", valid_until="2026-03-05")
        guarantee = {"kind": "guarantee", "insured_percent": "100"}
        await cover(api, "100", "approved", "G-1", valid_until="2026-03-05", **guarantee)
        (await approve(staff.max, (await asked(api))[0])).raise_for_status()
        await pass_days(clock, transactions, 5)
        assert await amounts(api) == ["360.00"]


@pytest.mark.usefixtures("silent")
class TestAPolicyThatDoesNotSaySo:
    async def test_leaves_the_limit_whatever_becomes_of_the_cover(
        self, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await cover(api, "500", "reduced")
        await cover(api, "500", "withdrawal_announced", valid_until="2026-03-05")
        await pass_days(clock, transactions, 4)
        assert (await api.get(PATH)).json()["items"] == []
        assert (await account(api))["limit"]["effective_amount"] == "1000.00"
