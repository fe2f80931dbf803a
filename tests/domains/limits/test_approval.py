"""The way of a limit request through approval, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from httpx import AsyncClient

from app.domains.limits.jobs import escalate_requests, expire_requests
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import ActorKind
from app.kernel.money import Money
from app.support.auth.core.scopes import Role, Scope
from tests.domains.limits.world import (
    PATH,
    People,
    approve,
    ask,
    current,
    graded,
    inbox,
    people,
    reject,
    states,
    try_to_ask,
    types,
)
from tests.domains.orders.world import account, events, open_account, refused
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api, limit=None)


@pytest.fixture
async def staff(api_as: ApiAs) -> People:
    return await people(api_as)


class TestTwoApprovals:
    async def test_put_the_limit_in_force(self, api: AsyncClient, staff: People, transactions: Transactions) -> None:
        asked = await ask(staff.ana, "600000")
        assert (asked["status"], asked["kind"], states(asked)) == ("pending", "new", ["pending", "waiting"])
        assert [step["role"] for step in asked["steps"]] == ["credit_manager", "finance_director"]
        assert [step["needed_authority"] for step in asked["steps"]] == ["600000.00", "600000.00"]

        first = (await approve(staff.max, asked)).raise_for_status().json()
        assert (first["status"], states(first)) == ("pending", ["approved", "pending"])
        assert (await account(api))["limit"]["kind"] == "none"

        second = (await approve(staff.dora, asked)).raise_for_status().json()
        assert (second["status"], second["decided_amount"]) == ("approved", "600000.00")
        assert [step["by"] for step in second["steps"]] == ["max", "dora"]
        assert (await account(api))["limit"]["effective_amount"] == "600000.00"
        assert await types(transactions, asked["id"]) == [
            ("limit_requested", "ana"),
            ("limit_request_step_approved", "max"),
            ("limit_request_approved", "dora"),
        ]

    async def test_set_a_limit_that_is_nothing_exceptional(self, staff: People, transactions: Transactions) -> None:
        asked = await ask(staff.ana, "600000")
        await approve(staff.max, asked)
        await approve(staff.dora, asked)
        (limit,) = await events(transactions, "limit_set")
        assert (limit["exceptional"], limit["actor"]) == (False, "dora")
        assert limit["after"]["reason"] == f"limit request {asked['id']}"

    async def test_are_one_where_the_first_approves_an_amount_that_needs_no_other(self, staff: People) -> None:
        asked = await ask(staff.ana, "600000")
        approved = (await approve(staff.max, asked, amount="90000")).raise_for_status().json()
        assert (approved["status"], approved["decided_amount"]) == ("partly_approved", "90000.00")
        assert states(approved) == ["approved", "not_needed"]

    async def test_may_each_be_for_less(self, api: AsyncClient, staff: People) -> None:
        asked = await ask(staff.ana, "600000")
        await approve(staff.max, asked, amount="500000")
        refused(await approve(staff.dora, asked, amount="500000.01"), 422, "approval_exceeds_request")
        decided = (await approve(staff.dora, asked, amount="400000")).json()
        assert (decided["status"], decided["decided_amount"]) == ("partly_approved", "400000.00")
        assert (await account(api))["limit"]["effective_amount"] == "400000.00"


class TestRefusals:
    async def test_of_services(self, staff: People, api_as: ApiAs, transactions: Transactions) -> None:
        robot = await api_as(
            Scope.LIMITS_APPROVE, name="robot", kind=ActorKind.SERVICE, authority=Money(Decimal(10**9), "CNY")
        )
        asked = await ask(staff.ana, "50000")
        refused(await approve(robot, asked), 403, "person_required")
        (event,) = await events(transactions, "limit_approval_refused")
        assert (event["actor"], event["subject_id"]) == ("robot", asked["id"])
        assert event["after"]["code"] == "person_required"

    @pytest.mark.parametrize("scopes", [(Scope.LIMITS_REQUEST, Scope.LIMITS_APPROVE), (Scope.ADMIN,)])
    async def test_of_whoever_asked(self, api_as: ApiAs, transactions: Transactions, scopes: tuple[Scope, ...]) -> None:
        both = await api_as(*scopes, name="both", authority=Money(Decimal(10**9), "CNY"))
        asked = await ask(both, "50000")
        refused(await approve(both, asked), 403, "four_eyes")
        refused(await reject(both, asked), 403, "four_eyes")
        found = await events(transactions, "limit_approval_refused")
        assert [(event["after"]["action"], event["after"]["code"]) for event in found] == [
            ("approve", "four_eyes"),
            ("reject", "four_eyes"),
        ]

    @pytest.mark.parametrize("name", ["max", " Max "])
    async def test_of_on_whose_behalf_it_was_asked(self, staff: People, name: str) -> None:
        asked = await ask(staff.ana, "50000", on_behalf_of=name)
        refused(await approve(staff.max, asked), 403, "four_eyes")
        assert (await approve(staff.mia, asked)).status_code == 200

    async def test_of_whoever_has_approved_a_step_before(
        self, staff: People, api_as: ApiAs, transactions: Transactions
    ) -> None:
        senior = await api_as(Scope.LIMITS_APPROVE, name="senior", authority=Money(Decimal(10**9), "CNY"))
        asked = await ask(staff.ana, "600000")
        await approve(senior, asked)
        refused(await approve(senior, asked), 403, "already_approved")
        (event,) = await events(transactions, "limit_approval_refused")
        assert event["after"]["code"] == "already_approved"
        assert (await approve(staff.dora, asked)).json()["status"] == "approved"

    async def test_of_amounts_beyond_the_authority(self, staff: People, api_as: ApiAs) -> None:
        small = await api_as(role=Role.CREDIT_MANAGER, name="small", authority=Money(Decimal(49_999), "CNY"))
        asked = await ask(staff.ana, "50000")
        refused(await approve(small, asked), 403, "authority_exceeded")
        assert (await approve(small, asked, amount="49999")).json()["status"] == "partly_approved"

    async def test_of_people_without_any_authority(self, staff: People, api_as: ApiAs) -> None:
        nobody = await api_as(Scope.LIMITS_APPROVE, name="nobody")
        asked = await ask(staff.ana, "1")
        refused(await approve(nobody, asked), 403, "authority_exceeded")
        refused(await reject(nobody, asked), 403, "authority_exceeded")

    async def test_of_an_authority_that_no_exchange_rate_leads_from(
        self, api: AsyncClient, staff: People, api_as: ApiAs
    ) -> None:
        european = await api_as(Scope.LIMITS_APPROVE, name="european", authority=Money(Decimal(10_000), "EUR"))
        asked = await ask(staff.ana, "50000")
        refused(await approve(european, asked), 403, "authority_exceeded")
        assert await inbox(european) == []
        rates = {"base": "EUR", "rates": {"CNY": "7.80"}}
        (await api.put("/v1/fx-rates/2026-03-02", json=rates)).raise_for_status()
        assert await inbox(european) == [asked["id"]]
        assert (await approve(european, asked)).status_code == 200

    async def test_of_a_role_whose_step_it_is_not(self, staff: People, api_as: ApiAs) -> None:
        rich = await api_as(role=Role.CREDIT_MANAGER, name="rich", authority=Money(Decimal(10**9), "CNY"))
        asked = await ask(staff.ana, "600000")
        await approve(staff.max, asked)
        refused(await approve(rich, asked), 403, "role_not_due")

    async def test_let_a_senior_role_stand_in_for_a_junior(self, staff: People) -> None:
        asked = await ask(staff.ana, "50000")
        assert (await approve(staff.dora, asked)).json()["status"] == "approved"

    async def test_change_nothing(self, api: AsyncClient, staff: People) -> None:
        asked = await ask(staff.ana, "600000", on_behalf_of="max")
        await approve(staff.max, asked)
        assert await current(api, asked) == asked

    async def test_of_what_is_decided(self, staff: People) -> None:
        asked = await ask(staff.ana, "50000")
        await approve(staff.max, asked)
        for again in (await approve(staff.mia, asked), await reject(staff.mia, asked)):
            refused(again, 409, "limit_request_closed")

    async def test_of_a_request_in_a_segment_the_caller_may_not_see(self, staff: People, api_as: ApiAs) -> None:
        elsewhere = await api_as(Scope.LIMITS_APPROVE, segments=["eu"])
        asked = await ask(staff.ana, "50000")
        refused(await approve(elsewhere, asked), 404, "limit_request_not_found")

    async def test_need_the_scope(self, staff: People) -> None:
        asked = await ask(staff.ana, "50000")
        refused(await approve(staff.ana, asked), 403, "scope_missing")
        refused(await try_to_ask(staff.dora, "1"), 403, "scope_missing")


class TestReject:
    async def test_ends_the_request_at_any_step(
        self, api: AsyncClient, staff: People, transactions: Transactions
    ) -> None:
        asked = await ask(staff.ana, "600000")
        await approve(staff.max, asked)
        rejected = (await reject(staff.dora, asked)).raise_for_status().json()
        assert (rejected["status"], rejected["decided_amount"]) == ("declined", None)
        assert states(rejected) == ["approved", "rejected"]
        assert (await account(api))["limit"]["kind"] == "none"
        assert [kind for kind, _ in await types(transactions, asked["id"])][-1] == "limit_request_declined"


class TestEscalation:
    async def test_hands_on_to_the_next_level_in_time(
        self, staff: People, transactions: Transactions, clock: FrozenClock
    ) -> None:
        asked = await ask(staff.ana, "600000")
        clock.move(by=timedelta(hours=47))
        await escalate_requests(Run(transactions, "test"))
        assert await inbox(staff.max) == [asked["id"]]
        clock.move(by=timedelta(hours=1))
        await escalate_requests(Run(transactions, "test"))
        await escalate_requests(Run(transactions, "test"))
        assert await inbox(staff.max) == []
        assert await inbox(staff.dora) == [asked["id"]]
        decided = (await approve(staff.dora, asked)).json()
        assert (decided["status"], states(decided)) == ("approved", ["escalated", "approved"])
        assert ("limit_request_escalated", "system") in await types(transactions, asked["id"])

    async def test_of_the_last_level_leads_to_the_next_higher_authority(
        self, staff: People, transactions: Transactions, clock: FrozenClock
    ) -> None:
        asked = await ask(staff.ana, "50000")
        assert [step["role"] for step in asked["steps"]] == ["credit_manager"]
        clock.move(by=timedelta(hours=48))
        for _ in range(2):
            await escalate_requests(Run(transactions, "test"))
        assert (await inbox(staff.max), await inbox(staff.dora)) == ([], [asked["id"]])
        refused(await approve(staff.max, asked), 403, "role_not_due")
        decided = (await approve(staff.dora, asked)).raise_for_status().json()
        assert (decided["status"], states(decided)) == ("approved", ["escalated", "approved"])
        assert [(step["role"], step["needed_authority"]) for step in decided["steps"]] == [
            ("credit_manager", "50000.00"),
            ("finance_director", "50000.00"),
        ]
        (event,) = await events(transactions, "limit_request_escalated")
        assert (event["after"]["role"], event["after"]["to"]) == ("credit_manager", "finance_director")

    async def test_of_the_highest_authority_makes_the_request_overdue_and_leaves_it_decidable(
        self, api: AsyncClient, staff: People, transactions: Transactions, clock: FrozenClock
    ) -> None:
        asked, other = await ask(staff.ana, "50000"), await ask(staff.ana, "60000")
        clock.move(by=timedelta(hours=48))
        await escalate_requests(Run(transactions, "test"))
        clock.move(by=timedelta(hours=47))
        (await approve(staff.dora, other)).raise_for_status()
        await escalate_requests(Run(transactions, "test"))
        assert (await current(api, asked))["overdue_since"] is None
        clock.move(by=timedelta(hours=1))
        for _ in range(3):
            await escalate_requests(Run(transactions, "test"))
        late = await current(api, asked)
        assert (late["status"], late["overdue_since"]) == ("pending", "2026-03-06T09:00:00Z")
        listed = (await api.get(PATH, params={"overdue": True})).json()["items"]
        assert [item["id"] for item in listed] == [asked["id"]]
        assert await inbox(staff.dora) == [asked["id"]]
        assert (await approve(staff.dora, asked)).json()["status"] == "approved"
        assert await types(transactions, asked["id"]) == [
            ("limit_requested", "ana"),
            ("limit_request_escalated", "system"),
            ("limit_request_overdue", "system"),
            ("limit_request_approved", "dora"),
        ]

    async def test_that_nobody_heeds_ends_with_the_request_s_time(
        self, api: AsyncClient, staff: People, transactions: Transactions, clock: FrozenClock
    ) -> None:
        asked = await ask(staff.ana, "50000")
        for days in (2, 2, 26):
            clock.move(by=timedelta(days=days))
            await escalate_requests(Run(transactions, "test"))
        await expire_requests(Run(transactions, "test"))
        expired = await current(api, asked)
        assert (expired["status"], states(expired)) == ("expired", ["escalated", "not_needed"])
        assert len(await events(transactions, "limit_request_overdue")) == 1


class TestExpiry:
    async def test_ends_what_nobody_decided(
        self, api: AsyncClient, staff: People, transactions: Transactions, clock: FrozenClock
    ) -> None:
        asked = await ask(staff.ana, "50000")
        clock.move(by=timedelta(days=30))
        refused(await approve(staff.max, asked), 409, "limit_request_closed")
        await expire_requests(Run(transactions, "test"))
        assert (await current(api, asked))["status"] == "expired"
        assert await types(transactions, asked["id"]) == [
            ("limit_requested", "ana"),
            ("limit_request_expired", "system"),
        ]


class TestInbox:
    async def test_shows_what_the_caller_may_decide_now(self, staff: People, api_as: ApiAs) -> None:
        large, small = await ask(staff.ana, "600000"), await ask(staff.ana, "50000")
        assert set(await inbox(staff.max)) == {small["id"], large["id"]}
        assert await inbox(staff.ana) == []
        await approve(staff.max, large)
        assert await inbox(staff.max) == [small["id"]]
        assert await inbox(staff.mia) == [small["id"]]
        assert set(await inbox(staff.dora)) == {small["id"], large["id"]}

    async def test_leaves_out_what_the_caller_asked_for(self, staff: People) -> None:
        asked = await ask(staff.ana, "50000", on_behalf_of="MAX")
        assert await inbox(staff.max) == []
        assert await inbox(staff.mia) == [asked["id"]]

    async def test_of_a_service_is_empty(self, staff: People, api_as: ApiAs) -> None:
        robot = await api_as(
            Scope.LIMITS_APPROVE, name="robot", kind=ActorKind.SERVICE, authority=Money(Decimal(10**9), "CNY")
        )
        await ask(staff.ana, "50000")
        assert await inbox(robot) == []

    async def test_leaves_out_what_is_beyond_the_authority(self, staff: People, api_as: ApiAs) -> None:
        small = await api_as(Scope.LIMITS_APPROVE, name="small", authority=Money(Decimal(50_000), "CNY"))
        await ask(staff.ana, "50000.01")
        within = await ask(staff.ana, "50000")
        assert await inbox(small) == [within["id"]]


class TestMatrix:
    async def test_asks_by_grade(self, staff: People, monkeypatch: pytest.MonkeyPatch) -> None:
        graded(monkeypatch, "D")
        assert [step["role"] for step in (await ask(staff.ana, "400000"))["steps"]] == ["credit_manager"]
        graded(monkeypatch, "F")
        assert len((await ask(staff.ana, "400000"))["steps"]) == 2

    async def test_declines_at_once_below_the_worst_grade(
        self, staff: People, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        graded(monkeypatch, "H")
        declined = await ask(staff.ana, "400000")
        assert (declined["status"], declined["steps"]) == ("declined", [])
        assert declined["reasons"][0]["code"] == "grade_too_low"
        assert await types(transactions, declined["id"]) == [("limit_request_declined", "ana")]

    async def test_of_the_profile_counts(self, api: AsyncClient, staff: People, api_as: ApiAs) -> None:
        document = (await api.get("/v1/policies/main")).json()["document"]
        document["profiles"]["strict"] = {"approvals": {"matrix": [{"roles": ["credit_manager", "finance_director"]}]}}
        drafted = (await api.post("/v1/policies/main/versions", json={"document": document, "note": "strict"})).json()
        (await api.post(f"/v1/policies/main/versions/{drafted['version']}/activate", json={})).raise_for_status()
        assert len((await ask(staff.ana, "100"))["steps"]) == 1
        customer = {"name": "C", "country": "CN", "profile": "strict"}
        (await api.put("/v1/customers/C-1", json=customer)).raise_for_status()
        assert len((await ask(staff.ana, "100"))["steps"]) == 2


async def test_the_list_is_open_to_those_with_a_part_in_it(api: AsyncClient, staff: People) -> None:
    asked = await ask(staff.ana, "50000")
    for reader in (staff.ana, staff.max, api):
        found = (await reader.get(PATH, params={"customer_id": "C-1"})).raise_for_status().json()
        assert [item["id"] for item in found["items"]] == [asked["id"]]
    assert (await api.get(PATH, params={"status": "approved"})).json()["items"] == []
