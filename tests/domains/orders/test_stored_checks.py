from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Scope
from tests.domains.orders.world import Json, check, open_account, refused, set_limit, ship
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api)


async def stored(api: AsyncClient, check: Json) -> Json:
    found: Json = (await api.get(f"/v1/credit-checks/{check['id']}")).raise_for_status().json()
    return found


async def reservation(api: AsyncClient, check: Json) -> str:
    state: str = (await stored(api, check))["reservation"]["state"]
    return state


class TestGet:
    async def test_gives_the_answer_as_it_was_sent(self, api: AsyncClient) -> None:
        asked = await check(api, "950", on_behalf_of="sales")
        found = await stored(api, asked)
        assert asked.items() <= found.items()
        assert found["on_behalf_of"] == "sales"

    async def test_gives_it_long_after_the_facts_have_changed(self, api: AsyncClient) -> None:
        asked = await check(api, "1500")
        await set_limit(api, "C-1", "5000")
        assert asked.items() <= (await stored(api, asked)).items()

    async def test_of_an_unknown_check_is_not_found(self, api: AsyncClient) -> None:
        answer = await api.get("/v1/credit-checks/0195a000-0000-7000-8000-000000000000")
        refused(answer, 404, "credit_check_not_found")

    async def test_of_another_segment_is_not_found(self, api: AsyncClient, api_as: ApiAs) -> None:
        asked = await check(api, "100")
        elsewhere = await api_as(Scope.ORDERS_CHECK, segments=["eu"])
        refused(await elsewhere.get(f"/v1/credit-checks/{asked['id']}"), 404, "credit_check_not_found")


class TestReservation:
    async def test_is_active_until_it_ships(self, api: AsyncClient) -> None:
        asked = await check(api, "300")
        await ship(api, "100")
        assert await reservation(api, asked) == "active"
        await ship(api, "200", "S-2")
        assert await reservation(api, asked) == "used"

    async def test_is_freed_by_cancelling(self, api: AsyncClient) -> None:
        asked = await check(api, "300")
        await api.post("/v1/orders/O-1/cancel", json={"reason": "changed"})
        assert await reservation(api, asked) == "freed"

    async def test_expires(self, api: AsyncClient, clock: FrozenClock) -> None:
        asked = await check(api, "300")
        clock.move(by=timedelta(days=30))
        assert await reservation(api, asked) == "expired"

    async def test_is_freed_by_a_later_approval(self, api: AsyncClient, clock: FrozenClock) -> None:
        asked = await check(api, "300")
        clock.move(by=timedelta(seconds=1))
        newer = await check(api, "400")
        assert (await reservation(api, asked), await reservation(api, newer)) == ("freed", "active")


