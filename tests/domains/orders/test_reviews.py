from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from app.domains.exposure import service as exposure
from app.domains.orders import service as orders
from app.domains.orders.jobs import lapse_reviews
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM, ActorKind
from app.support.auth.core.scopes import Scope
from tests.domains.orders.world import (
    Json,
    account,
    amounts,
    check,
    events,
    hold,
    open_account,
    order,
    refused,
    set_limit,
    ship,
)
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api)


@pytest.fixture
async def rita(api_as: ApiAs) -> AsyncClient:
    """A person who may release, and did not ask."""
    return await api_as(Scope.ORDERS_RELEASE, name="rita")


async def release(by: AsyncClient, check: Json, **more: Any) -> Response:
    return await by.post(f"/v1/credit-checks/{check['id']}/release", json={"reason": "old friend", **more})


async def reject(by: AsyncClient, check: Json) -> Response:
    return await by.post(f"/v1/credit-checks/{check['id']}/reject", json={"reason": "too risky"})


async def reevaluate(by: AsyncClient, check: Json) -> Response:
    return await by.post(f"/v1/credit-checks/{check['id']}/reevaluate")


async def stored(api: AsyncClient, check: Json) -> Json:
    found: Json = (await api.get(f"/v1/credit-checks/{check['id']}")).raise_for_status().json()
    return found