class TestList:
    async def test_shows_the_latest_first_page_by_page(self, api: AsyncClient, clock: FrozenClock) -> None:
        asked = []
        for number in range(3):
            asked.append((await check(api, "10", f"O-{number}"))["id"])
            clock.move(by=timedelta(seconds=1))
        first = (await api.get("/v1/credit-checks?limit=2")).json()
        rest = (await api.get("/v1/credit-checks", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert [item["id"] for item in (*first["items"], *rest["items"])] == asked[::-1]

    @pytest.mark.parametrize(
        "query", ["customer_id=C-2", "order_ref=O-2", "outcome=referred", "review=open", "customer_id=C-2&review=open"]
    )
    async def test_keeps_to_what_is_asked_for(self, api: AsyncClient, query: str) -> None:
        await open_account(api, "C-2")
        await check(api, "10")
        wanted = await check(api, "5000", "O-2", customer_id="C-2")
        found = (await api.get(f"/v1/credit-checks?{query}")).raise_for_status().json()["items"]
        assert [item["id"] for item in found] == [wanted["id"]]

    async def test_exports_what_changed_since(self, api: AsyncClient, api_as: ApiAs, clock: FrozenClock) -> None:
        asked = await check(api, "5000")
        await check(api, "10", "O-2")
        since = clock.now()
        clock.move(by=timedelta(seconds=1))
        rita = await api_as(Scope.ORDERS_RELEASE)
        await rita.post(f"/v1/credit-checks/{asked['id']}/reject", json={"reason": "no"})
        found = (await api.get("/v1/credit-checks", params={"changed_after": since.isoformat()})).json()["items"]
        assert [item["id"] for item in found] == [asked["id"]]

    async def test_of_a_segment_the_caller_may_not_see_is_not_found(self, api_as: ApiAs) -> None:
        elsewhere = await api_as(Scope.ORDERS_CHECK, segments=["eu"])
        refused(await elsewhere.get("/v1/credit-checks"), 404, "segment_not_found")


class TestReplay:
    async def replay(self, api: AsyncClient, check: Json) -> Json:
        replayed: Json = (await api.get(f"/v1/credit-checks/{check['id']}/replay")).raise_for_status().json()
        return replayed

    async def test_leads_to_the_same_decision(self, api: AsyncClient) -> None:
        await open_account(api, "C-2", limit=None)
        asked = [
            await check(api, "300", "O-1", requested_ship_on="2026-04-01", reservation_days=3),
            await check(api, "650", "O-2"),
            await check(api, "100", "O-1", checkpoint="shipment"),
            await check(api, "900", "O-3", replaces=[{"order_ref": "O-1", "amount": "300"}]),
            await check(api, "10", "O-4", currency="EUR"),
            await check(api, "10", "O-5", payment_terms={"kind": "prepaid"}, reserve=False),
            await check(api, "10", "O-6", customer_id="C-2"),
        ]
        for check_ in asked:
            replayed = await self.replay(api, check_)
            assert (replayed["identical"], replayed["differing"]) == (True, [])
            assert replayed["stored"] == replayed["replayed"] == check_

    async def test_leads_to_it_also_after_the_policy_has_changed(self, api: AsyncClient) -> None:
        asked = await check(api, "950")
        policy = (await api.get("/v1/policies/main")).json()["document"]
        policy["order_checks"]["utilisation_warning"]["percent"] = "99"
        draft = await api.post("/v1/policies/main/versions", json={"document": policy, "note": "laxer"})
        version = draft.raise_for_status().json()["version"]
        (await api.post(f"/v1/policies/main/versions/{version}/activate", json={})).raise_for_status()
        assert (await check(api, "940", "O-1"))["reasons"] == []
        assert (await self.replay(api, asked))["identical"]

    async def test_leads_to_it_also_under_an_override(self, api: AsyncClient, api_as: ApiAs) -> None:
        path = "/v1/customers/C-1/policy-override"
        patch = {"order_checks": {"limit": {"tolerance_percent": "50"}}}
        override = {"patch": patch, "valid_until": "2026-12-31", "reason": "season"}
        (await api.put(path, json=override)).raise_for_status()
        (await (await api_as(Scope.ADMIN)).post(f"{path}/approve")).raise_for_status()

        asked = await check(api, "1500")

        assert (asked["outcome"], asked["policy"]["override_id"] is None) == ("approved", False)
        assert (await self.replay(api, asked))["identical"]

    async def test_notices_facts_that_were_tampered_with(self, api: AsyncClient, transactions: Transactions) -> None:
        asked = await check(api, "1500")
        await tamper(transactions, asked, "1000", "9000", member="amount")
        replayed = await self.replay(api, asked)
        assert not replayed["identical"]
        assert {"outcome", "limit", "reasons"} <= set(replayed["differing"])

    async def test_notices_facts_that_can_not_be_read(self, api: AsyncClient, transactions: Transactions) -> None:
        asked = await check(api, "1500")
        await tamper(transactions, asked, "1000", "plenty", member="amount")
        replayed = await self.replay(api, asked)
        assert (replayed["identical"], replayed["differing"], replayed["replayed"]) == (False, ["facts"], None)


async def tamper(transactions: Transactions, check: Json, before: str, after: str, *, member: str) -> None:
    """Changes a member of the stored facts' base limit behind Headroom's back."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        stored_facts = await tx.session.scalar(
            text("select facts from credit_checks where id = cast(:id as uuid)"), {"id": check["id"]}
        )
        facts = orjson.loads(str(stored_facts))
        assert facts["account"]["base_limit"][member].startswith(before)
        facts["account"]["base_limit"][member] = after
        await tx.session.execute(
            text("update credit_checks set facts = :facts where id = cast(:id as uuid)"),
            {"facts": orjson.dumps(facts).decode(), "id": check["id"]},
        )