class TestRelease:
    async def test_reserves_even_beyond_the_limit(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")

        released = (await release(rita, asked)).raise_for_status().json()

        assert (released["review"], released["reviewed_by"], released["review_reason"]) == (
            "released",
            "rita",
            "old friend",
        )
        assert released["released_amount"] == "1500.00"
        assert released["reservation"]["state"] == "active"
        assert amounts(await order(api)) == ("open", "1500", "0", "1500")
        assert (await account(api))["headroom"] == "-500.00"

    async def test_may_be_for_less(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        assert (await release(rita, asked, amount="1200")).json()["released_amount"] == "1200.00"
        assert amounts(await order(api)) == ("open", "1200", "0", "1200")

    async def test_refuses_more_than_was_checked(self, api: AsyncClient, rita: AsyncClient) -> None:
        answer = await release(rita, await check(api, "1500"), amount="1500.01")
        refused(answer, 422, "release_exceeds_check")
        assert answer.json()["errors"][0]["pointer"] == "/amount"

    async def test_at_shipment_raises_what_is_approved_by_the_excess(self, api: AsyncClient, rita: AsyncClient) -> None:
        await check(api, "900")
        await ship(api, "800")
        asked = await check(api, "400", checkpoint="shipment")
        await release(rita, asked)
        assert amounts(await order(api)) == ("partly_shipped", "1200", "800", "400")

    async def test_refuses_whoever_asked(self, api: AsyncClient) -> None:
        refused(await release(api, await check(api, "1500")), 403, "four_eyes")

    @pytest.mark.parametrize("name", ["rita", " Rita "])
    async def test_refuses_on_whose_behalf_it_was_asked(self, api: AsyncClient, rita: AsyncClient, name: str) -> None:
        refused(await release(rita, await check(api, "1500", on_behalf_of=name)), 403, "four_eyes")

    async def test_refuses_a_service(self, api: AsyncClient, api_as: ApiAs) -> None:
        robot = await api_as(Scope.ORDERS_RELEASE, kind=ActorKind.SERVICE)
        refused(await release(robot, await check(api, "1500")), 403, "person_required")

    async def test_needs_the_scope(self, api: AsyncClient, api_as: ApiAs) -> None:
        refused(await release(await api_as(Scope.ORDERS_CHECK), await check(api, "1500")), 403, "scope_missing")

    async def test_refuses_while_a_forced_hold_stands(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        await hold(api, "C-1", "forced")
        refused(await release(rita, asked), 409, "forced_hold")

    async def test_overrules_a_soft_hold(self, api: AsyncClient, rita: AsyncClient) -> None:
        await hold(api, "C-1", "soft")
        assert (await release(rita, await check(api, "100"))).json()["review"] == "released"
        assert (await order(api))["state"] == "open"

    async def test_refuses_a_declined_check(self, api: AsyncClient, rita: AsyncClient) -> None:
        await hold(api, "C-1", "forced")
        refused(await release(rita, await check(api, "100")), 409, "review_closed")

    async def test_refuses_an_approved_check(self, api: AsyncClient, rita: AsyncClient) -> None:
        refused(await release(rita, await check(api, "100")), 409, "review_closed")

    async def test_happens_once(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        await release(rita, asked)
        refused(await release(rita, asked), 409, "review_closed")

    async def test_refuses_what_a_newer_check_has_superseded(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        newer = await check(api, "1400")
        refused(await release(rita, asked), 409, "review_closed")
        assert (await release(rita, newer)).status_code == 200

    async def test_refuses_what_has_lapsed(self, api: AsyncClient, rita: AsyncClient, clock: FrozenClock) -> None:
        asked = await check(api, "1500")
        clock.move(by=timedelta(days=30))
        refused(await release(rita, asked), 409, "review_closed")

    async def test_of_an_unknown_check_is_not_found(self, rita: AsyncClient) -> None:
        refused(await release(rita, {"id": str(uuid4())}), 404, "credit_check_not_found")

    async def test_of_a_check_in_a_segment_the_caller_may_not_see_is_not_found(
        self, api: AsyncClient, api_as: ApiAs
    ) -> None:
        elsewhere = await api_as(Scope.ORDERS_RELEASE, segments=["eu"])
        refused(await release(elsewhere, await check(api, "1500")), 404, "credit_check_not_found")

    async def test_frees_the_parts_of_other_orders_that_it_replaces(self, api: AsyncClient, rita: AsyncClient) -> None:
        await check(api, "600", "O-0")
        asked = await check(api, "1500", replaces=[{"order_ref": "O-0", "amount": "600"}])
        await release(rita, asked)
        assert (await order(api, "O-0"))["state"] == "cancelled"
        assert (await account(api))["exposure"]["open_orders"] == "1500.00"

    async def test_is_journalled_as_an_override_with_its_excess(
        self, api: AsyncClient, rita: AsyncClient, transactions: Transactions
    ) -> None:
        asked = await check(api, "1500")
        await release(rita, asked)
        [event] = await events(transactions, "credit_check_released")
        assert event["exceptional"]
        assert (event["actor"], event["subject_id"]) == ("rita", asked["id"])
        assert event["after"] == {
            "review": "released",
            "order_ref": "O-1",
            "amount": "1500.00",
            "currency": "CNY",
            "reason": "old friend",
            "override": True,
            "approved": "1500.00",
            "codes": ["limit_exceeded"],
            "account_currency": "CNY",
            "excess": "500.00",
        }

    async def test_without_a_rate_is_refused(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "100", currency="EUR")
        assert asked["reasons"][0]["code"] == "fx_rate_missing"
        refused(await release(rita, asked), 422, "fx_rate_missing")

    async def test_takes_the_rate_of_the_day_once_there_is_one(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "100", currency="EUR")
        rates = {"base": "EUR", "rates": {"CNY": "8"}}
        (await api.put("/v1/fx-rates/2026-03-01", json=rates)).raise_for_status()
        (await release(rita, asked)).raise_for_status()
        assert (await account(api))["exposure"]["open_orders"] == "800.00"

    async def test_races_a_newer_check_and_one_of_them_wins(self, api: AsyncClient, rita: AsyncClient) -> None:
        for number in range(5):
            ref = f"O-{number}"
            asked = await check(api, "2000", ref)

            answer, newer = await asyncio.gather(release(rita, asked), check(api, "3000", ref))

            found = await order(api, ref)
            assert found["review_id"] == newer["id"], "the newer check waits for its own review, whoever came first"
            if answer.status_code == 200:
                assert found["approved"] == "2000.00"
            else:
                refused(answer, 409, "review_closed")
                assert found["approved"] == "0.00"


class TestGrace:
    async def test_lets_a_re_check_pass_that_was_released(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        again = await check(api, "1500")
        assert (again["outcome"], again["reasons"][0]["effect"]) == ("approved", "warn")

    async def test_does_not_cover_more(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        assert (await check(api, "1501"))["outcome"] == "referred"

    async def test_does_not_cover_better_terms(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        assert (await check(api, "1500", payment_terms={"net_days": 31}))["outcome"] == "referred"

    async def test_covers_what_objected_on_the_day_of_the_release(self, api: AsyncClient, rita: AsyncClient) -> None:
        """Referred for want of a limit, released when there is one that is too small."""
        await open_account(api, "C-2", limit=None)
        asked = await check(api, "1500", customer_id="C-2")
        assert asked["reasons"][0]["code"] == "no_limit"
        await set_limit(api, "C-2", "1000")
        await release(rita, asked)
        assert (await check(api, "1500", customer_id="C-2", checkpoint="shipment"))["outcome"] == "approved"

    async def test_does_not_cover_another_reason(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        await hold(api, "C-1", "soft")
        assert (await check(api, "1500"))["outcome"] == "referred"

    async def test_ends_with_its_days(self, api: AsyncClient, rita: AsyncClient, clock: FrozenClock) -> None:
        await release(rita, await check(api, "1500"))
        clock.move(by=timedelta(days=3))
        assert (await check(api, "1500"))["outcome"] == "approved"
        clock.move(by=timedelta(seconds=1))
        assert (await check(api, "1500"))["outcome"] == "referred"

    async def test_covers_shipments_of_what_was_released(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        assert (await check(api, "700", checkpoint="shipment"))["outcome"] == "approved"
        await ship(api, "700")
        assert (await check(api, "800", checkpoint="shipment"))["outcome"] == "approved"
        await ship(api, "800", "S-2")
        assert (await check(api, "1", checkpoint="shipment"))["outcome"] == "referred"


class TestReject:
    async def test_ends_the_review_and_declines_the_order(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        rejected = (await reject(rita, asked)).json()
        assert (rejected["review"], rejected["reviewed_by"]) == ("rejected", "rita")
        assert (await order(api))["state"] == "declined"

    async def test_keeps_what_was_approved_before(self, api: AsyncClient, rita: AsyncClient) -> None:
        await check(api, "300")
        await reject(rita, await check(api, "1500"))
        assert amounts(await order(api)) == ("open", "300", "0", "300")

    async def test_is_open_to_whoever_asked(self, api: AsyncClient) -> None:
        assert (await reject(api, await check(api, "1500"))).status_code == 200

    async def test_refuses_a_service(self, api: AsyncClient, api_as: ApiAs) -> None:
        robot = await api_as(Scope.ORDERS_RELEASE, kind=ActorKind.SERVICE)
        refused(await reject(robot, await check(api, "1500")), 403, "person_required")

    async def test_happens_once(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        await reject(rita, asked)
        refused(await reject(rita, asked), 409, "review_closed")

    async def test_by_two_at_once_is_decided_by_one(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        answers = await asyncio.gather(release(rita, asked), reject(rita, asked), reject(rita, asked))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]

    async def test_is_journalled(self, api: AsyncClient, rita: AsyncClient, transactions: Transactions) -> None:
        await reject(rita, await check(api, "1500"))
        [event] = await events(transactions, "credit_check_rejected")
        assert (event["before"], event["after"]["reason"]) == ({"review": "open"}, "too risky")


class TestReevaluate:
    async def test_approves_by_a_check_of_its_own_once_nothing_objects(
        self, api: AsyncClient, rita: AsyncClient
    ) -> None:
        asked = await check(api, "1500")
        await set_limit(api, "C-1", "2000")

        answer = await reevaluate(rita, asked)

        fresh = answer.json()
        assert (answer.status_code, fresh["outcome"], fresh["review"]) == (201, "approved", "none")
        assert (fresh["checked_by"], fresh["reservation"]["state"]) == ("rita", "active")
        assert (await stored(api, asked))["review"] == "superseded"
        assert amounts(await order(api)) == ("open", "1500", "0", "1500")

    async def test_leaves_the_review_open_while_something_objects(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")

        fresh = (await reevaluate(rita, asked)).json()

        assert (fresh["outcome"], fresh["review"], fresh["reservation"]) == ("referred", "none", None)
        assert fresh["id"] != asked["id"]
        assert (await stored(api, asked))["review"] == "open"
        assert (await order(api))["review_id"] == asked["id"]
        assert (await release(rita, asked)).status_code == 200

    async def test_may_be_asked_for_by_an_order_desk(self, api: AsyncClient, api_as: ApiAs) -> None:
        desk = await api_as(Scope.ORDERS_CHECK, kind=ActorKind.SERVICE)
        assert (await reevaluate(desk, await check(api, "1500"))).status_code == 201

    async def test_judges_by_todays_facts(self, api: AsyncClient, rita: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "800", "O-0", reservation_days=1)
        asked = await check(api, "900")
        assert asked["outcome"] == "referred"
        clock.move(by=timedelta(days=2))
        assert (await reevaluate(rita, asked)).json()["outcome"] == "approved"

    async def test_refuses_a_closed_review(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        await reject(rita, asked)
        refused(await reevaluate(rita, asked), 409, "review_closed")

    async def test_never_approves_more_than_the_headroom_beside_the_desk(
        self, api: AsyncClient, rita: AsyncClient
    ) -> None:
        asked = [await check(api, "1500", f"O-{number}") for number in range(4)]
        await set_limit(api, "C-1", "3000")
        await asyncio.gather(
            *(reevaluate(rita, waiting) for waiting in asked), *(check(api, "1500", f"N-{n}") for n in range(4))
        )
        assert (await account(api))["exposure"]["open_orders"] == "3000.00"


class TestLapse:
    async def test_frees_what_nobody_decided_in_time(
        self, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        asked, other = await check(api, "1500"), await check(api, "1600", "O-2")
        clock.move(by=timedelta(days=30))

        await lapse_reviews(Run(transactions, "test"))

        for lapsed in (asked, other):
            assert (await stored(api, lapsed))["review"] == "lapsed"
        assert amounts(await order(api)) == ("expired", "0", "0", "0")
        assert (await order(api))["held"] == "0.00"
        assert len(await events(transactions, "credit_check_lapsed")) == 2

    async def test_leaves_reviews_that_have_time(
        self, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        asked = await check(api, "1500")
        clock.move(by=timedelta(days=29))
        await lapse_reviews(Run(transactions, "test"))
        assert (await stored(api, asked))["review"] == "open"

    async def test_shows_before_the_job_has_run(self, api: AsyncClient, clock: FrozenClock) -> None:
        asked = await check(api, "1500")
        clock.move(by=timedelta(days=30))
        assert (await stored(api, asked))["review"] == "lapsed"
        assert (await api.get("/v1/credit-checks?review=open")).json()["items"] == []
        [found] = (await api.get("/v1/credit-checks?review=lapsed")).json()["items"]
        assert found["id"] == asked["id"]

    async def test_passes_over_an_account_that_others_hold(
        self, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await open_account(api, "C-2")
        asked, other = await check(api, "1500"), await check(api, "1600", "O-2", customer_id="C-2")
        clock.move(by=timedelta(days=30))
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await exposure.lock(tx, keys=[("C-1", "main")])
            await lapse_reviews(Run(transactions, "test"))
            assert await orders.accounts_with_lapsing_reviews(tx) == [("C-1", "main")]
        assert (await stored(api, other))["review"] == "lapsed"
        await lapse_reviews(Run(transactions, "test"))
        assert (await stored(api, asked))["reviewed_by"] is None
